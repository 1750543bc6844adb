"""Lessons as Jupyter notebooks: made from a lesson's page, with the outputs that the page shows.

`python -m tools.notebooks` writes docs/lessons/<lesson>.ipynb. A lesson's page is plain Markdown:
its Python fences are the cells, what follows a cell is its output. A run of the tests compares that
output with what the cells print and draw, so the notebook needs no run of its own.
"""

import html
import json
import re
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from mkdocs.utils.meta import get_data

from tools.generated import write_changed

ROOT = Path(__file__).resolve().parent.parent
CSS = ROOT / "theme" / "styles" / "figures.css"
EXPECTED = "<!-- pytest-codeblocks:expected-output -->"
CELL = re.compile(
    r"^```python\n(?P<code>.*?)^```\n"
    rf"(?:\n{EXPECTED}\n\n```text\n(?P<output>.*?)^```\n)?"
    r"(?P<figure>\n<figure>\n.*?^</figure>\n)?",
    re.MULTILINE | re.DOTALL,
)
FIGURE = re.compile(
    r'aria-label="(?P<alt>[^"]*)">\n--8<-- "(?P<file>[^"]*)"\n</div>\n'
    r"<figcaption>(?P<caption>.*)</figcaption>",
    re.DOTALL,
)
ATTRIBUTES = re.compile(r"^\{: [^}]*\}\n", re.MULTILINE)  # for the page's style alone
MARKDOWN_IN_HTML = re.compile(r"(<details\b[^>]*) markdown>")  # the notebook's own reading
LINK = re.compile(r"\]\(\.\./([\w/-]+)\.md(#[\w-]+)?\)")
NO_ADDRESS = 'SITE = ""'  # in the first cell of a lesson: where the site stands


def lessons(root: Path) -> list[Path]:
    """The page of every lesson."""
    return sorted((root / "docs" / "lessons").glob("*.md"))


def notebook(root: Path, page: Path, address: str = "") -> str:
    """The notebook of a lesson, as JSON, the same bytes for the same page and figures.

    Args:
        root: the folder that holds docs/.
        page: the lesson's page.
        address: of a built site that carries dlref and the entries. Without one, links are those
            between the files of the repository.
    """
    text, meta = get_data(page.read_text(encoding="utf-8"))
    cells: list[dict[str, Any]] = []
    prose, end = f"# {meta['title']}\n\n", 0
    for match in CELL.finditer(text):
        prose += text[end : match.start()]
        end = match.end()
        _add_prose(cells, prose, address)
        code = match["code"]
        if address:
            code = code.replace(NO_ADDRESS, f'SITE = "{address}"')
        outputs, prose = _outputs(match, root)
        cells.append(
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"cell-{len(cells)}",
                "metadata": {},
                "outputs": outputs,
                "source": _lines(code),
            }
        )
    _add_prose(cells, prose + text[end:], address)
    document = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def with_outputs(text: str, printed: list[str]) -> str:
    """A lesson's page with what its cells print in the place of the outputs that it shows."""
    outputs = iter(printed)

    def cell(match: re.Match[str]) -> str:
        output = next(outputs)
        shown = f"\n{EXPECTED}\n\n```text\n{output}```\n" if output else ""
        return f"```python\n{match['code']}```\n{shown}{match['figure'] or ''}"

    return CELL.sub(cell, text)


def generate(root: Path) -> dict[Path, str]:
    """Every notebook that is committed, by its path below ``root``."""
    return {
        page.with_suffix(".ipynb").relative_to(root): notebook(root, page) for page in lessons(root)
    }


def write(root: Path) -> None:
    """Write the notebooks that have changed, and remove those of no lesson."""
    for name in orphans(root):
        (root / name).unlink()
    write_changed(root, generate(root))


def orphans(root: Path) -> list[Path]:
    """Notebooks of no lesson, by their paths below ``root``."""
    found = (root / "docs" / "lessons").glob("*.ipynb")
    return sorted(p.relative_to(root) for p in found if not p.with_suffix(".md").exists())


def publish(root: Path, site: Path, address: str) -> None:
    """In a built site, put notebooks that know where the site stands in the place of the others."""
    for page in lessons(root):
        target = site / page.relative_to(root / "docs").with_suffix(".ipynb")
        target.write_text(notebook(root, page, address), encoding="utf-8")


def _add_prose(cells: list[dict[str, Any]], text: str, address: str) -> None:
    text = MARKDOWN_IN_HTML.sub(r"\1>", ATTRIBUTES.sub("", text)).strip()
    if address:
        text = LINK.sub(lambda link: f"]({address}{link[1]}/{link[2] or ''})", text)
    if text:
        cell = {"cell_type": "markdown", "id": f"cell-{len(cells)}", "metadata": {}}
        cells.append({**cell, "source": _lines(text)})


def _outputs(match: re.Match[str], root: Path) -> tuple[list[dict[str, Any]], str]:
    """What a cell prints and draws, and the caption of its drawing as prose."""
    outputs: list[dict[str, Any]] = []
    caption = ""
    if match["output"]:
        text = _lines(match["output"], end=True)
        outputs.append({"name": "stdout", "output_type": "stream", "text": text})
    if match["figure"]:
        figure = FIGURE.search(match["figure"])
        if figure is None:
            raise ValueError(f"a figure of a lesson has another form: {match['figure'][:200]}")
        alt = html.unescape(figure["alt"])
        drawing = standalone((root / figure["file"]).read_text(encoding="utf-8"), alt)
        outputs.append(
            {
                "data": {"image/svg+xml": _lines(drawing), "text/plain": [alt]},
                "metadata": {"needs_background": "light"},
                "output_type": "display_data",
            }
        )
        caption = f"*{' '.join(figure['caption'].split())}*\n"
    return outputs, caption


def standalone(svg: str, alt: str) -> str:
    """An SVG of tools/figures.py for where there is no page around it: on white, with the light
    theme's colors, a font and a size of its own, and its description inside."""
    colors = {"--md-default-bg-color": "#ffffff"}
    colors |= re.findall(r"(--fig-[\w]+): ([^;]+);", CSS.read_text(encoding="utf-8"))[:7]
    for name, color in colors.items():
        svg = svg.replace(f"var({name})", color)
    attributes = f'role="img" aria-label={quoteattr(alt)} width="680" font-family="sans-serif"'
    return svg.replace("<svg ", f'<svg {attributes} color="#1b2027" ', 1)


def _lines(text: str, end: bool = False) -> list[str]:
    return (text if end else text.rstrip("\n")).splitlines(keepends=True)


if __name__ == "__main__":
    write(ROOT)
