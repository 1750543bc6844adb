"""The proof is written by a run that proved everything, and by no other."""

import re
import shutil
from pathlib import Path

import pytest

from tests.pages.conftest import Run
from tools import front_matter, proof, reference

PAGES = ("docs", "README.md", "CONTRIBUTING.md", "mkdocs.yml")


@pytest.fixture
def small(copy: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The copy with one page only, so that a whole run is short."""
    monkeypatch.setattr(reference, "write", lambda root: None)  # the build would make its pages
    config = (copy / "mkdocs.yml").read_text()
    start, end = config.index("nav:"), config.index("exclude_docs:")
    (copy / "mkdocs.yml").write_text(
        config[:start] + "nav: [index.md, terms.md]\n\n" + config[end:]
    )
    for name in ("concepts", "lessons", "paths", "generated", "reference"):
        shutil.rmtree(copy / "docs" / name)
    (copy / "docs" / "terms.yml").write_text("{}\n")
    for folder in (copy / "snippets").iterdir():
        if folder.name != "home":
            shutil.rmtree(folder)
    index = (copy / "docs" / "index.md").read_text()
    index = re.sub(r"\]\((?:lessons|paths|terms)[^)]*\)", "](#)", index)
    (copy / "docs" / "index.md").write_text(index)
    (copy / "README.md").write_text("# T\n\n```python\nassert [1]\n```\n")
    front_matter.write(copy)
    return copy


def test_whole_run_leaves_a_proof(small: Path, run_pages: Run) -> None:
    failed, report = run_pages(*PAGES)
    assert failed == set(), report
    assert proof.line(small)


@pytest.mark.parametrize(
    "options", [["--collect-only"], ["-k", "rules"], ["-k", "not rules"], ["-k", "not line"]]
)
def test_run_of_a_part_leaves_none(small: Path, run_pages: Run, options: list[str]) -> None:
    run_pages(*PAGES, options=options)
    assert not (small / proof.FILE).exists()


def test_run_without_the_gate_leaves_none(small: Path, run_pages: Run) -> None:
    assert run_pages(*PAGES[:-1])[0] == set()
    assert not (small / proof.FILE).exists()


def test_failing_run_leaves_none(small: Path, run_pages: Run) -> None:
    (small / "README.md").write_text("# T\n\n```python\nassert [0][0]\n```\n")
    assert run_pages(*PAGES)[0] != set()
    assert not (small / proof.FILE).exists()


def test_run_during_which_a_source_changed_leaves_none(small: Path, run_pages: Run) -> None:
    changed = small / "theme" / "styles" / "site.css"
    code = f"import pathlib\npathlib.Path({str(changed)!r}).write_text('')\nassert [1]"
    (small / "README.md").write_text(f"# T\n\n```python\n{code}\n```\n")
    failed, report = run_pages(*PAGES)
    assert failed == set(), report
    assert not (small / proof.FILE).exists()
