"""The map of prerequisites: every entry a box that is a link, below what it builds on.

A drawing in layers. A box stands one row below the lowest of its prerequisites, and under their
middle. A line that passes rows on its way goes through a place kept free for it in each. A line
that other lines already say is left out: who needs B, and B needs A, needs A too.
"""

from dataclasses import dataclass, field
from html import escape

from tools.glossary import Term

LETTER, PADDING, HEIGHT = 7.6, 14.0, 34.0  # of a box, in units of the drawing
GAP, ROW, MARGIN = 18.0, 78.0, 4.0  # between boxes, from row to row, around the drawing


@dataclass
class Place:
    """A box, or, without a term, the room that a line takes when it passes a row."""

    row: int
    term: Term | None = None
    above: list["Place"] = field(default_factory=list)
    x: float = 0.0  # of the middle

    @property
    def width(self) -> float:
        return 2 * PADDING + LETTER * len(self.term.title) if self.term else GAP

    @property
    def top(self) -> float:
        return MARGIN + self.row * ROW


def prerequisite_map(order: list[Term], start: str) -> str:
    """The map of entries that are given in the order of reading, as one `<svg>` element.

    Args:
        order: the entries, each after its prerequisites.
        start: the address of the entries' folder, relative to the page that shows the map.
    """
    if not order:
        return ""
    rows = _rows(_places(order))
    _set_positions(rows)
    left = min(place.x - place.width / 2 for row in rows for place in row) - MARGIN
    right = max(place.x + place.width / 2 for row in rows for place in row) + MARGIN
    height = rows[-1][0].top + HEIGHT + MARGIN
    places = [place for row in rows for place in row]
    lines = [_line(above, place) for place in places for above in place.above]
    boxes = [_box(place, place.term, start) for place in places if place.term]
    return "\n".join(
        [
            f'<svg viewBox="{left:.0f} 0 {right - left:.0f} {height:.0f}" class="map" '
            f'style="max-width:{right - left:.0f}px" role="group" '
            'aria-label="Map of prerequisites: each entry stands below what it builds on">',
            *lines,
            *boxes,
            "</svg>",
            "",
        ]
    )


def _places(order: list[Term]) -> list[Place]:
    """A place for each entry, and for each row that a line passes."""
    boxes: dict[str, Place] = {}
    known: dict[str, set[str]] = {}  # all that an entry builds on, directly or not
    places: list[Place] = []
    for term in order:
        needed = [slug for slug in term.prerequisites if slug in boxes]
        known[term.slug] = set(needed).union(*(known[slug] for slug in needed))
        direct = [n for n in needed if not any(n in known[other] for other in needed)]
        row = 1 + max((boxes[slug].row for slug in direct), default=-1)
        box = boxes[term.slug] = Place(row, term)
        for slug in direct:
            above = boxes[slug]
            for passed in range(above.row + 1, row):
                above = Place(passed, above=[above])
                places.append(above)
            box.above.append(above)
        places.append(box)
    return places


def _rows(places: list[Place]) -> list[list[Place]]:
    """The places row by row, each row from left to right as the rows above suggest."""
    rows: list[list[Place]] = [[] for _ in range(1 + max(place.row for place in places))]
    for place in places:
        rows[place.row].append(place)
    for row in rows:
        rank = {id(p): i for i, p in enumerate(rows[row[0].row - 1])} if row[0].row else {}
        row.sort(key=lambda place: _middle([rank[id(above)] for above in place.above]))
    return rows


def _set_positions(rows: list[list[Place]]) -> None:
    """Under the middle of what is above, but never over a neighbor; then rows are centered."""
    for row in rows:
        free = float("-inf")
        for place in row:
            wanted = _middle([above.x for above in place.above])
            place.x = max(wanted, free + place.width / 2)
            free = place.x + place.width / 2 + GAP
        shift = sum(_middle([above.x for above in place.above]) - place.x for place in row)
        for place in row:
            place.x += shift / len(row)


def _middle(numbers: list[float] | list[int]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0


def _line(above: Place, below: Place) -> str:
    start, end = above.top + HEIGHT, below.top
    half = (start + end) / 2
    passed = "" if above.term else f"M{above.x:.1f} {above.top:.1f}V{start:.1f}"
    begin = passed or f"M{above.x:.1f} {start:.1f}"
    return (
        f'<path d="{begin}C{above.x:.1f} {half:.1f} {below.x:.1f} {half:.1f} '
        f'{below.x:.1f} {end:.1f}"/>'
    )


def _box(place: Place, term: Term, start: str) -> str:
    x, width = place.x - place.width / 2, place.width
    return (
        f'<a href="{start}{term.slug}/">'
        f'<rect x="{x:.1f}" y="{place.top:.1f}" width="{width:.1f}" height="{HEIGHT:.0f}" rx="4"/>'
        f'<text x="{place.x:.1f}" y="{place.top + HEIGHT / 2:.1f}">{escape(term.title)}</text></a>'
    )
