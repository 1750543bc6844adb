"""The site, built once and served compressed, and pages of a real browser that look at it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from tests.browser.browser import NoBrowserError, chromium
from tests.browser.server import Server, serve
from tests.pages import gate
from tests.pages.conftest import ROOT
from tests.pages.site import Site

REPOSITORY = "https://code.example/dlref"  # no such host: a request to it is one too many
BASE = "http://127.0.0.1:8000/"
# What a build says that a run has proved.
PROVED = "24 November 2026 with Python 3.14.0, NumPy 2.5.0 and PyTorch 2.13.0"
OPEN_ALL = "document.querySelectorAll('details').forEach(d => d.open = true)"

OpenPage = Callable[..., Page]
Wait = Literal["load", "networkidle"]


def addresses() -> list[str]:
    """Every page of the site, as its address below the root; "404" stands for no page."""
    site = Site(ROOT)
    docs = [page for page in site.pages() if page.parent != ROOT]
    built = [gate.built_file(page, site, Path()) for page in docs]
    return ["" if str(file.parent) == "." else f"{file.parent}/" for file in built] + ["404"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "address" in metafunc.fixturenames:
        metafunc.parametrize("address", addresses())


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site, with a repository's address and the mark of a proof."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SITE_URL", BASE)
        patch.setenv("REPO_URL", REPOSITORY)
        patch.setenv("DLREF_PROVED", PROVED)
        gate.build_site(Site(ROOT), folder)
    return folder


@pytest.fixture(scope="session")
def server(built: Path) -> Iterator[Server]:
    with serve(built) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        with chromium() as running:
            yield running
    except NoBrowserError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def open_page(browser: Browser, server: Server) -> Iterator[OpenPage]:
    """Open a page in a fresh profile. Whatever the browser complains of, or asks of another host,
    fails the test in the end."""
    problems: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        address = message.location["url"]
        if message.page is None or address != message.page.url or " 404 " not in message.text:
            problems.append(f"{address}: {message.text}")  # but not that the page is not there

    def asked(request: Request) -> None:
        if not request.url.startswith((server.address, "data:", "blob:")):
            problems.append(f"a request to another host: {request.url}")

    with ExitStack() as contexts:

        def open_(
            address: str,
            *,
            dark: bool = False,
            width: int = 1280,
            script: str = "",
            wait: Wait = "networkidle",
        ) -> Page:
            context = browser.new_context(
                color_scheme="dark" if dark else "light",
                viewport={"width": width, "height": 800},
                is_mobile=width < 480,
                has_touch=width < 480,
            )
            contexts.callback(context.close)
            context.add_init_script(script)
            page = context.new_page()
            page.set_default_timeout(10_000)
            page.on("console", heard)
            page.on("pageerror", lambda error: problems.append(f"{address}: {error}"))
            page.on("request", asked)
            page.goto(server.address + address, wait_until=wait)
            return page

        yield open_
    assert problems == []
