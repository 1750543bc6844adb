"""Each docstring has what a reference needs: shapes, dtypes, formula, errors, source, example.

The docstrings are read as tools/reference.py reads them, and each name is a test of its own.
"""

import re
from doctest import DocTestParser
from pathlib import Path

import griffe
import pytest

from tools.docstrings import Item, base_method, methods, read
from tools.reference import read_pages

ROOT = Path(__file__).resolve().parents[2]
NAMES = {name: item for page in read_pages(ROOT) for name, item in page.names.items()}
METHODS: dict[str, Item] = {
    f"{name}.{method}": member
    for name, item in NAMES.items()
    if item.is_class
    for method, member in methods(item).items()
}
# A method that replaces another one may leave all but its first paragraph to that one's docstring.
ALL: dict[str, Item] = NAMES | {
    name: item for name, item in METHODS.items() if read(item).parts or not base_method(item)
}

DOWNLOADED = {"data.cifar10", "data.mnist"}  # no example needs a network
NO_FORMULA = {"Checkpoint", "asarray", "available_devices", "data.digits", "data.python_manual"}
NO_FORMULA |= {"fit", "lenet", "alexnet", "gpt", "load_gpt2", "to_torch", *DOWNLOADED}
SHAPE = re.compile(r"\bshapes?\b|\(([A-Z]|\.\.\.)(,|(, ([\w'/ +]+|\.\.\.))+)\)")
DTYPE = re.compile(r"\bdtypes?\b|\b(float|int)\d\d\b|\bintegers\b")
UNSEEN = {"cache"}  # what only `forward` and `backward` look at

each_name = pytest.mark.parametrize("name", NAMES)
each = pytest.mark.parametrize("name", ALL)


def annotations(item: Item) -> dict[str, str]:
    """The arguments of a call with their types, and its result under the name `return`."""
    found = {p.name: str(p.annotation) for p in item.parameters if p.name not in ("self", "cls")}
    return found | {"return": str(item.returns)} if isinstance(item, griffe.Function) else found


def said_of(item: Item, argument: str) -> str:
    parts = read(item).parts
    if argument == "return":
        return " ".join(f"{p.annotation} {p.description}" for p in parts.get("Returns", []))
    return next((p.description for p in parts.get("Arguments", []) if p.name == argument), "")


@pytest.mark.parametrize("name", NAMES | METHODS)
def test_first_paragraph_is_a_sentence(name: str) -> None:
    assert re.fullmatch(r".+\.", read((NAMES | METHODS)[name]).summary)


@each
def test_every_argument_is_described_and_no_other(name: str) -> None:
    described = [part.name for part in read(ALL[name]).parts.get("Arguments", [])]
    assert described == [key for key in annotations(ALL[name]) if key != "return"]


@each
def test_every_array_has_a_shape_and_a_dtype(name: str) -> None:
    for argument, annotation in annotations(ALL[name]).items():
        if argument not in UNSEEN and re.search(r"\bArray\b|\bndarray\b", annotation):
            text = said_of(ALL[name], argument)
            assert SHAPE.search(text), f"{argument} has no shape: {text!r}"
            assert DTYPE.search(text), f"{argument} has no dtype: {text!r}"


@each
def test_what_is_returned_is_described(name: str) -> None:
    returned = annotations(ALL[name]).get("return", "None")
    assert (returned == "None") != bool(said_of(ALL[name], "return"))


@each
def test_it_says_how_it_fails_or_that_it_never_does(name: str) -> None:
    doc = read(ALL[name])
    by_its_methods = ALL[name].is_class and not annotations(ALL[name])
    assert "Raises" in doc.parts or "never fails" in doc.prose or by_its_methods


@each_name
def test_it_has_a_formula_or_computes_none(name: str) -> None:
    assert bool(read(NAMES[name]).formula) != (name in NO_FORMULA)


@each_name
def test_it_has_a_source_with_a_link(name: str) -> None:
    assert re.search(r"https://\S+", read(NAMES[name]).source)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in DOWNLOADED])
def test_its_example_is_a_script_that_prints(name: str) -> None:
    doc, docstring = read(NAMES[name]), NAMES[name].docstring
    assert "import dlref\n" in doc.code
    assert f"dlref.{name}" in doc.code
    assert doc.output
    assert docstring is not None
    for example in DocTestParser().get_examples(docstring.value):
        printed = example.source.startswith(("print(", "for "))
        assert printed or not example.want, f"write print(...): {example.source}"
