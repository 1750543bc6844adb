"""What a run that proved every page leaves behind: when, with which versions, and of what.

`python -m tools.proof` prints the line that `make site` puts into the pages. It is empty where no
run proved the sources as they are now, and the pages then say so.
"""

import datetime
import hashlib
import importlib.metadata
import json
import platform
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = ".proof.json"
SOURCES = ["dlref", "docs", "snippets", "theme", "tools", "tests/pages", "README.md"]
SOURCES += ["CONTRIBUTING.md", "mkdocs.yml", "conftest.py", "pyproject.toml", "requirements.lock"]
LIBRARIES = {"NumPy": "numpy", "PyTorch": "torch"}


def write(root: Path, sources: str, blocks: int) -> None:
    """Record that every block of every page has just run, and that the pages show these blocks.

    Args:
        root: the folder of the site.
        sources: what ``digest`` gave before the first block was read.
        blocks: how many ran.
    """
    versions = {name: importlib.metadata.version(package) for name, package in LIBRARIES.items()}
    record = {
        "sources": sources,
        "blocks": blocks,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": {"Python": platform.python_version(), **versions},
    }
    (root / FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def line(root: Path) -> str:
    """``"23 November 2026 with Python 3.13.0, NumPy 2.5.0 and PyTorch 2.13.0"``, or nothing."""
    try:
        record = json.loads((root / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ""
    if record["sources"] != digest(root):
        return ""
    *most, last = (f"{name} {version}" for name, version in record["versions"].items())
    date = datetime.date.fromisoformat(record["date"])
    return f"{date.day} {date:%B %Y} with {', '.join(most)} and {last}"


def digest(root: Path) -> str:
    """A fingerprint of everything that a page is made of, and of what runs and checks it."""
    found = hashlib.sha256()
    for name in SOURCES:
        path = root / name
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file() and not {"__pycache__", "wheel"} & set(file.parts):
                found.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes())
    return found.hexdigest()


if __name__ == "__main__":
    print(line(ROOT))
