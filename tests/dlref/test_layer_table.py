"""What holds for every layer and model of the table, at every shape in it."""

import copy
from collections.abc import Iterator
from typing import Any

import array_api_strict as strict
import numpy as np
import pytest
import torch

import dlref
from dlref import kernels
from tests.dlref.common import on_all_arrays, relative_error
from tests.dlref.layer_table import CASES, Case, on

each = pytest.mark.parametrize("name", CASES)
EXACT = 1e-10  # float64, beside PyTorch
LIMIT = 1e-6  # float64, beside finite differences


def passes(
    case: Case, layer: dlref.Layer, x: Any, dy: Any = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """All that a pass forward and backward gives by name, and the buffers after it."""
    y, cache = case.forward(layer, x)
    dy = np.random.default_rng(9).normal(size=tuple(y.shape)) if dy is None else dy
    dx, grads = layer.backward(dlref.devices.asarray_like(dy, y), cache, input_grad=True)
    return {"y": y, **({} if case.tokens else {"dx": dx}), **grads}, dict(layer.buffers)


def expected_passes(case: Case, layer: dlref.Layer, x: np.ndarray) -> list[dict[str, np.ndarray]]:
    """The same from PyTorch's own functions and autograd."""
    params = {k: torch.tensor(p, requires_grad=True) for k, p in layer.params.items()}
    buffers = {k: torch.tensor(b) for k, b in layer.buffers.items()}
    tensor = torch.tensor(x, requires_grad=not case.tokens)
    y = case.reference(params, buffers, tensor)
    dy = np.random.default_rng(9).normal(size=tuple(y.shape))
    wanted = dict(params) if case.tokens else {"dx": tensor, **params}
    found = torch.autograd.grad(y, list(wanted.values()), torch.tensor(dy, dtype=y.dtype))
    grads = dict(zip(wanted, found, strict=True))
    return [
        {name: tensor.detach().numpy() for name, tensor in part.items()}
        for part in ({"y": y, **grads}, buffers)
    ]


@pytest.mark.parametrize("seed", range(3))
@each
def test_gradients_match_finite_differences(name: str, seed: int) -> None:
    case = CASES[name]
    if case.kinks:
        return  # test_layers goes along one direction instead
    layer, x = case.layer(seed), case.input(seed)
    errors = dlref.gradcheck(layer, x, seed=seed, training=case.training)
    assert set(errors) == ({*layer.params} if case.tokens else {"x", *layer.params})
    assert max(errors.values()) <= LIMIT, errors


@on_all_arrays
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@each
def test_outputs_and_gradients_are_torchs(
    name: str, dtype: str, device: str, kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if device == "mps" and dtype == "float64":
        return  # MPS has no float64; test_devices shows the error
    case = CASES[name]
    if case.training and device in ("cuda", "mps") and "Dropout" in repr(case.make()):
        return  # masks come from the device's own generator
    monkeypatch.setattr(kernels, "enabled", kernel)
    for seed in range(3):
        layer, x = case.layer(seed, dtype), case.input(seed, dtype)
        expected = expected_passes(case, layer, x)
        found = passes(case, layer.to(device), dlref.asarray(x, device))
        for ours, theirs in zip(found, expected, strict=True):
            assert ours.keys() == theirs.keys()
            for key, array in ours.items():
                assert dlref.asarray(array).dtype == dtype, key
                assert dlref.backend.device_of(array) == device
                # A gradient that is 0 is compared on the scale of the upstream gradient's 1.
                scale = max(1.0, float(np.abs(theirs[key]).max()))
                error = np.abs(dlref.asarray(array) - theirs[key]).max() / scale
                limit = 1e-5 if dtype == "float32" else EXACT
                assert array.shape == theirs[key].shape
                assert error <= limit, (key, error)


@each
def test_strict_arrays_give_numpys_numbers(name: str) -> None:
    case = CASES[name]
    layer, x = case.layer(0), case.input(0)
    strict_layer = on(layer, lambda p: strict.asarray(p.copy()))
    expected = passes(case, layer, x)
    found = passes(case, strict_layer, strict.asarray(x.copy()))
    for ours, numpys in zip(found, expected, strict=True):
        assert ours.keys() == numpys.keys()
        for key, array in ours.items():
            assert type(array) is type(strict.asarray(1.0)), key
            scale = max(1.0, float(np.abs(numpys[key]).max()))
            assert np.abs(np.from_dlpack(array) - numpys[key]).max() / scale <= 1e-12, key


def arrays_in(cache: Any) -> Iterator[np.ndarray]:
    if isinstance(cache, np.ndarray):
        yield cache
    elif isinstance(cache, (list, tuple)):
        for part in cache:
            yield from arrays_in(part)


@each
def test_nothing_is_written_that_was_given(name: str) -> None:
    case = CASES[name]
    layer, x = case.layer(0), case.input(0)
    for array in [x, *layer.params.values()]:
        array.flags.writeable = False
    if not case.training:
        for array in layer.buffers.values():
            array.flags.writeable = False
    y, cache = case.forward(layer, x)
    dy = np.random.default_rng(0).normal(size=y.shape)
    for array in [y, dy, *arrays_in(cache)]:
        array.flags.writeable = False
    dx, grads = layer.backward(dy, cache, input_grad=True)
    assert grads.keys() == layer.params.keys()
    assert (dx is None) == bool(case.tokens)
    given = [x, dy, *layer.params.values(), *layer.buffers.values()]
    for key, array in {"y": y, "dx": dx, **grads}.items():
        if array is not None and not (case.shares and key in ("y", "dx")):
            assert not any(np.shares_memory(array, other) for other in given), key


@on_all_arrays
@each
def test_a_second_pass_gives_the_same_answer(
    name: str, device: str, kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    if case.training and device in ("cuda", "mps"):
        return  # masks come from the device's own generator
    monkeypatch.setattr(kernels, "enabled", kernel)
    layer = case.layer(0, "float32").to(device)
    x = dlref.asarray(case.input(0, "float32"), device)
    y, cache = case.forward(layer, x)
    dy = dlref.asarray(np.random.default_rng(0).normal(size=tuple(y.shape)), dtype="float32")
    dy = dlref.asarray(dy, device)
    y_again, _ = case.forward(layer, x)
    np.testing.assert_array_equal(dlref.asarray(y_again), dlref.asarray(y))
    dx, grads = layer.backward(dy, cache, input_grad=True)
    layer.backward(2 * dy, cache, input_grad=True)
    nothing, without = layer.backward(dy, cache, input_grad=False)
    assert nothing is None or not layer.params  # what is not asked for is not computed
    dx_again, again = layer.backward(dy, cache, input_grad=True)
    for found in (without, again):
        assert found.keys() == grads.keys()
        for key, grad in grads.items():
            np.testing.assert_array_equal(dlref.asarray(found[key]), dlref.asarray(grad))
    if not case.tokens:
        np.testing.assert_array_equal(dlref.asarray(dx_again), dlref.asarray(dx))


@on_all_arrays
@each
def test_arrays_may_lie_in_any_order(
    name: str, device: str, kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    if case.training and device in ("cuda", "mps"):
        return  # masks come from the device's own generator
    monkeypatch.setattr(kernels, "enabled", kernel)
    dtype = "float32" if device == "mps" else "float64"
    layer = case.layer(0, dtype).to(device)

    def spread(array: Any) -> Any:
        """The same numbers as a view of every second element of a wider array."""
        xp = dlref.backend.namespace(array)
        wide = xp.zeros((*array.shape[:-1], 2 * array.shape[-1]), dtype=array.dtype)
        wide = wide.to(array.device) if device != "numpy" else wide
        wide[..., ::2] = array
        return wide[..., ::2]

    x = dlref.asarray(case.input(0, dtype), device)
    y, _ = case.forward(layer, x)
    dy = np.random.default_rng(9).normal(size=tuple(y.shape))
    dy = dlref.asarray(dlref.asarray(dy, dtype=dtype), device)
    expected, _ = passes(case, layer.to(), x, dy)
    limit = 1e-5 if dtype == "float32" else 1e-12
    spread_layer = on(layer, spread)
    y, cache = case.forward(spread_layer, spread(x))
    dx, grads = spread_layer.backward(spread(dy), cache, input_grad=True)
    for key, array in {"y": y, **({} if case.tokens else {"dx": dx}), **grads}.items():
        assert relative_error(array, expected[key]) <= limit, key


@each
def test_copies_share_neither_parameters_nor_buffers(name: str) -> None:
    case = CASES[name]
    layer, x = case.layer(0), case.input(0)
    before = {k: a.copy() for k, a in {**layer.params, **layer.buffers}.items()}
    replaced = layer.with_params({k: p.copy() for k, p in layer.params.items()})
    for other in (copy.deepcopy(layer), layer.to(), layer.to("cpu"), replaced):
        assert type(other) is type(layer)
        assert other is not layer
        assert list(other.params) == list(layer.params)
        assert list(other.buffers) == list(layer.buffers)
        for k, array in {**other.params, **other.buffers}.items():
            np.testing.assert_array_equal(dlref.asarray(array), before[k])
            array += 1.0
        for k, array in {**layer.params, **layer.buffers}.items():
            np.testing.assert_array_equal(array, before[k])
    kept = layer.to()
    case.forward(kept, x)  # in training, this one's buffers move
    for k, array in {**layer.params, **layer.buffers}.items():
        np.testing.assert_array_equal(array, before[k])


@each
def test_a_copy_computes_the_same(name: str) -> None:
    case = CASES[name]
    layer, x = case.layer(0), case.input(0)
    other = copy.deepcopy(layer)
    assert repr(other) == repr(layer)
    expected, _ = passes(case, layer, x)
    for key, array in passes(case, other, x)[0].items():
        np.testing.assert_array_equal(array, expected[key])


@each
def test_a_layer_prints_its_class(name: str) -> None:
    layer = CASES[name].make()
    assert repr(layer).startswith(type(layer).__name__ + "(")


@on_all_arrays
@each
def test_backward_refuses_a_bad_upstream_gradient(
    name: str, device: str, kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    monkeypatch.setattr(kernels, "enabled", kernel)
    layer = case.layer(0, "float32").to(device)
    y, cache = case.forward(layer, dlref.asarray(case.input(0, "float32"), device))
    dy = np.ones(tuple(y.shape), np.float32)
    other = "cpu" if device == "numpy" else "numpy"

    def here(array: np.ndarray) -> Any:
        return dlref.asarray(array, device)

    bad: list[tuple[Any, type[Exception], str]] = [
        (here(np.concatenate([dy, dy])), ValueError, r"dy must have shape \(\d.*\), got \("),
        (here(dy[None]), ValueError, r"dy must have shape \(\d.*\), got \(1, "),
        (here(dy[..., None]), ValueError, r"dy must have shape \(\d.*\), got \("),
        (here(dy[:0]), ValueError, r"dy (must have shape|has shape) "),
        (here(np.ones((), np.float32)), ValueError, r"dy must have "),
        (here(dy.astype(np.int64)), TypeError, "dy must be float32, got int64: convert it with"),
        (dlref.asarray(dy, other), ValueError, "move it with dlref.asarray"),
        (dy.tolist(), TypeError, "got list: convert it with dlref.asarray"),
        (None, TypeError, "got NoneType: convert it with dlref.asarray"),
    ]
    if device != "mps":
        wrong = here(dy.astype(np.float64))
        bad.append((wrong, TypeError, 'dy must be float32, got float64: .* dtype="float32"'))
    for wrong, error, message in bad:
        with pytest.raises(error, match=message):
            layer.backward(wrong, cache, input_grad=True)
