"""No function writes to an array that it did not create; the optimizer alone writes parameters."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

import dlref
from tests.dlref.common import LAYERS


def freeze(arrays: Iterable[np.ndarray]) -> None:
    for array in arrays:
        array.flags.writeable = False


def flatten(cache: Any) -> list[np.ndarray]:
    return (
        [array for part in cache for array in flatten(part)] if isinstance(cache, list) else [cache]
    )


@pytest.mark.parametrize("name", LAYERS)
def test_layers_work_with_every_input_and_parameter_read_only(name: str) -> None:
    layer = LAYERS[name]()
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 4)).astype(np.float32)
    freeze([x, *layer.params.values()])
    y, cache = layer.forward(x)
    dy = rng.normal(size=y.shape).astype(np.float32)
    freeze([y, dy, *flatten(cache)])
    dx, grads = layer.backward(dy, cache, input_grad=True)
    assert dx is not None
    assert dx.shape == x.shape
    assert grads.keys() == layer.params.keys()
    for array in [y, dx, *grads.values()]:
        for given in [x, dy, *layer.params.values()]:
            assert not np.shares_memory(array, given)


@pytest.mark.parametrize("name", LAYERS)
def test_a_second_pass_with_the_same_cache_gives_the_same_answer(name: str) -> None:
    layer = LAYERS[name]()
    rng = np.random.default_rng(1)
    x = rng.normal(size=(6, 4)).astype(np.float32)
    y, cache = layer.forward(x)
    y_again, _ = layer.forward(x)
    np.testing.assert_array_equal(y, y_again)
    dy = rng.normal(size=y.shape).astype(np.float32)
    dx, grads = layer.backward(dy, cache, input_grad=True)
    layer.backward(2 * dy, cache, input_grad=True)
    dx_again, grads_again = layer.backward(dy, cache, input_grad=True)
    np.testing.assert_array_equal(dx, dx_again)
    for key, grad in grads.items():
        np.testing.assert_array_equal(grad, grads_again[key])


def test_losses_and_accuracy_work_with_read_only_inputs() -> None:
    logits, targets = np.random.default_rng(0).normal(size=(2, 5, 3))
    labels = np.array([0, 1, 2, 0, 1])
    freeze([logits, targets, labels])
    for loss, gradient in (dlref.cross_entropy(logits, labels), dlref.mse(logits, targets)):
        assert np.isfinite(loss)
        assert not np.shares_memory(gradient, logits)
        assert not np.shares_memory(gradient, targets)
    dlref.accuracy(logits, labels)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_optimizer_writes_parameters_in_place_and_no_gradient(momentum: float) -> None:
    p, grad = np.ones(3), np.ones(3)
    freeze([grad])
    optimizer = dlref.SGD(0.5, momentum)
    optimizer.step({"p": p}, {"p": grad})
    np.testing.assert_array_equal(p, [0.5] * 3)
    optimizer.step({"p": p}, {"p": grad})
    np.testing.assert_allclose(p, [0.0 - 0.5 * momentum] * 3)


def test_without_input_grad_the_same_parameter_gradients_come_back() -> None:
    net = dlref.mlp([4, 5, 3])
    y, cache = net.forward(np.ones((2, 4), np.float32))
    dx, grads = net.backward(y, cache)
    assert dx is None
    dx, grads_again = net.backward(y, cache, input_grad=True)
    assert dx is not None
    for name, grad in grads.items():
        np.testing.assert_array_equal(grad, grads_again[name])


def test_params_cannot_be_rebound() -> None:
    net = dlref.mlp([4, 3])
    for layer in (net, net.layers[0]):
        with pytest.raises(TypeError, match="does not support item assignment"):
            layer.params[next(iter(layer.params))] = np.zeros(3)  # type: ignore[index]


def test_a_network_holds_its_layers_own_arrays() -> None:
    net = dlref.mlp([4, 5, 3])
    assert net.params["2.weight"] is net.layers[2].params["weight"]


def test_nested_networks_join_the_names_and_train() -> None:
    net = dlref.Sequential(dlref.mlp([4, 5], seed=0), dlref.ReLU(), dlref.mlp([5, 3], seed=1))
    assert list(net.params) == ["0.0.weight", "0.0.bias", "2.0.weight", "2.0.bias"]
    moved = net.to(dtype="float64")
    x = np.random.default_rng(0).normal(size=(3, 4)) + 0.1
    assert max(dlref.gradcheck(moved, x).values()) <= 1e-6
