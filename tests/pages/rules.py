"""The rules of a page: what would be shown but not run is rejected by name, with file and line.

Each rule is a generator of problems. The rules of one page need nothing but the page; those of
the site (`site_rules.py`) look at what all pages show together.
"""

import ast
import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown.blockprocessors import CodeBlockProcessor

from tests.pages.expand import EXECUTED, INCLUDE, Expanded, Fence, expand
from tests.pages.site import Site, front_matter_length
from tools import notebooks, reference
from tools.generated import stale

LANGUAGES = ("python", "py", "text", "console", "bash")
MAX_LINES = 25
CODEBLOCKS = re.compile(r"<!--[-\s]*pytest-codeblocks:(.*?)-->|<!--[-\s]*(pytest\.mark\..*?)-->")


@dataclass(frozen=True)
class Problem:
    """One broken rule: where, which, and what to do."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


@dataclass(frozen=True)
class Page:
    """What the rules look at."""

    path: Path
    site: Site
    lines: list[str]  # of the file, the front matter blanked
    expanded: Expanded
    fences: list[Fence]

    @property
    def in_docs(self) -> bool:
        return self.path.is_relative_to(self.site.root / "docs")

    @property
    def is_lesson(self) -> bool:
        return self.site.is_lesson(self.path)

    @functools.cached_property
    def is_generated(self) -> bool:
        return self.path in reference.paths(self.site.root)


Found = Iterator[tuple[int, str]]


def check(path: Path, site: Site) -> list[Problem]:
    """All the problems of one page, in order of lines."""
    text = path.read_text(encoding="utf-8")
    skipped = front_matter_length(text)
    lines = ["" if i < skipped else line for i, line in enumerate(text.split("\n"))]
    expanded = expand(path, site)
    page = Page(path, site, lines, expanded, expanded.fences())
    problems = {
        Problem(site.relative(path), line, rule.__name__.replace("_", "-"), message)
        for rule in RULES
        for line, message in rule(page)
    }
    return sorted(problems, key=lambda problem: (problem.line, problem.rule))


def fence_form(page: Page) -> Found:
    """Only a fence that Markdown, pytest-codeblocks and the reader all see alike."""
    inside = False
    for number, line in enumerate(page.lines, 1):
        text = line.strip()
        if inside:
            inside = text != "```"
            continue
        if text.startswith("~~~"):
            yield number, "a ~~~ fence is shown but not run: use three backticks"
        elif re.match(r"(?:>\s?|[-*+]\s+|\d+[.)]\s+)+(?:```|~~~)", text):
            yield number, "a fence in a quote or on a list's own line is not run: indent it below"
        elif text.startswith("````"):
            yield number, "a fence of four backticks: use three"
        elif text.startswith("```") and "`" in text[3:]:
            yield number, "a line that begins with three backticks opens a fence: use one backtick"
        elif text.startswith("``` "):
            yield number, "a space before the language hides the block from the tests: remove it"
        elif text.startswith("```"):
            inside = True
    for fence in page.fences:
        if not fence.closed or any(line.lstrip().startswith("```") for line in fence.body):
            yield fence.line, "the fence is not closed by a line of three backticks"


def fence_language(page: Page) -> Found:
    """A language from the list, spelled as on the list."""
    for fence in page.fences:
        if fence.language in LANGUAGES:
            continue
        known = ", ".join(LANGUAGES)
        shown = fence.language or "no language"
        yield fence.line, f"{shown!r} is shown but not run: a fence is one of {known}"


def indented_code(page: Page) -> Found:
    """Code that is only indented has no language, and nothing runs it."""
    found: list[str] = []

    class Recorder(CodeBlockProcessor):
        def run(self, parent, blocks):  # type: ignore[no-untyped-def]
            found.append(blocks[0])
            super().run(parent, blocks)

    md = page.site.markdown()
    md.parser.blockprocessors.register(Recorder(md.parser), "code", 80)
    md.convert("\n".join("" if "8<-" in line else line for line in page.lines))
    for block in found:
        first = block.lstrip("\n").split("\n")[0].strip()
        line = next((n for n, text in enumerate(page.lines, 1) if text.strip() == first), 1)
        yield line, f"indented text becomes code that is not run: use a fence ({first[:40]!r})"


def inline_highlight(page: Page) -> Found:
    """Inline code with a language looks like code that was checked."""
    for number, line in enumerate(page.lines, 1):
        if "`#!" in line or "`:::" in line:
            yield number, "inline code with a language is not run: leave the language out"


def text_fence(page: Page) -> Found:
    """Text is the output of a block, and a console shows commands: neither shows Python."""
    outputs = {id(output) for output in _with_output(page).values()}
    for fence in page.fences:
        if fence.language == "text" and (id(fence) not in outputs or fence.info != "text"):
            yield fence.line, "a text fence is the output of a block: ```text under expected-output"
        if fence.language == "console" and any(
            line.strip().startswith(">>>") for line in fence.body
        ):
            yield fence.line, "Python in a console is not run: make it a snippet"


def hidden_html(page: Page) -> Found:
    """What the reader does not see is not run for them."""
    for number, line in enumerate(page.lines, 1):
        if re.search(r"<[a-z][^>]*(?:\shidden\b|display:\s*none|visibility:\s*hidden)", line):
            yield number, "a hidden element would run code unseen: show it or remove it"


def html_comment(page: Page) -> Found:
    """Nothing is run that the reader cannot see."""
    text = "\n".join(page.lines)
    for comment in re.finditer(r"<!--.*?(?:-->|\Z)", text, re.DOTALL):
        number = text.count("\n", 0, comment.start()) + 1
        if "```" in comment[0] or "8<-" in comment[0]:
            yield number, "code in a comment would be run unseen: show it or remove it"


def codeblocks_comment(page: Page) -> Found:
    """Of pytest-codeblocks' comments, only expected-output, and only where it belongs."""
    executed = {fence.line: fence for fence in page.fences if fence.language in EXECUTED}
    ends = {line: fence.line for fence in page.fences for line in _lines_of(fence, page)}
    previous = None  # what the last non-blank line belonged to
    for number, line in enumerate(page.lines, 1):
        for keyword, mark in CODEBLOCKS.findall(line) if number not in ends else []:
            name = keyword.strip("- ") or mark
            if name != "expected-output":
                yield number, f"{name!r} is not used here: every block runs, alone, every time"
            elif previous not in executed:
                yield number, "expected-output must follow the block whose output it is"
            else:
                after = next(
                    (i for i in range(number, len(page.lines)) if page.lines[i].strip()), -1
                )
                if after == -1 or page.lines[after].strip().split(" ")[0] != "```text":
                    yield number, "expected-output must be followed by a text fence"
        if line.strip():
            previous = ends.get(number)


def include_target(page: Page) -> Found:
    """A whole file that is there, is not empty, and is not a page."""
    root = page.site.root
    for number, why in page.expanded.missing.items():
        yield number, f"the file is not there ({why})"
    for number, line in enumerate(page.lines, 1):
        if "8<-" not in line:
            continue
        target = page.expanded.includes.get(number)
        if target is None:
            yield number, 'an include is one line: --8<-- "snippets/<entry>/<name>.py"'
        elif not re.fullmatch(
            r"(?:snippets|docs/generated)/[\w/-]+\.(?:py|out|svg|md|html)", target
        ):
            if number not in page.expanded.missing:
                yield number, f"{target!r}: only whole files of snippets/ and docs/generated/"
        elif number not in page.expanded.missing:
            text = (root / target).read_text(encoding="utf-8")
            if not text.strip():
                yield number, f"{target!r} is empty, and an empty block would pass"
            if target.endswith((".py", ".out")) and ("```" in text or "8<-" in text):
                yield number, f"{target!r} holds three backticks or 8<-, which end the block"


def generated(page: Page) -> Found:
    """A page of the reference is what the docstrings make of it now."""
    root = page.site.root
    if page.is_generated and page.path in [
        root / name for name in stale(root, reference.generate(root))
    ]:
        yield 1, "the docstrings of dlref make another page: run `make outputs`"


def snippet_only(page: Page) -> Found:
    """A page of docs/ holds no code of its own: a Python fence is one whole snippet.

    The blocks of the reference are the examples of dlref's docstrings; the rule above sees to it.
    """
    if page.is_lesson or page.is_generated or not page.in_docs:
        return
    for fence in page.fences:
        if fence.language not in ("python", "py"):
            continue
        inside = [page.lines[line - 1] for line in _lines_of(fence, page)[1:-1]]
        inside = [line for line in inside if line.strip()]
        if len(inside) != 1 or [i.endswith(".py") for i in fence.includes] != [True]:
            yield fence.line, "a Python block is one include of one snippet, and nothing else"
        elif re.findall(r"title=(\S+)", fence.info) != [f'"{fence.includes[0]}"']:
            yield fence.line, f'the title must name the snippet: title="{fence.includes[0]}"'


def block_length(page: Page) -> Found:
    """A block that a reader takes in at once."""
    for fence in page.fences:
        if fence.language in ("python", "py") and len(fence.body) > MAX_LINES:
            yield fence.line, f"{len(fence.body)} lines of code, at most {MAX_LINES}: split it"


def highlight_range(page: Page) -> Found:
    """Highlighted lines exist."""
    for fence in page.fences:
        for _, wanted in re.findall(r"""hl_lines=(["'])(.*?)\1""", fence.info):
            numbers = [int(n) for n in re.findall(r"\d+", wanted)]
            if not numbers or min(numbers) < 1 or max(numbers) > len(fence.body):
                message = f'hl_lines="{wanted}", but the block has {len(fence.body)} lines'
                yield fence.line, message


def verified(page: Page) -> Found:
    """Every Python block proves something: its output is compared, or it asserts.

    The cells of a lesson prove together: one may only define what a later one prints.
    """
    shown = _with_output(page)
    for fence in page.fences:
        if page.is_lesson or fence.language not in ("python", "py") or fence.line in shown:
            continue
        try:
            tree = ast.parse("\n".join(_dedented(fence.body)))
        except SyntaxError as error:
            yield fence.line, f"the block is not Python: {error}"
            continue
        asserts = [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
        if all(isinstance(node.test, ast.Constant) for node in asserts):
            yield fence.line, "the block has neither a verified output nor an assertion"


def output_pairing(page: Page) -> Found:
    """The output shown under a snippet is that snippet's."""
    shown = _with_output(page)
    for fence in page.fences:
        output = shown.get(fence.line)
        if output is None or not page.in_docs or not fence.includes:
            continue
        expected = fence.includes[0].removesuffix(".py") + ".out"
        if output.includes != [expected]:
            yield output.line, f"the output shown must be the include of {expected!r}"


def figure_form(page: Page) -> Found:
    """A figure has alt text, and the alt text carries a number that an output shows.

    A generated chart is HTML that holds its own: both are made from the same numbers.
    """
    outputs = "\n".join(
        (page.site.root / target).read_text(encoding="utf-8")
        for target in page.expanded.includes.values()
        if target.endswith(".out") and (page.site.root / target).exists()
    )
    if page.is_lesson:
        outputs += "\n".join(line for fence in _with_output(page).values() for line in fence.body)
    shown = set(re.findall(r"\d+(?:[.,]\d+)*", outputs))
    for number, chart in _charts(page):
        if not re.match(r'<div role="img" aria-label="[^"]*\d[^"]*">\n<svg ', chart):
            yield number, 'a generated chart is <div role="img" aria-label="...">, then its SVG'
    for number, target in page.expanded.includes.items():
        if not target.endswith(".svg"):
            continue
        alt = re.search(r'<div role="img" aria-label="([^"]+)">', page.lines[number - 2])
        if alt is None:
            yield number, 'a figure stands in <div role="img" aria-label="...">, a line above'
            continue
        numbers = re.findall(r"\d+(?:[.,]\d+)*", alt[1])
        unknown = [n for n in numbers if n not in shown]
        if not numbers or unknown:
            what = f"{unknown} are in no output of the page" if unknown else "it has no number"
            yield (
                number,
                f"the alt text must carry the figure's number as an output shows it: {what}",
            )


def _charts(page: Page) -> Iterator[tuple[int, str]]:
    """The charts that a page includes, or a generated file that it includes."""
    for number, target in page.expanded.includes.items():
        if number in page.expanded.missing or not target.endswith((".html", ".md")):
            continue
        text = (page.site.root / target).read_text(encoding="utf-8")
        if target.endswith(".html"):
            yield number, text
        for include in filter(None, map(INCLUDE.match, text.split("\n"))):
            if include["target"].endswith(".html"):
                yield number, (page.site.root / include["target"]).read_text(encoding="utf-8")


def lesson_cell(page: Page) -> Found:
    """A lesson is read by notebooks too: its fences, outputs and figures have one form."""
    if not page.is_lesson:
        return
    text = page.path.read_text(encoding="utf-8")
    skipped = front_matter_length(text)
    cells = list(notebooks.CELL.finditer(text))
    lines = {text.count("\n", 0, cell.start()) + 1 for cell in cells}
    for fence in page.fences:
        if fence.language in EXECUTED and (fence.info != "python" or fence.line not in lines):
            yield fence.line, "a cell is a fence that opens with ```python, not indented, no title"
    shown = sum(bool(cell["output"]) for cell in cells)
    if shown != len(_with_output(page)):
        yield skipped + 1, "an output stands right below its cell: make outputs writes it"
    drawn = [cell["figure"] for cell in cells if cell["figure"]]
    if not all(map(notebooks.FIGURE.search, drawn)) or len(drawn) != text.count("<figure"):
        yield skipped + 1, "a figure, with its caption, stands right below its cell and its output"


def lesson_markdown(page: Page) -> Found:
    """A notebook knows plain Markdown only."""
    for number, line in enumerate(page.lines, 1):
        if page.is_lesson and re.match(r"\s*(?:!!!|\?\?\?\+?|===) ", line):
            yield number, "a notebook does not know this: fold with <details>, or write a paragraph"


RULES: list[Callable[[Page], Found]] = [
    fence_form,
    fence_language,
    indented_code,
    inline_highlight,
    text_fence,
    hidden_html,
    html_comment,
    codeblocks_comment,
    include_target,
    generated,
    snippet_only,
    block_length,
    highlight_range,
    verified,
    output_pairing,
    figure_form,
    lesson_cell,
    lesson_markdown,
]


def _lines_of(fence: Fence, page: Page) -> range:
    """The page lines of a fence, both ends included."""
    last = fence.line + 1
    while last < len(page.lines) and page.lines[last - 1].strip() != "```":
        last += 1
    return range(fence.line, last + 1)


def _with_output(page: Page) -> dict[int, Fence]:
    """The executed fences whose output is shown, by line, with the fence that shows it."""
    shown = {}
    for block, output in zip(page.fences, page.fences[1:], strict=False):
        between = page.lines[_lines_of(block, page)[-1] : output.line - 1]
        comments = [line.strip() for line in between if line.strip()]
        is_output = comments == ["<!-- pytest-codeblocks:expected-output -->"]
        if output.language == "text" and is_output and any(map(str.strip, output.body)):
            shown[block.line] = output
    return shown


def _dedented(body: list[str]) -> list[str]:
    indent = min((len(line) - len(line.lstrip()) for line in body if line.strip()), default=0)
    return [line[indent:] for line in body]
