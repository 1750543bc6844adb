"""A copy of the site that a test may damage, and pytest run on it in this process."""

import contextlib
import io
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("docs", "dlref", "snippets", "theme", "tools", "tests/pages")
FILES = ["mkdocs.yml", "pyproject.toml", "requirements.lock", "conftest.py", "LICENSE"]
FILES += ["README.md", "CONTRIBUTING.md"]

Run = Callable[..., tuple[set[str], str]]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The root of a fresh copy of the site."""
    root = tmp_path / "copy"
    for name in COPIED:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, root / name)
    return root


@pytest.fixture
def run_pages(copy: Path) -> Run:
    """Run pytest on pages of the copy; give the names of what failed, and what was reported."""

    def run(*targets: str, options: Sequence[str] = ()) -> tuple[set[str], str]:
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
        arguments += ["--rootdir", str(copy), "-c", "/dev/null", "--noconftest"]
        arguments += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
        with contextlib.redirect_stdout(printed), contextlib.chdir(copy):
            paths = [str(copy / target) for target in targets]
            pytest.main([*arguments, *options, *paths], plugins=[Recorder()])
        return failed, printed.getvalue()

    return run
