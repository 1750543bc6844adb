"""The rules of the site: what all pages show together, and what an entry must hold."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.pages.expand import Expanded, expand
from tests.pages.rules import Problem
from tests.pages.site import GENERATED, Site, front_matter
from tools import notebooks
from tools.front_matter import KINDS, STATUSES
from tools.generated import stale

SECTIONS = [
    "Predict first",
    "Overview",
    "Run it",
    "An analogy, and where it breaks",
    "In a real system",
    "Why it matters",
    "Contested, and limits",
    "Exercises",
    "Related entries",
    "Claims",
    "Sources",
]
KEYS = ["title", "description", "added", "updated", "level", "prerequisites", "related"]
KEYS += ["claims", "sources"]
LEVELS = ("beginner", "intermediate", "advanced")
Pages = dict[Path, Expanded]
Found = Iterator[tuple[Path, int, str]]


def check(site: Site) -> list[Problem]:
    """All the problems of the site, in order of files and lines."""
    pages = {page: expand(page, site) for page in site.pages()}
    problems = [
        Problem(site.relative(path), line, rule.__name__.replace("_", "-"), message)
        for rule in RULES
        for path, line, message in rule(site, pages)
    ]
    return sorted(problems, key=lambda problem: (problem.path, problem.line))


def shown_somewhere(site: Site, pages: Pages) -> Found:
    """Every snippet, output and figure is on a page."""
    shown = {site.root / target for page in pages.values() for target in page.includes.values()}
    drawings = sorted((site.root / GENERATED).rglob("*.svg"))
    for path in [*sorted((site.root / "snippets").rglob("*")), *drawings]:
        if path.is_file() and "__pycache__" not in path.parts and path not in shown:
            yield path, 1, "no page shows this file: include it or remove it"


def lesson_notebooks(site: Site, pages: Pages) -> Found:
    """The committed notebook of a lesson is the one that its page makes."""
    for name in stale(site.root, notebooks.generate(site.root)):
        yield site.root / name, 1, "the notebook is stale: make outputs writes it"
    for name in notebooks.orphans(site.root):
        yield site.root / name, 1, "the notebook of no lesson: make outputs removes it"


def own_snippets(site: Site, pages: Pages) -> Found:
    """One slug names the entry and the folder of its snippets."""
    for page, expanded in pages.items():
        for line, target in expanded.includes.items():
            if site.is_entry(page) and f"/{page.stem}/" not in target:
                yield page, line, f"{target!r} is not of this entry: snippets/{page.stem}/"


def entry_front_matter(site: Site, pages: Pages) -> Found:
    """Every key is there, and its value is one that readers and tools understand."""
    for page in filter(site.is_entry, pages):
        meta = front_matter(page)
        for key in KEYS:
            if key not in meta:
                yield page, 1, f"the front matter lacks {key!r}"
        if meta.get("level") not in LEVELS:
            yield page, 1, f"level must be one of {', '.join(LEVELS)}"
        for relation in meta.get("related", []):
            if relation.get("kind") not in KINDS:
                yield page, 1, f"related: kind must be one of {', '.join(KINDS)}, not {relation}"


def entry_sections(site: Site, pages: Pages) -> Found:
    """Every section of the template, in its order."""
    for page in filter(site.is_entry, pages):
        found = re.findall(r"^## (.+)$", "\n".join(pages[page].lines), re.MULTILINE)
        if found != SECTIONS:
            missing = [name for name in SECTIONS if name not in found]
            yield page, 1, f"sections must be {SECTIONS}: missing {missing}, found {found}"


def entry_blocks(site: Site, pages: Pages) -> Found:
    """Three to six blocks, a figure among them, and two exercises with checked solutions."""
    for page in filter(site.is_entry, pages):
        expanded = pages[page]
        exercises = _line_of("## Exercises", expanded)
        blocks = [line for line, name in expanded.includes.items() if name.endswith(".py")]
        before = sum(line < exercises for line in blocks)
        if not 3 <= before <= 6:
            yield page, 1, f"{before} blocks before the exercises: three to six"
        if len(blocks) - before != 2:
            yield page, exercises, f"{len(blocks) - before} solutions that run: two exercises"
        if not any(name.endswith(".svg") for name in expanded.includes.values()):
            yield page, 1, "an entry has a figure of its own"


def entry_claims(site: Site, pages: Pages) -> Found:
    """Every claim names a block that shows it, or a source; a measured value is in the output."""
    for page in filter(site.is_entry, pages):
        meta = front_matter(page)
        sources = {source["id"] for source in meta.get("sources", [])}
        cited = set(re.findall(r"\]\(#([\w-]+)\)", page.read_text(encoding="utf-8")))
        for claim in meta.get("claims", []):
            text = claim.get("claim", "")
            if claim.get("status") not in STATUSES:
                yield page, 1, f"claim {text!r}: status must be one of {', '.join(STATUSES)}"
            if not ("block" in claim or claim.get("source")):
                yield page, 1, f"claim {text!r} names neither a block nor a source"
            if "block" in claim:
                yield from _measured(site, page, pages[page], claim)
            for key in claim.get("source", []):
                if key not in sources:
                    yield page, 1, f"claim {text!r}: {key!r} is not among the sources"
        for key in sources - cited:
            yield page, 1, f"source {key!r} is cited nowhere on the page"


def _measured(site: Site, page: Path, expanded: Expanded, claim: dict[str, str]) -> Found:
    name = f"snippets/{page.stem}/{claim['block']}"
    if f"{name}.py" not in expanded.includes.values():
        yield page, 1, f"claim {claim['claim']!r}: the page does not show {name}.py"
        return
    output = site.root / f"{name}.out"
    printed = output.read_text(encoding="utf-8") if output.exists() else ""
    if str(claim.get("shows", "")) not in printed or not claim.get("shows"):
        shows = claim.get("shows")
        yield page, 1, f"claim {claim['claim']!r}: {shows!r} is not in the output of {name}.py"


def _line_of(heading: str, expanded: Expanded) -> int:
    lines = zip(expanded.lines, expanded.origin, strict=True)
    return next((origin for text, origin in lines if text == heading), 10**6)


RULES: list[Callable[[Site, Pages], Found]] = [
    shown_somewhere,
    lesson_notebooks,
    own_snippets,
    entry_front_matter,
    entry_sections,
    entry_blocks,
    entry_claims,
]
