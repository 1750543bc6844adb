"""What a reader has to load, as sent by a server that compresses."""

from tests.browser.conftest import OpenPage
from tests.browser.server import Server
from tests.pages.conftest import ROOT
from tools import notebooks
from tools.glossary import read_terms, reading_order

FIRST_VISIT, NEXT_VISIT = 180_000, 40_000  # bytes


def test_first_entry_and_the_next_are_light(open_page: OpenPage, server: Server) -> None:
    order = reading_order(read_terms(ROOT))
    for before, entry in zip(order, [*order[1:], order[0]], strict=True):
        server.sent.clear()
        page = open_page(f"concepts/{before.slug}/")
        first = server.weight()
        assert 50_000 < first <= FIRST_VISIT, f"{before.slug}: {first:,} bytes: {server.sent}"
        server.sent.clear()
        page.goto(f"{server.address}concepts/{entry.slug}/", wait_until="networkidle")
        following = server.weight()
        assert following <= NEXT_VISIT, f"{entry.slug}: {following:,} bytes: {server.sent}"
        print(f"{before.slug}: {first:,} bytes; then {entry.slug}: {following:,}")


def test_lesson_weighs_at_most_twice_the_lightest_entry(
    open_page: OpenPage, server: Server
) -> None:
    def weight(address: str) -> int:
        server.sent.clear()
        open_page(address)
        return server.sent[f"/{address}"]

    lightest = min(weight(f"concepts/{e.slug}/") for e in reading_order(read_terms(ROOT)))
    for lesson in notebooks.lessons(ROOT):
        found = weight(f"lessons/{lesson.stem}/")
        assert found <= 2 * lightest, f"{lesson.stem}: {found:,} bytes, an entry {lightest:,}"
        print(f"{lesson.stem}: {found:,} bytes, the lightest entry {lightest:,}")
