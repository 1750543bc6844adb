"""The pytest plugin that runs the pages: pytest-codeblocks, on the pages as the site expands them.

Collected are the blocks of every page (`docs/concepts/loss-function.md::line 31`), its rules
(`::rules`), and, from mkdocs.yml, the rules of the site and the gate over the built HTML. While
a page breaks a rule its blocks are not run: what they prove would not be what is shown.
"""

import functools
import random
import secrets
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
import pytest_codeblocks.plugin as codeblocks

from tests.pages import gate, rules, site_rules
from tests.pages.blocks import Block, Lesson, create_missing_outputs, extract
from tests.pages.run import LESSON_LIMIT, PYTHON_LIMIT, BlockError, run
from tests.pages.site import Site
from tools import proof

EXECUTED = pytest.StashKey[dict[Path, gate.Blocks]]()
PASSED = pytest.StashKey[set[tuple[Path, str]]]()  # the checks that passed: of which file, which
SOURCES = pytest.StashKey[str]()
SITE_RULES, GATE = "rules of the site", "what is shown is what was run"
REPLACED = pytest.StashKey[object]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("pages")
    group.addoption("--update-outputs", action="store_true", help="rewrite outputs and figures")
    group.addoption("--order", type=int, help="seed of the blocks' order (default: random)")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[EXECUTED] = {}
    config.stash[PASSED] = set()
    config.stash[SOURCES] = proof.digest(config.rootpath)
    config.stash[REPLACED] = codeblocks.extract_from_file
    updating = config.option.update_outputs
    codeblocks.extract_from_file = functools.partial(extract_from_file, updating=updating)
    if config.option.order is None:
        config.option.order = secrets.randbits(16)


def pytest_unconfigure(config: pytest.Config) -> None:
    codeblocks.extract_from_file = config.stash[REPLACED]


def pytest_report_header(config: pytest.Config) -> str:
    return f"blocks run in random order: --order {config.option.order} repeats it"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.File | None:
    site = Site.of(file_path)
    if site is None:
        return None
    if file_path.name == "mkdocs.yml" and not parent.config.option.update_outputs:
        return SiteFile.from_parent(parent, path=file_path)
    if file_path.suffix == ".md" and site.is_page(file_path):
        return PageFile.from_parent(parent, path=file_path)
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Blocks in random order, the gate after everything else."""
    places = [i for i, item in enumerate(items) if isinstance(item, codeblocks.TestBlock)]
    blocks = [items[place] for place in places]
    random.Random(config.option.order).shuffle(blocks)
    for place, block in zip(places, blocks, strict=True):
        items[place] = block
    items.sort(key=lambda item: isinstance(item, GateItem))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Import large libraries before any block runs.

    PyTorch's optimizers alone take 1.3 s, which is no block's own time; PyTorch and scikit-learn
    register exit handlers, which are not what a block leaves behind.
    """
    code = "".join(i.obj.code for i in session.items if isinstance(i, codeblocks.TestBlock))
    if "import torch" in code or "available_devices" in code:
        import torch

        torch.optim.SGD([torch.zeros(1)], lr=0.1).step()
    if "sklearn" in code:
        import sklearn.ensemble
        import sklearn.neural_network  # noqa: F401


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Record the proof, if all checks of all pages passed, on sources that did not change."""
    config = session.config
    mkdocs = config.rootpath / "mkdocs.yml"
    site = Site.of(mkdocs)
    if site is None or exitstatus != 0:
        return
    needed = {(page, "rules") for page in site.pages()}
    needed |= {(mkdocs, name) for name in (SITE_RULES, GATE)}
    same = proof.digest(site.root) == config.stash[SOURCES]
    if needed <= config.stash[PASSED] and same:
        blocks = sum(found.total() for found in config.stash[EXECUTED].values())
        proof.write(site.root, config.stash[SOURCES], blocks)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What a block costs."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    seconds = [r.duration for r in reports if r.when == "call" and ".md::line" in r.nodeid]
    if seconds:
        terminalreporter.write_line(
            f"{len(seconds)} blocks in {sum(seconds):.1f} s, median {median(seconds):.2f} s, "
            f"slowest {max(seconds):.2f} s"
        )


def extract_from_file(path: Path, updating: bool) -> list[Block]:
    """What pytest-codeblocks collects instead of the raw file."""
    site = Site.of(path)
    if site is None or not site.is_page(path) or (not updating and rules.check(path, site)):
        return []
    return extract(path, site)


def run_block(item: codeblocks.TestBlock) -> None:
    """What pytest-codeblocks runs instead of its own exec."""
    block = item.obj
    executed = item.config.stash[EXECUTED].setdefault(block.page, Counter())
    for cell in block.cells:
        executed[gate.key(cell.syntax, cell.code, cell.expected_output or "")] += 1
    run(block, update=item.config.option.update_outputs)


def repr_failure(item: codeblocks.TestBlock, excinfo: pytest.ExceptionInfo[BaseException]) -> str:
    if isinstance(excinfo.value, BlockError):
        return str(excinfo.value)
    return "".join(traceback.format_exception(excinfo.value))


codeblocks.TestBlock.runtest = run_block
codeblocks.TestBlock.repr_failure = repr_failure


class CheckItem(pytest.Item):
    """A check that gives a list of problems; none is a pass."""

    def problems(self) -> list[str]:
        raise NotImplementedError

    def runtest(self) -> None:
        problems = self.problems()
        if problems:
            raise BlockError("\n".join(problems))
        self.config.stash[PASSED].add((self.path, self.name))

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None
    ) -> str:
        return repr_failure(self, excinfo)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"{self.path.name}::{self.name}"


class PageFile(pytest.File):
    """A page: its rules. Its blocks are pytest-codeblocks' to collect."""

    def collect(self) -> Iterator[pytest.Item]:
        site = _site(self)
        if self.config.option.update_outputs:
            create_missing_outputs(self.path, site)
            return  # an output that is about to be rewritten breaks no rule
        self.config.stash[EXECUTED].setdefault(self.path, Counter())
        yield RulesItem.from_parent(self, name="rules")


class RulesItem(CheckItem):
    def problems(self) -> list[str]:
        return [str(problem) for problem in rules.check(self.path, _site(self))]


class SiteFile(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        yield SiteRulesItem.from_parent(self, name=SITE_RULES)
        yield GateItem.from_parent(self, name=GATE)


class SiteRulesItem(CheckItem):
    def problems(self) -> list[str]:
        return [str(problem) for problem in site_rules.check(_site(self))]


class GateItem(CheckItem):
    """The built HTML against the blocks that this session ran."""

    def problems(self) -> list[str]:
        return gate.check(_site(self), self.config.stash[EXECUTED])


def _site(node: pytest.Item | pytest.File) -> Site:
    site = Site.of(node.path)
    assert site is not None
    return site


def pytest_itemcollected(item: pytest.Item) -> None:
    if isinstance(item, codeblocks.TestBlock) and item.obj.syntax == "python":
        limit = LESSON_LIMIT if isinstance(item.obj, Lesson) else PYTHON_LIMIT
        item.add_marker(pytest.mark.timeout(limit, method="signal", func_only=True))
