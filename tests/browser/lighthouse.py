"""Lighthouse's marks for every page of the site, on its simulated phone: `make lighthouse`.

It exits with 1 where a page has less than it should. The mark for performance depends on the
machine: it is the median of three runs.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

from tests.browser.browser import QUIET, executable
from tests.browser.conftest import PROVED, REPOSITORY, addresses
from tests.browser.server import serve
from tests.pages import gate
from tests.pages.conftest import ROOT
from tests.pages.site import Site

VERSION = "13.5.0"
WANTED = {"performance": 98, "accessibility": 100, "best-practices": 100, "seo": 100}
RUNS = 3
NPX = Path(sys.executable).with_name("npx")


def main() -> int:
    os.environ |= {"REPO_URL": REPOSITORY, "DLREF_PROVED": PROVED}
    with sync_playwright() as playwright:
        os.environ["CHROME_PATH"] = executable(playwright.chromium.executable_path)
    low = 0
    print(f"{'':40}" + "".join(f"{name:>16}" for name in WANTED))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Lighthouse wants canonical addresses to be those it visits.
        with serve(folder) as server:
            os.environ["SITE_URL"] = server.address
            gate.build_site(Site(ROOT), folder)
            for address in addresses():
                if address == "404":  # it marks down a page for being one
                    continue
                runs = [marks(server.address + address) for _ in range(RUNS)]
                found = {name: median(run[name] for run in runs) for name in WANTED}
                low += sum(found[name] < wanted for name, wanted in WANTED.items())
                print(f"/{address:39}" + "".join(f"{found[name]:16.0f}" for name in WANTED))
    return min(low, 1)


def marks(address: str) -> dict[str, float]:
    """The marks from 0 to 100 of one run."""
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    command = [str(NPX), "--yes", f"lighthouse@{VERSION}", address, "--quiet", "--output", "json"]
    command += [f"--only-categories={','.join(WANTED)}"]
    command += [f"--chrome-flags={' '.join(['--headless=new', *QUIET, *as_root])}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"Lighthouse failed on {address}:\n{result.stderr}")
    report = json.loads(result.stdout)
    for audit in report["audits"].values():
        if audit["score"] == 0 and audit["scoreDisplayMode"] == "binary":
            print(f"  {address}: {audit['id']}: {audit['title']}", file=sys.stderr)
    return {name: 100 * report["categories"][name]["score"] for name in WANTED}


if __name__ == "__main__":
    sys.exit(main())
