"""Losses beyond two dimensions and at extreme logits, clipping, and schedules, beside PyTorch's."""

import math
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from torch.nn import functional

import dlref
from dlref import kernels, losses
from dlref.integers import one_hot
from tests.dlref.common import (
    DEVICES,
    OPTIMIZERS,
    TORCH_DEVICES,
    on_all_arrays,
    relative_error,
    to_strict,
)
from tests.dlref.layer_table import CASES, on

LIMITS = {"float32": 1e-5, "float64": 1e-10}
SHAPES = [(1,), (7,), (1, 1), (3, 4), (2, 3, 4)]


def there(x: Any, device: str, dtype: str | None = None) -> Any:
    return dlref.asarray(x, device, dtype=dtype)


def here(x: Any) -> np.ndarray:
    return np.asarray(dlref.asarray(x))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", SHAPES)
def test_binary_cross_entropy_gradient_matches_finite_differences(
    shape: tuple[int, ...], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=shape) * 3
    for labels in (rng.integers(0, 2, shape).astype(float), rng.random(shape)):
        errors = dlref.gradcheck(lambda z, t=labels: dlref.binary_cross_entropy(z, t), logits)  # type: ignore[misc]
        assert errors["x"] <= 1e-6


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shape", [(1, 1, 2), (2, 3, 4), (2, 1, 3, 5)])
def test_cross_entropy_of_more_dimensions_matches_finite_differences(
    shape: tuple[int, ...], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    labels, logits = rng.integers(0, shape[-1], shape[:-1]), rng.normal(size=shape) * 3
    assert dlref.gradcheck(lambda z: dlref.cross_entropy(z, labels), logits)["x"] <= 1e-6


def compare(
    *, ours: Any, theirs: Any, logits: np.ndarray, target: np.ndarray, device: str, dtype: str
) -> None:
    tensor = torch.tensor(logits, requires_grad=True)
    expected = theirs(tensor, torch.tensor(target))
    [gradient] = torch.autograd.grad(expected, tensor)
    loss, dlogits = ours(there(logits, device), there(target, device))
    assert tuple(loss.shape) == ()
    assert loss.dtype == dlogits.dtype == there(logits, device).dtype
    difference = abs(float(loss) - expected.item())
    assert difference <= LIMITS[dtype] * max(1.0, abs(expected.item()))
    error = np.abs(here(dlogits) - gradient.numpy()).max() * logits.size
    assert error <= LIMITS[dtype] * logits.shape[-1], error


@on_all_arrays
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1.0, 30.0, 1e4])
def test_losses_are_torchs_at_small_and_at_huge_logits(
    size: float, dtype: str, device: str, kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if device == "mps" and dtype == "float64":
        return
    monkeypatch.setattr(kernels, "enabled", kernel)
    for seed in range(3):
        for shape in SHAPES:
            rng = np.random.default_rng(seed)
            logits = (rng.normal(size=shape) * size).astype(dtype)
            if size == 1e4:
                logits = np.sign(logits) * np.asarray(size, dtype)
            labels = rng.random(shape).round(seed % 2).astype(dtype)
            theirs = functional.binary_cross_entropy_with_logits
            given: dict[str, Any] = {"logits": logits, "device": device, "dtype": dtype}
            compare(ours=dlref.binary_cross_entropy, theirs=theirs, target=labels, **given)
            if len(shape) > 1:
                classes = rng.integers(0, shape[-1], shape[:-1])
                by_token = lambda z, t: functional.cross_entropy(z.flatten(0, -2), t.flatten())  # noqa: E731
                compare(ours=dlref.cross_entropy, theirs=by_token, target=classes, **given)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_losses_at_1e4_are_finite_and_right(dtype: str, device: str) -> None:
    if device == "mps" and dtype == "float64":
        return
    logits = there([1e4, 1e4, -1e4, -1e4], device, dtype)
    loss, dlogits = dlref.binary_cross_entropy(logits, there([1, 0, 1, 0], device, dtype))
    assert float(loss) == 5000.0
    np.testing.assert_array_equal(here(dlogits), [0, 0.25, -0.25, 0])
    logits = there([[1e4, -1e4], [1e4, -1e4]], device, dtype)
    loss, dlogits = dlref.cross_entropy(logits, there([0, 1], device))
    assert float(loss) == 10000.0
    np.testing.assert_array_equal(here(dlogits), [[0, 0], [0.5, -0.5]])


@pytest.mark.parametrize("enabled", [True, False])
def test_cross_entropy_uses_pytorchs_kernel_where_it_is_not_switched_off(
    enabled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Mock(wraps=one_hot)
    monkeypatch.setattr(losses, "one_hot", plain)
    monkeypatch.setattr(kernels, "enabled", enabled)
    dlref.cross_entropy(there([[0.0, 1.0]], "cpu"), there([1], "cpu"))
    assert plain.called != enabled


@pytest.mark.parametrize("device", DEVICES)
def test_cross_entropy_of_certain_and_right_answers_is_0_not_minus_0(device: str) -> None:
    loss, _ = dlref.cross_entropy(there([[40.0, 0.0]], device, "float32"), there([0], device))
    assert f"{float(loss):.4f}" == "0.0000"


@pytest.mark.parametrize("device", DEVICES)
def test_cross_entropy_leaves_its_logits_as_they_are(device: str) -> None:
    array = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    logits = there(array.copy(), device)
    dlref.cross_entropy(logits, there([0, 1, 2, 0, 1], device))
    np.testing.assert_array_equal(here(logits), array)


def test_new_losses_leave_read_only_inputs_and_share_nothing() -> None:
    logits, labels = np.random.default_rng(0).random((2, 5, 3))
    classes = np.array([[0, 1, 2, 0, 1]])
    for array in (logits, labels, classes):
        array.flags.writeable = False
    for _, gradient in (
        dlref.binary_cross_entropy(logits, labels),
        dlref.cross_entropy(logits[None], classes),
    ):
        assert not np.shares_memory(gradient, logits)
        assert not np.shares_memory(gradient, labels)


GOOD = np.zeros((5, 3), np.float32)


def with_value(value: float) -> np.ndarray:
    changed = GOOD.copy()
    changed[1, 0] = value
    return changed


BAD_PAIRS: list[tuple[Any, Any, type[Exception], str]] = [
    (GOOD, GOOD[:, 0], ValueError, r"labels must have shape \(5, 3\), got \(5,\)"),
    (GOOD[:, :1], GOOD[:, 0], ValueError, r"labels must have shape \(5, 1\), got \(5,\)"),
    (GOOD, GOOD.astype(int), TypeError, 'labels must be float32, got int64.*dtype="float32"'),
    (GOOD, GOOD > 0, TypeError, "labels must be float32, got bool: convert it"),
    (GOOD, GOOD.astype(float), TypeError, "labels must be float32, got float64"),
    (GOOD, GOOD.tolist(), TypeError, "got list: convert it with dlref.asarray"),
    (GOOD, None, TypeError, "got NoneType: convert it with dlref.asarray"),
    (GOOD, torch.zeros(5, 3), ValueError, 'on "cpu", but meets an array on "numpy": move it'),
    (GOOD, with_value(1.5), ValueError, r"labels must be in \[0, 1\], got 1.5"),
    (GOOD, with_value(-0.5), ValueError, r"labels must be in \[0, 1\], got -0.5"),
    (GOOD, with_value(np.nan), ValueError, r"labels must be finite, got nan at index \(1, 0\)"),
    (with_value(np.nan), GOOD, ValueError, r"logits must be finite, got nan at index \(1, 0\)"),
    (with_value(-np.inf), GOOD, ValueError, "logits must be finite, got -inf"),
    (GOOD[:0], GOOD[:0], ValueError, r"logits has shape \(0, 3\): an empty batch has no mean"),
    (GOOD.astype(int), GOOD, TypeError, "logits must be float32, got int64: convert it"),
    (GOOD.astype(np.float16), GOOD, TypeError, "logits must be float32, got float16"),
    (np.array(0.0), np.array(0.0), ValueError, r"use reshape\(x, \(1,\)\)"),
    (1.0, 1.0, TypeError, "got float: convert it with dlref.asarray"),
]


@pytest.mark.parametrize(("logits", "labels", "error", "message"), BAD_PAIRS)
def test_binary_cross_entropy_refuses(
    logits: Any, labels: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^(binary_cross_entropy: |expected a NumPy).*{message}"):
        dlref.binary_cross_entropy(logits, labels)


def test_cross_entropy_names_the_place_of_a_bad_label_in_a_text() -> None:
    logits, labels = np.zeros((2, 3, 4)), np.array([[0, 1, 2], [3, 4, 0]])
    with pytest.raises(ValueError, match=r"integers in \[0, 4\), got 4 at index \(1, 1\)"):
        dlref.cross_entropy(logits, labels)
    with pytest.raises(ValueError, match=r"got \(3,\) for \(2, 3, 4\)"):
        dlref.cross_entropy(logits, labels[0])


# Clipping


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("max_norm", [0.1, 1, 5.0, 1e6])
def test_clipping_is_torchs(max_norm: float, dtype: str, device: str) -> None:
    if device == "mps" and dtype == "float64":
        return
    for seed in range(5):
        rng = np.random.default_rng(seed)
        grads = {
            "a": rng.normal(size=(3, 4)),
            "b": 0 * rng.normal(size=4),
            "c": 10 * rng.normal(size=(2, 1, 3)),
        }
        grads = {k: (g * 10.0 ** rng.integers(-3, 3)).astype(dtype) for k, g in grads.items()}
        theirs = [torch.nn.Parameter(torch.tensor(g)) for g in grads.values()]
        for p, g in zip(theirs, grads.values(), strict=True):
            p.grad = torch.tensor(g)
        expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm)
        given = {k: there(g, device) for k, g in grads.items()}
        clipped, norm = dlref.clip_gradients(given, max_norm)
        assert tuple(norm.shape) == ()
        assert relative_error(norm, expected) <= LIMITS[dtype]
        assert list(clipped) == list(grads)
        for (name, array), p in zip(clipped.items(), theirs, strict=True):
            assert array.dtype == given[name].dtype
            # PyTorch adds 1e-6 to the norm that it divides by.
            assert p.grad is not None
            limit = LIMITS[dtype] + 1e-6 / float(norm)
            assert relative_error(array, p.grad) <= limit
            np.testing.assert_array_equal(here(given[name]), grads[name])
        after = math.sqrt(sum(float((here(g).astype(float) ** 2).sum()) for g in clipped.values()))
        assert after == pytest.approx(min(max_norm, float(norm)), rel=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_clipping_leaves_zeros_and_short_gradients_as_they_are(device: str) -> None:
    for values in ([0.0, 0.0], [0.3, -0.4], [1e-30, 0.0]):
        grads = {"g": there(values, device, "float32")}
        clipped, _ = dlref.clip_gradients(grads, 0.5)
        np.testing.assert_array_equal(here(clipped["g"]), here(grads["g"]))


def test_clipping_shares_no_memory_and_takes_read_only_gradients() -> None:
    grads = {"a": np.ones(3), "b": np.ones((2, 2))}
    for g in grads.values():
        g.flags.writeable = False
    for max_norm in (0.1, 100.0):
        clipped, _ = dlref.clip_gradients(grads, max_norm)
        assert not any(np.shares_memory(clipped[k], grads[k]) for k in grads)


def test_gradients_whose_squares_overflow_become_zeros_as_the_docstring_says() -> None:
    for device in ("numpy", "cpu"):
        grads = {"g": there([1e25, -1e25], device, "float32")}
        with np.errstate(over="ignore"):
            clipped, norm = dlref.clip_gradients(grads, 1.0)
        assert math.isinf(float(norm))
        np.testing.assert_array_equal(here(clipped["g"]), 0.0)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("size", [1e-15, 1e18])
def test_clipping_keeps_the_direction_of_the_smallest_and_the_largest(
    size: float, device: str
) -> None:
    grads = {"a": there([3 * size], device, "float32"), "b": there([4 * size], device, "float32")}
    clipped, norm = dlref.clip_gradients(grads, size / 10)
    assert float(norm) == pytest.approx(5 * size, rel=1e-5)
    assert float(clipped["a"][0]) == pytest.approx(0.06 * size, rel=1e-5)
    assert float(clipped["b"][0]) == pytest.approx(0.08 * size, rel=1e-5)


ONES = np.ones(3)
BAD_GRADS: list[tuple[Any, Any, type[Exception], str]] = [
    ({}, 1.0, ValueError, "there is no gradient to clip"),
    ({"a": ONES}, 0.0, ValueError, r"max_norm must be at least 1e-38 .*got 0"),
    ({"a": ONES}, -1, ValueError, "max_norm must be .*, got -1"),
    ({"a": ONES}, math.inf, ValueError, "max_norm must be finite, got inf"),
    ({"a": ONES}, math.nan, ValueError, "max_norm must be finite, got nan"),
    ({"a": ONES}, "1", TypeError, "max_norm must be a number, got '1'"),
    ({"a": ONES}, True, TypeError, "max_norm must be a number, got True"),
    ({"a": ONES.tolist()}, 1.0, TypeError, "got list: convert it with dlref.asarray"),
    ({"a": ONES, "b": [1.0]}, 1.0, TypeError, "got list: convert it with dlref.asarray"),
    ({"a": ONES, "b": None}, 1.0, TypeError, "got NoneType: convert it"),
    ({"a": ONES.astype(int)}, 1.0, TypeError, r"grads\['a'\] must be float32, got int64"),
    ({"a": ONES, "b": ONES.astype("f")}, 1.0, TypeError, r"\['b'\] must be float64, got float32"),
    ({"a": ONES, "b": torch.ones(3)}, 1.0, ValueError, 'on "cpu", but meets an array on "numpy"'),
    ({"a": ONES, "b": ONES * np.nan}, 1.0, ValueError, r"\['b'\] must be finite, got nan at .*0"),
    ({"a": ONES, "b": ONES * np.inf}, 1.0, ValueError, r"\['b'\] must be finite, got inf"),
]


@pytest.mark.parametrize(("grads", "max_norm", "error", "message"), BAD_GRADS)
def test_clipping_refuses(grads: Any, max_norm: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        dlref.clip_gradients(grads, max_norm)


# Schedules


@pytest.mark.parametrize("warmup", [0, 1, 7])
@pytest.mark.parametrize("last", [0.0, 0.02, 0.3])
def test_the_schedule_is_torchs_lambda_and_cosine(warmup: int, last: float) -> None:
    lr, steps = 0.3, 25
    schedule = dlref.WarmupCosine(lr, steps, warmup, last)
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr)
    rise = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: (t + 1) / max(1, warmup))
    for t in range(warmup):
        assert schedule(t) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
        optimizer.step()
        rise.step()
    optimizer = torch.optim.SGD([parameter], lr)
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps - warmup, last)
    for t in range(warmup, steps + 1):
        assert schedule(t) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-12)
        optimizer.step()
        fall.step()
    assert schedule(steps) == schedule(10 * steps) == pytest.approx(last, abs=1e-15)
    assert max(schedule(t) for t in range(2 * steps)) == pytest.approx(lr)
    assert all(type(schedule(t)) is float for t in (0, warmup, steps))


BAD_SCHEDULES: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"lr": -0.1}, ValueError, "WarmupCosine: lr must be at least 0.0, got -0.1"),
    ({"lr": math.nan}, ValueError, "lr must be finite, got nan"),
    ({"lr": "0.1"}, TypeError, "lr must be a number, got '0.1'"),
    ({"steps": 0}, ValueError, "steps must be at least 1, got 0"),
    ({"steps": 2.0}, TypeError, "steps must be a whole number, got 2.0"),
    ({"warmup": -1}, ValueError, "warmup must be at least 0, got -1"),
    ({"warmup": 10}, ValueError, "warmup must be below steps.*got 10 of 10"),
    ({"warmup": True}, TypeError, "warmup must be a whole number, got True"),
    ({"last": 2.0}, ValueError, "last at most lr, got .*2.0 of 1.0"),
    ({"last": -1.0}, ValueError, "last must be at least 0.0, got -1.0"),
]


@pytest.mark.parametrize(("change", "error", "message"), BAD_SCHEDULES)
def test_a_schedule_refuses(change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        dlref.WarmupCosine(**({"lr": 1.0, "steps": 10} | change))


# array-api-strict


def test_losses_and_clipping_on_strict_arrays_give_numpys_numbers() -> None:
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(2, 3, 4)) * 5, rng.random((2, 3, 4))
    classes = rng.integers(0, 4, (2, 3))
    for ours, target in ((dlref.binary_cross_entropy, labels), (dlref.cross_entropy, classes)):
        loss, dlogits = ours(logits, target)
        loss2, dlogits2 = ours(to_strict(logits), to_strict(target))
        assert float(loss2) == pytest.approx(float(loss), rel=1e-12)
        assert relative_error(np.from_dlpack(dlogits2), dlogits) <= 1e-12
    classes[0, 1] = 9
    with pytest.raises(ValueError, match=r"got 9 at index \(0, 1\)"):
        dlref.cross_entropy(to_strict(logits), to_strict(classes))
    grads = {"a": logits, "b": labels}
    for max_norm in (0.5, 1e3):
        clipped, norm = dlref.clip_gradients(grads, max_norm)
        given = {k: to_strict(g) for k, g in grads.items()}
        clipped2, norm2 = dlref.clip_gradients(given, max_norm)
        assert float(norm2) == pytest.approx(float(norm), rel=1e-12)
        for name, array in clipped.items():
            assert relative_error(np.from_dlpack(clipped2[name]), array) <= 1e-12


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", ["a net for images", "transformer_block", "gpt"])
def test_training_on_strict_arrays_gives_numpys_numbers(name: str, optimizer: str) -> None:
    case = CASES[name]
    net, x = case.layer(0), case.input(0)
    nets = net, on(net, to_strict)
    results = []
    for which, given in zip(nets, (x, to_strict(x)), strict=True):
        moved_by = OPTIMIZERS[optimizer]()
        for _ in range(3):
            y, cache = case.forward(which, given)
            target = np.random.default_rng(5).normal(size=tuple(y.shape))
            loss, dy = dlref.mse(y, target if given is x else to_strict(target))
            grads, _ = dlref.clip_gradients(which.backward(dy, cache)[1], 0.5)
            moved_by.step(which.params, grads)
        results.append({"loss": np.array(float(loss)), **which.params, **which.buffers})
    for key, array in results[0].items():
        other = results[1][key]
        found = other if key == "loss" else np.from_dlpack(other)
        assert relative_error(found, array) <= 1e-12, key


@pytest.mark.parametrize("max_norm", [np.float64(1.0), np.float32(1.0), 1])
def test_clipping_keeps_the_dtype_whatever_number_the_limit_is(max_norm: Any) -> None:
    clipped, norm = dlref.clip_gradients({"a": np.full(4, 3.0, np.float32)}, max_norm)
    assert clipped["a"].dtype == norm.dtype == np.float32
    np.testing.assert_allclose(clipped["a"], 0.5, rtol=1e-6)


def test_clipping_names_what_was_forgotten() -> None:
    net = dlref.mlp([4, 3])
    y, cache = net.forward(np.ones((5, 4), np.float32))
    with pytest.raises(TypeError, match=r"got tuple: they are the second that backward gives"):
        dlref.clip_gradients(net.backward(y, cache), 1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="max_norm must be at least 1e-38 and below 1e"):
        dlref.clip_gradients({"a": np.ones(3, np.float32)}, 1e39)


def test_schedule_has_no_rate_before_the_first_step_or_between_two() -> None:
    schedule: Any = dlref.WarmupCosine(1.0, 10, 2)
    with pytest.raises(ValueError, match="step must be at least 0, got -1"):
        schedule(-1)
    for step in (float("nan"), 1.5):
        with pytest.raises(TypeError, match=f"step must be a whole number, got {step}"):
            schedule(step)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int16", "int32"])
@pytest.mark.parametrize("device", TORCH_DEVICES)
def test_labels_may_be_integers_of_any_size_on_torch(dtype: str, device: str) -> None:
    labels = np.array([0, 3])
    expected, _ = dlref.cross_entropy(np.eye(2, 4), labels)
    logits = dlref.asarray(np.eye(2, 4), device, dtype="float32")
    given = dlref.asarray(labels.astype(dtype), device)
    loss, _ = dlref.cross_entropy(logits, given)
    assert float(loss) == pytest.approx(float(expected), rel=1e-6)
    assert dlref.accuracy(logits, given) == 0.5
