"""Pictures of every kind of page, to be looked at: light, dark, on phone, tablet and desktop.

`make screenshots` builds the site and writes them into screenshots/.
"""

import os
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.browser import chromium
from tests.browser.server import serve
from tests.pages import gate
from tests.pages.conftest import ROOT
from tests.pages.site import Site
from tools import proof
from tools.glossary import read_terms, reading_order

WIDTHS = {360: 740, 768: 1024, 1440: 900}  # and the heights of such screens
FOLDER = ROOT / "screenshots"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    os.environ["DLREF_PROVED"] = proof.line(ROOT)
    entries = {term.slug: f"concepts/{term.slug}/" for term in reading_order(read_terms(ROOT))}
    kinds = {"home": "", "path": "paths/rules-to-deep-learning/", "a-to-z": "terms/"}
    kinds |= {"not-found": "concepts/gradient-decent/", **entries}
    kinds |= {"reference": "reference/", "losses": "reference/losses/"}
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        gate.build_site(Site(ROOT), Path(name))
        with serve(Path(name)) as server:
            for width, height in WIDTHS.items():
                for theme in ("light", "dark"):
                    for kind, address in kinds.items():
                        page = _open(browser, server.address + address, theme, width, height)
                        page.screenshot(path=FOLDER / f"{kind}-{theme}-{width}.png", full_page=True)
                        page.context.close()
                    _parts(browser, server.address, theme, width, height)
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER.name}/")


def _open(browser: Browser, address: str, theme: str, width: int, height: int) -> Page:
    context = browser.new_context(
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": width, "height": height},
    )
    page = context.new_page()
    page.goto(address, wait_until="networkidle")
    # A picture of the whole page shows what no reader has come near to.
    page.add_style_tag(content="* { content-visibility: visible !important }")
    return page


def _parts(browser: Browser, address: str, theme: str, width: int, height: int) -> None:
    """What only opens when asked for: search, menu, a preview, an answer."""
    page = _open(browser, f"{address}concepts/loss-function/", theme, width, height)
    link = page.locator(".md-content p a[href='../../terms/#softmax']").first
    link.scroll_into_view_if_needed()
    link.hover()
    page.wait_for_timeout(600)
    page.screenshot(path=FOLDER / f"preview-{theme}-{width}.png")
    page.locator("#exercises ~ details > summary").first.click()
    page.locator("#exercises").scroll_into_view_if_needed()
    page.screenshot(path=FOLDER / f"answer-{theme}-{width}.png")
    page.keyboard.press("/")
    page.keyboard.type("gradient", delay=20)
    page.wait_for_timeout(800)
    page.screenshot(path=FOLDER / f"search-{theme}-{width}.png")
    if page.locator("button[aria-label=Menu]").is_visible():
        page.keyboard.press("Escape")
        page.reload(wait_until="networkidle")
        page.locator("button[aria-label=Menu]").click()
        page.wait_for_timeout(600)
        page.screenshot(path=FOLDER / f"menu-{theme}-{width}.png")
    page.context.close()


if __name__ == "__main__":
    main()
