"""Bad input to every layer: an error that names value and remedy, and nothing is changed."""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

import dlref
from tests.dlref.layer_table import CASES, Case

NO_ARRAY = r"convert it with dlref.asarray\(x\)"
FAST = settings(max_examples=100, deadline=None, derandomize=True)
RNG = np.random.default_rng(0)
F32 = np.float32


def refuses(
    layer: dlref.Layer, x: Any, error: type[Exception], message: str, **options: Any
) -> None:
    """Assert that the layer does, and that neither it nor x has changed."""
    before = {k: dlref.asarray(a) for k, a in {**layer.params, **layer.buffers}.items()}
    given = x.copy() if isinstance(x, np.ndarray) else x
    with pytest.raises(error, match=message):
        layer.forward(x, **options)
    for k, array in {**layer.params, **layer.buffers}.items():
        np.testing.assert_array_equal(dlref.asarray(array), before[k])
    if isinstance(x, np.ndarray):
        np.testing.assert_array_equal(x, given)


def bad_inputs(case: Case) -> list[tuple[Any, type[Exception], str]]:
    """Each is wrong for this case; x itself is right."""
    layer, x = case.layer(0, "float32"), case.input(0, "float32")
    other = x.astype("float64")
    wrong_shape = r"must have |has shape |does not fit|empty batch|one number a channel"
    wrong: list[tuple[Any, type[Exception], str]] = [
        (x.tolist(), TypeError, f"got list: {NO_ARRAY}"),
        (None, TypeError, f"got NoneType: {NO_ARRAY}"),
        (1.5, TypeError, f"got float: {NO_ARRAY}"),
        ("text", TypeError, f"got str: {NO_ARRAY}"),
        (np.ma.masked_array(x), TypeError, f"got MaskedArray: {NO_ARRAY}"),
        (x[:0], ValueError, r"\(0[,)].*|t from 1 to"),
        (np.array(x.ravel()[0]), ValueError, "must have "),
        (x > 0, TypeError, r"must be (float32|integers), got bool: convert (it|them)"),
        (x.astype(complex), TypeError, "must be (float32|integers), got complex128: convert"),
        (x.astype(object), TypeError, "must be (float32|integers), got object: convert"),
        (x.astype(str), TypeError, "must be (float32|integers), got <U"),
        (x.astype(np.float16), TypeError, "must be (float32|integers), got float16: convert"),
    ]
    if case.tokens:
        wrong += [
            (other, TypeError, "must be integers, got float64: convert"),
            (x[0], ValueError, r"must have shape \(N, t\), t from 1 to \d+, got \(\d+,\)"),
            (x[None], ValueError, r"must have shape \(N, t\), t from 1 to"),
            (np.repeat(x, 9, axis=1), ValueError, r"t from 1 to \d+, got \(\d, \d+\)"),
            (x - case.tokens, ValueError, rf"integers in \[0, {case.tokens}\), got -\d"),
            (x + case.tokens, ValueError, rf"integers in \[0, {case.tokens}\), got \d"),
            (x + 2**40, ValueError, rf"integers in \[0, {case.tokens}\), got 10995116\d+"),
        ]
    else:
        wrong += [(x.astype(int), TypeError, 'must be float32, got int64: .*dtype="float32"')]
    if layer.params:
        wrong += [
            (torch.tensor(x), ValueError, 'is on "cpu", but meets an array on "numpy": move it'),
            (x[..., None, None, None], ValueError, wrong_shape),
            (x.ravel(), ValueError, wrong_shape),
        ]
        if not case.tokens:
            wrong += [
                (other, TypeError, 'must be float32, got float64: convert .* dtype="float32"')
            ]
            # Elsewhere the second axis may be of any length.
            if x.ndim == 2 or (
                x.ndim == 4 and not isinstance(layer, dlref.Linear | dlref.LayerNorm)
            ):
                wrong += [(np.concatenate([x, x], axis=1), ValueError, wrong_shape)]
    return wrong


@pytest.mark.parametrize("name", CASES)
def test_a_layer_refuses_a_bad_input(name: str) -> None:
    case = CASES[name]
    for x, error, message in bad_inputs(case):
        if x is not None and np.shape(x) == case.input(0).shape and name.endswith("one of each"):
            continue
        layer = case.layer(0, "float32")
        refuses(layer, x, error, message, training=case.generator())


@pytest.mark.parametrize("name", CASES)
def test_a_layer_on_torch_refuses_numpys_arrays(name: str) -> None:
    case = CASES[name]
    layer = case.layer(0, "float32").to("cpu")
    if layer.params:
        message = 'is on "numpy", but meets an array on "cpu": move it with dlref.asarray'
        x = case.input(0, "float32")
        refuses(layer, x, ValueError, message, training=case.generator())


@pytest.mark.parametrize("name", [n for n, case in CASES.items() if not case.tokens])
def test_a_network_refuses_what_is_not_finite(name: str) -> None:
    case = CASES[name]
    net = dlref.Sequential(case.layer(0, "float32"))
    for value in (np.nan, np.inf, -np.inf):
        x = case.input(0, "float32")
        x.ravel()[-1] = value
        message = f"must be finite, got {value} at index .*: look for NaN in the data"
        refuses(net, x, ValueError, message, training=case.generator())


@pytest.mark.parametrize(
    "training", [True, False, 0, 1, "train", np.random.RandomState(0), np.random]
)
def test_training_is_a_generator_or_none(training: Any) -> None:
    """False is not None: a layer that took it for training would move its running numbers."""
    for layer in (dlref.Dropout(0.5), dlref.BatchNorm(2), dlref.Sequential(dlref.BatchNorm(2))):
        message = r"training must be numpy.random.default_rng\(seed\) in training, and None in use"
        refuses(layer, np.ones((3, 2), F32), TypeError, message, training=training)


IMAGES = np.zeros((2, 3, 6, 6), F32)
SEQUENCES = np.zeros((2, 4, 6), F32)
FORWARDS: list[tuple[Callable[[], dlref.Layer], Any, dict[str, Any], type[Exception], str]] = [
    (
        lambda: dlref.Conv2d(3, 4, 5, RNG),
        IMAGES[:, :, :4],
        {},
        ValueError,
        "Conv2d: a window of 5 pixels does not fit into 4: use larger images, a smaller window",
    ),
    (
        lambda: dlref.Conv2d(3, 4, 5, RNG),
        IMAGES[:, :2],
        {},
        ValueError,
        r"Conv2d: x must have shape \(N, 3, H, W\), got \(2, 2, 6, 6\)",
    ),
    (
        lambda: dlref.Conv2d(3, 4, 5, RNG),
        IMAGES[0],
        {},
        ValueError,
        r"Conv2d: x must have shape \(N, 3, H, W\), got \(3, 6, 6\)",
    ),
    (
        lambda: dlref.MaxPool2d(7),
        IMAGES,
        {},
        ValueError,
        "MaxPool2d: a window of 7 pixels does not fit into 6",
    ),
    (
        lambda: dlref.MaxPool2d(2),
        IMAGES[0],
        {},
        ValueError,
        r"MaxPool2d: x must have shape \(N, C, H, W\), got \(3, 6, 6\)",
    ),
    (
        dlref.LocalResponseNorm,
        IMAGES[0, 0, 0],
        {},
        ValueError,
        r"LocalResponseNorm: x must have shape \(N, C, ...\), got \(6,\)",
    ),
    (
        dlref.LocalResponseNorm,
        torch.zeros(6),
        {},
        ValueError,
        r"LocalResponseNorm: x must have shape \(N, C, ...\), got \(6,\)",
    ),
    (
        lambda: dlref.BatchNorm(3),
        IMAGES[:1, :, :1, :1],
        {"training": RNG},
        ValueError,
        r"x has shape \(1, 3, 1, 1\), one number a channel.*: train with larger batches",
    ),
    (
        lambda: dlref.BatchNorm(3),
        IMAGES[:1, :, 0, 0],
        {"training": RNG},
        ValueError,
        r"BatchNorm: x has shape \(1, 3\), one number a channel",
    ),
    (
        lambda: dlref.BatchNorm(3),
        IMAGES[:, :, 0],
        {},
        ValueError,
        r"BatchNorm: x must have shape .*, got \(2, 3, 6\)",
    ),
    (
        lambda: dlref.MultiHeadAttention(6, 2, RNG),
        SEQUENCES[0],
        {},
        ValueError,
        r"MultiHeadAttention: x must have shape \(N, T, D\), got \(4, 6\)",
    ),
    (
        lambda: dlref.MultiHeadAttention(6, 2, RNG),
        SEQUENCES,
        {"mask": np.ones((4, 4))},
        TypeError,
        "MultiHeadAttention: mask must be bool, True where it may look, got float64",
    ),
    (
        lambda: dlref.MultiHeadAttention(6, 2, RNG),
        SEQUENCES,
        {"mask": np.ones((4, 5), bool)},
        ValueError,
        r"mask must have shape \(2, 4, 4\) or \(4, 4\), got \(4, 5\)",
    ),
    (
        lambda: dlref.MultiHeadAttention(6, 2, RNG),
        SEQUENCES,
        {"mask": np.ones((1, 4, 4), bool)},
        ValueError,
        r"mask must have shape \(2, 4, 4\) or \(4, 4\), got \(1, 4, 4\)",
    ),
    (
        lambda: dlref.MultiHeadAttention(6, 2, RNG),
        SEQUENCES,
        {"mask": torch.ones(4, 4, dtype=torch.bool)},
        ValueError,
        'mask is on "cpu", but meets an array on "numpy": move it',
    ),
    (
        lambda: dlref.MultiHeadAttention(6, 2, RNG),
        SEQUENCES,
        {"mask": [[True] * 4] * 4},
        TypeError,
        f"got list: {NO_ARRAY}",
    ),
    (
        lambda: dlref.Residual(dlref.Linear(6, 5, RNG)),
        SEQUENCES,
        {},
        ValueError,
        r"Residual: the layers must keep the shape, got \(2, 4, 6\) in and \(2, 4, 5\) out",
    ),
    (
        lambda: dlref.Residual(dlref.Linear(6, 1, RNG)),  # would be broadcast
        SEQUENCES,
        {},
        ValueError,
        r"Residual: the layers must keep the shape",
    ),
]


@pytest.mark.parametrize(("make", "x", "options", "error", "message"), FORWARDS)
def test_forward_refuses(
    make: Callable[[], dlref.Layer],
    x: Any,
    options: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    refuses(make(), x, error, message, **options)


SIZES: list[tuple[Any, type[Exception], str]] = [
    (0, ValueError, "must be at least 1, got 0"),
    (-2, ValueError, "must be at least 1, got -2"),
    (2.0, TypeError, "must be a whole number, got 2.0"),
    (True, TypeError, "must be a whole number, got True"),
    ("2", TypeError, "must be a whole number, got '2'"),
    (None, TypeError, "must be a whole number, got None"),
]
POSITIONAL: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "Conv2d": (
        dlref.Conv2d,
        {"in_channels": 4, "out_channels": 4, "kernel_size": 3, "stride": 1, "groups": 1},
    ),
    "MaxPool2d": (dlref.MaxPool2d, {"kernel_size": 2, "stride": 2}),
    "BatchNorm": (dlref.BatchNorm, {"channels": 3}),
    "LayerNorm": (dlref.LayerNorm, {"features": 3}),
    "LocalResponseNorm": (dlref.LocalResponseNorm, {"size": 5}),
    "Embedding": (dlref.Embedding, {"tokens": 5, "context": 4, "features": 3}),
    "MultiHeadAttention": (dlref.MultiHeadAttention, {"features": 4, "heads": 2}),
}


@pytest.mark.parametrize(("size", "error", "message"), SIZES)
@pytest.mark.parametrize("kind", POSITIONAL)
def test_no_layer_is_made_of_a_bad_size(
    kind: str, size: Any, error: type[Exception], message: str
) -> None:
    make, sizes = POSITIONAL[kind]
    rng = {"rng": np.random.default_rng(0)} if "rng" in make.__init__.__annotations__ else {}
    make(**sizes, **rng)
    for name in sizes:
        if (kind, name, size) == ("MaxPool2d", "stride", None):
            continue  # as large as the window
        with pytest.raises(error, match=f"^{kind}: {name} {message}"):
            make(**(sizes | {name: size}), **rng)


NEW_RNG = np.random.default_rng


def wrong_init(inputs: int, outputs: int, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(outputs, inputs + 1))


def nan_init(inputs: int, outputs: int, rng: np.random.Generator) -> np.ndarray:
    return np.full((inputs, outputs), np.nan)


MAKERS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: dlref.Conv2d(3, 4, 3, NEW_RNG(0), groups=2),
        ValueError,
        "Conv2d: groups must divide the channels, got 2 for 3 in and 4 out",
    ),
    (lambda: dlref.Conv2d(4, 3, 3, NEW_RNG(0), groups=2), ValueError, "got 2 for 4 in and 3 out"),
    (lambda: dlref.Conv2d(4, 4, 3, NEW_RNG(0), groups=8), ValueError, "got 8 for 4 in and 4 out"),
    (
        lambda: dlref.Conv2d(4, 4, 3, NEW_RNG(0), padding=-1),
        ValueError,
        "Conv2d: padding must be at least 0, got -1",
    ),
    (
        lambda: dlref.Conv2d(4, 4, 3, NEW_RNG(0), padding="same"),  # type: ignore[arg-type]
        TypeError,
        "Conv2d: padding must be a whole number, got 'same'",
    ),
    (
        lambda: dlref.Conv2d(4, 4, (3, 3), NEW_RNG(0)),  # type: ignore[arg-type]
        TypeError,
        r"Conv2d: kernel_size must be a whole number, got \(3, 3\)",
    ),
    (
        lambda: dlref.Conv2d(4, 4, 3, 0),  # type: ignore[arg-type]
        TypeError,
        r"Conv2d: rng must be numpy.random.default_rng\(seed\), got 0",
    ),
    (
        lambda: dlref.Conv2d(2, 4, 3, NEW_RNG(0), init=wrong_init),
        ValueError,
        r"Conv2d: init's result must have shape \(18, 4\), got \(4, 19\)",
    ),
    (
        lambda: dlref.Conv2d(2, 4, 3, NEW_RNG(0), init=nan_init),
        ValueError,
        "Conv2d: init's result must be finite, got nan",
    ),
    (lambda: dlref.BatchNorm(3, momentum=1.0), ValueError, "momentum must be .*below 1.0, got 1.0"),
    (lambda: dlref.BatchNorm(3, momentum=-0.1), ValueError, "momentum must be at least 0.0 and"),
    (lambda: dlref.BatchNorm(3, momentum=None), TypeError, "momentum must be a number, got None"),  # type: ignore[arg-type]
    (lambda: dlref.BatchNorm(3, eps=0.0), ValueError, "BatchNorm: eps must be .*, got 0"),
    (lambda: dlref.LayerNorm(3, eps=0), ValueError, "LayerNorm: eps must be .*, got 0"),
    (lambda: dlref.LayerNorm(3, eps=-1e-5), ValueError, "LayerNorm: eps must be .*, got -1e-05"),
    (lambda: dlref.LayerNorm(3, eps="1"), TypeError, "LayerNorm: eps must be a number, got '1'"),  # type: ignore[arg-type]
    (lambda: dlref.LocalResponseNorm(4), ValueError, "LocalResponseNorm: size must be odd, got 4"),
    (lambda: dlref.LocalResponseNorm(alpha=-1.0), ValueError, "alpha must be at least 0.0, got -1"),
    (lambda: dlref.LocalResponseNorm(beta=math.inf), ValueError, "beta must be finite, got inf"),
    (lambda: dlref.LocalResponseNorm(k=0.0), ValueError, "k must be .*, got 0"),
    (lambda: dlref.Dropout(1), ValueError, "Dropout: p must be at least 0.0 and below 1.0, got 1"),
    (lambda: dlref.Dropout(-0.5), ValueError, "Dropout: p must be at least 0.0 and .*got -0.5"),
    (lambda: dlref.Dropout(math.nan), ValueError, "Dropout: p must be finite, got nan"),
    (lambda: dlref.Dropout("half"), TypeError, "Dropout: p must be a number, got 'half'"),  # type: ignore[arg-type]
    (lambda: dlref.Embedding(5, 4, 3, None), TypeError, "Embedding: rng must be .*got None"),  # type: ignore[arg-type]
    (lambda: dlref.Embedding(5, 4, 3, NEW_RNG(0), -1.0), ValueError, "std must be at least 0.0"),
    (
        lambda: dlref.MultiHeadAttention(6, 4, NEW_RNG(0)),
        ValueError,
        "MultiHeadAttention: heads must divide features, got 4 for 6",
    ),
    (
        lambda: dlref.MultiHeadAttention(6, 2, 0),  # type: ignore[arg-type]
        TypeError,
        "MultiHeadAttention: rng must be numpy.random.default_rng",
    ),
    (
        lambda: dlref.MultiHeadAttention(4, 2, NEW_RNG(0), init=wrong_init),
        ValueError,
        r"MultiHeadAttention: init's result must have shape \(4, 12\), got \(12, 5\)",
    ),
    (
        lambda: dlref.MultiHeadAttention(4, 2, NEW_RNG(0), init=nan_init),
        ValueError,
        "MultiHeadAttention: init's result must be finite, got nan",
    ),
    (lambda: dlref.transformer_block(6, 4, NEW_RNG(0)), ValueError, "heads must divide features"),
    (lambda: dlref.transformer_block(0, 1, NEW_RNG(0)), ValueError, "features must be at least 1"),
    (
        lambda: dlref.transformer_block(4, 2, NEW_RNG(0), dropout=1.0),
        ValueError,
        "p must be at least 0.0 and below 1.0, got 1.0",
    ),
    (lambda: dlref.transformer_block(4, 2, 7), TypeError, "rng must be .*got 7"),  # type: ignore[arg-type]
    (dlref.Residual, ValueError, "Residual: needs at least one layer"),
    (lambda: dlref.Residual(dlref.ReLU), TypeError, "Residual: layer 0 must be a dlref.Layer"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("make", "error", "message"), MAKERS)
def test_no_layer_is_made_of_bad_arguments(
    make: Callable[[], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("name", [n for n, case in CASES.items() if case.make().params])
def test_with_params_refuses_for_every_layer(name: str) -> None:
    layer = CASES[name].layer(0, "float32")
    before = {k: p.copy() for k, p in layer.params.items()}
    for key in layer.params:

        def changed(p: Any, key: str = key) -> dict[str, Any]:
            return {**layer.params, key: p}

        p = layer.params[key]
        for params, error, message in (
            ({k: a for k, a in layer.params.items() if k != key}, ValueError, "must be named"),
            ({**layer.params, "more": p}, ValueError, "must be named"),
            (changed(p[None]), ValueError, r"\] must have shape"),
            (changed(p[:0]), ValueError, r"\] (must have|has) shape"),
            (changed(p.tolist()), TypeError, NO_ARRAY),
            (changed(None), TypeError, NO_ARRAY),
            (changed(p.astype(int)), TypeError, r"\] must be float32, got int64: convert"),
        ):
            with pytest.raises(error, match=message):
                layer.with_params(params)
        if len(layer.params) > 1:
            with pytest.raises(TypeError, match=r"must be float(32|64), got float(64|32)"):
                layer.with_params(changed(p.astype(float)))
            with pytest.raises(ValueError, match=r"move it with dlref.asarray"):
                layer.with_params(changed(torch.tensor(p)))
    for k, p in layer.params.items():
        np.testing.assert_array_equal(p, before[k])


# Any shape and dtype: the layer maps it as PyTorch does, or says why not.


DTYPES = st.sampled_from(
    [np.bool_, np.int8, np.uint16, np.int64, np.uint64, np.float16, np.float32, np.float64]
)


@pytest.mark.parametrize("name", CASES)
@settings(FAST, max_examples=60)
@given(
    shape=st.lists(st.integers(0, 5), max_size=5),
    dtype=DTYPES,
    near=st.booleans(),
    training=st.booleans(),
)
def test_any_array_is_mapped_or_refused(
    name: str, shape: list[int], dtype: Any, near: bool, training: bool
) -> None:
    case = CASES[name]
    layer = case.layer(0, "float32")
    if near and len(shape) <= len(case.shape):  # the right shape but for some first axes
        shape = [*shape, *case.shape[len(shape) :]]
    x = (np.random.default_rng(0).random(shape) * 4).astype(dtype)
    before = {k: a.copy() for k, a in {**layer.params, **layer.buffers}.items()}
    rng = np.random.default_rng(0) if training else None
    try:
        y, cache = layer.forward(x, training=rng)
    except (TypeError, ValueError) as error:
        message = str(error)
        after = {**layer.params, **layer.buffers}
        assert re.search("must |fit|empty batch|expected a NumPy array|one number", message)
    else:
        assert 0 not in x.shape
        assert x.ndim > 0
        assert y.dtype == (x.dtype if not case.tokens else np.float32)
        assert np.isfinite(y).all()
        dx, grads = layer.backward(np.ones_like(y), cache, input_grad=True)
        assert case.tokens or (dx is not None and dx.shape == x.shape and dx.dtype == x.dtype)
        assert {k: g.shape for k, g in grads.items()} == {
            k: p.shape for k, p in layer.params.items()
        }
        after = dict(layer.params)
    for k, array in after.items():
        np.testing.assert_array_equal(array, before[k])


def agrees(layer: dlref.Layer, reference: Callable[..., torch.Tensor], x: np.ndarray) -> None:
    """The same y, dx and gradients, or an error from both."""
    params = {k: torch.tensor(p, requires_grad=True) for k, p in layer.params.items()}
    tensor = torch.tensor(x, requires_grad=True)
    try:
        expected = reference(tensor, *params.values())
    except RuntimeError:
        with pytest.raises(ValueError, match="does not fit into"):
            layer.forward(x)
        return
    for moved in (layer, layer.to("cpu")):
        device = "numpy" if moved is layer else "cpu"
        y, cache = moved.forward(dlref.asarray(x, device))
        dy = np.random.default_rng(1).normal(size=tuple(y.shape))
        dx, grads = moved.backward(dlref.asarray(dy, device), cache, input_grad=True)
        found = torch.autograd.grad(
            expected, [tensor, *params.values()], torch.tensor(dy), retain_graph=True
        )
        for ours, theirs in zip([y, dx, *grads.values()], [expected.detach(), *found], strict=True):
            np.testing.assert_allclose(dlref.asarray(ours), theirs.numpy(), rtol=1e-9, atol=1e-10)


SMALL = st.integers(1, 5)


@FAST
@given(
    n=st.integers(1, 2),
    per_group=st.tuples(st.integers(1, 2), st.integers(1, 3)),
    groups=st.integers(1, 3),
    window=SMALL,
    stride=SMALL,
    padding=st.integers(0, 3),
    image=st.tuples(st.integers(1, 7), st.integers(1, 7)),
)
def test_any_convolution_is_torchs(
    *,
    n: int,
    per_group: tuple[int, int],
    groups: int,
    window: int,
    stride: int,
    padding: int,
    image: tuple[int, int],
) -> None:
    rng = np.random.default_rng(0)
    channels, outputs = (groups * size for size in per_group)
    layer = dlref.Conv2d(
        channels, outputs, window, rng, stride=stride, padding=padding, groups=groups
    ).to(dtype="float64")
    layer.params["bias"][...] = rng.normal(size=outputs)
    x = rng.normal(size=(n, channels, *image))
    agrees(layer, lambda x, w, b: functional.conv2d(x, w, b, stride, padding, groups=groups), x)


@FAST
@given(
    window=SMALL,
    stride=st.none() | SMALL,
    shape=st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 8), st.integers(1, 8)),
    levels=st.sampled_from([2, 3, 1000]),
)
def test_any_pooling_is_torchs(
    window: int, stride: int | None, shape: tuple[int, int, int, int], levels: int
) -> None:
    x = np.random.default_rng(0).integers(0, levels, shape).astype(float)  # few levels: many ties
    agrees(dlref.MaxPool2d(window, stride), lambda x: functional.max_pool2d(x, window, stride), x)


@FAST
@given(
    half=st.integers(0, 4),
    shape=st.tuples(SMALL, SMALL, SMALL),
    alpha=st.floats(0, 3),
    beta=st.floats(0, 2),
    k=st.floats(0.1, 4),
)
def test_any_response_normalization_is_torchs(
    half: int, shape: tuple[int, int, int], alpha: float, beta: float, k: float
) -> None:
    size, x = 2 * half + 1, np.random.default_rng(0).normal(size=shape)
    agrees(
        dlref.LocalResponseNorm(size, alpha, beta, k),
        lambda x: functional.local_response_norm(x, size, alpha * size, beta, k),
        x,
    )


@settings(FAST, max_examples=40)
@given(
    n=st.integers(1, 3),
    length=SMALL,
    heads=st.integers(1, 4),
    width=st.integers(1, 4),
    causal=st.booleans(),
)
def test_any_attention_is_torchs(n: int, length: int, heads: int, width: int, causal: bool) -> None:
    rng, features = np.random.default_rng(0), heads * width
    layer = dlref.MultiHeadAttention(features, heads, rng, causal=causal).to(dtype="float64")

    def reference(x: Any, w_in: Any, b_in: Any, w_out: Any, b_out: Any) -> torch.Tensor:
        parts = (x @ w_in + b_in).reshape(n, length, 3, heads, width).permute(2, 0, 3, 1, 4)
        scores = parts[0] @ parts[1].mT / math.sqrt(width)
        if causal:
            scores = scores.masked_fill(torch.ones(length, length).triu(1).bool(), -math.inf)
        mixed = torch.softmax(scores, -1) @ parts[2]
        y: torch.Tensor = mixed.permute(0, 2, 1, 3).reshape(n, length, features) @ w_out + b_out
        return y

    agrees(layer, reference, rng.normal(size=(n, length, features)))
