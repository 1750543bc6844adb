"""A Chromium to test with: one of the system where there is one, else Playwright's own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
INSTALL = "no browser to test with. Get one: .venv/bin/playwright install --with-deps chromium"
# The browser talks to nobody but the page's server.
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


class NoBrowserError(Exception):
    """There is no Chromium on this machine; the message is the line that installs one."""


def executable(playwrights_own: str) -> str:
    """The path of a browser.

    Raises:
        NoBrowserError: there is none.
    """
    of_system = [path for name in NAMES if (path := shutil.which(name))]
    for path in [*of_system, MAC, playwrights_own]:
        if Path(path).exists():
            return path
    raise NoBrowserError(INSTALL)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser without a window, closed in the end."""
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        path = executable(playwright.chromium.executable_path)
        browser = playwright.chromium.launch(executable_path=path, args=[*QUIET, *as_root])
        try:
            yield browser
        finally:
            browser.close()
