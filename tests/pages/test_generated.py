"""What is generated and committed is what would be generated now."""

import zipfile
from pathlib import Path

import pytest

from tests.pages.conftest import ROOT
from tools import front_matter, proof, wheel
from tools.generated import stale


def test_generated_pages_are_not_stale() -> None:
    files = front_matter.generate(ROOT)
    assert stale(ROOT, files) == [], "run `python -m tools.front_matter` and commit what it writes"
    on_disk = {p.relative_to(ROOT) for p in (ROOT / "docs" / "generated").rglob("*.md")}
    assert on_disk <= set(files), "generated no more: `python -m tools.front_matter` removes them"


def test_unknown_prerequisite_is_an_error_that_names_it(copy: Path) -> None:
    page = copy / "docs" / "concepts" / "loss-function.md"
    page.write_text(page.read_text().replace("[machine-learning, ", "[machine-lerning, "))
    with pytest.raises(ValueError, match="loss-function: 'machine-lerning' is no entry"):
        front_matter.generate(copy)


def test_term_defined_twice_is_an_error_that_names_it(copy: Path) -> None:
    with (copy / "docs" / "terms.yml").open("a") as terms:
        terms.write("loss-function:\n  title: Loss function\n  definition: Twice.\n")
    with pytest.raises(ValueError, match="defines 'loss-function', which has an entry"):
        front_matter.generate(copy)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title: Loss function", "titel: Loss function", "loss-function.md: 'title' in the front"),
        (
            "[machine-learning, parameters]",
            "",
            "'prerequisites' in the front matter must be a list",
        ),
        ("aliases: [loss, ", "aliases: [95, ", "must be texts: quote numbers"),
        ("kind: needs", "kind: neds", "loss-function: related: kind must be one of needs"),
        ("source: [hui2021]", "source: [hui2012]", "loss-function: a claim cites .*hui2012"),
    ],
)
def test_mistake_in_the_front_matter_is_an_error_that_names_it(
    old: str, new: str, message: str, copy: Path
) -> None:
    page = copy / "docs" / "concepts" / "loss-function.md"
    text = page.read_text()
    assert old in text
    page.write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        front_matter.generate(copy)


def test_slug_of_two_terms_is_an_error_that_names_it(copy: Path) -> None:
    with (copy / "docs" / "terms.yml").open("a") as terms:
        terms.write("softmax:\n  title: Soft\n  definition: S.\n  entry: loss-function\n")
    with pytest.raises(ValueError, match=r"docs/terms\.yml defines softmax twice"):
        front_matter.generate(copy)


def test_name_of_two_terms_is_an_error_that_names_both(copy: Path) -> None:
    with (copy / "docs" / "terms.yml").open("a") as terms:
        terms.write("other:\n  title: Other\n  definition: O.\n  aliases: [Cost function]\n")
    with pytest.raises(ValueError, match="'cost function' names both 'other' and 'loss-function'"):
        front_matter.generate(copy)


def test_wheel_is_the_same_twice_and_carries_the_data(copy: Path) -> None:
    wheel.write(copy)
    (built,) = (copy / "docs" / "wheel").glob("*.whl")
    first, time = built.read_bytes(), built.stat().st_mtime_ns
    wheel.write(copy)
    assert built.read_bytes() == first
    assert built.stat().st_mtime_ns == time
    names = zipfile.ZipFile(built).namelist()
    assert "dlref/digits.npz" in names
    assert "dlref/data/digits.py" in names
    assert "dlref/py.typed" in names


def test_proof_holds_only_for_the_sources_that_were_run(copy: Path) -> None:
    assert proof.line(copy) == ""
    for name in proof.SOURCES:
        proof.write(copy, proof.digest(copy), blocks=16)
        assert " with Python 3" in proof.line(copy)
        path = copy / name
        path = path if path.is_file() else next(p for p in path.rglob("*.*") if p.is_file())
        path.write_bytes(path.read_bytes() + b"\n")
        assert proof.line(copy) == "", f"a change of {path} goes unseen"
