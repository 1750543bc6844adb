"""MNIST and CIFAR-10 from a server on this machine: right files, wrong ones, and none."""

import gc
import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlref
from dlref.data import images
from dlref.data.download import fetch

# pooch leaves the connection of a failed download to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

BODY = bytes(range(256)) * 40


@dataclass
class Server:
    """What each path is answered with, and how often a path was asked for."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    status: int = 200
    announced: int = 0  # bytes promised beyond those that come
    seconds: float = 0.0  # in the middle of an answer
    asked: list[str] = field(default_factory=list)
    stop: Any = None

    def add(self, name: str, body: bytes) -> str:
        """Serve a file, and give its checksum."""
        self.files[name] = body
        return hashlib.sha256(body).hexdigest()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/")
            state.asked.append(name)
            body = state.files.get(name)
            self.send_response(404 if body is None else state.status)
            self.send_header("Content-Length", str(len(body or b"") + state.announced))
            self.end_headers()
            half = len(body or b"") // 2
            self.wfile.write((body or b"")[:half])
            self.wfile.flush()
            time.sleep(state.seconds)
            self.wfile.write((body or b"")[half:])

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state = Server(f"http://127.0.0.1:{http.server_port}/")
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()

        def stop() -> None:
            http.shutdown()
            thread.join()
            http.server_close()

        state.stop = stop
        yield state
        stop()
    gc.collect()  # here, where it may warn


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cache"
    monkeypatch.setenv("DLREF_DATA_DIR", str(path))
    return path


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_a_file_is_fetched_once_and_then_needs_no_network(server: Server, folder: Path) -> None:
    sha256 = server.add("file", BODY)
    assert fetch("who", server.url + "file", sha256).read_bytes() == BODY
    server.stop()
    assert fetch("who", server.url + "file", sha256).read_bytes() == BODY
    assert server.asked == ["file"]
    assert kept(folder) == ["file"]


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        ("missing", "404"),
        ("server error", "500"),
        ("web page", "does not match the known hash"),
        ("tampered", "does not match the known hash"),
        ("truncated", r"IncompleteRead|does not match the known hash"),
        ("empty", "does not match the known hash"),
        ("server down", "Connection refused|Max retries"),
    ],
)
def test_a_failed_download_names_address_checksum_and_remedy_and_leaves_nothing(
    server: Server, folder: Path, failure: str, cause: str
) -> None:
    sha256 = server.add("file", BODY)
    if failure == "missing":
        del server.files["file"]
    elif failure == "server error":
        server.status = 500
    elif failure == "web page":
        server.files["file"] = b"<html>Log in to the network</html>"
    elif failure == "tampered":
        server.files["file"] = BODY[:-1] + b"\0"
    elif failure == "truncated":
        server.files["file"], server.announced = BODY[:-1], 1
    elif failure == "empty":
        server.files["file"] = b""
    else:
        server.stop()
    with pytest.raises(OSError, match=cause) as caught:
        fetch("who", server.url + "file", sha256)
    message = str(caught.value)
    assert message.startswith(f"who: {server.url}file with SHA-256 {sha256} could not be brought")
    assert message.endswith(
        f"try again, or put the file there from elsewhere, as {folder / 'file'}"
    )
    assert kept(folder) == []


def test_a_file_damaged_in_the_folder_is_fetched_again(server: Server, folder: Path) -> None:
    sha256 = server.add("file", BODY)
    fetch("who", server.url + "file", sha256).write_bytes(BODY[:-1])
    assert fetch("who", server.url + "file", sha256).read_bytes() == BODY
    assert server.asked == ["file", "file"]
    assert kept(folder) == ["file"]


def test_a_file_damaged_in_the_folder_is_an_error_without_a_network(
    server: Server, folder: Path
) -> None:
    sha256 = server.add("file", BODY)
    fetch("who", server.url + "file", sha256).write_bytes(BODY[:-1])
    server.stop()
    with pytest.raises(OSError, match="could not be brought into"):
        fetch("who", server.url + "file", sha256)
    assert kept(folder) == ["file"]  # and no temporary file


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_folder_that_cannot_be_written_names_the_variable(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    (tmp_path / "file").write_text("where a folder should be")
    monkeypatch.setenv("DLREF_DATA_DIR", str(tmp_path / "file" / below))
    sha256 = server.add("data", BODY)
    with pytest.raises(OSError, match="set DLREF_DATA_DIR to a folder that can be written"):
        fetch("who", server.url + "data", sha256)


def test_a_full_disk_names_the_variable_and_leaves_nothing(server: Server, folder: Path) -> None:
    sha256 = server.add("file", BODY)
    code = f"""
import resource
from dlref.data.download import fetch

resource.setrlimit(resource.RLIMIT_FSIZE, ({len(BODY) // 2}, {len(BODY) // 2}))
fetch("who", "{server.url}file", "{sha256}")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "set DLREF_DATA_DIR to a folder that can be written" in done.stderr
    assert kept(folder) == []


def downloads(server: Server, sha256: str, count: int) -> list[subprocess.Popen[str]]:
    code = f"""
from dlref.data.download import fetch

print(len(fetch("who", "{server.url}file", "{sha256}").read_bytes()))
"""
    return [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(count)
    ]


def test_processes_that_download_at_once_do_not_harm_each_other(
    server: Server, folder: Path
) -> None:
    sha256, server.seconds = server.add("file", BODY), 1.0
    found = [process.communicate()[0] for process in downloads(server, sha256, 4)]
    assert found == [f"{len(BODY)}\n"] * 4
    assert len(server.asked) > 1  # or they were not at it at once
    assert kept(folder) == ["file"]


def test_a_download_killed_midway_leaves_no_file_under_the_name(
    server: Server, folder: Path
) -> None:
    sha256, server.seconds = server.add("file", BODY), 3.0
    [process] = downloads(server, sha256, 1)
    while not any(path.stat().st_size for path in folder.glob("*")):
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert "file" not in kept(folder)
    server.seconds = 0.0
    assert fetch("who", server.url + "file", sha256).read_bytes() == BODY


def test_without_pooch_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r"mnist: downloads need pooch: pip install pooch"):
        dlref.data.mnist()


# MNIST with 3 images to train on and 2 to test on; CIFAR-10 with 2 images a file.

COUNTS = (3, 2)
RNG = np.random.default_rng(0)
PIXELS = [RNG.integers(0, 256, (n, 28, 28), np.uint8) for n in COUNTS]
LABELS = [RNG.integers(0, 10, n).astype(np.uint8) for n in COUNTS]
RECORDS = RNG.integers(0, 10, (12, 3073), np.uint8)


def idx(array: np.ndarray) -> bytes:
    return np.array([0x800 + array.ndim, *array.shape], ">u4").tobytes() + array.tobytes()


def serve_mnist(server: Server, **replaced: bytes) -> dict[str, str]:
    """Serve the four files, those in ``replaced`` with other contents; give their checksums."""
    found = {}
    for part, pixels, labels in zip(("train", "t10k"), PIXELS, LABELS, strict=True):
        for kind, array in ("images-idx3", pixels), ("labels-idx1", labels):
            name = f"{part}-{kind}"
            body = replaced.get(name.replace("-", "_"), idx(array))
            found[name] = server.add(f"{name}-ubyte.gz", gzip.compress(body))
    return found


def serve_cifar10(server: Server, files: dict[str, bytes]) -> str:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, body in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return server.add("cifar.tar.gz", packed.getvalue())


def cifar10_files() -> dict[str, bytes]:
    names = [
        "test_batch.bin",
        "batches.meta.txt",
        *(f"data_batch_{i}.bin" for i in (5, 3, 1, 2, 4)),
    ]
    at = dict.fromkeys(names, 0) | {f"data_batch_{i}.bin": 2 * (i - 1) for i in range(1, 6)}
    at["test_batch.bin"] = 10
    return {name: RECORDS[at[name] : at[name] + 2].tobytes() for name in names}


def test_mnist_is_the_pixels_over_255_with_a_channel(server: Server, folder: Path) -> None:
    checksums = serve_mnist(server)
    for _ in range(2):  # downloaded, then from the folder
        x_train, y_train, x_test, y_test = images._mnist(server.url, checksums, COUNTS)
        for x, y, pixels, labels in zip(
            (x_train, x_test), (y_train, y_test), PIXELS, LABELS, strict=True
        ):
            assert x.dtype == np.float32
            assert y.dtype == np.int64
            np.testing.assert_array_equal(x, (pixels[:, None] / 255).astype(np.float32))
            np.testing.assert_array_equal(y, labels)
    assert len(server.asked) == 4
    assert len(kept(folder)) == 4


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"train_images_idx3": idx(PIXELS[0][:2])}, r"train-images.*must begin with 00000803"),
        ({"train_labels_idx1": idx(LABELS[0])[:-1]}, r"and have 11 bytes, got .* and 10"),
        ({"t10k_labels_idx1": idx(LABELS[1]) + b"\0"}, r"and have 10 bytes, got .* and 11"),
        ({"t10k_labels_idx1": idx(PIXELS[1])}, r"begin with 0000080100000002 .*, got 00000803"),
        ({"t10k_images_idx3": b""}, r"and have 1584 bytes, got  and 0"),
        ({"t10k_labels_idx1": idx(np.array([9, 10], np.uint8))}, r"labels must be in \[0, 10\)"),
    ],
)
def test_mnist_of_another_format_is_an_error(
    server: Server, replaced: dict[str, bytes], message: str
) -> None:
    with pytest.raises(OSError, match=message):
        images._mnist(server.url, serve_mnist(server, **replaced), COUNTS)


@pytest.mark.usefixtures("folder")
def test_cifar10_is_red_green_and_blue_planes_in_the_order_of_the_files(server: Server) -> None:
    sha256 = serve_cifar10(server, cifar10_files())
    x_train, y_train, x_test, y_test = images._cifar10(f"{server.url}cifar.tar.gz", sha256, 2)
    assert x_train.shape == (10, 3, 32, 32)
    assert x_test.shape == (2, 3, 32, 32)
    assert x_train.dtype == x_test.dtype == np.float32
    assert y_train.dtype == y_test.dtype == np.int64
    np.testing.assert_array_equal(np.concatenate([y_train, y_test]), RECORDS[:, 0])
    expected = RECORDS[:, 1:].astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(np.concatenate([x_train, x_test]).reshape(12, 3072), expected)
    assert x_train[7, 2, 5, 9] == np.float32(RECORDS[7, 1 + 2 * 1024 + 5 * 32 + 9] / 255)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"data_batch_3.bin": None}, "'data_batch_3.bin': 0"),
        ({"test_batch.bin": bytes(3073)}, "must hold files of 6146 bytes.*'test_batch.bin': 3073"),
        ({"test_batch.bin": b"\n" * 6146}, r"cifar10: labels must be in \[0, 10\), got 10"),
    ],
)
def test_cifar10_of_another_format_is_an_error(
    server: Server, replaced: dict[str, bytes | None], message: str
) -> None:
    files = {name: body for name, body in (cifar10_files() | replaced).items() if body is not None}
    sha256 = serve_cifar10(server, files)
    with pytest.raises(OSError, match=message):
        images._cifar10(f"{server.url}cifar.tar.gz", sha256, 2)


def test_the_public_functions_ask_for_the_known_files(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}

    def record(who: str, url: str, sha256: str) -> Path:
        asked[url] = sha256
        raise FileNotFoundError(who)

    monkeypatch.setattr(images, "fetch", record)
    for function in (dlref.data.mnist, dlref.data.cifar10):
        with pytest.raises(FileNotFoundError, match=function.__name__):
            function()
    assert set(asked) == {f"{images.MNIST_URL}train-images-idx3-ubyte.gz", images.CIFAR10_URL}
    assert all(url.startswith("https://") for url in asked)
    assert {len(bytes.fromhex(s)) for s in (*images.MNIST_SHA256.values(), *asked.values())} == {32}
