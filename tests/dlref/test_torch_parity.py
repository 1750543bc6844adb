"""The same numbers as PyTorch: gradients by autograd, parameters by torch.optim."""

from typing import Any

import numpy as np
import pytest
import torch

import dlref
from tests.dlref.common import ACTIVATIONS, TORCH_DEVICES, relative_error

LIMITS = {"float32": 1e-5, "float64": 1e-10}
SIZES = [[1, 1], [3, 1, 4], [5, 7, 2], [6, 4, 4, 4, 3]]
TORCH_ACTIVATIONS: dict[type[dlref.Layer], type[torch.nn.Module]] = {
    dlref.ReLU: torch.nn.ReLU,
    dlref.Sigmoid: torch.nn.Sigmoid,
    dlref.Tanh: torch.nn.Tanh,
}


def as_torch_module(net: dlref.Sequential) -> torch.nn.Sequential:
    """The equivalent torch.nn.Sequential, loaded by name with transposed weights."""
    layers: list[torch.nn.Module] = []
    for layer in net.layers:
        if isinstance(layer, dlref.Linear):
            layers.append(torch.nn.Linear(*layer.params["weight"].shape))
        else:
            layers.append(TORCH_ACTIVATIONS[type(layer)]())
    module = torch.nn.Sequential(*layers).to(torch.float64)
    state = {name: torch.tensor(p.T, dtype=torch.float64) for name, p in net.params.items()}
    module.load_state_dict(state)  # raises where a name or a shape differs
    return module


def reference(
    net: dlref.Sequential, x: np.ndarray, dy: np.ndarray, dtype: str
) -> dict[str, np.ndarray]:
    """y, dx and every gradient, by autograd."""
    module = as_torch_module(net).to(getattr(torch, dtype))
    tensor = torch.tensor(x.astype(dtype), requires_grad=True)
    y = module(tensor)
    y.backward(torch.tensor(dy.astype(dtype)))
    assert tensor.grad is not None
    found = {"y": y.detach().numpy(), "dx": tensor.grad.numpy()}
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None
        found[name] = parameter.grad.numpy().T
    return found


@pytest.mark.parametrize("device", ["numpy", *TORCH_DEVICES])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_networks_match_autograd(
    activation: type[dlref.Layer], sizes: list[int], dtype: str, device: str
) -> None:
    if device == "mps" and dtype == "float64":
        return  # MPS has no float64; test_devices shows the error
    for seed, rows in enumerate([1, 2, 5, 9]):
        rng = np.random.default_rng(seed)
        net = dlref.mlp(sizes, activation, seed=rng).to(dtype="float64")
        net = net.with_params(
            {name: p + 0.1 * rng.normal(size=p.shape) for name, p in net.params.items()}
        )
        x = rng.normal(size=(rows, sizes[0]))
        dy = rng.normal(size=(rows, sizes[-1]))
        expected = reference(net, x, dy, dtype)

        moved = net.to(device, dtype=dtype)
        y, cache = moved.forward(dlref.asarray(x, device, dtype=dtype))
        dy_moved = dlref.asarray(dy, device, dtype=dtype)
        dx, grads = moved.backward(dy_moved, cache, input_grad=True)
        found = {"y": y, "dx": dx, **grads}
        assert found.keys() == expected.keys()
        for name, array in found.items():
            assert relative_error(array, expected[name]) <= LIMITS[dtype], name


@pytest.mark.parametrize("device", ["numpy", *TORCH_DEVICES])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (7, 1), (33, 10)])
def test_losses_match_autograd(shape: tuple[int, int], dtype: str, device: str) -> None:
    if device == "mps" and dtype == "float64":
        return
    for seed in range(5):
        rng = np.random.default_rng(seed)
        logits = (rng.normal(size=shape) * 4).astype(dtype)
        labels = rng.integers(0, shape[1], shape[0])
        targets = rng.normal(size=shape).astype(dtype)
        cases: list[tuple[Any, Any, np.ndarray]] = [
            (dlref.cross_entropy, torch.nn.functional.cross_entropy, labels),
            (dlref.mse, torch.nn.functional.mse_loss, targets),
        ]
        for ours, theirs, target in cases:
            tensor = torch.tensor(logits, requires_grad=True)
            expected = theirs(tensor, torch.tensor(target))
            expected.backward()
            assert tensor.grad is not None
            loss, dlogits = ours(dlref.asarray(logits, device), dlref.asarray(target, device))
            # A loss may be exactly 0 (one class); compare it on the scale of 1 then.
            difference = abs(float(loss) - expected.item())
            assert difference <= LIMITS[dtype] * max(1.0, abs(expected.item()))
            assert relative_error(dlogits, tensor.grad.numpy()) <= LIMITS[dtype]


def test_losses_keep_the_library_and_dtype() -> None:
    for device in ("numpy", "cpu"):
        for dtype in ("float32", "float64"):
            logits = dlref.asarray(np.ones((3, 2)), device, dtype=dtype)
            labels = dlref.asarray([0, 1, 1], device)
            for loss, gradient in (dlref.cross_entropy(logits, labels), dlref.mse(logits, logits)):
                assert loss.dtype == gradient.dtype == logits.dtype
                assert type(gradient) is type(logits)
                assert tuple(loss.shape) == ()


OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "momentum": 0.5}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    *(
        (name, {"lr": 0.05, **options})
        for name in ("Adam", "AdamW")
        for options in (
            {},
            {"betas": (0.5, 0.9)},
            {"betas": (0.0, 0.0)},
            {"eps": 0.1},
            {"weight_decay": 0.0},
            {"weight_decay": 0.3},
            {"amsgrad": True},
            {"betas": (0.8, 0.6), "eps": 1e-4, "weight_decay": 0.1, "amsgrad": True},
        )
    ),
]


@pytest.mark.parametrize("device", ["numpy", *TORCH_DEVICES])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("kind", "options"), OPTIMIZERS)
def test_the_optimizer_matches_torch_for_20_steps(
    kind: str, options: dict[str, Any], dtype: str, device: str
) -> None:
    if device == "mps" and dtype == "float64":
        return
    for seed in range(3):
        rng = np.random.default_rng(seed)
        start = {"weight": rng.normal(size=(3, 4)), "bias": rng.normal(size=4)}
        params = {name: dlref.asarray(p, device, dtype=dtype) for name, p in start.items()}
        theirs = {
            name: torch.nn.Parameter(torch.tensor(p.astype(dtype))) for name, p in start.items()
        }
        ours = getattr(dlref, kind)(**options)
        reference = getattr(torch.optim, kind)(theirs.values(), **options)
        for step in range(20):
            # Sizes from 1e-3 to 1e3, and gradients of 0, as dead units have.
            grads = {
                name: (rng.normal(size=p.shape) * 10 ** rng.uniform(-3, 3, p.shape)).astype(dtype)
                for name, p in start.items()
            }
            grads["bias"][:2] = 0
            if step == 10:  # as a schedule would
                ours.lr = reference.param_groups[0]["lr"] = 0.01
            ours.step(params, {name: dlref.asarray(g, device) for name, g in grads.items()})
            for name, parameter in theirs.items():
                parameter.grad = torch.tensor(grads[name])
            reference.step()
            for name, parameter in theirs.items():
                assert relative_error(params[name], parameter) <= 1e-6


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_adam_has_the_defaults_of_torch(name: str) -> None:
    ours = getattr(dlref, name)()
    theirs = getattr(torch.optim, name)([torch.zeros(1)]).defaults
    for option, value in ours.settings.items():
        assert theirs[option] == value, option


def test_names_are_those_of_the_equivalent_torch_module() -> None:
    net = dlref.mlp([4, 5, 6, 3], seed=0)
    module = as_torch_module(net)
    assert list(net.params) == list(module.state_dict())
    for name, p in net.params.items():
        assert p.T.shape == tuple(module.state_dict()[name].shape)


def test_accuracy_is_the_same_on_each_library_and_ties_go_to_the_first() -> None:
    logits = np.array([[1.0, 1.0], [0.0, 2.0], [3.0, 3.0]])
    labels = np.array([0, 1, 1])
    for device in ("numpy", "cpu"):
        found = dlref.accuracy(dlref.asarray(logits, device), dlref.asarray(labels, device))
        assert found == pytest.approx(2 / 3)
        assert type(found) is float
