"""The pictures that networks show: there, of the right size, and not stale."""

from pathlib import Path

from PIL import Image

from tests.pages.conftest import ROOT
from tools import cards


def test_every_page_has_a_picture_of_its_title_and_description() -> None:
    assert cards.stale(ROOT) == [], "run `make outputs`"
    on_disk = set((ROOT / "docs" / "cards").glob("*.png"))
    assert on_disk == set(cards.texts(ROOT)), "run `make outputs`"
    for path in on_disk:
        with Image.open(path) as picture:
            assert picture.size == (1200, 630)


def test_changed_description_makes_its_picture_stale_and_writing_mends_it(copy: Path) -> None:
    page = copy / "docs" / "concepts" / "loss-function.md"
    page.write_text(page.read_text().replace("title: Loss function", "title: Loss", 1))
    picture = copy / "docs" / "cards" / "concepts-loss-function.png"
    assert cards.stale(copy) == [picture]
    before = picture.read_bytes()
    cards.write(copy)
    assert cards.stale(copy) == []
    assert picture.read_bytes() != before


def test_longest_text_fits_the_picture() -> None:
    for title, description in cards.texts(ROOT).values():
        card = cards.draw(title, description)
        band = card.crop((1200 - 20, 0, 1200, 630)).getcolors()
        assert band == [(20 * 630, (255, 255, 255))], f"{title}: too wide"
        gap = card.crop((90, 505, 1200, 535)).getcolors()
        assert gap == [(1110 * 30, (255, 255, 255))], f"{title}: too many lines"
