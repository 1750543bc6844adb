"""A copy of the site that a test may damage, and pytest run on it in this process."""

import contextlib
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("docs", "dlref", "snippets", "theme", "tools")

Run = Callable[..., tuple[set[str], str]]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The root of a fresh copy of the site."""
    root = tmp_path / "copy"
    for name in COPIED:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("mkdocs.yml", "pyproject.toml", "README.md", "CONTRIBUTING.md", "LICENSE"):
        shutil.copy(ROOT / name, root / name)
    return root


@pytest.fixture
def run_pages(copy: Path) -> Run:
    """Run pytest on pages of the copy; give the names of what failed, and what was reported."""

    def run(*targets: str) -> tuple[set[str], str]:
        failed: set[str] = set()

        class Recorder:
            def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
                if report.failed:
                    failed.add(report.nodeid.rpartition("::")[2])

            def pytest_collectreport(self, report: pytest.CollectReport) -> None:
                if report.failed:
                    failed.add("collection")

        printed = io.StringIO()
        arguments = ["--codeblocks", "-q", "-p", "tests.pages.plugin", "-p", "no:cacheprovider"]
        arguments += ["--rootdir", str(copy), "-c", "/dev/null", "--confcutdir", str(copy)]
        arguments += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
        with contextlib.redirect_stdout(printed), contextlib.chdir(copy):
            pytest.main([*arguments, *(str(copy / t) for t in targets)], plugins=[Recorder()])
        return failed, printed.getvalue()

    return run
