"""Lessons: cells run in order, outputs are compared, notebooks install dlref and link home."""

import functools
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from importlib.metadata import files
from pathlib import Path
from typing import Any

import lxml.html
import nbformat
import pytest

from tests.pages import gate, rules, site_rules
from tests.pages.blocks import extract
from tests.pages.conftest import ROOT, Run
from tests.pages.site import Site
from tools import notebooks

LESSONS = notebooks.lessons(ROOT)
PAGE = "docs/lessons/short.md"
DRAWING = "docs/generated/short/line.svg"
SHORT = f"""---
title: Short
description: A lesson of three cells.
---

Words, and [a loss](../concepts/loss-function.md#overview).
{{: .definition }}

```python
import matplotlib.pyplot as plt
import numpy as np

import dlref

SITE = ""
loss, _ = dlref.mse(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
```

```python
print(loss)
plt.plot([1, loss])
plt.show()
```

<figure>
<div role="img" aria-label="A line up to 2.0.">
--8<-- "{DRAWING}"
</div>
<figcaption>A line.</figcaption>
</figure>

<details class="question" markdown>
<summary>A question?</summary>

The answer.

</details>

```python
loss = loss + 1
print(loss)
```
"""


@pytest.fixture
def short(copy: Path, run_pages: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The copy with one lesson, a short one, whose outputs are written."""
    monkeypatch.setattr("tests.pages.plugin.LESSON_LIMIT", 2.0)
    for path in (copy / "docs" / "lessons").iterdir():
        path.unlink()
    config = (copy / "mkdocs.yml").read_text()
    name = LESSONS[0].name
    (copy / "mkdocs.yml").write_text(config.replace(f"lessons/{name}", "lessons/short.md"))
    for path in (copy / "docs").rglob("*.md"):
        path.write_text(path.read_text().replace(f"lessons/{name}", "lessons/short.md"))
    (copy / PAGE).write_text(SHORT)
    failed, report = run_pages(PAGE, options=["--update-outputs"])
    assert failed == set(), report
    return copy


def damage(root: Path, old: str, new: str, path: str = PAGE) -> None:
    text = (root / path).read_text()
    assert old in text, "the sabotage no longer finds what it would damage"
    (root / path).write_text(text.replace(old, new, 1))


def cells(root: Path, page: str = PAGE) -> list[dict[str, Any]]:
    path = (root / page).with_suffix(".ipynb")
    return list(json.loads(path.read_text())["cells"])


def test_outputs_and_figures_are_written_below_their_cells_and_into_the_notebook(
    short: Path, run_pages: Run
) -> None:
    assert (
        f"print(loss)\n```\n\n{notebooks.EXPECTED}\n\n```text\n3.0\n" in (short / PAGE).read_text()
    )
    prose, _, drawn, caption, last = cells(short)
    assert "".join(prose["source"]).startswith("# Short\n\nWords, and [a loss](../concepts/")
    printed, drawing = drawn["outputs"]
    assert printed["text"] == ["2.0\n"]
    assert drawing["data"]["text/plain"] == ["A line up to 2.0."]
    assert "".join(caption["source"]).startswith('*A line.*\n\n<details class="question">\n')
    assert last["outputs"][0]["text"] == ["3.0\n"]
    before = {path: path.read_bytes() for path in (short / "docs").rglob("*") if path.is_file()}
    assert run_pages(PAGE, options=["--update-outputs"])[0] == set()
    assert {path: path.read_bytes() for path in before} == before, "a second run changed something"
    assert run_pages(PAGE)[0] == set()
    assert [p for p in site_rules.check(Site(short)) if "lesson" in str(p)] == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("loss = loss + 1", "loss = {}['x']", r"short.md:\d+: KeyError: 'x'\n  docs/lessons/short"),
        ("loss = loss + 1", "raise SystemExit(0)", "SystemExit: a block must not exit"),
        ("loss = loss + 1", "import warnings\nwarnings.warn('old')", "UserWarning: old"),
        ("loss = loss + 1", "import time\ntime.sleep(60)", "TimeoutError: the lesson took over"),
        ("print(loss)\n```", "loss\n```", "a notebook would show the value .*3\\.0"),
        ("\n3.0\n", "\n3.1\n", r"does not print what the page shows[^$]*-3.1\n\+3.0"),
        ("plt.plot([1, loss])", "plt.plot([1, 3])", "does not draw the figure of the page"),
        ("plt.plot([1, loss])", "", "draws 0 figures, and one is committed"),
        ("SITE =", "print('more')\nSITE =", "prints, but the page shows no output"),
    ],
)
def test_lesson_that_does_not_do_what_its_page_shows_fails_and_says_where(
    old: str, new: str, expected: str, short: Path, run_pages: Run
) -> None:
    text = (short / PAGE).read_text()
    place = text.rindex(old)  # the last cell, where several would do
    (short / PAGE).write_text(text[:place] + new + text[place + len(old) :])
    failed, report = run_pages(PAGE)
    assert len(failed) == 1, report
    assert re.search(expected, report), report


def test_change_of_dlref_alone_makes_outputs_stale(short: Path) -> None:
    command = [sys.executable, "-m", "pytest", "docs/lessons", "-p", "no:cacheprovider"]
    damage(short, "return loss, difference", "return 2 * loss, difference", "dlref/losses.py")
    result = subprocess.run(command, cwd=short, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "does not print what the page shows (make outputs rewrites it)" in result.stdout


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "```python\nloss",
            "```bash\nls\n```\n\n```python\nloss",
            "lesson-cell: a cell is a fence",
        ),
        ("```python\nloss", '```python title="x"\nloss', "lesson-cell: a cell is a fence"),
        (
            "<details",
            '??? question "A"\n\n    B\n\n<details',
            "lesson-markdown: a notebook does not",
        ),
        ("The answer.", "    ```python\n    x = 1\n    ```", "lesson-cell: a cell is a fence"),
        ("<figure>", "Words.\n\n<figure>", "lesson-cell: a figure, with its caption, stands"),
        ("up to 2.0", "up to 2.5", r"figure-form: .*2.5"),
        (f"\n{notebooks.EXPECTED}", f"\nWords.\n\n{notebooks.EXPECTED}", "codeblocks-comment: "),
    ],
)
def test_rule_rejects_what_a_notebook_would_show_otherwise(
    old: str, new: str, expected: str, short: Path
) -> None:
    damage(short, old, new)
    problems = [str(problem) for problem in rules.check(short / PAGE, Site(short))]
    assert any(re.search(rf"{PAGE}:\d+: {expected}", problem) for problem in problems), problems


def test_stale_missing_and_orphaned_notebooks_are_found(short: Path) -> None:
    def problems() -> list[str]:
        return [str(p) for p in site_rules.check(Site(short)) if p.rule == "lesson-notebooks"]

    assert problems() == []
    damage(short, "The answer.", "Another answer.")
    stale = "docs/lessons/short.ipynb:1: lesson-notebooks: the notebook is stale: make outputs"
    assert [p.startswith(stale) for p in problems()] == [True]
    notebooks.write(short)
    assert problems() == []
    (short / "docs/lessons/short.ipynb").rename(short / "docs/lessons/old.ipynb")
    assert len(problems()) == 2
    notebooks.write(short)
    assert problems() == []


def test_gate_finds_an_output_of_a_lesson_that_was_not_verified(short: Path) -> None:
    site = Site(short)
    executed = {
        page: gate.Blocks(
            gate.key(cell.syntax, cell.code, cell.expected_output or "")
            for block in extract(page, site)
            for cell in block.cells
        )
        for page in site.pages()
    }
    assert gate.check(site, executed) == []
    damage(short, "\n3.0\n", "\n3.1\n")
    assert any(
        "short.md: shows 1 python block that was not run" in p for p in gate.check(site, executed)
    )


@pytest.mark.parametrize("page", LESSONS, ids=lambda page: page.stem)
def test_notebook_is_valid_the_same_twice_and_holds_the_cells_that_run(page: Path) -> None:
    text = notebooks.notebook(ROOT, page)
    assert text == notebooks.notebook(ROOT, page)
    book = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(book)
    (lesson,) = extract(page, Site(ROOT))
    found = [
        (cell.source + "\n", _printed(cell)) for cell in book.cells if cell.cell_type == "code"
    ]
    assert found == [(cell.code, cell.expected_output or "") for cell in lesson.cells]
    for cell in book.cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"^\{:|8<--|pytest-codeblocks|<figure|```", cell.source, re.M)


def _printed(cell: Any) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def test_figure_of_a_notebook_needs_no_page_around_it() -> None:
    for path in (ROOT / "docs" / "generated").rglob("*.svg"):
        svg = notebooks.standalone(path.read_text(), 'so "wide"')
        assert "var(" not in svg
        image = lxml.html.fromstring(svg)
        assert image.get("aria-label") == 'so "wide"'
        assert "currentColor" in svg, "the color of the root is for nothing"
        assert image.get("color").startswith("#")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The site, built for the address that it is served at, and that address."""
    folder = tmp_path_factory.mktemp("site")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        patch.setenv("SITE_URL", address)
        patch.setenv("REPO_URL", "https://github.com/some/where.git")
        gate.build_site(Site(ROOT), folder)
        yield folder, address
        server.shutdown()


@pytest.mark.parametrize("page", LESSONS, ids=lambda page: page.stem)
def test_first_cell_installs_dlref_where_it_is_missing_and_nothing_where_it_is_there(
    page: Path, published: tuple[Path, str], tmp_path: Path
) -> None:
    folder, address = published
    with_address = (folder / "lessons" / f"{page.stem}.ipynb").read_text()
    bare = _first_cell(page.with_suffix(".ipynb").read_text())
    filled = _first_cell(with_address)
    assert f'SITE = "{address}"' in filled

    here = _python(Path(sys.executable), bare)
    assert here.returncode == 0, here.stderr
    assert here.stdout == here.stderr == ""

    venv.create(tmp_path / "fresh", with_pip=True)
    fresh = tmp_path / "fresh" / "bin" / "python"
    needed = _site_packages_without_dlref(tmp_path / "needed")
    lost = _python(fresh, bare, needed)
    assert re.search(r"ModuleNotFoundError: dlref is not installed.*write the address", lost.stderr)
    check = "import dlref\nprint(dlref.__file__, len(dlref.data.digits()[0]))"
    found = _python(fresh, f"{filled}\n{check}", needed)
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith(str(tmp_path / "fresh"))
    assert found.stdout.endswith(" 1437\n")
    again = _python(fresh, f"import subprocess\ndel subprocess.run\n{filled}", needed)
    assert again.returncode == 0, again.stderr


def _first_cell(text: str) -> str:
    return next(
        "".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"
    )


def _python(
    python: Path, code: str, path: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PIP_"))}
    environment |= {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    if path:
        environment["PYTHONPATH"] = str(path)
    command = [str(python), "-c", code]
    return subprocess.run(
        command, env=environment, cwd="/", capture_output=True, text=True, check=False
    )


def _site_packages_without_dlref(folder: Path) -> Path:
    """What dlref needs, as links, so that nothing is asked of an index."""
    folder.mkdir()
    for package in ("numpy", "array-api-compat", "safetensors", "tqdm"):
        for file in files(package) or []:
            first = file.parts[0]
            if first != ".." and not (folder / first).exists():
                (folder / first).symlink_to(Path(str(file.locate())).parents[len(file.parts) - 2])
    return folder


@pytest.mark.parametrize("page", LESSONS, ids=lambda page: page.stem)
def test_every_link_of_the_page_and_of_the_downloaded_notebook_leads_somewhere(
    page: Path, published: tuple[Path, str]
) -> None:
    folder, address = published
    html = (folder / "lessons" / page.stem / "index.html").read_text()
    document = lxml.html.fromstring(html, base_url=f"{address}lessons/{page.stem}/")
    document.make_links_absolute()
    links = {str(link) for link in document.xpath("//main//a/@href")}
    assert len([link for link in links if link.startswith(f"{address}concepts/")]) >= 4
    text = (folder / "lessons" / f"{page.stem}.ipynb").read_text()
    in_notebook = set(re.findall(r"\]\(([^)]+)\)", text))
    assert in_notebook
    assert not [link for link in in_notebook if not link.startswith("http")]
    assert f"{address}lessons/{page.stem}.ipynb" in links
    colab = "https://colab.research.google.com/github/some/where/blob/main/docs/lessons/"
    assert f"{colab}{page.stem}.ipynb" in links
    lost = [
        link
        for link in links | in_notebook
        if link.startswith(address) and not _is_there(folder, link, address)
    ]
    assert lost == []


def _is_there(folder: Path, link: str, address: str) -> bool:
    path, _, place = link.removeprefix(address).partition("#")
    file = folder / path
    file = file / "index.html" if file.is_dir() else file
    if not file.is_file():
        return False
    return not place or place in lxml.html.parse(file).xpath("//@id")


def test_colab_is_offered_for_a_repository_on_github_alone(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in ("", "https://code.example/dlref"):
        monkeypatch.setenv("REPO_URL", address)
        gate.build_site(Site(copy), tmp_path / "site")
        html = (tmp_path / "site" / "lessons" / LESSONS[0].stem / "index.html").read_text()
        assert "Download as notebook" in html
        assert "colab" not in html


def test_site_is_built_without_what_only_tests_need() -> None:
    absent = "sys.modules |= dict.fromkeys(['matplotlib', 'torch', 'pytest'])"
    code = f"import sys\n{absent}\nimport tools.hook"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
