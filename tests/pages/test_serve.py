"""The served site: live reload of everything a page is made of, and blocks that run elsewhere."""

import functools
import http.server
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages import gate
from tests.pages.site import Site

PAGE = "concepts/loss-function/"
MKDOCS = Path(sys.executable).with_name("mkdocs")
PATIENCE = 30.0  # seconds
SLACK = 3  # how much slower a busy machine may be


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def fetch(address: str) -> str:
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
        return str(answer.read().decode())


def wait_for(address: str, pattern: str) -> str:
    """The first answer that matches; the server may be starting, or building."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            match = re.search(pattern, fetch(address))
        except OSError:
            match = None
        if match:
            return match[0]
        time.sleep(0.1)
    raise AssertionError(f"{address} did not show {pattern!r} in {PATIENCE:.0f} s")


@pytest.fixture
def served(copy: Path) -> Iterator[str]:
    """The address of a plain `mkdocs serve` in the copy."""
    port = free_port()
    command = [str(MKDOCS), "serve", "--livereload", "--dev-addr", f"127.0.0.1:{port}"]
    environment = os.environ | {"SITE_URL": f"http://127.0.0.1:{port}/"}
    with subprocess.Popen(command, cwd=copy, env=environment, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/", "dlref")
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.terminate()


def test_an_edit_of_anything_a_page_is_made_of_reloads_it(served: str, copy: Path) -> None:
    edits = {
        "docs/concepts/loss-function.md": ("A model turns", "A modell turns"),
        "snippets/loss-function/squared_error.py": ("their mean", "their average"),
        "snippets/loss-function/squared_error.out": ("their mean", "their average"),
        "docs/terms.yml": ("A loss for classes", "A loss about classes"),
    }
    for name, (old, new) in edits.items():
        path = copy / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
        wait_for(served + PAGE, new)

    for name in ("theme/styles/site.css", "theme/layouts/page.html", "dlref/losses.py"):
        epoch = wait_for(served + PAGE, r"livereload\(\d+")
        with (copy / name).open("a") as file:
            file.write("\n")
        wait_for(served + PAGE, rf"livereload\((?!{epoch.partition('(')[2]},)\d+")


def test_an_edit_of_a_docstring_shows_in_the_reference_within_two_seconds(
    served: str, copy: Path
) -> None:
    path = copy / "dlref" / "losses.py"
    page = served + "reference/losses/"
    wait_for(page, "Mean squared error, over all elements")
    path.write_text(path.read_text().replace("over all elements", "over every element", 1))
    start = time.monotonic()
    wait_for(page, "Mean squared error, over every element")
    seconds = time.monotonic() - start
    print(f"{seconds:.2f} s")
    assert seconds < 2 * SLACK


def test_copied_block_runs_elsewhere_with_the_wheel_that_the_site_carries(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        monkeypatch.setenv("SITE_URL", address)
        gate.build_site(Site(copy), folder)
        wheel = re.search(rf"pip install ({address}wheel/\S+\.whl)", fetch(address + PAGE))
        assert wheel, "the page does not say how to install dlref from the site"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
        subprocess.run([*pip, "--target", str(elsewhere), wheel[1]], check=True)
        server.shutdown()
    block = (copy / "snippets/loss-function/squared_error.py").read_text()
    code = f"{block}\nassert dlref.__file__.startswith({str(elsewhere)!r})"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=elsewhere, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == (copy / "snippets/loss-function/squared_error.out").read_text()
