"""The wheel of dlref that the site carries, so that a copied block runs elsewhere.

`python -m tools.wheel` writes docs/wheel/dlref-<version>-py3-none-any.whl where it changed.
"""

import contextlib
import os
import tempfile
from pathlib import Path

from flit_core.wheel import make_wheel_in

ROOT = Path(__file__).resolve().parent.parent
EPOCH = "1763856000"  # any fixed time: the same bytes in every clone


def write(root: Path) -> None:
    """Build the wheel; leave the file alone where it would be the same, byte for byte."""
    folder = root / "docs" / "wheel"
    folder.mkdir(exist_ok=True)
    before = os.environ.get("SOURCE_DATE_EPOCH")
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(root):
        os.environ["SOURCE_DATE_EPOCH"] = before or EPOCH
        try:
            built = make_wheel_in(Path("pyproject.toml"), Path(name)).file
        finally:  # MkDocs would date the site by it
            if before is None:
                del os.environ["SOURCE_DATE_EPOCH"]
        target = folder / built.name
        for old in folder.glob("*.whl"):
            if old != target:
                old.unlink()
        if not target.exists() or target.read_bytes() != built.read_bytes():
            target.write_bytes(built.read_bytes())


if __name__ == "__main__":
    write(ROOT)
