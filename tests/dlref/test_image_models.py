"""LeNet and AlexNet as their papers count them, and one step of training on both libraries."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dlref
from tests.dlref.common import DEVICES, relative_error


def shapes(net: dlref.Sequential, x: np.ndarray) -> list[tuple[int, ...]]:
    found = [tuple(x.shape)]
    for layer in net.layers:
        x, _ = layer.forward(x)
        found.append(tuple(x.shape))
    return found


def count(net: dlref.Layer) -> int:
    return sum(int(p.size) for p in net.params.values())


def one_step(net: dlref.Sequential, x: Any, y: Any) -> tuple[float, dict[str, Any]]:
    """The loss, and the parameters after one step; masks are drawn from seed 0."""
    logits, cache = net.forward(x, training=np.random.default_rng(0))
    loss, dlogits = dlref.cross_entropy(logits, y)
    _, grads = net.backward(dlogits, cache)
    assert grads.keys() == net.params.keys()
    dlref.SGD(0.01, momentum=0.9).step(net.params, grads)
    return float(loss), dict(net.params)


# LeNet


def test_lenet_has_61706_parameters_and_the_papers_maps() -> None:
    net = dlref.lenet()
    assert count(net) == 61_706
    # C1, S2, C3, S4, C5, F6, output: 28×28, 14×14, 10×10, 5×5, 120, 84, 10
    found = shapes(net, np.zeros((1, 1, 28, 28), np.float32))
    kept = [s for layer, s in zip(net.layers, found[1:], strict=True) if repr(layer) != "ReLU()"]
    assert kept == [
        (1, 6, 28, 28),
        (1, 6, 14, 14),
        (1, 16, 10, 10),
        (1, 16, 5, 5),
        (1, 400),
        (1, 120),
        (1, 84),
        (1, 10),
    ]


@pytest.mark.parametrize(
    ("image", "classes", "padding"),
    [
        ((1, 28, 28), 10, (2, 0)),
        ((3, 32, 32), 5, (0, 0)),
        ((1, 8, 8), 10, (2, 2)),
        ([2, 16, 17], 3, (0, 0)),
        ((1, 12, 29), 1, (2, 0)),
    ],
)
def test_lenet_takes_images_of_other_sizes(
    image: tuple[int, int, int], classes: int, padding: tuple[int, int]
) -> None:
    net = dlref.lenet(image, classes, padding=padding, seed=1)
    x = np.random.default_rng(0).normal(size=(2, *image)).astype(np.float32)
    logits, cache = net.forward(x)
    assert logits.shape == (2, classes)
    dx, _ = net.backward(logits, cache, input_grad=True)
    assert dx is not None
    assert dx.shape == x.shape


@pytest.mark.parametrize("device", DEVICES)
def test_lenet_learns_digits(device: str) -> None:
    x, y, _, _ = dlref.data.digits()
    images = dlref.asarray(x[:64].reshape(-1, 1, 8, 8), device, dtype="float32")
    labels = dlref.asarray(y[:64], device)
    net = dlref.lenet((1, 8, 8), padding=(2, 2), seed=0, device=device)
    optimizer = dlref.SGD(0.1, momentum=0.9)
    losses = []
    for _ in range(25):
        logits, cache = net.forward(images)
        loss, dlogits = dlref.cross_entropy(logits, labels)
        grads, _ = dlref.clip_gradients(net.backward(dlogits, cache)[1], 1.0)
        optimizer.step(net.params, grads)
        losses.append(float(loss))
    assert losses[0] > 1.5
    assert losses[-1] < 0.3


# AlexNet


def test_alexnet_has_the_papers_parameters_shapes_and_units() -> None:
    net = dlref.alexnet()
    assert count(net) == 60_965_224
    x = np.zeros((1, 3, 224, 224), np.float32)
    found = shapes(net, x)
    kinds = [type(layer).__name__ for layer in net.layers]
    sizes = [s for kind, s in zip(kinds, found[1:], strict=True) if kind in ("Conv2d", "Linear")]
    assert sizes == [
        (1, 96, 55, 55),
        (1, 256, 27, 27),
        (1, 384, 13, 13),
        (1, 384, 13, 13),
        (1, 256, 13, 13),
        (1, 4096),
        (1, 4096),
        (1, 1000),
    ]
    pooled = [s[-1] for kind, s in zip(kinds, found[1:], strict=True) if kind == "MaxPool2d"]
    assert pooled == [27, 13, 6]
    # Figure 2 gives the first layer 253,440 units and the others as here. Its 55 · 55 · 96 are
    # 290,400, though, with which the sum is the abstract's 650,000.
    units = [math.prod(s) for s in sizes]
    assert units == [290_400, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]
    assert sum(units) == 659_272


def test_alexnet_has_the_papers_layers_in_the_papers_order() -> None:
    response = repr(dlref.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0))  # section 3.3
    pool = "MaxPool2d(3, stride=2)"  # section 3.4: they overlap
    assert list(map(repr, dlref.alexnet().layers)) == [
        *("Conv2d(3, 96, 11, stride=4, padding=2)", "ReLU()", response, pool),
        *("Conv2d(96, 256, 5, padding=2, groups=2)", "ReLU()", response, pool),
        *("Conv2d(256, 384, 3, padding=1)", "ReLU()"),
        *("Conv2d(384, 384, 3, padding=1, groups=2)", "ReLU()"),
        *("Conv2d(384, 256, 3, padding=1, groups=2)", "ReLU()", pool),
        *("Flatten()", "Linear(9216, 4096)", "ReLU()", "Dropout(0.5)"),  # section 4.2
        *("Linear(4096, 4096)", "ReLU()", "Dropout(0.5)", "Linear(4096, 1000)"),
    ]


@pytest.mark.parametrize(("size", "padding"), [(1, (0, 10)), (5, (0, 4))])
def test_lenet_refuses_an_image_of_which_the_first_layers_leave_nothing(
    size: int, padding: tuple[int, int]
) -> None:
    with pytest.raises(ValueError, match="is too small"):
        dlref.lenet((1, size, size), padding=padding)


def test_alexnet_starts_as_section_5_says() -> None:
    net = dlref.alexnet(classes=10, seed=3)
    weights = [name for name in net.params if name.endswith("weight")]
    for name in weights:
        weight = net.params[name]
        assert abs(float(weight.mean())) <= 6 * 0.01 / math.sqrt(weight.size)
        assert float(weight.std()) == pytest.approx(0.01, rel=6 / math.sqrt(2 * weight.size))
    ones = [float(net.params[name.replace("weight", "bias")].mean()) for name in weights]
    assert ones == [0, 1, 0, 1, 1, 1, 1, 0]  # the 2nd, 4th and 5th convolution, the hidden layers


def test_a_step_of_alexnet_is_the_same_on_numpy_and_on_torch() -> None:
    """In float64: in float32, rounding alone can choose another pixel of a pooling window."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 3, 224, 224)), np.array([1, 7])
    start = dlref.alexnet(classes=10, seed=1)
    losses, moved = [], []
    for device in ("numpy", "cpu"):
        net = start.to(device, dtype="float64")
        loss, params = one_step(net, dlref.asarray(x, device), dlref.asarray(y, device))
        losses.append(loss)
        moved.append({k: dlref.asarray(p) - start.params[k] for k, p in params.items()})
    assert losses[1] == pytest.approx(losses[0], rel=1e-12)
    for name, change in moved[0].items():
        assert np.abs(change).max() > 0, name
        assert relative_error(moved[1][name], change) <= 1e-10, name
    for device in ("numpy", "cpu"):
        net = start.to(device)
        given = dlref.asarray(x, device, dtype="float32")
        logits, _ = net.forward(given, training=np.random.default_rng(0))
        loss, _ = dlref.cross_entropy(logits, dlref.asarray(y, device))
        assert float(loss) == pytest.approx(losses[0], rel=1e-5)


MAKERS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: dlref.lenet((1, 28)), ValueError, r"image must be \(channels, height, width\), got"),
    (lambda: dlref.lenet(28), ValueError, "lenet: image must be .*got 28"),  # type: ignore[arg-type]
    (lambda: dlref.lenet((0, 28, 28)), ValueError, "lenet: channels must be at least 1, got 0"),
    (lambda: dlref.lenet((1, 28.0, 28)), TypeError, "height must be a whole number, got 28.0"),  # type: ignore[arg-type]
    (lambda: dlref.lenet((1, 8, 8)), ValueError, r"8×8 is too small for padding=\(2, 0\)"),
    (lambda: dlref.lenet((1, 8, 8), padding=(0, 0)), ValueError, "an image of 8×8 is too small"),
    (lambda: dlref.lenet(padding=2), ValueError, r"padding must be two numbers, .*got 2$"),  # type: ignore[arg-type]
    (lambda: dlref.lenet(padding=(2,)), ValueError, r"padding must be two numbers.*got \(2,\)"),  # type: ignore[arg-type]
    (lambda: dlref.lenet(padding="22"), ValueError, "padding must be two numbers.*got '22'"),  # type: ignore[arg-type]
    (lambda: dlref.lenet(padding=(2, "0")), TypeError, "lenet: padding must be a whole number"),  # type: ignore[arg-type]
    (lambda: dlref.lenet(padding=(2, -1)), ValueError, "lenet: padding must be at least 0, got -1"),
    (lambda: dlref.lenet(classes=0), ValueError, "lenet: classes must be at least 1, got 0"),
    (lambda: dlref.lenet(classes=2.0), TypeError, "classes must be a whole number, got 2.0"),  # type: ignore[arg-type]
    (lambda: dlref.lenet(seed=-1), ValueError, "lenet: seed must be at least 0, got -1"),
    (lambda: dlref.lenet(device="gpu"), ValueError, "device 'gpu' is unknown"),
    (lambda: dlref.alexnet(0), ValueError, "alexnet: classes must be at least 1, got 0"),
    (lambda: dlref.alexnet("10"), TypeError, "alexnet: classes must be a whole number, got '10'"),  # type: ignore[arg-type]
    (lambda: dlref.alexnet(seed=None), TypeError, "alexnet: seed must be .*got None"),  # type: ignore[arg-type]
    (lambda: dlref.alexnet(device="CPU"), ValueError, "device 'CPU' is unknown"),
]


@pytest.mark.parametrize(("make", "error", "message"), MAKERS)
def test_no_model_is_made_of_bad_arguments(
    make: Callable[[], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make()


def test_models_of_one_seed_are_equal_on_every_device_and_of_another_differ() -> None:
    for make in (dlref.lenet, lambda **o: dlref.gpt(9, 4, 4, 1, 2, **o)):
        first, again, other = make(seed=1), make(seed=1, device="cpu"), make(seed=2)
        for name, p in first.params.items():
            np.testing.assert_array_equal(dlref.asarray(again.params[name]), p)
        assert any((other.params[name] != p).any() for name, p in first.params.items())
