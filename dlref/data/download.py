"""Files from the network: fetched once, known by their checksum, kept in a folder."""

import os
from pathlib import Path

from dlref.progress import is_watched


def fetch(who: str, url: str, sha256: str) -> Path:
    """The file of an address, from the cache folder, or from the network where it is not there.

    pooch writes to a temporary file and moves it into place when its checksum is right. So the
    folder never holds part of a file under its name, whoever else downloads it at the time. A file
    that was damaged in the folder is fetched again.

    Args:
        who: the public function, for errors.
        url: the address; its last part is the file's name.
        sha256: the checksum, as hexadecimal digits.

    Raises:
        OSError: no file with this checksum could be had or kept.
        ImportError: pooch is missing.
    """
    try:
        import pooch
        from requests import RequestException  # what pooch downloads with
    except ImportError as error:
        raise ImportError(f"{who}: downloads need pooch: pip install pooch") from error
    folder = os.environ.get("DLREF_DATA_DIR") or str(pooch.os_cache("dlref"))
    name = url.rpartition("/")[2]
    try:
        return Path(pooch.retrieve(url, f"sha256:{sha256}", name, folder, progressbar=is_watched()))
    except (OSError, ValueError) as error:  # an error of requests is an OSError too
        remedy = f"try again, or put the file there from elsewhere, as {Path(folder, name)}"
        if isinstance(error, OSError) and not isinstance(error, RequestException):
            remedy = "set DLREF_DATA_DIR to a folder that can be written"
        raise OSError(
            f"{who}: {url} with SHA-256 {sha256} could not be brought into {folder}: {error}: "
            f"{remedy}"
        ) from error
