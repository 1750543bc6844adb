"""MNIST and CIFAR-10: downloaded when they are first asked for."""

import gzip
import tarfile
from math import prod

import numpy as np

from dlref.data.download import fetch

Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]

CLASSES = 10

# Address and checksums: tensorflow/datasets, tensorflow_datasets/url_checksums/mnist.txt. The same
# checksums: ankane/torchvision-ruby, lib/torchvision/datasets/mnist.rb.
MNIST_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"
MNIST_SHA256 = {
    "train-images-idx3": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}

# Address and checksum: tensorflow/datasets, tensorflow_datasets/url_checksums/cifar10.txt. The
# same: JuliaML/MLDatasets.jl, src/datasets/vision/cifar10.jl.
CIFAR10_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
CIFAR10_SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
CIFAR10_FILES = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]


def mnist() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """70,000 handwritten digits of 28×28 pixels, in a training and a test part, by download.

    The first call downloads 11.6 MB with pooch (``pip install pooch``) into a folder of the user's
    cache, or the one that the environment variable ``DLREF_DATA_DIR`` names. Later calls need no
    network. Each call compares the files with their checksums, and fetches a damaged one again.

    Returns:
        ``(x_train, y_train, x_test, y_test)``: images (N, 1, 28, 28), float32 in [0, 1], as the
        examples, the channel, rows from the top, columns from the left; labels (N,), int64 in
        [0, 10). N is 60,000 for training, 10,000 for the test. The images take 220 MB.

    Raises:
        OSError: a file could not be had or kept, or is not the one expected.
        ImportError: pooch is missing.

    Source: LeCun et al., Gradient-based learning applied to document recognition (1998), section
    III.A, https://doi.org/10.1109/5.726791
    """
    return _mnist(MNIST_URL, MNIST_SHA256)


def cifar10() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """60,000 color photographs of 32×32 pixels in 10 classes, in two parts, by download.

    The first call downloads 170 MB with pooch (``pip install pooch``) into a folder of the user's
    cache, or the one that the environment variable ``DLREF_DATA_DIR`` names. Later calls need no
    network. Each call compares the file with its checksum, and fetches a damaged one again. It is
    the binary version, whose reading runs no code.

    The classes, from label 0: airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck.

    Returns:
        ``(x_train, y_train, x_test, y_test)``: images (N, 3, 32, 32), float32 in [0, 1], as the
        examples, the channels red, green and blue, rows from the top, columns from the left; labels
        (N,), int64 in [0, 10). N is 50,000 for training, 10,000 for the test. The images take
        737 MB.

    Raises:
        OSError: the file could not be had or kept, or is not the one expected.
        ImportError: pooch is missing.

    Source: Krizhevsky, Learning multiple layers of features from tiny images (2009), chapter 3,
    https://www.cs.toronto.edu/~kriz/cifar.html
    """
    return _cifar10(CIFAR10_URL, CIFAR10_SHA256)


def _mnist(url: str, sha256: dict[str, str], counts: tuple[int, int] = (60_000, 10_000)) -> Split:
    parts = []
    for part, count in zip(("train", "t10k"), counts, strict=True):
        for kind, shape in ("images-idx3", (count, 1, 28, 28)), ("labels-idx1", (count,)):
            path = fetch("mnist", f"{url}{part}-{kind}-ubyte.gz", sha256[f"{part}-{kind}"])
            parts.append(_idx(str(path), gzip.decompress(path.read_bytes()), shape))
    return _split("mnist", *parts)


def _idx(path: str, data: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """The bytes of an IDX file: two zeros, 8 for bytes, the number of lengths, and the lengths."""
    lengths = [length for length in shape if length != 1]  # the file knows no channel
    head = np.array([0x800 + len(lengths), *lengths], ">u4").tobytes()
    if not data.startswith(head) or len(data) != len(head) + prod(shape):
        raise OSError(
            f"mnist: {path} must begin with {head.hex()} and have {len(head) + prod(shape)} "
            f"bytes, got {data[: len(head)].hex()} and {len(data)}"
        )
    return np.frombuffer(data, np.uint8, offset=len(head)).reshape(shape)


def _cifar10(url: str, sha256: str, count: int = 10_000) -> Split:
    """Six files of ``count`` records: a label, then the pixels of each channel in turn."""
    path = fetch("cifar10", url, sha256)
    found = {}
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                found[member.name.rpartition("/")[2]] = file.read()
    lengths = {name: len(found.get(name, b"")) for name in CIFAR10_FILES}
    if set(lengths.values()) != {count * 3073}:
        raise OSError(f"cifar10: {path} must hold files of {count * 3073} bytes, got {lengths}")
    records = np.concatenate([np.frombuffer(found[name], np.uint8) for name in CIFAR10_FILES])
    records = records.reshape(-1, 3073)
    x, y, train = records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0], 5 * count
    return _split("cifar10", x[:train], y[:train], x[train:], y[train:])


def _split(who: str, *parts: np.ndarray) -> Split:
    x_train, y_train, x_test, y_test = parts
    for y in (y_train, y_test):
        if y.max() >= CLASSES:
            raise OSError(f"{who}: labels must be in [0, {CLASSES}), got {y.max()} in the file")
    white = np.float32(255)
    return x_train / white, y_train.astype(np.int64), x_test / white, y_test.astype(np.int64)
