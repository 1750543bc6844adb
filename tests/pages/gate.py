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
Key = tuple[str, str, str]  # language, code, and the output shown under it
Blocks = Counter[Key]  # how often


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
        problems += unknown_pages(site, folder)
    return problems


def unknown_pages(site: Site, folder: Path) -> list[str]:
    """Built pages that no Markdown page of ours became: they may show no code at all."""
    in_docs = [page for page in site.pages() if page.parent != site.root]
    known = {built_file(page, site, folder) for page in in_docs}
    problems = []
    for path in set(folder.rglob("*.html")) - known:
        where, html = str(path.relative_to(folder)), path.read_text(encoding="utf-8")
        problems += compare(where, html, Counter()) + third_party(where, html)
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


def key(language: str, code: str, output: str) -> Key:
    """A block as it is compared: without the blanks that rendering does not keep."""
    return language, normalized(code), normalized(output)


def rendered_blocks(html: str) -> tuple[Blocks, list[str]]:
    """The code that a page shows and that must have run, and code of no known language."""
    blocks: Blocks = Counter()
    unknown = []
    page = lxml.html.fromstring(html)
    for pre in page.iter("pre"):
        language = _language(pre)
        if language in EXECUTED:
            blocks[key(EXECUTED[language], pre.text_content(), _output_below(pre))] += 1
        elif language not in SHOWN_ONLY:
            unknown.append(pre.text_content().strip().split("\n")[0])
    for code in page.iter("code"):  # a <code> without <pre> can be made to look like a block
        alone = next(code.iterancestors("pre"), None) is None
        if alone and (code.find(".//br") is not None or _language(code)):
            unknown.append(code.text_content())
    return blocks, unknown


def compare(where: str, html: str, executed: Blocks) -> list[str]:
    """The differences between what a page shows and what was run for it, in words."""
    rendered, unknown = rendered_blocks(html)
    problems = [
        f"{where}: shows code of no known language, which nothing runs: {c!r}" for c in unknown
    ]
    for (language, code, output), count in (rendered - executed).items():
        shown = f"{code}\nwith the output\n{output}" if output else code
        problems.append(f"{where}: shows {count} {language} block that was not run:\n{shown}")
    for (language, code, _), count in (executed - rendered).items():
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


def _output_below(pre: HtmlElement) -> str:
    """The text block right under a block, which the page's style labels as its output."""
    div = next(d for d in pre.iterancestors("div") if "highlight" in (d.get("class") or "").split())
    below = div.getnext()
    while below is not None and not isinstance(below.tag, str):  # a comment
        below = below.getnext()
    is_text = below is not None and "language-text" in (below.get("class") or "").split()
    return str(below.text_content()) if is_text else ""


def _language(pre: HtmlElement) -> str:
    """The language of the nearest div.highlight: Pygments' class, else none."""
    for parent in pre.iterancestors("div"):
        classes = (parent.get("class") or "").split()
        if "highlight" in classes:
            return next((c.removeprefix("language-") for c in classes if "language-" in c), "")
    return ""
