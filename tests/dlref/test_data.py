"""Spirals, the Python manual and its windows: what they hold, and how they fail."""

import subprocess
import sys
from collections import Counter
from pydoc_data.topics import topics
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dlref


@given(
    classes=st.integers(1, 9),
    points=st.integers(1, 50),
    noise=st.floats(0, 6.28),
    seed=st.integers(0, 2**64),
)
def test_spirals_are_balanced_finite_and_within_the_unit_circle(
    classes: int, points: int, noise: float, seed: int
) -> None:
    x, y = dlref.data.spirals(classes, points, noise, seed)
    assert x.shape == (classes * points, 2)
    assert y.shape == (classes * points,)
    assert x.dtype == np.float32
    assert y.dtype == np.int64
    assert np.bincount(y).tolist() == [points] * classes
    assert np.all(np.hypot(x[:, 0], x[:, 1]) <= 1 + 1e-6)


def test_spirals_without_noise_are_the_formula() -> None:
    x, y = dlref.data.spirals(4, 25, noise=0.0)
    r = np.tile(np.arange(1, 26) / 25, 4)
    angle = 2 * np.pi * y / 4 + 4 * r
    expected = r[:, None] * np.column_stack([np.sin(angle), np.cos(angle)])
    np.testing.assert_allclose(x, expected, atol=1e-7)


def test_noise_of_spirals_turns_points_by_a_normal_angle() -> None:
    (x, _), (still, _) = (dlref.data.spirals(2, 20_000, noise) for noise in (0.1, 0.0))
    a, b = (points[:, 0] + 1j * points[:, 1] for points in (x, still))
    turned = np.angle(a / b)
    assert abs(turned.mean()) < 0.1 * 4 / np.sqrt(40_000)
    assert abs(turned.std() - 0.1) < 0.1 * 4 / np.sqrt(80_000)


def test_spirals_of_a_seed_are_the_same_and_of_another_are_not() -> None:
    first, _ = dlref.data.spirals(seed=3)
    np.testing.assert_array_equal(first, dlref.data.spirals(seed=np.random.default_rng(3))[0])
    assert not np.array_equal(first, dlref.data.spirals(seed=4)[0])


def test_a_deep_net_parts_the_spirals_and_a_linear_one_does_not() -> None:
    x, y = dlref.data.spirals()
    right = {}
    for sizes in ([2, 3], [2, 64, 3]):
        net, optimizer = dlref.mlp(sizes, seed=0), dlref.Adam(0.02)
        for _ in range(500):
            logits, cache = net.forward(x)
            _, dlogits = dlref.cross_entropy(logits, y)
            optimizer.step(net.params, net.backward(dlogits, cache)[1])
        right[len(sizes)] = dlref.accuracy(net.forward(x)[0], y)
    assert right[2] < 0.7
    assert right[3] > 0.95


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"classes": 0}, ValueError, "spirals: classes must be at least 1, got 0"),
        ({"points": 1.5}, TypeError, "spirals: points must be a whole number, got 1.5"),
        ({"points": True}, TypeError, "spirals: points must be a whole number, got True"),
        ({"noise": -0.1}, ValueError, "spirals: noise must be at least 0.0"),
        ({"noise": 7.0}, ValueError, "and below 6.28.*got 7.0"),
        ({"noise": float("nan")}, ValueError, "spirals: noise must be finite, got nan"),
        ({"noise": "0.1"}, TypeError, "spirals: noise must be a number, got '0.1'"),
        ({"seed": -1}, ValueError, "spirals: seed must be at least 0, got -1"),
        ({"seed": None}, TypeError, "spirals: seed must be a whole number or a Generator"),
    ],
)
def test_spirals_name_what_is_wrong(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        dlref.data.spirals(**arguments)


def manual() -> tuple[str, str, str]:
    """Both parts as text, and the alphabet."""
    train, validation, characters = dlref.data.python_manual()
    train_text, validation_text = (
        "".join(characters[i] for i in part) for part in (train, validation)
    )
    return train_text, validation_text, characters


def paragraphs_of(text: str) -> list[str]:
    return [part.strip() for part in text.split("\n\n") if part.strip()]


def test_the_manual_is_int64_ids_of_a_sorted_alphabet_nine_tenths_for_training() -> None:
    train, validation, characters = dlref.data.python_manual()
    both = np.concatenate([train, validation])
    assert train.dtype == validation.dtype == np.int64
    assert len(train) == len(both) * 9 // 10
    assert "".join(sorted(set(characters))) == characters
    np.testing.assert_array_equal(np.unique(both), np.arange(len(characters)))


def test_the_manual_has_every_paragraph_of_the_topics_and_each_once() -> None:
    train, validation, _ = manual()
    found = paragraphs_of(train + validation)
    expected = [paragraph for text in topics.values() for paragraph in paragraphs_of(text)]
    assert found == list(dict.fromkeys(expected))  # in the order of the topics


def test_a_sixth_of_the_topics_or_more_was_repeated_paragraphs() -> None:
    counts = Counter(p for text in topics.values() for p in paragraphs_of(text))
    repeated = sum(len(p) * (n - 1) for p, n in counts.items())
    assert repeated / sum(len(p) * n for p, n in counts.items()) > 1 / 6


def test_the_validation_part_of_the_manual_shares_no_100_characters_with_the_training_part() -> (
    None
):
    train, validation, _ = manual()
    seen = {train[i : i + 100] for i in range(len(train) - 99)}
    assert not any(validation[i : i + 100] in seen for i in range(len(validation) - 99))


def test_a_paragraph_that_is_repeated_stands_where_it_came_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = SimpleNamespace(
        topics={"long": "One.\n\n   two\n   🐍\n\nOne.\n", "short": "\n   two\n   🐍\n"}
    )
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", made)
    train, validation, characters = manual()
    assert train + validation == "One.\n\n   two\n   🐍"
    assert characters == "\n .Oenotw🐍"


def test_a_python_without_the_manual_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(ImportError, match=r"does not carry pydoc_data\.topics, as Pyodide"):
        dlref.data.python_manual()


@given(
    total=st.integers(2, 60),
    length=st.integers(1, 20),
    stride=st.none() | st.integers(1, 25),
)
def test_windows_are_the_formula_and_no_window_is_missing(
    total: int, length: int, stride: int | None
) -> None:
    ids = np.random.default_rng(total).integers(0, 100, total)
    if total <= length:
        with pytest.raises(ValueError, match="use a longer text or a shorter length"):
            dlref.data.windows(ids, length, stride)
        return
    x, y = dlref.data.windows(ids, length, stride)
    starts = range(0, total - length, stride or length)
    assert x.tolist() == [ids[i : i + length].tolist() for i in starts]
    assert y.tolist() == [ids[i + 1 : i + length + 1].tolist() for i in starts]
    assert x.dtype == y.dtype == np.int64


def test_windows_are_views_that_cannot_be_written() -> None:
    ids = np.arange(1000)
    for array in dlref.data.windows(ids, 100, stride=1):
        assert np.shares_memory(array, ids)
        assert not array.flags.writeable


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"length": 0}, ValueError, "windows: length must be at least 1, got 0"),
        ({"stride": 0}, ValueError, "windows: stride must be at least 1, got 0"),
        ({"stride": 2.0}, TypeError, "windows: stride must be a whole number, got 2.0"),
        ({"ids": [1, 2, 3]}, TypeError, r"must be int64, got list: use np\.asarray"),
        ({"ids": np.zeros(9)}, TypeError, "must be int64, got ndarray float64"),
        ({"ids": np.zeros((9, 9), np.int64)}, ValueError, r"shape \(T,\).*got \(9, 9\)"),
        ({"ids": np.zeros(0, np.int64)}, ValueError, r"T > length = 2, got \(0,\)"),
    ],
)
def test_windows_name_what_is_wrong(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    valid: dict[str, Any] = {"ids": np.arange(9), "length": 2}
    with pytest.raises(error, match=message):
        dlref.data.windows(**valid | arguments)


def test_importing_dlref_imports_neither_pooch_nor_the_manual() -> None:
    code = "import sys, dlref; print({'pooch', 'requests', 'pydoc_data.topics'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
