"""The UCI handwritten digits, which the package carries."""

from importlib.resources import files

import numpy as np

SPLIT_SEED = 0
TEST_IMAGES = 360  # of 1,797: a fifth


def digits(split: str = "random") -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """1,797 handwritten digits of 8×8 pixels, in a training and a test part.

    Args:
        split: which 360 images are the test part.

            - ``"random"``: a fifth of each class, drawn with seed 0, so that digits of one
              writer are in both parts.
            - ``"last"``: the last 360 in the file's order. It is harder. The labels show that
              the file runs form by form: 14 times the same list of about 130 digits. The source
              names 13 writers for it and says nothing of the order; if, as it seems, a form is
              one writer's, then nearly all of this test part is by hands not trained on: two
              whole forms, and a third but for its first 22 images.

    Returns:
        ``(x_train, y_train, x_test, y_test)``: images (N, 64), float32 in [0, 1], rows of pixels
        from the top left; labels (N,), int64 in [0, 10). N is 1,437 for training, 360 for the test.

    Raises:
        ValueError: the split is unknown.

    Source: Alpaydin & Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository (1998), https://doi.org/10.24432/C50P49, test part, CC BY 4.0.

    >>> import dlref
    >>> x_train, y_train, x_test, y_test = dlref.data.digits()
    >>> print(x_train.shape, y_train.shape, x_test.shape, y_test.shape)
    (1437, 64) (1437,) (360, 64) (360,)
    """
    with np.load(str(files("dlref").joinpath("digits.npz"))) as file:
        pixels, labels = file["pixels"], file["labels"]
    x = pixels.astype(np.float32) / np.float32(16)  # counts from 0 to 16 in each 4×4 block
    y = labels.astype(np.int64)
    if split == "random":
        test = _stratified(y, TEST_IMAGES, np.random.default_rng(SPLIT_SEED))
    elif split == "last":
        test = np.arange(len(y) - TEST_IMAGES, len(y))
    else:
        raise ValueError(f'digits: split must be "random" or "last", got {split!r}')
    train = np.setdiff1d(np.arange(len(y)), test)
    return x[train], y[train], x[test], y[test]


def _stratified(labels: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Indices of ``count`` examples, as near as can be to the same fraction of each class."""
    by_class = [rng.permutation(np.flatnonzero(labels == c)) for c in np.unique(labels)]
    # An example's rank within its class, as a fraction: the lowest `count` of them are drawn.
    fraction = np.concatenate([(np.arange(len(c)) + 0.5) / len(c) for c in by_class])
    drawn = np.argsort(fraction, kind="stable")[:count]
    return np.sort(np.concatenate(by_class)[drawn])
