"""The digits that the package carries, against scikit-learn's copy."""

from importlib.resources import files

import numpy as np
import pytest
from sklearn.datasets import load_digits

import dlref

CLASSES = 10


@pytest.mark.parametrize("split", ["random", "last"])
def test_shapes_dtypes_and_ranges(split: str) -> None:
    x_train, y_train, x_test, y_test = dlref.data.digits(split)
    assert x_train.shape == (1437, 64)
    assert x_test.shape == (360, 64)
    assert y_train.shape == (1437,)
    assert y_test.shape == (360,)
    for x in (x_train, x_test):
        assert x.dtype == np.float32
        assert x.min() == 0.0
        assert x.max() == 1.0
    for y in (y_train, y_test):
        assert y.dtype == np.int64
        assert set(y) == set(range(CLASSES))


@pytest.mark.parametrize("split", ["random", "last"])
def test_both_parts_are_scikit_learns_set_pixel_for_pixel(split: str) -> None:
    x_train, y_train, x_test, y_test = dlref.data.digits(split)
    bunch = load_digits()
    found = np.column_stack([np.concatenate([x_train, x_test]), np.append(y_train, y_test)])
    expected = np.column_stack([bunch.data / 16, bunch.target])
    assert len(np.unique(expected, axis=0)) == len(expected) == 1797  # so no image is in both parts
    np.testing.assert_array_equal(sort_rows(found), sort_rows(expected))


def sort_rows(rows: np.ndarray) -> np.ndarray:
    return rows[np.lexsort(rows.T)]


def test_last_is_the_end_of_the_file() -> None:
    _, _, x_test, y_test = dlref.data.digits("last")
    bunch = load_digits()
    np.testing.assert_array_equal(x_test, (bunch.data[-360:] / 16).astype(np.float32))
    np.testing.assert_array_equal(y_test, bunch.target[-360:])


def test_random_takes_a_fifth_of_each_class() -> None:
    _, y_train, _, y_test = dlref.data.digits()
    test = np.bincount(y_test, minlength=CLASSES)
    total = test + np.bincount(y_train, minlength=CLASSES)
    assert np.all(np.abs(test - total / 5) < 1)


def test_random_is_the_same_each_time_and_its_arrays_are_the_callers_own() -> None:
    first = dlref.data.digits()
    kept = [array.copy() for array in first]
    for array in first:
        array[...] = 0
    for array, expected in zip(dlref.data.digits(), kept, strict=True):
        np.testing.assert_array_equal(array, expected)


def test_the_labels_of_the_file_are_14_forms() -> None:
    labels = "".join(map(str, load_digits().target))
    for marker in ("0955650989", "3733466649", "1391768431", "4053696175"):
        assert labels.count(marker) == 14


@pytest.mark.parametrize("split", ["Random", "first", "", None, 0])
def test_an_unknown_split_is_named(split: str) -> None:
    with pytest.raises(ValueError, match='split must be "random" or "last", got'):
        dlref.data.digits(split)


def test_the_file_holds_plain_arrays() -> None:
    with np.load(str(files("dlref").joinpath("digits.npz")), allow_pickle=False) as file:
        assert {name: file[name].dtype.kind for name in file} == {"pixels": "u", "labels": "u"}


def test_the_source_and_licence_stand_beside_the_file() -> None:
    text = files("dlref").joinpath("digits.md").read_text(encoding="utf-8")
    for fact in ("CC BY 4.0", "10.24432/C50P49", "Alpaydin", "1,797"):
        assert fact in text
