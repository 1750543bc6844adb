"""What the built site says to other programs: networks, feed readers, reference managers."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import lxml.html
import pytest
from lxml.html import HtmlElement

from tests.browser.conftest import BASE, addresses
from tests.pages.conftest import ROOT
from tools.glossary import Term, read_terms, reading_order

ENTRIES = reading_order(read_terms(ROOT))
ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def parse(built: Path, address: str) -> HtmlElement:
    return lxml.html.parse(built / address / "index.html").getroot()


def meta(page: HtmlElement, name: str) -> str:
    (element,) = page.xpath(f"//meta[@property='{name}' or @name='{name}']")
    return str(element.get("content"))


def test_every_page_has_a_title_description_and_picture_of_its_own(built: Path) -> None:
    pages = [parse(built, address) for address in addresses() if address != "404"]
    for name in ("og:title", "og:description", "og:image"):
        found = [meta(page, name) for page in pages]
        assert len(set(found)) == len(pages), f"{name}: not every page has its own"
    for page in pages:
        assert meta(page, "description") == meta(page, "og:description")
        picture = meta(page, "og:image").removeprefix(BASE)
        assert (built / picture).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.slug)
def test_entry_says_what_it_defines_and_how_to_cite_it(entry: Term, built: Path) -> None:
    page = parse(built, f"concepts/{entry.slug}")
    (data,) = (json.loads(s.text) for s in page.xpath("//script[@type='application/ld+json']"))
    assert data["name"] == meta(page, "citation_title") == entry.title
    assert data["description"] == entry.definition
    assert data["alternateName"] == entry.aliases
    assert data["url"] == meta(page, "citation_public_url") == f"{BASE}concepts/{entry.slug}/"
    (cite,) = page.xpath("//details[@class='cite']")
    assert re.search(
        rf"@misc{{dlref-{entry.slug},\n  title = {{{re.escape(entry.title)}}},", cite.text_content()
    )


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.slug)
def test_line_of_facts_stands_between_definition_and_prerequisites(
    entry: Term, built: Path
) -> None:
    page = parse(built, f"concepts/{entry.slug}")
    (facts,) = page.xpath("//p[@class='facts']")
    assert facts.getprevious().get("class") == "definition"
    assert facts.getnext().get("class") == "prerequisites"
    said = " ".join(facts.text_content().split())
    level, added = entry.entry["level"].capitalize(), entry.entry["added"]
    assert re.fullmatch(
        rf"{level} · \d+ min read · added {added.day} {added:%B %Y} ·"
        r"( updated \d+ \w+ 20\d\d ·)? last run 24 November 2026",
        said,
    ), said


def test_every_link_within_a_page_leads_to_a_place_on_it(built: Path) -> None:
    lost = []
    for address in addresses():
        if address != "404":
            page = parse(built, address)
            ids = set(page.xpath("//@id"))
            links = page.xpath("//main//a[starts-with(@href, '#')]/@href")
            lost += [f"{address}{link}" for link in links if link[1:] not in ids]
    assert lost == []


def test_feed_has_every_entry_once_with_its_definition(built: Path) -> None:
    feed = ElementTree.parse(built / "feed.xml").getroot()
    found = {
        item.findtext(f"{ATOM}id"): item.findtext(f"{ATOM}summary")
        for item in feed.findall(f"{ATOM}entry")
    }
    assert found == {f"{BASE}concepts/{e.slug}/": e.definition for e in ENTRIES}
    assert len(feed.findall(f"{ATOM}entry")) == len(ENTRIES)
    newest = max(str(entry.entry["updated"]) for entry in ENTRIES)
    assert feed.findtext(f"{ATOM}updated") == f"{newest}T00:00:00Z"


def test_sitemap_has_every_page_and_the_date_of_its_entry(built: Path) -> None:
    sitemap = ElementTree.parse(built / "sitemap.xml").getroot()
    found = {u.findtext(f"{SITEMAP}loc"): u.findtext(f"{SITEMAP}lastmod") for u in sitemap}
    dates = {f"concepts/{entry.slug}/": str(entry.entry["updated"]) for entry in ENTRIES}
    assert found == {BASE + a: dates.get(a) for a in addresses() if a != "404"}
