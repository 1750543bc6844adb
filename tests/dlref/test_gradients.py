"""Every backward pass against finite differences, in float64."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dlref
from tests.dlref.common import ACTIVATIONS, random_mlp, randomize

LIMIT = 1e-6
SHAPES = [(1, 1), (1, 7), (5, 1), (3, 4), (8, 13)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("rows", "columns"), SHAPES)
@pytest.mark.parametrize("units", [1, 6])
def test_linear_gradients_match_finite_differences(
    rows: int, columns: int, units: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    layer = randomize(dlref.Linear(columns, units, rng), rng)
    errors = dlref.gradcheck(layer, rng.normal(size=(rows, columns)), seed=seed)
    assert set(errors) == {"x", "weight", "bias"}
    assert max(errors.values()) <= LIMIT


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [*SHAPES, (6,), (2, 3, 4)])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_gradients_match_finite_differences(
    activation: type[dlref.Layer], shape: tuple[int, ...], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape) * 2
    x += 0.01 * np.sign(x)  # away from ReLU's kink
    assert dlref.gradcheck(activation(), x, seed=seed)["x"] <= LIMIT


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("rows", "classes"), SHAPES)
def test_cross_entropy_gradient_matches_finite_differences(
    rows: int, classes: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, rows)
    logits = rng.normal(size=(rows, classes)) * 3
    assert dlref.gradcheck(lambda z: dlref.cross_entropy(z, labels), logits)["x"] <= LIMIT


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [*SHAPES, (6,), (2, 3, 4)])
def test_mse_gradient_matches_finite_differences(shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    targets = rng.normal(size=shape)
    predictions = rng.normal(size=shape)
    assert dlref.gradcheck(lambda p: dlref.mse(p, targets), predictions)["x"] <= LIMIT


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("depth", range(1, 7))
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_random_mlps_match_finite_differences(
    activation: type[dlref.Layer], depth: int, seed: int
) -> None:
    rng = np.random.default_rng([seed, depth])
    sizes = [int(n) for n in rng.choice([1, 2, 3, 5, 7], depth + 1)]
    net, x = random_mlp(sizes, activation, int(rng.choice([1, 2, 5])), rng)
    errors = dlref.gradcheck(net, x, seed=seed)
    assert set(errors) == {"x", *net.params}
    assert max(errors.values()) <= LIMIT, (sizes, x.shape)


@pytest.mark.parametrize("device", ["numpy", "cpu"])
def test_gradcheck_runs_on_each_library(device: str) -> None:
    net = dlref.mlp([4, 5, 3], dlref.Tanh, device=device).to(dtype="float64")
    x = dlref.asarray(np.random.default_rng(0).normal(size=(3, 4)), device)
    assert max(dlref.gradcheck(net, x).values()) <= LIMIT


class WrongFactor(dlref.Tanh):
    def backward(
        self, dy: Any, cache: Any, *, input_grad: bool = True
    ) -> tuple[Any, dict[str, Any]]:
        dx, grads = super().backward(dy, cache)
        return dx * 1.00001, grads


class WrongSign(dlref.ReLU):
    def backward(
        self, dy: Any, cache: Any, *, input_grad: bool = True
    ) -> tuple[Any, dict[str, Any]]:
        dx, grads = super().backward(dy, cache)
        return -dx, grads


class SabotagedLinear(dlref.Linear):
    """A linear layer with one of its gradients replaced."""

    def __init__(self, change: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(3, 3, np.random.default_rng(0))
        self.change = change

    def backward(
        self, dy: Any, cache: Any, *, input_grad: bool = True
    ) -> tuple[Any, dict[str, Any]]:
        dx, grads = super().backward(dy, cache)
        self.change(grads)
        return dx, grads


def transpose_weight(grads: dict[str, Any]) -> None:
    grads["weight"] = grads["weight"].T


def zero_bias(grads: dict[str, Any]) -> None:
    grads["bias"] = 0 * grads["bias"]


def average_bias(grads: dict[str, Any]) -> None:
    grads["bias"] = grads["bias"] / 5


def nan_bias(grads: dict[str, Any]) -> None:
    grads["bias"] = grads["bias"] * np.nan


X = np.random.default_rng(1).normal(size=(5, 3))


@pytest.mark.parametrize("layer", [WrongFactor(), WrongSign()])
def test_gradcheck_catches_a_wrong_activation_gradient(layer: dlref.Layer) -> None:
    assert dlref.gradcheck(layer, X)["x"] > LIMIT


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (transpose_weight, "weight"),
        (zero_bias, "bias"),
        (average_bias, "bias"),
        (nan_bias, "bias"),
    ],
)
def test_gradcheck_catches_a_wrong_parameter_gradient(
    change: Callable[[dict[str, Any]], None], name: str
) -> None:
    errors = dlref.gradcheck(SabotagedLinear(change).to(dtype="float64"), X)
    assert errors.pop(name) > 1e-2
    assert max(errors.values()) <= LIMIT


def test_gradcheck_passes_the_layer_that_the_saboteurs_change() -> None:
    layer = SabotagedLinear(lambda grads: None).to(dtype="float64")
    assert max(dlref.gradcheck(layer, X).values()) <= LIMIT


@pytest.mark.parametrize(
    "change",
    [
        lambda grads: grads.pop("bias"),
        lambda grads: grads.update(bias=grads["bias"][None]),
        lambda grads: grads.update(bias=grads["bias"].sum()),
    ],
)
def test_gradcheck_refuses_a_missing_or_misshapen_gradient(
    change: Callable[[dict[str, Any]], None],
) -> None:
    with pytest.raises(ValueError, match=r"gradient for 'bias' must have shape \(3,\)"):
        dlref.gradcheck(SabotagedLinear(change).to(dtype="float64"), X)


def test_gradcheck_catches_a_softmax_gradient_without_the_mean() -> None:
    labels = np.array([0, 1, 2, 0, 1])

    def without_mean(logits: Any) -> tuple[Any, Any]:
        loss, dlogits = dlref.cross_entropy(logits, labels)
        return loss, dlogits * len(labels)

    assert dlref.gradcheck(without_mean, X)["x"] > 0.5


def test_gradcheck_leaves_the_input_and_the_layer_as_they_were() -> None:
    layer = dlref.Linear(3, 2, np.random.default_rng(0)).to(dtype="float64")
    before = {name: p.copy() for name, p in layer.params.items()}
    x = X.copy()
    x.flags.writeable = False
    for p in layer.params.values():
        p.flags.writeable = False
    dlref.gradcheck(layer, x)
    for name, p in layer.params.items():
        np.testing.assert_array_equal(p, before[name])


def test_gradcheck_refuses_float32() -> None:
    with pytest.raises(TypeError, match="must be float64, got float32"):
        dlref.gradcheck(dlref.Tanh(), np.ones(3, np.float32))


def test_gradcheck_refuses_parameters_in_float32_where_the_input_has_no_fractions() -> None:
    net = dlref.gpt(5, 3, 4, 1, 2)
    with pytest.raises(TypeError, match=r"params\['0.weight'\] must be float64, got float32: use"):
        dlref.gradcheck(net, np.array([[1, 2]]))


def test_gradcheck_draws_the_same_mask_from_a_generator_each_time() -> None:
    rng = np.random.default_rng(0)
    errors = dlref.gradcheck(dlref.Dropout(0.5), np.ones((2, 3)), seed=rng, training=True)
    assert errors["x"] < 1e-6
