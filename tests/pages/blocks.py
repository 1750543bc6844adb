"""The blocks of a page, as pytest-codeblocks finds them in the page that the site expands."""

import io
from dataclasses import dataclass
from pathlib import Path

from pytest_codeblocks.main import CodeBlock, extract_from_buffer

from tests.pages.expand import EXECUTED, expand
from tests.pages.site import Site


@dataclass
class Block(CodeBlock):  # type: ignore[misc]
    """A block of pytest-codeblocks that knows its page, and the snippet it is the include of."""

    page: Path = Path()
    site: Site = Site(Path())  # noqa: RUF009
    snippet: Path | None = None

    @property
    def where(self) -> str:
        return f"{self.site.relative(self.page)}:{self.lineno}"


def extract(page: Path, site: Site) -> list[Block]:
    """Every block that is run, in order, each with its line in the page itself."""
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
        blocks.append(block)
    return blocks


def create_missing_outputs(page: Path, site: Site) -> None:
    """A new snippet's output and figure do not exist before its first run: make room for them."""
    for target in expand(page, site).includes.values():
        path = site.root / target
        source = path.with_suffix(".py")
        if path.suffix in (".out", ".svg") and source.exists() and not path.exists():
            path.write_text("not yet run\n" if path.suffix == ".out" else "<svg></svg>\n")
