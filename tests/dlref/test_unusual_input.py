"""Input that is unusual and right: views, files, small integers, huge numbers. And any input."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dlref

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 4)).astype(np.float32)
Y = np.array([0, 1, 2, 0, 1])


def memmap(path: Path, array: np.ndarray) -> np.memmap[Any, Any]:
    """The array as a file that is read when it is used."""
    array.tofile(path)
    return np.memmap(path, dtype=array.dtype, mode="r", shape=array.shape)


def views(x: np.ndarray) -> list[np.ndarray]:
    """Arrays equal to ``x`` that lie otherwise in memory."""
    strided = np.zeros((2 * x.shape[0], 3 * x.shape[1]), x.dtype)
    strided[::2, ::3] = x
    return [
        np.asfortranarray(x),
        strided[::2, ::3],
        x[::-1].copy()[::-1],
        np.broadcast_to(x, (1, *x.shape))[0],
    ]


def step(net: dlref.Sequential, x: Any, y: Any) -> dict[str, Any]:
    logits, cache = net.forward(x)
    _, dlogits = dlref.cross_entropy(logits, y)
    return net.backward(dlogits, cache, input_grad=True)[1]


def test_views_and_files_give_the_same_gradients(tmp_path: Path) -> None:
    net = dlref.mlp([4, 6, 3])
    expected = step(net, X, Y)
    doubled = np.repeat(Y, 2)
    for x in [*views(X), memmap(tmp_path / "x", X)]:
        for y in [Y, doubled[::2], memmap(tmp_path / "y", Y)]:
            for name, grad in step(net, x, y).items():
                np.testing.assert_allclose(grad, expected[name], rtol=1e-5, atol=1e-7)


def test_parameters_may_lie_in_any_order_and_are_moved_in_place() -> None:
    start = dlref.mlp([4, 6, 3])
    for view in range(3):
        net = start.with_params(
            {k: views(p)[view] if p.ndim == 2 else p.copy() for k, p in start.params.items()}
        )
        expected = start.to()
        for each in (net, expected):
            dlref.SGD(0.1).step(each.params, step(each, X, Y))
        for name, p in net.params.items():
            np.testing.assert_allclose(p, expected.params[name], rtol=1e-5, atol=1e-7)


def test_a_file_of_bad_values_is_refused(tmp_path: Path) -> None:
    bad = X.copy()
    bad[2, 1] = np.nan
    net = dlref.mlp([4, 6, 3])
    with pytest.raises(ValueError, match=r"got nan at index \(2, 1\)"):
        net.forward(memmap(tmp_path / "x", bad))
    p = memmap(tmp_path / "p", np.ones(3))
    with pytest.raises(ValueError, match="cannot be written in place"):
        dlref.SGD(0.1).step({"p": p}, {"p": np.ones(3)})


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "int64", "uint64"])
def test_labels_may_be_integers_of_any_size(dtype: str) -> None:
    logits = X[:, :3]
    assert dlref.cross_entropy(logits, Y.astype(dtype))[0] == dlref.cross_entropy(logits, Y)[0]
    assert dlref.accuracy(logits, Y.astype(dtype)) == dlref.accuracy(logits, Y)


@pytest.mark.parametrize("device", ["numpy", "cpu"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_huge_values_are_finite_values(dtype: str, device: str) -> None:
    huge = np.array([[1e30, -1e30, 0.0], [1e38, 1e38, -1e38]])
    logits = dlref.asarray(huge, device, dtype=dtype)
    loss, dlogits = dlref.cross_entropy(logits, dlref.asarray([0, 1], device))
    assert float(loss) == pytest.approx(np.log(2) / 2)
    expected = np.array([[0.0, 0.0, 0.0], [0.25, -0.25, 0.0]])
    np.testing.assert_allclose(dlref.asarray(dlogits), expected)
    p = dlref.asarray([0.0], device, dtype=dtype)
    dlref.SGD(1.0).step({"p": p}, {"p": dlref.asarray([1e30], device, dtype=dtype)})
    assert float(p[0]) == pytest.approx(-1e30)


def test_torch_views_give_the_same_gradients() -> None:
    net = dlref.mlp([4, 6, 3], device="cpu")
    x = torch.from_numpy(X)
    wide = torch.zeros(8, 10)
    wide[:4, ::2] = x.T
    expected = step(net, x, torch.from_numpy(Y))
    for name, grad in step(net, wide[:4, ::2].T, torch.from_numpy(Y)).items():
        torch.testing.assert_close(grad, expected[name])


def test_tensors_that_record_for_autograd_are_refused() -> None:
    net = dlref.mlp([4, 6, 3], device="cpu")
    x = torch.from_numpy(X).requires_grad_()
    y = torch.from_numpy(Y)
    p, grad = torch.ones(3), torch.ones(3, requires_grad=True)
    for act in (
        lambda: net.forward(x),
        lambda: dlref.cross_entropy(x, y),
        lambda: dlref.SGD(0.1).step({"p": p}, {"p": grad}),
    ):
        with pytest.raises(ValueError, match=r"must not require.*pass x.detach\(\)"):
            act()
    assert float(p[0]) == 1.0


ANY_DTYPE = hnp.boolean_dtypes() | hnp.integer_dtypes() | hnp.floating_dtypes(endianness="=")
ANY_ARRAY = hnp.arrays(ANY_DTYPE, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
FAST = settings(max_examples=150, deadline=None, derandomize=True)


@FAST
@given(x=ANY_ARRAY)
def test_a_network_maps_or_refuses_any_array(x: np.ndarray) -> None:
    net = dlref.Sequential(dlref.Linear(2, 3, np.random.default_rng(0)))
    right = x.ndim == 2 and x.shape[1] == 2 and len(x) > 0 and x.dtype == np.float32
    if right and np.isfinite(x).all():
        if np.abs(x).max(initial=0) > 1e30:
            return  # the product itself may overflow
        assert net.forward(x)[0].shape == (len(x), 3)
    else:
        with pytest.raises((TypeError, ValueError)):
            net.forward(x)


@FAST
@given(labels=hnp.arrays(ANY_DTYPE, hnp.array_shapes(max_dims=2, min_side=0, max_side=4)))
@example(labels=np.array([0, 3, 1], dtype=">i2"))  # of the other byte order
def test_cross_entropy_takes_right_labels_and_refuses_all_others(labels: np.ndarray) -> None:
    logits = np.zeros((3, 4))
    right = labels.shape == (3,) and labels.dtype.kind in "iu"
    if right and all(0 <= int(label) < 4 for label in labels):
        loss, dlogits = dlref.cross_entropy(logits, labels)
        assert loss == pytest.approx(np.log(4))
        np.testing.assert_array_equal(dlogits.argmin(axis=1), labels)
    else:
        with pytest.raises((TypeError, ValueError)):
            dlref.cross_entropy(logits, labels)


@FAST
@given(grad=ANY_ARRAY, momentum=st.sampled_from([0.0, 0.9]))
def test_a_step_moves_every_parameter_or_none(grad: np.ndarray, momentum: float) -> None:
    params = {"a": np.ones(2, np.float32), "b": np.ones((2, 2), np.float32)}
    optimizer = dlref.SGD(0.5, momentum)
    grads = {"a": np.ones(2, np.float32), "b": grad}
    right = grad.shape == (2, 2) and grad.dtype == np.float32 and np.isfinite(grad).all()
    if right:
        optimizer.step(params, grads)
        np.testing.assert_array_equal(params["a"], 0.5)
        np.testing.assert_array_equal(params["b"], 1 - np.float32(0.5) * grad)
    else:
        with pytest.raises((TypeError, ValueError)):
            optimizer.step(params, grads)
        for p in params.values():
            np.testing.assert_array_equal(p, 1.0)
        assert optimizer.state() == (0, {})


SMALL: Any = np.uint8  # the dtype of the digits' pixels; 16 · 16 is 0 in it
SIZES: dict[str, tuple[Callable[..., dlref.Layer], tuple[int, ...]]] = {
    "mlp": (lambda *sizes: dlref.mlp(sizes, init=dlref.glorot_uniform), (4, 200, 100, 3)),
    "conv": (lambda c, m, k: dlref.Conv2d(c, m, k, np.random.default_rng(0)), (100, 100, 5)),
    "attention": (lambda d, h: dlref.MultiHeadAttention(d, h, np.random.default_rng(0)), (90, 9)),
    "gpt": (dlref.gpt, (65, 200, 100, 1, 4)),
    "lenet": (lambda *sizes: dlref.lenet(sizes[:3], sizes[3]), (3, 200, 200, 10)),
    "lenet with padding": (lambda n, p: dlref.lenet((1, n, n), padding=(p, p)), (28, 2)),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_may_be_small_integers_of_numpy(name: str) -> None:
    make, sizes = SIZES[name]
    small, expected = make(*map(SMALL, sizes)), make(*sizes)
    assert repr(small) == repr(expected)
    for key, p in expected.params.items():
        np.testing.assert_array_equal(small.params[key], p)


def test_windows_and_schedules_may_be_small_integers_of_numpy() -> None:
    pooled, _ = dlref.MaxPool2d(SMALL(2)).forward(np.zeros((1, 1, 300, 300)))
    assert pooled.shape == (1, 1, 150, 150)
    kinds: tuple[Any, Any] = np.int8, int
    small, expected = (dlref.WarmupCosine(1.0, kind(100), kind(10)) for kind in kinds)
    last: Any = np.int8(99)
    assert [small(step) for step in range(300)] == [expected(step) for step in range(300)]
    assert small == expected
    assert small(last) == expected(99)
    x, _ = dlref.data.windows(np.arange(300), SMALL(255))
    assert x.shape == (1, 255)
