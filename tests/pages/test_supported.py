"""What the plain plugin misses or breaks on, and these pages support.

One test for each such row of the table of inputs that was measured before the project began; the
rows that are rejected instead are in test_sabotage.py.
"""

from pathlib import Path

import pytest

from tests.pages import gate
from tests.pages.blocks import Block, extract
from tests.pages.run import BlockError, run
from tests.pages.site import Site

SNIPPET = "snippets/loss-function/extra.py"


def write_page(root: Path, text: str) -> Path:
    page = root / "docs" / "extra.md"
    page.write_text(text, encoding="utf-8")
    return page


def blocks(root: Path, text: str) -> list[Block]:
    return extract(write_page(root, text), Site(root))


@pytest.mark.parametrize(
    "info", ["python", "py", 'python title="x"', 'python hl_lines="1"', 'py linenums="1"']
)
def test_every_allowed_spelling_of_a_fence_is_run(info: str, copy: Path) -> None:
    text = f"# T\n\n```{info}\nprint(1)\n```\n"
    (block,) = blocks(copy, text)
    assert (block.syntax, block.code, block.lineno) == ("python", "print(1)\n", 3)
    html = Site(copy).markdown().convert(text)
    executed = gate.Blocks([gate.key("python", block.code, "")])
    assert gate.compare("", f"<div>{html}</div>", executed) == []


@pytest.mark.parametrize("opening", ['=== "NumPy"', "!!! note", "??? success", "1.  An item:"])
def test_indented_fence_in_a_tab_admonition_or_list_is_run(opening: str, copy: Path) -> None:
    text = f"# T\n\n{opening}\n\n    ```python\n    if True:\n        print(1)\n    ```\n"
    (block,) = blocks(copy, text)
    assert block.code == "if True:\n    print(1)\n"
    assert block.lineno == 5


def test_include_is_expanded_and_keeps_the_line_of_the_page(copy: Path) -> None:
    (copy / SNIPPET).write_text("print(1)\n\nprint(2)\n")
    text = f'# T\n\n```python\n--8<-- "{SNIPPET}"\n```\n\n```python\nassert 1\n```\n'
    first, second = blocks(copy, text)
    assert first.code == "print(1)\n\nprint(2)\n"
    assert first.snippet == copy / SNIPPET
    assert (first.lineno, second.lineno) == (3, 7)


def test_output_that_is_included_is_compared_exactly(copy: Path) -> None:
    (copy / SNIPPET).write_text("print('a ')\nprint()\nprint('b')\n")
    output = (copy / SNIPPET).with_suffix(".out")
    output.write_text("a \n\nb\n")
    text = (
        f'```python\n--8<-- "{SNIPPET}"\n```\n\n<!-- pytest-codeblocks:expected-output -->\n\n'
        f'```text\n--8<-- "{SNIPPET.replace(".py", ".out")}"\n```\n'
    )
    run(*blocks(copy, text))
    output.write_text("a\n\nb\n")
    with pytest.raises(BlockError, match="does not print"):
        run(*blocks(copy, text))


def test_main_guard_and_classes_run_as_in_a_script(copy: Path) -> None:
    code = "class A: pass\nassert A.__module__ == '__main__'\n"
    code += "if __name__ == '__main__':\n    raise KeyError"
    with pytest.raises(BlockError, match="KeyError"):
        run(*blocks(copy, f"```python\n{code}\n```\n"))


def test_error_in_a_block_of_the_page_itself_names_its_line(copy: Path) -> None:
    with pytest.raises(BlockError) as error:
        run(*blocks(copy, "# T\n\n```python\nx = 1\nassert x == 2, 'wrong'\n```\n"))
    assert str(error.value) == (
        "docs/extra.md:3: AssertionError: wrong\n  docs/extra.md:5\n    assert x == 2, 'wrong'"
    )


def test_update_writes_output_and_figure_once_and_leaves_them_alone_after(copy: Path) -> None:
    (copy / SNIPPET).write_text(
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nprint('drawn')\n"
    )
    text = f'```python\n--8<-- "{SNIPPET}"\n```\n'
    (block,) = blocks(copy, text)
    run(block, update=True)
    output, figure = ((copy / SNIPPET).with_suffix(s) for s in (".out", ".svg"))
    assert output.read_text() == "drawn\n"
    assert figure.read_text().startswith("<svg")
    times = [path.stat().st_mtime_ns for path in (output, figure)]
    run(block, update=True)
    assert [path.stat().st_mtime_ns for path in (output, figure)] == times
    (copy / SNIPPET).write_text("assert True\n")
    (block,) = blocks(copy, text)
    run(block, update=True)
    assert not output.exists()
    assert not figure.exists()
