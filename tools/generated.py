"""Files that are made from others and committed: they are written only where they changed.

A file that is written anew makes MkDocs build the site again.
"""

from pathlib import Path


def write_changed(root: Path, files: dict[Path, str]) -> None:
    """Write the files, by path below ``root``, that are not what they should be."""
    for name in stale(root, files):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[name], encoding="utf-8")


def stale(root: Path, files: dict[Path, str]) -> list[Path]:
    """The paths below ``root`` of files that are missing, or are not what they should be."""
    return [
        name
        for name, text in files.items()
        if not (root / name).exists() or (root / name).read_text(encoding="utf-8") != text
    ]
