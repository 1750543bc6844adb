"""The gate: what the built pages render as code is what was run. No more, no less.

It reads the HTML that a reader gets, so it also finds what no rule on Markdown thought of.
"""

import re
import tempfile
from collections import Counter
from pathlib import Path

import lxml.html
from lxml.html import HtmlElement
from mkdocs.commands.build import build
from mkdocs.config import load_config

from tests.pages.expand import EXECUTED
from tests.pages.site import Site

SHOWN_ONLY = {"text", "console"}
Blocks = Counter[tuple[str, str]]  # (language, code): how often


def check(site: Site, executed: dict[Path, Blocks]) -> list[str]:
    """Build the site, and compare each page with the blocks that were run for it."""
    problems = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build_site(site, folder)
        for page in site.pages():
            where = site.relative(page)
            if page not in executed:
                problems.append(f"{where}: not run in this session: run `make docs-check`")
            elif page.parent == site.root:  # README.md, as the site's Markdown renders it
                html = site.markdown().convert(page.read_text(encoding="utf-8"))
                problems += compare(where, f"<div>{html}</div>", executed[page])
            else:
                html = built_file(page, site, folder).read_text(encoding="utf-8")
                problems += compare(where, html, executed[page]) + third_party(where, html)
    return problems


def build_site(site: Site, folder: Path) -> None:
    """Build the site strictly into a folder; a warning of MkDocs is an error."""
    config = load_config(str(site.root / "mkdocs.yml"), strict=True, site_dir=str(folder))
    config.plugins.on_startup(command="build", dirty=False)
    build(config)


def built_file(page: Path, site: Site, folder: Path) -> Path:
    """Where MkDocs writes a page of docs/."""
    path = page.relative_to(site.root / "docs").with_suffix("")
    return folder / (path.parent if path.name == "index" else path) / "index.html"


def rendered_blocks(html: str) -> tuple[Blocks, list[str]]:
    """The code that a page shows and that must have run, and code of no known language."""
    blocks: Blocks = Counter()
    unknown = []
    for pre in lxml.html.fromstring(html).iter("pre"):
        code = pre.text_content()
        language = _language(pre)
        if language in EXECUTED:
            blocks[EXECUTED[language], normalized(code)] += 1
        elif language not in SHOWN_ONLY:
            unknown.append(code.strip().split("\n")[0])
    return blocks, unknown


def compare(where: str, html: str, executed: Blocks) -> list[str]:
    """The differences between what a page shows and what was run for it, in words."""
    rendered, unknown = rendered_blocks(html)
    problems = [
        f"{where}: shows code of no known language, which nothing runs: {c!r}" for c in unknown
    ]
    for (language, code), count in (rendered - executed).items():
        problems.append(f"{where}: shows {count} {language} block that was not run:\n{code}")
    for (language, code), count in (executed - rendered).items():
        problems.append(f"{where}: {count} {language} block was run that it does not show:\n{code}")
    return problems


def third_party(where: str, html: str) -> list[str]:
    """Addresses on other hosts that a browser would ask for while it shows the page."""
    found = []
    for element in lxml.html.fromstring(html).iter("script", "link", "img", "iframe", "source"):
        address = element.get("src") or element.get("href") or ""
        fetched = element.tag != "link" or element.get("rel") not in ("canonical", "next", "prev")
        if fetched and re.match(r"(?:https?:)?//", address):
            found.append(f"{where}: asks another host for {address}")
    return found


def normalized(code: str) -> str:
    """Code without trailing spaces and blank ends, which rendering does not keep."""
    return "\n".join(line.rstrip() for line in code.strip("\n").split("\n"))


def _language(pre: HtmlElement) -> str:
    """The language of the nearest div.highlight: Pygments' class, else none."""
    for parent in pre.iterancestors("div"):
        classes = (parent.get("class") or "").split()
        if "highlight" in classes:
            return next((c.removeprefix("language-") for c in classes if "language-" in c), "")
    return ""
