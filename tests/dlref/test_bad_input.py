"""Bad input: a clear error that names the value and the remedy, and nothing is changed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import dlref
from dlref import kernels
from tests.dlref.common import ACTIVATIONS, OPTIMIZERS

F32, F64 = np.float32, np.float64
RNG = np.random.default_rng(0)
GOOD_X = RNG.normal(size=(5, 4)).astype(F32)
GOOD_Y = np.array([0, 1, 2, 0, 1])
GOOD_LOGITS = RNG.normal(size=(5, 3)).astype(F32)


def with_value(array: np.ndarray, value: float) -> np.ndarray:
    """A copy with one element replaced, at index (1, 0) or (1,)."""
    changed = array.copy()
    changed[(1,) + (0,) * (array.ndim - 1)] = value
    return changed


class Training:
    """A network in the middle of its training, with an optimizer that has velocities."""

    def __init__(self, device: str = "numpy", optimizer: str = "momentum") -> None:
        self.net = dlref.mlp([4, 6, 3], seed=0, device=device)
        self.optimizer = OPTIMIZERS[optimizer]()
        self.x = dlref.asarray(GOOD_X, device)
        self.y = dlref.asarray(GOOD_Y, device)
        self.step(self.x, self.y)

    def step(self, x: Any, y: Any) -> None:
        logits, cache = self.net.forward(x)
        _, dlogits = dlref.cross_entropy(logits, y)
        _, grads = self.net.backward(dlogits, cache)
        self.optimizer.step(self.net.params, grads)

    def grads(self) -> dict[str, Any]:
        logits, cache = self.net.forward(self.x)
        return self.net.backward(dlref.cross_entropy(logits, self.y)[1], cache)[1]

    def state(self) -> dict[str, np.ndarray]:
        """Copies of the parameters, and of where the next step would take them."""
        kept = {name: dlref.asarray(p) for name, p in self.net.params.items()}
        kept |= {f"v {k}": dlref.asarray(v) for k, v in self.optimizer.state()[1].items()}
        return kept | {"lr": np.array(self.optimizer.lr)}

    def refuses(self, act: Callable[[], Any], error: type[Exception], message: str) -> None:
        """Assert that ``act`` raises, and that nothing has changed."""
        before = self.state()
        with pytest.raises(error, match=message):
            act()
        after = self.state()
        assert before.keys() == after.keys()
        for name, array in before.items():
            np.testing.assert_array_equal(after[name], array, err_msg=name)


NO_ARRAY = "convert it with dlref.asarray"
WRONG_KIND: list[tuple[Any, type[Exception], str]] = [
    (GOOD_X.tolist(), TypeError, f"got list: {NO_ARRAY}"),
    (None, TypeError, f"got NoneType: {NO_ARRAY}"),
    ("x", TypeError, f"got str: {NO_ARRAY}"),
    (1.0, TypeError, f"got float: {NO_ARRAY}"),
    (F32(1.0), TypeError, f"got float32: {NO_ARRAY}"),
    (GOOD_X.view(np.matrix), TypeError, f"got matrix: {NO_ARRAY}"),
    (np.ma.masked_array(GOOD_X, GOOD_X > 0), TypeError, f"got MaskedArray: {NO_ARRAY}"),
    (GOOD_X.astype(np.float16), TypeError, "float32, got float16"),
    (GOOD_X.astype(int), TypeError, "float32, got int64"),
    (GOOD_X > 0, TypeError, "float32, got bool"),
    (GOOD_X.astype(complex), TypeError, "float32, got complex128"),
    (GOOD_X.astype(object), TypeError, "float32, got object"),
    (GOOD_X.astype(">f4"), TypeError, "float32, got >f4"),
    (GOOD_X.astype(str), TypeError, "float32, got <U"),
    (GOOD_X.astype("M8[s]"), TypeError, "float32, got datetime64"),
    (GOOD_X[:0], ValueError, r"\(0, 4\): an empty batch"),
    (GOOD_X[:, :0], ValueError, r"got \(5, 0\)|an empty batch"),
]
WRONG_SHAPE: list[tuple[Any, type[Exception], str]] = [
    (GOOD_X[0], ValueError, r"must have shape \(N, 4\), got \(4,\)"),
    (GOOD_X[None, :, :3], ValueError, r"must have shape \(..., 4\), got \(1, 5, 3\)"),
    (GOOD_X[:, :3], ValueError, r"must have shape \(N, 4\), got \(5, 3\)"),
    (np.array(1.0, F32), ValueError, "must have (at least one dimension|shape)"),
    (GOOD_X.astype(F64), TypeError, 'must be float32, got float64.*dtype="float32"'),
    (torch.from_numpy(GOOD_X), ValueError, 'on "cpu", but meets.*"numpy": move it with'),
]
WRONG_VALUE: list[tuple[Any, type[Exception], str]] = [
    (with_value(GOOD_X, np.nan), ValueError, r"finite, got nan at index \(1, 0\): look for"),
    (with_value(GOOD_X, np.inf), ValueError, r"finite, got inf at index \(1, 0\)"),
    (with_value(GOOD_X, -np.inf), ValueError, r"finite, got -inf at index \(1, 0\)"),
]


@pytest.mark.parametrize(("x", "error", "message"), WRONG_KIND + WRONG_SHAPE + WRONG_VALUE)
def test_a_network_refuses_a_bad_input(x: Any, error: type[Exception], message: str) -> None:
    training = Training()
    training.refuses(lambda: training.step(x, GOOD_Y), error, message)


@pytest.mark.parametrize(("x", "error", "message"), WRONG_KIND + WRONG_SHAPE)
def test_a_linear_layer_refuses_a_bad_input(x: Any, error: type[Exception], message: str) -> None:
    layer = dlref.Linear(4, 3, np.random.default_rng(0))
    with pytest.raises(error, match=message.replace("an empty batch", "")):
        layer.forward(x)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(("x", "error", "message"), WRONG_KIND)
def test_an_activation_refuses_a_bad_input(
    x: Any, error: type[Exception], message: str, activation: type[dlref.Layer]
) -> None:
    with pytest.raises(error, match=message):
        activation().forward(x)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_activation_passes_on_what_is_not_finite_without_a_warning(
    value: float, activation: type[dlref.Layer]
) -> None:
    x = with_value(GOOD_X, value)
    y, cache = activation().forward(x)
    assert np.isnan(y[1, 0]) == np.isnan(value)
    assert np.isfinite(np.delete(y.ravel(), 4)).all()
    dx, _ = activation().backward(np.ones_like(x), cache)
    assert dx is not None


@pytest.mark.parametrize(("given", "where"), [("numpy", "cpu"), ("cpu", "numpy")])
def test_a_network_of_one_library_refuses_the_others_arrays(given: str, where: str) -> None:
    training = Training(where)
    x, y = dlref.asarray(GOOD_X, given), dlref.asarray(GOOD_Y, given)
    message = f'on "{given}", but meets an array on "{where}": move it with dlref.asarray'
    training.refuses(lambda: training.step(x, training.y), ValueError, message)
    message = f'labels are on "{given}", the logits on "{where}": move them with'
    training.refuses(lambda: training.step(training.x, y), ValueError, message)


LABELS: list[tuple[Any, type[Exception], str]] = [
    (GOOD_Y.tolist(), TypeError, f"got list: {NO_ARRAY}"),
    (None, TypeError, f"got NoneType: {NO_ARRAY}"),
    (GOOD_Y.astype(F32), TypeError, "labels must be integers, got float32"),
    (GOOD_Y > 0, TypeError, "labels must be integers, got bool"),
    (GOOD_Y.astype(object), TypeError, "labels must be integers, got object"),
    (GOOD_Y.astype(str), TypeError, "labels must be integers, got <U"),
    (GOOD_Y[:4], ValueError, r"labels must have shape \(5,\), got \(4,\) for \(5, 3\)"),
    (np.append(GOOD_Y, 0), ValueError, r"got \(6,\) for \(5, 3\)"),
    (GOOD_Y[:1], ValueError, r"got \(1,\) for \(5, 3\)"),
    (GOOD_Y[:, None], ValueError, r"got \(5, 1\) for \(5, 3\)"),
    (np.eye(3, dtype=int)[GOOD_Y], ValueError, r"got \(5, 3\) for \(5, 3\)"),
    (np.array(0), ValueError, r"got \(\) for \(5, 3\)"),
    (with_value(GOOD_Y, 3), ValueError, r"integers in \[0, 3\), got 3 at index 1"),
    (with_value(GOOD_Y, -1), ValueError, r"integers in \[0, 3\), got -1 at index 1"),
    (with_value(GOOD_Y, 2**40), ValueError, r"got 1099511627776 at index 1"),
    (torch.from_numpy(GOOD_Y), ValueError, 'labels are on "cpu", the logits on "numpy"'),
]


@pytest.mark.parametrize(("labels", "error", "message"), LABELS)
def test_bad_labels_are_refused(labels: Any, error: type[Exception], message: str) -> None:
    training = Training()
    training.refuses(lambda: training.step(GOOD_X, labels), error, message)
    for function in (dlref.cross_entropy, dlref.accuracy):
        with pytest.raises(error, match=message):
            function(GOOD_LOGITS, labels)


@pytest.mark.parametrize(("device", "kernel"), [("numpy", False), ("cpu", True), ("cpu", False)])
def test_labels_out_of_range_are_refused_on_each_library(
    device: str, kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "enabled", kernel)
    logits = dlref.asarray(GOOD_LOGITS, device)
    for value in (3, -1):
        with pytest.raises(ValueError, match=f"got {value} at index 1"):
            dlref.cross_entropy(logits, dlref.asarray(with_value(GOOD_Y, value), device))


BAD_LOGITS = [
    *((x, error, message) for x, error, message in WRONG_KIND if np.size(x) > 0 or x is None),
    *WRONG_VALUE,
    (GOOD_LOGITS[:, 0], ValueError, r"for logits of shape \(N, C\), got \(5,\) for \(5,\)"),
    (GOOD_LOGITS[..., None], ValueError, r"got \(5,\) for \(5, 3, 1\)"),
]


@pytest.mark.parametrize("function", [dlref.cross_entropy, dlref.accuracy])
@pytest.mark.parametrize(("logits", "error", "message"), BAD_LOGITS)
def test_bad_logits_are_refused(
    logits: Any, error: type[Exception], message: str, function: Callable[[Any, Any], Any]
) -> None:
    with pytest.raises(error, match=message):
        function(logits, GOOD_Y)


@pytest.mark.parametrize("function", [dlref.cross_entropy, dlref.accuracy])
def test_an_empty_batch_is_refused(function: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(ValueError, match="an empty batch has no mean"):
        function(GOOD_LOGITS[:0], GOOD_Y[:0])


BAD_MSE: list[tuple[Any, Any, type[Exception], str]] = [
    (GOOD_X[:, :1], GOOD_X[:, 0], ValueError, r"targets must have shape \(5, 1\), got \(5,\)"),
    (GOOD_X[:, 0], GOOD_X[:, :1], ValueError, r"targets must have shape \(5,\), got \(5, 1\)"),
    (GOOD_X, GOOD_X[:1], ValueError, r"must have shape \(5, 4\), got \(1, 4\)"),
    (GOOD_X, GOOD_X.astype(F64), TypeError, "targets must be float32, got float64"),
    (GOOD_X, GOOD_X.astype(int), TypeError, "targets must be float32, got int64"),
    (GOOD_X, GOOD_X.tolist(), TypeError, NO_ARRAY),
    (GOOD_X, 1.0, TypeError, NO_ARRAY),
    (GOOD_X, None, TypeError, NO_ARRAY),
    (GOOD_X, torch.from_numpy(GOOD_X), ValueError, 'on "cpu", but meets an array on "numpy"'),
    *((GOOD_X, x, error, message) for x, error, message in WRONG_VALUE),
    *((x, GOOD_X, error, message) for x, error, message in WRONG_KIND + WRONG_VALUE),
]


@pytest.mark.parametrize(("predictions", "targets", "error", "message"), BAD_MSE)
def test_mse_refuses(predictions: Any, targets: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        dlref.mse(predictions, targets)


DY: list[tuple[Any, type[Exception], str]] = [
    (GOOD_LOGITS[:1], ValueError, r"dy must have shape \(5, 3\), got \(1, 3\)"),
    (GOOD_LOGITS[:, :1], ValueError, r"dy must have shape \(5, 3\), got \(5, 1\)"),
    (GOOD_LOGITS[0], ValueError, r"dy must have shape \(5, 3\), got \(3,\)"),
    (GOOD_LOGITS[None], ValueError, r"dy must have shape \(5, 3\), got \(1, 5, 3\)"),
    (GOOD_LOGITS.astype(F64), TypeError, "dy must be float32, got float64"),
    (GOOD_LOGITS.astype(int), TypeError, "dy must be float32, got int64"),
    (GOOD_LOGITS.tolist(), TypeError, NO_ARRAY),
    (None, TypeError, NO_ARRAY),
    (1.0, TypeError, NO_ARRAY),
    (torch.from_numpy(GOOD_LOGITS), ValueError, 'on "cpu", but meets an array on "numpy"'),
]


@pytest.mark.parametrize(
    "layer", [dlref.Linear(4, 3, np.random.default_rng(0)), *(a() for a in ACTIVATIONS)], ids=repr
)
@pytest.mark.parametrize(("dy", "error", "message"), DY)
def test_backward_refuses_a_bad_upstream_gradient(
    dy: Any, error: type[Exception], message: str, layer: dlref.Layer
) -> None:
    x = GOOD_X if isinstance(layer, dlref.Linear) else GOOD_LOGITS
    _, cache = layer.forward(x)
    with pytest.raises(error, match=message):
        layer.backward(dy, cache)


def replaced(name: str, change: Callable[[Any], Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda arrays: {**arrays, name: change(arrays[name])}


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda arrays: {key: array for key, array in arrays.items() if key != name}


LAST = "2.bias"  # a fault in the last gradient: the parameters before it must not have moved
GRADS: list[tuple[Callable[[dict[str, Any]], dict[str, Any]], type[Exception], str]] = [
    (replaced(LAST, lambda g: with_value(g, np.nan)), ValueError, r"'2.bias'\].*nan at index \(1,"),
    (replaced(LAST, lambda g: with_value(g, np.inf)), ValueError, r"must be finite, got inf"),
    (replaced(LAST, lambda g: with_value(g, -np.inf)), ValueError, r"must be finite, got -inf"),
    (replaced(LAST, lambda g: g[:1]), ValueError, r"must have shape \(3,\), got \(1,\)"),
    (replaced(LAST, lambda g: g[None]), ValueError, r"must have shape \(3,\), got \(1, 3\)"),
    (replaced(LAST, lambda g: g.astype(F64)), TypeError, "must be float32, got float64"),
    (replaced(LAST, lambda g: g.astype(int)), TypeError, "must be float32, got int64"),
    (replaced(LAST, lambda g: g.astype(object)), TypeError, "must be float32, got object"),
    (replaced(LAST, lambda g: g.tolist()), TypeError, NO_ARRAY),
    (replaced(LAST, lambda g: 1.0), TypeError, NO_ARRAY),
    (replaced(LAST, lambda g: None), TypeError, NO_ARRAY),
    (replaced(LAST, torch.from_numpy), ValueError, 'on "cpu", but meets an array on "numpy"'),
    (replaced(LAST, np.ma.masked_array), TypeError, "MaskedArray"),
    (without(LAST), ValueError, "same names"),
    (lambda grads: {**grads, "extra": grads[LAST]}, ValueError, "same names"),
    (lambda grads: {}, ValueError, "same names"),
    (lambda grads: {f"net.{name}": g for name, g in grads.items()}, ValueError, "same names"),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("change", "error", "message"), GRADS)
def test_the_optimizer_refuses_bad_gradients(
    change: Callable[[dict[str, Any]], dict[str, Any]],
    error: type[Exception],
    message: str,
    optimizer: str,
) -> None:
    training = Training(optimizer=optimizer)
    bad = change(training.grads())
    params = training.net.params
    training.refuses(lambda: training.optimizer.step(params, bad), error, message)


def read_only(p: np.ndarray) -> np.ndarray:
    p = p.copy()
    p.flags.writeable = False
    return p


PARAMS: list[tuple[Any, Any, type[Exception], str]] = [
    (read_only(np.ones(3)), np.ones(3), ValueError, "'b'.*cannot be written.*pass a copy"),
    (np.broadcast_to(np.ones(1), 3), np.ones(3), ValueError, "cannot be written"),
    (np.arange(3), np.arange(3), TypeError, "must be float32, got int64"),
    (np.arange(3), np.ones(3), TypeError, "must be float32, got float64|got int64"),
    (np.ones(3, bool), np.ones(3, bool), TypeError, "must be float32, got bool"),
    (np.ones(3, np.float16), np.ones(3, np.float16), TypeError, "float32, got float16"),
    (np.ones(3, object), np.ones(3, object), TypeError, "must be float32, got object"),
    (np.ones(3, complex), np.ones(3, complex), TypeError, "must be float32, got complex"),
    (F64(1.0), F64(1.0), TypeError, f"got float64: {NO_ARRAY}"),
    (1.0, 1.0, TypeError, f"got float: {NO_ARRAY}"),
    ([1.0], [1.0], TypeError, f"got list: {NO_ARRAY}"),
    (None, None, TypeError, f"got NoneType: {NO_ARRAY}"),
    (np.ones((1, 1)).view(np.matrix), np.ones((1, 1)).view(np.matrix), TypeError, "got matrix"),
    (np.ma.masked_array([1.0]), np.ma.masked_array([1.0]), TypeError, "got MaskedArray"),
    (np.ones((0, 3)), np.ones((0, 3)), ValueError, r"shape \(0, 3\)"),
    (torch.ones(3, requires_grad=True), torch.ones(3), ValueError, "cannot be written in place"),
    (torch.arange(3), torch.arange(3), TypeError, "must be float32, got int64"),
    (np.ones(3), torch.ones(3), ValueError, 'on "cpu", but meets'),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("p", "grad", "error", "message"), PARAMS)
def test_the_optimizer_refuses_parameters_that_it_cannot_move(
    p: Any, grad: Any, error: type[Exception], message: str, optimizer: str
) -> None:
    first = np.ones(2)
    mover = OPTIMIZERS[optimizer]()
    with pytest.raises(error, match=message):
        mover.step({"a": first, "b": p}, {"a": np.ones(2), "b": grad})
    np.testing.assert_array_equal(first, 1.0)
    assert mover.state() == (0, {})


def test_the_optimizer_refuses_no_parameters_at_all() -> None:
    with pytest.raises(ValueError, match=r"at least one, got \[\] and \[\]"):
        dlref.SGD(0.1).step({}, {})


@pytest.mark.parametrize("optimizer", ["momentum", "Adam", "AdamW"])
def test_an_optimizer_with_a_state_refuses_another_networks_parameters(optimizer: str) -> None:
    training = Training(optimizer=optimizer)
    other = training.net.to()
    grads = training.grads()
    training.refuses(
        lambda: training.optimizer.step(other.params, grads),
        ValueError,
        "make a new (SGD|Adam)",
    )
    np.testing.assert_array_equal(other.params[LAST], training.net.params[LAST])


@pytest.mark.parametrize("optimizer", ["momentum", "Adam", "AdamW"])
def test_an_optimizer_with_a_state_refuses_parameters_of_other_names(optimizer: str) -> None:
    training = Training(optimizer=optimizer)
    training.refuses(
        lambda: training.optimizer.step({"w": np.ones(3)}, {"w": np.ones(3)}),
        ValueError,
        r"params are named \['w'\], and this optimizer has moved.*make a new",
    )


HYPERPARAMETERS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"lr": -0.1}, ValueError, "lr must be at least 0.*got -0.1"),
    ({"lr": np.nan}, ValueError, "got nan"),
    ({"lr": np.inf}, ValueError, "got inf"),
    ({"lr": -np.inf}, ValueError, "got -inf"),
    ({"lr": "0.1"}, TypeError, "lr must be a number, got '0.1'"),
    ({"lr": None}, TypeError, "lr must be a number, got None"),
    ({"lr": True}, TypeError, "lr must be a number, got True"),
    ({"lr": [0.1]}, TypeError, r"lr must be a number, got \[0.1\]"),
    ({"lr": np.array(0.1)}, TypeError, "lr must be a number"),
    ({"lr": 0.1j}, TypeError, "lr must be a number"),
    ({"lr": torch.tensor(0.1)}, TypeError, "lr must be a number"),
    ({"momentum": -0.1}, ValueError, "momentum must be at least 0.*got -0.1"),
    ({"momentum": 1.0}, ValueError, "momentum must be at least 0.*below 1.*got 1.0"),
    ({"momentum": 1}, ValueError, "below 1.*got 1"),
    ({"momentum": np.nan}, ValueError, "got nan"),
    ({"momentum": "0.9"}, TypeError, "momentum must be a number"),
    ({"momentum": None}, TypeError, "momentum must be a number"),
]


@pytest.mark.parametrize(("options", "error", "message"), HYPERPARAMETERS)
def test_sgd_refuses_bad_hyperparameters_when_made_and_when_set_later(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        dlref.SGD(**{"lr": 0.1, **options})
    p = np.ones(3)
    optimizer = dlref.SGD(0.1, 0.9)
    [(name, value)] = options.items()
    setattr(optimizer, name, value)
    with pytest.raises(error, match=message):
        optimizer.step({"p": p}, {"p": np.ones(3)})
    np.testing.assert_array_equal(p, 1.0)


ADAM: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"lr": -0.1}, ValueError, "lr must be at least 0.*got -0.1"),
    ({"lr": "0.1"}, TypeError, "lr must be a number, got '0.1'"),
    ({"betas": (-0.1, 0.9)}, ValueError, r"betas\[0\] must be at least 0.*got -0.1"),
    ({"betas": (0.9, 1.0)}, ValueError, r"betas\[1\] must be at least 0.*below 1.*got 1.0"),
    ({"betas": (0.9, np.nan)}, ValueError, r"betas\[1\].*got nan"),
    ({"betas": (0.9, "1")}, TypeError, r"betas\[1\] must be a number, got '1'"),
    ({"betas": 0.9}, TypeError, "betas must be two numbers.*got 0.9"),
    ({"betas": (0.9,)}, TypeError, r"betas must be two numbers.*got \(0.9,\)"),
    ({"betas": (0.9, 0.9, 0.9)}, TypeError, "betas must be two numbers"),
    ({"eps": 0}, ValueError, "eps must be at least 1e-38, got 0"),
    ({"eps": -1e-8}, ValueError, "eps must be at least 1e-38, got -1e-08"),
    ({"eps": None}, TypeError, "eps must be a number, got None"),
    ({"weight_decay": -0.1}, ValueError, "weight_decay must be at least 0.*got -0.1"),
    ({"weight_decay": np.inf}, ValueError, "weight_decay must be finite, got inf"),
    ({"weight_decay": True}, TypeError, "weight_decay must be a number, got True"),
    ({"amsgrad": 1}, TypeError, "amsgrad must be True or False, got 1"),
]


@pytest.mark.parametrize("kind", [dlref.Adam, dlref.AdamW])
@pytest.mark.parametrize(("options", "error", "message"), ADAM)
def test_adam_refuses_bad_settings_when_made_and_when_set_later(
    options: dict[str, Any], error: type[Exception], message: str, kind: type[dlref.Adam]
) -> None:
    with pytest.raises(error, match=f"{kind.__name__}: {message}"):
        kind(**options)
    p = np.ones(3)
    optimizer = kind()
    [(name, value)] = options.items()
    setattr(optimizer, name, value)
    with pytest.raises(error, match=message):
        optimizer.step({"p": p}, {"p": np.ones(3)})
    np.testing.assert_array_equal(p, 1.0)
    assert optimizer.state() == (0, {})


def test_adam_takes_gradients_whose_square_is_near_the_largest_float32() -> None:
    p, grad = np.ones(2, F32), np.full(2, 1e20, F32)
    optimizer = dlref.Adam(1.0)
    for _ in range(2):
        optimizer.step({"p": p}, {"p": grad})
    np.testing.assert_allclose(p, -1.0)


def test_a_gradient_of_zero_moves_nothing_even_with_the_smallest_eps() -> None:
    for dtype in (F32, F64):
        p = np.ones(3, dtype)
        dlref.Adam(1.0, eps=1e-38).step({"p": p}, {"p": np.zeros(3, dtype)})
        np.testing.assert_array_equal(p, 1.0)


STATES: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"mean.q": np.ones(3)}, ValueError, r"state\['mean.q'\] belongs to none of \['p'\]"),
    ({"mean": np.ones(3)}, ValueError, "belongs to none"),
    ({"mean.p": np.ones(2)}, ValueError, r"must have shape \(3,\), got \(2,\)"),
    ({"mean.p": np.ones(3, F32)}, TypeError, "must be float64, got float32"),
    ({"mean.p": torch.ones(3)}, ValueError, 'on "cpu", but meets'),
]


@pytest.mark.parametrize(("state", "error", "message"), STATES)
def test_a_state_that_does_not_fit_is_refused_and_the_old_one_stays(
    state: dict[str, Any], error: type[Exception], message: str
) -> None:
    optimizer, params = dlref.Adam(), {"p": np.ones(3)}
    optimizer.step(params, {"p": np.ones(3)})
    steps, before = optimizer.state()
    with pytest.raises(error, match=message):
        optimizer.restore(7, {"mean_square.p": np.ones(3), **state}, params)
    assert optimizer.state()[0] == steps == 1
    assert optimizer.state()[1].keys() == before.keys()
    for name, array in before.items():
        np.testing.assert_array_equal(optimizer.state()[1][name], array)


@pytest.mark.parametrize("lr", [0, 1, 0.5, np.float32(0.5), np.float64(0.5), np.int64(1)])
def test_sgd_takes_every_kind_of_real_number(lr: Any) -> None:
    p = np.ones(3, F32)
    dlref.SGD(lr).step({"p": p}, {"p": np.ones(3, F32)})
    np.testing.assert_array_equal(p, np.full(3, 1 - float(lr), F32))


def linear(*args: Any) -> dlref.Linear:
    return dlref.Linear(*args)


NEW_RNG = np.random.default_rng
LAYER = dlref.ReLU()
MAKERS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: dlref.mlp([]), ValueError, r"a list \[inputs, ..., outputs\], got \[\]"),
    (lambda: dlref.mlp([4]), ValueError, r"got \[4\]"),
    (lambda: dlref.mlp(4), ValueError, "got 4"),  # type: ignore[arg-type]
    (lambda: dlref.mlp(None), ValueError, "got None"),  # type: ignore[arg-type]
    (lambda: dlref.mlp("64"), ValueError, "got '64'"),  # type: ignore[arg-type]
    (lambda: dlref.mlp({4, 3}), ValueError, "got {"),  # type: ignore[arg-type]
    (lambda: dlref.mlp([4, 0]), ValueError, "out_features must be at least 1, got 0"),
    (lambda: dlref.mlp([0, 4]), ValueError, "in_features must be at least 1, got 0"),
    (lambda: dlref.mlp([4, -3]), ValueError, "at least 1, got -3"),
    (lambda: dlref.mlp([4, 3.0]), TypeError, "whole number, got 3.0"),  # type: ignore[list-item]
    (lambda: dlref.mlp([4, True]), TypeError, "whole number, got True"),
    (lambda: dlref.mlp([4, "3"]), TypeError, "whole number, got '3'"),  # type: ignore[list-item]
    (lambda: dlref.mlp([4, None]), TypeError, "got None"),  # type: ignore[list-item]
    (lambda: dlref.mlp([4, 3], seed=-1), ValueError, "seed must be at least 0, got -1"),
    (lambda: dlref.mlp([4, 3], seed=1.5), TypeError, "got 1.5"),  # type: ignore[arg-type]
    (lambda: dlref.mlp([4, 3], seed=None), TypeError, "got None"),  # type: ignore[arg-type]
    (lambda: dlref.mlp([4, 3], seed="0"), TypeError, "got '0'"),  # type: ignore[arg-type]
    (lambda: dlref.mlp([4, 3], seed=True), TypeError, "seed must be a whole number"),
    (lambda: dlref.mlp([4, 3], seed=[1]), TypeError, "seed"),  # type: ignore[arg-type]
    (
        lambda: dlref.mlp([4, 3], seed=np.random.RandomState(0)),  # type: ignore[arg-type]
        TypeError,
        "seed must be a whole number or a Generator",
    ),
    (lambda: dlref.mlp([4, 3], LAYER), TypeError, "layer class such as ReLU, got ReLU"),  # type: ignore[arg-type]
    (lambda: dlref.mlp([4, 3], "relu"), TypeError, "layer class.*got 'relu'"),  # type: ignore[arg-type]
    (lambda: dlref.mlp([4, 3], int), TypeError, "layer class such as ReLU"),  # type: ignore[arg-type]
    (dlref.Sequential, ValueError, "at least one layer"),
    (lambda: dlref.Sequential(LAYER, LAYER), ValueError, "layer 1.*stands twice: make a second"),
    (lambda: dlref.Sequential(dlref.ReLU), TypeError, "layer 0 must be a dlref.Layer"),  # type: ignore[arg-type]
    (lambda: dlref.Sequential(LAYER, 3), TypeError, "layer 1.*got 3"),  # type: ignore[arg-type]
    (lambda: dlref.Sequential([LAYER]), TypeError, "layer 0 must be"),  # type: ignore[arg-type]
    (lambda: linear(4, 3, None), TypeError, r"rng must be numpy.random.default_rng\(seed\), got"),
    (lambda: linear(4, 3, 0), TypeError, "rng must be .*got 0"),
    (lambda: linear(4, 0, NEW_RNG(0)), ValueError, "out_features must be at least 1, got 0"),
    (lambda: linear(4.0, 3, NEW_RNG(0)), TypeError, "in_features must be a whole number, got 4.0"),
    (
        lambda: linear(4, 3, NEW_RNG(0), lambda d, m, rng: rng.normal(size=(m, d))),
        ValueError,
        r"init's result must have shape \(4, 3\), got \(3, 4\)",
    ),
    (
        lambda: linear(4, 3, NEW_RNG(0), lambda d, m, rng: np.full((d, m), np.nan)),
        ValueError,
        "init's result must be finite, got nan",
    ),
    (lambda: linear(4, 3, NEW_RNG(0), lambda d, m, rng: None), TypeError, "must hold numbers"),
    (lambda: dlref.he_normal(0, 3, NEW_RNG(0)), ValueError, "he_normal: in_features.*got 0"),
    (lambda: dlref.glorot_uniform(3, -1, NEW_RNG(0)), ValueError, "out_features.*got -1"),
    (lambda: dlref.he_normal(3, 2.5, NEW_RNG(0)), TypeError, "got 2.5"),  # type: ignore[arg-type]
    (lambda: dlref.he_normal(3, 2, 0), TypeError, "rng must be"),  # type: ignore[arg-type]
    (lambda: dlref.gradcheck(LAYER, [1.0]), TypeError, NO_ARRAY),
    (lambda: dlref.gradcheck(LAYER, np.ones(3), seed=-1), ValueError, "seed must be at least 0"),
    (lambda: dlref.asarray("abc"), TypeError, "must hold numbers, got dtype <U3"),
    (lambda: dlref.asarray(None), TypeError, "must hold numbers, got dtype object: None"),
    (lambda: dlref.asarray([1, None]), TypeError, "must hold numbers"),
    (lambda: dlref.asarray([[1], [1, 2]]), ValueError, "inhomogeneous"),
    (lambda: dlref.asarray([1j]), TypeError, "must hold numbers, got dtype complex128"),
    (lambda: dlref.asarray(np.ma.masked_array([1.0])), TypeError, r"masked.*use x.filled"),
    (lambda: dlref.asarray([1.5], dtype="int64"), TypeError, "would lose its fractions"),
    (lambda: dlref.asarray([1.0], dtype="float16"), ValueError, "got 'float16'"),
    (lambda: dlref.asarray([1.0], dtype=F32), ValueError, "dtype must be"),  # type: ignore[arg-type]
    (lambda: dlref.mlp([2, 3]).to(dtype="int64"), ValueError, 'must be "float32" or "float64"'),
    (lambda: dlref.mlp([2, 3]).to("numpy", dtype="double"), ValueError, "got 'double'"),
]


@pytest.mark.parametrize(("make", "error", "message"), MAKERS)
def test_nothing_is_made_of_bad_arguments(
    make: Callable[[], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make()


WITH_PARAMS: list[tuple[Callable[[dict[str, Any]], dict[str, Any]], type[Exception], str]] = [
    (without(LAST), ValueError, "params must be named"),
    (lambda params: {**params, "extra": np.ones(3)}, ValueError, "params must be named"),
    (lambda params: {}, ValueError, "params must be named"),
    (replaced(LAST, lambda p: p[:2]), ValueError, r"must have shape \(3,\), got \(2,\)"),
    (replaced(LAST, lambda p: p[None]), ValueError, r"must have shape \(3,\), got \(1, 3\)"),
    (replaced("0.weight", lambda p: p.T), ValueError, r"must have shape \(4, 6\), got \(6, 4\)"),
    (replaced(LAST, lambda p: p.astype(F64)), TypeError, "must be float32, got float64"),
    (replaced(LAST, lambda p: p.astype(int)), TypeError, "must be float32, got int64"),
    (replaced(LAST, lambda p: p.tolist()), TypeError, NO_ARRAY),
    (replaced(LAST, lambda p: None), TypeError, NO_ARRAY),
    (replaced(LAST, torch.from_numpy), ValueError, 'on "cpu", but meets an array on "numpy"'),
    (replaced(LAST, lambda p: p[None].view(np.matrix)), TypeError, "got matrix"),
]


@pytest.mark.parametrize(("change", "error", "message"), WITH_PARAMS)
def test_with_params_refuses(
    change: Callable[[dict[str, Any]], dict[str, Any]], error: type[Exception], message: str
) -> None:
    net = dlref.mlp([4, 6, 3])
    with pytest.raises(error, match=message):
        net.with_params(change(dict(net.params)))


NAMELESS: list[tuple[Callable[[Any, Any], object], str]] = [
    (lambda net, grads: dlref.SGD(0.1).step(net.params, (None, grads)), "grads .* got tuple"),  # type: ignore[arg-type]
    (lambda net, grads: dlref.SGD(0.1).step(net, grads), "params .* got Sequential: .*params"),
    (lambda net, _: net.with_params(list(net.params.values())), "params .* got list: they are"),
    (lambda _, grads: dlref.clip_gradients((None, grads), 1.0), "grads .* `_, grads = net.ba"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("call", "message"), NAMELESS)
def test_what_has_no_names_is_refused_with_the_remedy(call: Any, message: str) -> None:
    net = dlref.mlp([4, 3])
    with pytest.raises(TypeError, match=message):
        call(net, {name: np.ones_like(p) for name, p in net.params.items()})
