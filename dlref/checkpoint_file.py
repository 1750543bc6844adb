"""The file of a checkpoint: arrays in safetensors, all else as JSON beside them, and a checksum."""

import glob
import json
import os
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dlref.checks import check_installed

KEY = "dlref checkpoint"  # in the metadata of the file
CHECKSUM = "crc32"
FORMAT = 1


def write(
    path: str | os.PathLike[str], about: Mapping[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    """Write arrays, and beside them what JSON can hold; an error names the remedy."""
    check_installed("Checkpoint.save", "safetensors")
    from safetensors.numpy import save

    text = json.dumps({"format": FORMAT, **about}, default=_as_list)
    # safetensors writes memory as it lies: in this order, and the low byte first
    arrays = {n: np.asarray(a, a.dtype.newbyteorder("<"), order="C") for n, a in arrays.items()}
    content = save(arrays, {KEY: text, CHECKSUM: checksum(text, arrays)})
    try:
        _replace(Path(os.path.realpath(path)), content)  # a link stays a link
    except OSError as error:
        raise OSError(
            error.errno,
            f"the checkpoint was not written ({error.strerror}), and what was there before is "
            "whole: make room, mend the path, or stop another run that writes there, and "
            "train on with resume=True",
            os.fspath(path),
        ) from error


def read(
    path: str | os.PathLike[str], names: Collection[str]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """``(about, arrays)``, as ``write`` wrote them; an error unless that is what is there."""
    check_installed("Checkpoint.load", "safetensors")
    from safetensors import SafetensorError, safe_open

    with Path(path).open("rb"):  # an error of the file system, in its own words
        pass
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if KEY not in metadata:
            raise ValueError("dlref did not write it")
        if metadata[CHECKSUM] != checksum(metadata[KEY], arrays):
            raise ValueError("its checksum differs")
        about = dict(json.loads(metadata[KEY]))
        if about.pop("format") != FORMAT:
            raise ValueError("its format is another one: use the dlref that wrote it")
        if about.keys() != set(names):
            raise ValueError(f"it holds {sorted(about)} instead of {sorted(names)}")
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{os.fspath(path)} is no whole {KEY} ({error}): it is another file, or was cut "
            "off or changed; use a copy, or train again under another path"
        ) from None
    return about, arrays


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that at every moment the old or the new content is there, and whole."""
    # In the same folder, so that a rename moves no bytes; nobody else writes to this process's.
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # on disk before the old one goes
        part.replace(path)
        for left in path.parent.glob(f"{glob.escape(path.name)}.*.part"):  # by killed processes
            left.unlink(missing_ok=True)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def checksum(text: str, arrays: Mapping[str, np.ndarray]) -> str:
    """Of the text and of every array's name, dtype, shape and bytes."""
    total = zlib.crc32(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        about = f"{name} {array.dtype} {array.shape}".encode()
        total = zlib.crc32(about + array.tobytes(), total)
    return f"{total:08x}"


def _as_list(value: object) -> object:
    """What JSON does not know: the state of a generator may hold arrays."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    raise TypeError(f"checkpoint: a setting must be a number or a text, got {value!r}")
