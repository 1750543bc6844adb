"""A page as the site expands it: every `--8<--` line replaced by the file it names.

pytest-codeblocks is given this text, so that what is read is what is run. Each expanded line
remembers the line of the page it came from.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from pymdownx.snippets import SnippetMissingError

from tests.pages.site import Site, front_matter_length

INCLUDE = re.compile(r"""^\s*-+8<-+\s+(?P<quote>["'])(?P<target>.+?)(?P=quote)\s*$""")
FENCE = re.compile(r"^(?P<indent>\s*)(?P<marks>`{3,})(?P<info>[^`]*)$")
EXECUTED = {"python": "python", "py": "python", "bash": "bash"}  # what a reader may write: runs as


@dataclass
class Fence:
    """A fenced block: where it opens in the page, and what it holds after expansion."""

    line: int
    language: str
    info: str
    body: list[str] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)
    closed: bool = False


@dataclass
class Expanded:
    """A page's expanded lines, the page line that each came from, and what was included."""

    lines: list[str] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)
    includes: dict[int, str] = field(default_factory=dict)  # page line: file
    missing: dict[int, str] = field(default_factory=dict)  # page line: why

    def fences(self) -> list[Fence]:
        """All fenced blocks, in order."""
        fences: list[Fence] = []
        open_marks = ""
        for text, line in zip(self.lines, self.origin, strict=True):
            match = FENCE.match(text)
            if open_marks:
                fence = fences[-1]
                if text.strip() == open_marks:
                    open_marks, fence.closed = "", True
                    continue
                fence.body.append(text)
                if line in self.includes and self.includes[line] not in fence.includes:
                    fence.includes.append(self.includes[line])
            elif match:
                info = match["info"].strip()
                open_marks = match["marks"]
                fences.append(Fence(line, info.split(" ")[0], info))
        return fences

    def for_codeblocks(self) -> str:
        """The text pytest-codeblocks reads: each info string reduced to the language it runs as."""
        lines, inside = [], False
        for text in self.lines:
            match = FENCE.match(text)
            if match and not inside:
                language = match["info"].strip().split(" ")[0]
                lines.append(f"{match['indent']}{match['marks']}{EXECUTED.get(language, language)}")
                inside = True
            else:
                lines.append(text)
                inside = inside and text.strip() != "```"
        return "\n".join(lines) + "\n"


def expand(page: Path, site: Site) -> Expanded:
    """Expand a page line by line, with the site's own snippets configuration."""
    preprocessor = site.markdown().preprocessors["snippet"]
    expanded = Expanded()
    text = page.read_text(encoding="utf-8")
    skipped = front_matter_length(text)
    for number, line in enumerate(text.split("\n"), 1):
        if number <= skipped:
            lines = [""]
        elif "8<-" not in line:
            lines = [line]
        else:
            include = INCLUDE.match(line)
            if include:
                expanded.includes[number] = include["target"]
            try:
                lines = preprocessor.run([line])
            except (SnippetMissingError, OSError) as error:
                expanded.missing[number] = str(error)
                lines = [""]
            if len(lines) > 1 and not lines[-1].strip():
                lines = lines[:-1]  # a file that ends in a newline leaves one blank line
        expanded.lines += lines
        expanded.origin += [number] * len(lines)
    return expanded
