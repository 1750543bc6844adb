"""What a reader does: moves by keyboard alone, searches, looks at previews, gets lost, prints."""

import re
import string

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browser import NoBrowserError, executable
from tests.browser.conftest import REPOSITORY, OpenPage
from tests.browser.server import Server
from tests.pages.conftest import ROOT
from tools.glossary import read_terms, reading_order

TERMS = read_terms(ROOT)
ORDER = reading_order(TERMS)
FIRST, SECOND = ORDER[0], ORDER[1]
FOCUSED = "document.activeElement"


def tab_to(page: Page, selector: str, limit: int = 400) -> None:
    """Press Tab until an element that matches has the focus, and can be seen to have it."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate(f"{FOCUSED}.matches({selector!r})"):
            label = f"({FOCUSED}.matches('.md-option') ? {FOCUSED}.nextElementSibling : {FOCUSED})"
            style = page.evaluate(f"getComputedStyle({label}).outlineStyle")
            assert style != "none", f"{selector} has the focus, and nothing shows it"
            return
    raise AssertionError(f"{limit} times Tab did not lead to {selector}")


def test_from_home_over_the_a_to_z_to_an_exercise_and_the_next_entry_by_keyboard(
    open_page: OpenPage,
) -> None:
    page = open_page("")
    tab_to(page, ".doors a[href='terms/']")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/terms/$"))
    tab_to(page, f".terms a[href='../concepts/{FIRST.slug}/']")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/concepts/{FIRST.slug}/$"))
    tab_to(page, "#exercises ~ details > summary")
    page.keyboard.press("Enter")
    expect(page.locator("#exercises ~ details").first).to_have_attribute("open", "")
    tab_to(page, ".md-footer__link--next")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/concepts/{SECOND.slug}/$"))


@pytest.mark.parametrize("name", ["Menu", "Search"])
def test_menu_and_search_of_a_phone_open_by_keyboard(name: str, open_page: OpenPage) -> None:
    page = open_page(f"concepts/{FIRST.slug}/", width=360)
    tab_to(page, f"button[aria-label={name}]")
    page.keyboard.press("Enter")
    toggle = page.locator("#__drawer" if name == "Menu" else "#__search")
    expect(toggle).to_be_checked()


# What a reader types, and the title of the first result.
SEARCHES = {
    "loss": "Loss function",
    "gradient descent": "Gradient descent",
    "softmax": "Softmax",
    "step size": "Step size",
    "SGD": "SGD",
    "parameter": "Parameters",
    "neural network": "Neural network",
    "deep learning": "Deep learning",
    "backprop": "Backprop",
    "CNN": "CNN",
}


@pytest.mark.parametrize("query", SEARCHES)
def test_search_finds_entries_terms_and_aliases_first(query: str, open_page: OpenPage) -> None:
    page = open_page("")
    page.keyboard.press("/")
    page.keyboard.type(query, delay=20)
    result = page.locator(".md-search-result__item").first
    # A term's result stands below the name of its page.
    heading = result.locator("h1, h2").filter(has_not_text=re.compile("^A–Z$")).first
    expect(heading).to_have_text(SEARCHES[query])


@pytest.mark.parametrize("name", ["cross_entropy", "Sequential", "AdamW", "gradcheck"])
def test_search_finds_public_names_of_the_package_first(name: str, open_page: OpenPage) -> None:
    page = open_page("")
    page.keyboard.press("/")
    page.keyboard.type(name, delay=20)
    result = page.locator(".md-search-result__item").first
    expect(result.locator("h1, h2").nth(1)).to_have_text(name)  # below the name of its page


def test_search_finds_every_entry_term_and_alias_in_its_first_two_results(
    open_page: OpenPage,
) -> None:
    page = open_page("")
    page.keyboard.press("/")
    field, items = page.locator(".md-search__input"), page.locator(".md-search-result__item")
    names = {name: term.title for term in TERMS.values() for name in [term.title, *term.aliases]}
    lost = []
    for name, title in sorted(names.items()):
        field.fill("")
        expect(items).to_have_count(0)
        page.keyboard.type(name)
        expect(items.first).to_be_visible()
        found = page.locator(".md-search-result__item:nth-child(-n + 2) :is(h1, h2)")
        texts, before = found.all_text_contents(), None
        while texts != before:  # the answers to the first letters are still coming in
            page.wait_for_timeout(100)
            texts, before = found.all_text_contents(), texts
        headings = {text.replace("\xa0", " ").lower() for text in texts}
        if not headings & {name.lower(), title.lower()}:
            lost.append(f"{name}: {headings}")
    assert lost == []


def test_search_answers_to_any_letter_without_a_complaint(open_page: OpenPage) -> None:
    page = open_page("")
    for letter in string.ascii_lowercase:
        page.keyboard.press("/")
        page.locator(".md-search__input").fill("")
        page.keyboard.type(letter)
        page.wait_for_timeout(50)
    expect(page.locator(".md-search-result__item").first).to_be_visible()


def test_copy_button_copies_the_block_and_says_so(open_page: OpenPage) -> None:
    page = open_page("concepts/loss-function/")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    block = page.locator(".language-python.highlight").first
    block.get_by_role("button", name="Copy").click()
    expect(block.get_by_role("button", name="Copied")).to_be_visible()
    snippet = (ROOT / "snippets/loss-function/squared_error.py").read_text(encoding="utf-8")
    assert page.evaluate("navigator.clipboard.readText()") == snippet


def test_index_of_the_search_is_asked_for_only_by_who_searches(
    open_page: OpenPage, server: Server
) -> None:
    server.sent.clear()
    page = open_page("")
    assert "/search/search_index.json" not in server.sent
    page.keyboard.press("/")
    page.keyboard.type("loss")
    expect(page.locator(".md-search-result__item").first).to_be_visible()
    assert "/search/search_index.json" in server.sent


def test_link_to_a_term_shows_its_definition_on_hover(open_page: OpenPage) -> None:
    page = open_page("concepts/loss-function/")
    link = page.locator(".md-content a[href='../../terms/#softmax']").first
    card = page.get_by_role("tooltip").and_(page.locator("#preview"))
    link.hover()
    expect(card).to_contain_text(TERMS["softmax"].definition)
    expect(link).to_have_attribute("aria-describedby", "preview")
    card.hover()  # it stays, so that it can be read and copied
    page.wait_for_timeout(400)
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    link.hover()
    expect(card).to_be_visible()
    page.mouse.move(5, 400)
    expect(card).to_be_hidden()


def test_link_to_an_entry_shows_its_definition_on_keyboard_focus(open_page: OpenPage) -> None:
    page = open_page("concepts/loss-function/")
    tab_to(page, ".md-content a[href='../gradient-descent/']")
    expect(page.locator("#preview")).to_contain_text(TERMS["gradient-descent"].definition)
    page.locator("summary").first.focus()
    expect(page.locator("#preview")).to_be_hidden()


def test_link_to_a_source_shows_the_source(open_page: OpenPage) -> None:
    page = open_page("concepts/gradient-descent/")
    tab_to(page, ".md-content a[href='#goh2017']")
    expect(page.locator("#preview")).to_contain_text("Why Momentum Really Works")


def test_what_is_closed_on_a_phone_is_no_stop_of_the_keyboard(open_page: OpenPage) -> None:
    page = open_page(f"concepts/{FIRST.slug}/", width=360)
    for _ in range(40):
        page.keyboard.press("Tab")
        box = page.evaluate(f"{FOCUSED}.getBoundingClientRect().toJSON()")
        assert box["right"] > 0, page.evaluate(f"{FOCUSED}.outerHTML")
        assert box["left"] < 360, page.evaluate(f"{FOCUSED}.outerHTML")


def test_menu_of_a_phone_closes_with_escape(open_page: OpenPage) -> None:
    page = open_page(f"concepts/{FIRST.slug}/", width=360)
    menu = page.get_by_role("button", name="Menu")
    menu.press("Enter")
    expect(menu).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(menu).to_have_attribute("aria-expanded", "false")
    expect(menu).to_be_focused()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_theme_is_switched_by_keyboard_on_a_first_visit(dark: bool, open_page: OpenPage) -> None:
    page = open_page("", dark=dark)
    tab_to(page, ".md-option")
    assert page.evaluate(f"{FOCUSED}.getAttribute('aria-label')").endswith(
        "light mode" if dark else "dark mode"
    )
    page.keyboard.press("ArrowRight")
    scheme = "default" if dark else "slate"
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", scheme)


@pytest.mark.parametrize(
    ("lost", "meant"),
    [("concepts/gradient-decent", "Gradient descent"), ("loss_function.html", "Loss function")],
)
def test_address_with_a_mistake_is_answered_with_what_was_meant(
    lost: str, meant: str, open_page: OpenPage
) -> None:
    page = open_page(lost)
    expect(page.get_by_role("heading", name="There is no page here")).to_be_visible()
    guess = page.locator("#guesses a").first
    expect(guess).to_have_text(meant)
    guess.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(meant)


def test_error_is_reported_to_the_repository_with_the_page_named(open_page: OpenPage) -> None:
    page = open_page(f"concepts/{FIRST.slug}/")
    link = page.get_by_role("link", name="Report an error on this page")
    address = link.get_attribute("href") or ""
    assert address.startswith(f"{REPOSITORY}/issues/new?")
    assert f"docs/concepts/{FIRST.slug}.md" in address


def test_print_leaves_the_page_alone_with_its_answers_open(open_page: OpenPage) -> None:
    page = open_page(f"concepts/{FIRST.slug}/", dark=True)
    page.emulate_media(media="print")
    for hidden in (".md-header", ".md-sidebar", ".md-footer", ".copy", ".report"):
        elements = page.locator(hidden).all()
        assert elements, f"{hidden} is not on the page at all"
        for element in elements:
            expect(element).to_be_hidden()
    answer = page.locator("#exercises ~ details .highlight").first
    expect(answer).to_be_visible()
    size = page.evaluate("getComputedStyle(document.querySelector('.highlight .code')).fontSize")
    assert float(size.removesuffix("px")) < 11, "code on paper: 100 letters a line"
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")


def test_box_of_the_map_leads_to_its_entry(open_page: OpenPage) -> None:
    page = open_page("paths/rules-to-deep-learning/")
    page.locator("svg.map").get_by_text(SECOND.title, exact=True).click()
    expect(page).to_have_url(re.compile(f"/concepts/{SECOND.slug}/$"))


def test_without_a_browser_the_tests_say_in_one_line_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("tests.browser.browser.MAC", "/nowhere")
    with pytest.raises(
        NoBrowserError, match=r"^no browser .*playwright install --with-deps chromium$"
    ):
        executable("/nowhere")
