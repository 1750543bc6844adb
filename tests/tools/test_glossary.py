"""How the words hang together: an order to read in, no circle, no orphan."""

import itertools
import random

import pytest

from tests.pages.conftest import ROOT
from tests.pages.site import Site
from tools.glossary import Term, linked, orphans, read_terms, reading_order


def entry(slug: str, *prerequisites: str, related: tuple[str, ...] = ()) -> Term:
    meta = {
        "title": slug.title(),
        "prerequisites": list(prerequisites),
        "related": [{"term": other, "kind": "enables"} for other in related],
    }
    return Term(slug, slug.title(), f"About {slug}.", [], slug, meta)


def by_slug(*terms: Term) -> dict[str, Term]:
    return {term.slug: term for term in terms}


@pytest.mark.parametrize("seed", range(20))
def test_reading_order_puts_every_entry_after_its_prerequisites_whatever_the_files_order(
    seed: int,
) -> None:
    rng = random.Random(seed)
    names = [f"t{number:02}" for number in range(15)]
    terms = [
        entry(name, *rng.sample(names[:i], k=min(i, rng.randrange(4))))
        for i, name in enumerate(names)
    ]
    shuffled = rng.sample(terms, k=len(terms))
    order = [term.slug for term in reading_order(by_slug(*shuffled))]
    assert sorted(order) == names
    for term in terms:
        assert all(order.index(p) < order.index(term.slug) for p in term.prerequisites)
    assert order == [term.slug for term in reading_order(by_slug(*terms))]


def test_circle_of_prerequisites_is_an_error_that_names_it() -> None:
    terms = by_slug(entry("a"), entry("b", "a", "d"), entry("c", "b"), entry("d", "c"))
    circle = r"circle: (b needs d needs c|d needs c needs b|c needs b needs d)"
    with pytest.raises(ValueError, match=circle):
        reading_order(terms)


def test_entry_that_no_other_leads_to_is_an_orphan() -> None:
    terms = by_slug(entry("a", related=("apart",)), entry("b", "a"), entry("apart"))
    assert orphans(terms) == [
        "b: no other entry links to it: link it",
        "apart: it requires nothing, and nothing requires it",
    ]


def test_term_is_an_orphan_unless_the_entry_that_treats_it_links_to_it() -> None:
    word = Term("word", "Word", "A word.", [], "a")
    two = (entry("a", related=("b",)), entry("b", "a", related=("word",)))
    assert orphans(by_slug(*two, word)) == ["word: a is to treat it but does not link to it"]
    lost = Term("word", "Word", "A word.", [], "c")
    assert "`entry: c` in docs/terms.yml is no entry" in orphans(by_slug(*two, lost))[0]
    assert orphans(by_slug(*two, Term("word", "Word", "A word.", [], "b"))) == []


def test_definition_links_the_first_mention_of_the_longest_name() -> None:
    terms = by_slug(
        Term("loss", "Loss", "How wrong.", ["cost"], "a"),
        Term("square-loss", "Square loss", "Squared.", [], "a"),
    )
    term = entry("a")
    text = linked("A square loss, other losses, a loss, and glossy costs.", term, terms)
    assert text == (
        "A [square loss](../terms.md#square-loss), other [losses](../terms.md#loss), a loss, "
        "and glossy costs."
    )


def test_this_glossary_has_no_circle_and_no_orphan() -> None:
    terms = read_terms(ROOT)
    assert orphans(terms) == []
    assert len(reading_order(terms)) == sum(bool(term.entry) for term in terms.values())


def test_nav_has_the_order_of_the_front_matter() -> None:
    nav = Site(ROOT).config.nav
    assert nav is not None
    (entries,) = (item["Entries"] for item in nav if "Entries" in item)
    assert entries == [f"concepts/{term.slug}.md" for term in reading_order(read_terms(ROOT))]


def test_no_two_headings_of_the_a_to_z_have_one_anchor() -> None:
    text = (ROOT / "docs" / "terms.md").read_text(encoding="utf-8")
    anchors = [line.split("{: #")[1] for line in text.split("\n") if "{: #" in line]
    assert not [a for a, group in itertools.groupby(sorted(anchors)) if len(list(group)) > 1]


def test_unknown_prerequisite_is_an_error_that_names_who_asked() -> None:
    with pytest.raises(ValueError, match="b: 'nowhere' is no entry"):
        reading_order(by_slug(entry("b", "nowhere")))
