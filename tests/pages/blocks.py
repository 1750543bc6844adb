"""The blocks of a page, as pytest-codeblocks finds them in the page that the site expands.

A block of an entry stands alone. The blocks of a lesson are cells: they are one `Lesson` and run in
order.
"""

import io
from dataclasses import dataclass, field
from pathlib import Path

from pytest_codeblocks.main import CodeBlock, extract_from_buffer

from tests.pages.expand import EXECUTED, Expanded, expand
from tests.pages.site import Site


@dataclass
class Block(CodeBlock):  # type: ignore[misc]
    """A block of pytest-codeblocks that knows its page, and the snippet it is the include of."""

    page: Path = Path()
    site: Site = Site(Path())  # noqa: RUF009
    snippet: Path | None = None
    figure: Path | None = None  # where what it draws is committed

    @property
    def where(self) -> str:
        return f"{self.site.relative(self.page)}:{self.lineno}"

    @property
    def cells(self) -> list["Block"]:
        """What runs one after another, in one namespace."""
        return [self]


@dataclass
class Lesson(Block):
    """All the blocks of a lesson."""

    blocks: list[Block] = field(default_factory=list)

    @property
    def cells(self) -> list[Block]:
        return self.blocks


def extract(page: Path, site: Site) -> list[Block]:
    """Every block that is run, in order, each with its line in the page itself.

    Those of a lesson come as one, a ``Lesson``.
    """
    expanded = expand(page, site)
    fences = {fence.line: fence for fence in expanded.fences()}
    blocks = []
    for found in extract_from_buffer(io.StringIO(expanded.for_codeblocks())):
        if found.syntax not in EXECUTED.values():
            continue
        line = expanded.origin[found.lineno - 1]
        includes = fences[line].includes
        block = Block(found.code, line, found.syntax, found.expected_output)
        block.page, block.site = page, site
        block.snippet = site.root / includes[0] if includes else None
        block.figure = block.snippet.with_suffix(".svg") if block.snippet else None
        blocks.append(block)
    if not site.is_lesson(page) or not blocks:
        return blocks
    _find_figures(blocks, expanded)
    first = blocks[0]
    lesson = Lesson("".join(block.code for block in blocks), first.lineno, first.syntax)
    lesson.page, lesson.site, lesson.blocks = page, site, blocks
    return [lesson]


def _find_figures(cells: list[Block], expanded: Expanded) -> None:
    """A cell's figure is the one that stands between it and the next cell."""
    for line, target in expanded.includes.items():
        above = [cell for cell in cells if cell.lineno < line]
        if target.endswith(".svg") and above:
            above[-1].figure = above[-1].site.root / target


def create_missing_outputs(page: Path, site: Site) -> None:
    """A new snippet's output and figure do not exist before its first run: make room for them."""
    for target in expand(page, site).includes.values():
        path = site.root / target
        made = site.is_lesson(page) or path.with_suffix(".py").exists()
        if path.suffix in (".out", ".svg") and made and not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_text("not yet run\n" if path.suffix == ".out" else "<svg></svg>\n")
