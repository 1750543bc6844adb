"""The map: every entry once, below what it builds on, no box on another, no line through a box."""

import random
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from tests.tools.test_glossary import by_slug, entry
from tools.glossary import Term, reading_order
from tools.prerequisite_map import HEIGHT, Place, _places, _rows, _set_positions, prerequisite_map


def random_order(seed: int, size: int = 16) -> list[Term]:
    rng = random.Random(seed)
    names = [f"entry{'x' * rng.randrange(12)}{number}" for number in range(size)]
    terms = [
        entry(name, *rng.sample(names[:i], k=min(i, rng.choice([1, 1, 2, 3]))))
        for i, name in enumerate(names)
    ]
    return reading_order(by_slug(*terms))


def placed(order: list[Term]) -> list[list[Place]]:
    rows = _rows(_places(order))
    _set_positions(rows)
    return rows


@pytest.mark.parametrize("seed", range(30))
def test_every_entry_stands_once_below_all_it_builds_on(seed: int) -> None:
    order = random_order(seed)
    boxes = {p.term.slug: p for row in placed(order) for p in row if p.term}
    assert sorted(boxes) == sorted(term.slug for term in order)
    for term in order:
        assert all(boxes[p].top + HEIGHT < boxes[term.slug].top for p in term.prerequisites)


@pytest.mark.parametrize("seed", range(30))
def test_nothing_in_a_row_overlaps_a_neighbor(seed: int) -> None:
    for row in placed(random_order(seed)):
        for left, right in pairwise(row):
            assert left.x + left.width / 2 < right.x - right.width / 2


def test_line_that_other_lines_already_say_is_left_out() -> None:
    order = [entry("a"), entry("b", "a"), entry("c", "a", "b")]
    assert prerequisite_map(order, "").count("<path") == 2


def test_line_that_passes_a_row_has_a_place_of_its_own_there() -> None:
    needed = {"a": "", "b": "a", "c": "b", "d": "ac", "e": "ad", "f": "a", "g": "ef"}
    order = [entry(slug, *prerequisites) for slug, prerequisites in needed.items()]
    passing = [place for row in placed(order) for place in row if place.term is None]
    assert len(passing) == 3  # from f in row 1 to g in row 5, over rows 2, 3 and 4


def test_map_is_well_formed_and_links_each_box() -> None:
    order = [entry("a"), entry("b", "a")]
    svg = ElementTree.fromstring(prerequisite_map(order, "../concepts/"))
    links = [element.get("href") for element in svg.iter() if element.tag == "a"]
    assert links == ["../concepts/a/", "../concepts/b/"]
    assert re.fullmatch(r"-?\d+ 0 \d+ \d+", svg.get("viewBox", ""))
