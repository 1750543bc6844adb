"""What each layer promises beyond its numbers: ties, masks, large means, chance."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import dlref
from dlref import kernels
from dlref.backend import affine, device_of, row_max
from tests.dlref.common import DEVICES, on_all_arrays, relative_error
from tests.dlref.layer_table import CASES


def there(x: Any, device: str) -> Any:
    return dlref.asarray(x, device)


def here(x: Any) -> np.ndarray:
    return np.asarray(dlref.asarray(x))


# Pooling


@on_all_arrays
@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 1), (3, 2), (2, 3)])
def test_of_equal_pixels_the_first_in_reading_order_wins(
    size: int, stride: int, device: str, kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "enabled", kernel)
    if kernel:  # which is otherwise used on a GPU alone
        monkeypatch.setattr(kernels, "on_cpu", lambda x: False)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        x = rng.integers(-1, 2, (2, 3, 6, 7)).astype(np.float32)  # nearly every window has a tie
        x = np.zeros_like(x) if seed == 0 else x
        layer = dlref.MaxPool2d(size, stride)
        y, cache = layer.forward(there(x, device))
        assert isinstance(cache, kernels.Kernel) == kernel
        dy = rng.normal(size=tuple(y.shape)).astype(np.float32)
        dx, _ = layer.backward(there(dy, device), cache)

        expected = np.zeros_like(x)
        for n, c, i, j in np.ndindex(*y.shape):
            window = x[n, c, stride * i : stride * i + size, stride * j : stride * j + size]
            assert float(y[n, c, i, j]) == window.max()
            k, m = divmod(int(window.argmax()), size)
            expected[n, c, stride * i + k, stride * j + m] += dy[n, c, i, j]
        np.testing.assert_allclose(here(dx), expected, atol=1e-6)
        tensor = torch.tensor(x, requires_grad=True)
        functional.max_pool2d(tensor, size, stride).backward(torch.tensor(dy))  # type: ignore[no-untyped-call]
        assert tensor.grad is not None
        np.testing.assert_allclose(here(dx), tensor.grad.numpy(), atol=1e-6)


# Normalization


@on_all_arrays
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mean", [1e4, -1e4, 1e6])
@pytest.mark.parametrize("name", ["LayerNorm", "LayerNorm, rows", "BatchNorm", "BatchNorm, images"])
def test_a_large_mean_is_taken_out(
    *,
    name: str,
    mean: float,
    dtype: str,
    device: str,
    kernel: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beside the exact answer for the same rounded input, in float64."""
    if device == "mps" and dtype == "float64":
        return
    monkeypatch.setattr(kernels, "enabled", kernel)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        shape = {"LayerNorm": (8, 64), "LayerNorm, rows": (2, 3, 50)}.get(name, (64, 8))
        shape = (9, 8, 5, 3) if name == "BatchNorm, images" else shape
        layer = (
            dlref.LayerNorm(shape[-1]) if name.startswith("Layer") else dlref.BatchNorm(shape[1])
        )
        training = np.random.default_rng(0) if name.startswith("Batch") else None
        x = (mean + rng.normal(size=shape)).astype(dtype)
        dy = rng.normal(size=shape).astype(dtype)
        exact = layer.to(dtype="float64")
        y, cache = exact.forward(x.astype("float64"), training=training)
        dx, grads = exact.backward(dy.astype("float64"), cache, input_grad=True)
        expected = {"y": y, "dx": dx, **grads, **exact.buffers}

        moved = layer.to(device, dtype=dtype)
        y, cache = moved.forward(there(x, device), training=training)
        dx, grads = moved.backward(there(dy, device), cache, input_grad=True)
        # PyTorch's kernel takes the mean out once, so at 1e6 the mean's own rounding is left.
        limit = 1e-12 * abs(mean) if dtype == "float64" else 5e-6
        if kernel and name.startswith("Layer") and dtype == "float32":
            limit = 1e-7 * abs(mean)
        for key, array in {"y": y, "dx": dx, **grads, **moved.buffers}.items():
            assert relative_error(array, expected[key]) <= limit, key


@on_all_arrays
def test_a_constant_row_is_normalized_to_zeros(
    device: str, kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "enabled", kernel)
    x = there(np.full((4, 3), 7.0, np.float32), device)
    for layer in (dlref.LayerNorm(3), dlref.BatchNorm(3)):
        moved = layer.to(device)
        y, cache = moved.forward(x, training=np.random.default_rng(0))
        np.testing.assert_allclose(here(y), 0.0, atol=1e-4)
        dx, _ = moved.backward(there(np.ones((4, 3), np.float32), device), cache, input_grad=True)
        np.testing.assert_allclose(here(dx), 0.0, atol=1e-4)
    single = dlref.LayerNorm(1).to(device)
    y, cache = single.forward(x[:, :1])
    np.testing.assert_array_equal(here(y), 0.0)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("momentum", [0.0, 0.1, 0.7])
@pytest.mark.parametrize("shape", [(2, 3), (7, 3), (4, 3, 2, 5), (1, 3, 1, 2)])
def test_batch_norms_running_numbers_are_torchs(
    shape: tuple[int, ...], momentum: float, device: str
) -> None:
    kind = torch.nn.BatchNorm1d if len(shape) == 2 else torch.nn.BatchNorm2d
    reference = kind(3, momentum=momentum)
    layer = dlref.BatchNorm(3, momentum).to(device)
    assert list(layer.buffers) == ["running_mean", "running_var"]
    assert list(layer.params) == [name for name, _ in reference.named_parameters()]
    rng = np.random.default_rng(0)
    for step in range(12):
        x = (3 + 2 * rng.normal(size=shape)).astype(np.float32)
        training = step % 4 != 3  # in use the running numbers do not move
        reference.train(training)
        expected = reference(torch.tensor(x)).detach()
        y, _ = layer.forward(
            there(x, device), training=np.random.default_rng(0) if training else None
        )
        np.testing.assert_allclose(here(y), expected.numpy(), rtol=1e-4, atol=2e-5)
        for name, buffer in layer.buffers.items():
            theirs = dict(reference.named_buffers())[name].numpy()
            np.testing.assert_allclose(here(buffer), theirs, rtol=1e-5)


def test_batch_norm_draws_nothing_and_in_use_writes_nothing() -> None:
    layer, rng = dlref.BatchNorm(2), np.random.default_rng(0)
    layer.forward(np.ones((3, 2), np.float32), training=rng)
    assert rng.random() == np.random.default_rng(0).random()
    before = {name: buffer.copy() for name, buffer in layer.buffers.items()}
    alone, _ = layer.forward(np.ones((1, 2), np.float32))
    among, _ = layer.forward(np.array([[1, 1], [5, 6], [7, 9]], np.float32))
    np.testing.assert_array_equal(alone[0], among[0])
    for name, buffer in layer.buffers.items():
        np.testing.assert_array_equal(buffer, before[name])


def test_a_networks_buffers_are_its_layers_own_under_torchs_names() -> None:
    rng = np.random.default_rng(0)
    net = dlref.Sequential(
        dlref.Linear(3, 2, rng), dlref.Residual(dlref.BatchNorm(2)), dlref.BatchNorm(2)
    )
    assert list(net.buffers) == [
        "1.0.running_mean",
        "1.0.running_var",
        "2.running_mean",
        "2.running_var",
    ]
    net.forward(rng.normal(size=(5, 3)).astype(np.float32), training=rng)
    assert net.buffers["2.running_mean"] is net.layers[2].buffers["running_mean"]
    assert all(np.any(buffer != np.round(buffer)) for buffer in net.buffers.values())
    with pytest.raises(TypeError, match="does not support item assignment"):
        net.buffers["2.running_mean"] = np.zeros(2)  # type: ignore[index]


# Embedding


@pytest.mark.parametrize("device", DEVICES)
def test_embedding_adds_up_the_gradients_of_repeated_tokens(device: str) -> None:
    layer = dlref.Embedding(4, 6, 2, np.random.default_rng(0)).to(device)
    x = np.array([[1, 1, 3], [1, 0, 3]])
    _, cache = layer.forward(there(x, device))
    dy = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    dx, grads = layer.backward(there(dy, device), cache)
    assert dx is None
    expected = np.zeros((4, 2), np.float32)
    for n, t in np.ndindex(*x.shape):
        expected[x[n, t]] += dy[n, t]
    np.testing.assert_array_equal(here(grads["weight"]), expected)
    np.testing.assert_array_equal(here(grads["position"])[:3], dy.sum(axis=0))
    np.testing.assert_array_equal(here(grads["position"])[3:], 0.0)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
)
def test_tokens_may_be_integers_of_any_size(dtype: str, device: str) -> None:
    net = dlref.gpt(tokens=5, context=4, features=4, depth=1, heads=1).to(device)
    x = np.array([[0, 4, 4], [1, 2, 3]])
    expected, _ = net.forward(there(x, device))
    logits, cache = net.forward(there(x.astype(dtype), device))
    np.testing.assert_array_equal(here(logits), here(expected))
    _, grads = net.backward(logits, cache)
    assert np.isfinite(here(grads["0.weight"])).all()


def test_tokens_may_lie_in_a_file_of_the_other_byte_order() -> None:
    layer = dlref.Embedding(5, 4, 3, np.random.default_rng(0))
    x = np.array([[0, 4, 4], [1, 2, 3]])
    y, cache = layer.forward(x.astype(">i2"))
    np.testing.assert_array_equal(y, layer.forward(x)[0])
    layer.backward(y, cache)


# Dropout


def keep_bound(n: int, keep: float) -> float:
    """Six standard deviations of the share that is kept: beyond it once in 500 million."""
    return 6 * float(np.sqrt(keep * (1 - keep) / n))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("p", [0.01, 0.1, 0.5, 0.9])
def test_dropout_by_its_statistics(p: float, device: str) -> None:
    n, keep = 40_000, 1 - p
    x = np.random.default_rng(1).normal(2.0, 1.0, (200, n // 200)).astype(np.float32)
    layer = dlref.Dropout(p)
    y, cache = layer.forward(there(x, device), training=np.random.default_rng(3))
    kept = here(y) != 0
    assert abs(kept.mean() - keep) <= keep_bound(n, keep)
    np.testing.assert_allclose(here(y)[kept], x[kept] / keep, rtol=1e-6)
    # The mean of y is that of x; its variance is that of x² (1 − keep)/keep, over n.
    deviation = np.sqrt((x.astype(float) ** 2).mean() * (1 - keep) / keep / n)
    assert abs(here(y).mean(dtype=float) - x.mean(dtype=float)) <= 6 * deviation
    for axis in (0, 1):  # no row and no column is dropped as one
        shares = kept.mean(axis=axis)
        assert np.abs(shares - keep).max() <= keep_bound(kept.shape[axis], keep)
    first, second = kept[:, :-1].ravel(), kept[:, 1:].ravel()  # neighbors are independent
    both = (first & second).mean() - keep**2
    assert abs(both) <= keep_bound(first.size, keep**2) + 2 * keep * keep_bound(n, keep)

    dy = np.random.default_rng(4).normal(size=x.shape).astype(np.float32)
    dx, grads = layer.backward(there(dy, device), cache)
    assert grads == {}
    np.testing.assert_allclose(here(dx), np.where(kept, dy / keep, 0.0), rtol=1e-6)


def test_dropout_draws_equal_masks_on_numpy_and_on_torchs_cpu() -> None:
    x = np.ones((50, 20))
    for dtype in ("float32", "float64"):
        masks = [
            here(dlref.Dropout(0.4).forward(there(x.astype(dtype), d), training=rng)[0])
            for d, rng in [("numpy", np.random.default_rng(5)), ("cpu", np.random.default_rng(5))]
        ]
        np.testing.assert_array_equal(masks[0], masks[1])
    other, _ = dlref.Dropout(0.4).forward(x, training=np.random.default_rng(6))
    assert (other != masks[0]).any()


def test_dropout_draws_a_new_mask_each_time_and_none_in_use() -> None:
    rng, x, layer = np.random.default_rng(0), np.ones((50, 20)), dlref.Dropout(0.5)
    first, second = (layer.forward(x, training=rng)[0] for _ in range(2))
    assert (first != second).any()
    np.testing.assert_array_equal(layer.forward(x)[0], x)
    rng = np.random.default_rng(0)
    dlref.Dropout(0.0).forward(x, training=rng)
    assert rng.random() == np.random.default_rng(0).random()


# GELU


@on_all_arrays
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gelu_at_the_ends(
    dtype: str, device: str, kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if device == "mps" and dtype == "float64":
        return
    monkeypatch.setattr(kernels, "enabled", kernel)
    x = np.array([-1e30, -1e4, -30, -10, 10, 30, 1e4, 1e30], dtype)
    y, cache = dlref.GELU().forward(there(x, device))
    np.testing.assert_array_equal(here(y), np.maximum(x, 0))
    if not kernel:  # PyTorch's own gradient is NaN where x² overflows, as that of 1e30 in float32
        dx, _ = dlref.GELU().backward(there(np.ones_like(x), device), cache)
        np.testing.assert_array_equal(here(dx), x > 0)


@on_all_arrays
def test_gelu_passes_on_what_is_not_finite(
    device: str, kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A NaN that became a number would hide that a training has failed."""
    monkeypatch.setattr(kernels, "enabled", kernel)
    x = np.array([np.nan, 1.0, np.inf, -np.inf], np.float32)
    y, _ = dlref.GELU().forward(there(x, device))
    expected = [np.nan, 0.841192, np.inf, np.nan if kernel else 0.0]
    np.testing.assert_allclose(here(y), expected, rtol=1e-6)


def test_gelu_is_within_0_0005_of_the_exact_form() -> None:
    x = np.linspace(-6, 6, 10_001)
    exact = functional.gelu(torch.tensor(x)).numpy()
    assert np.abs(dlref.GELU().forward(x)[0] - exact).max() <= 0.0005


# Attention


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", [(5, 1), (7, 3), (4, 17), (2, 3, 5), (2, 1, 3, 40)])
def test_row_max_is_the_largest_of_each_row(shape: tuple[int, ...], device: str) -> None:
    for seed in range(10):
        x = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
        x[..., 0, :] = -np.inf if seed == 0 else x[..., 0, :]
        expected = np.max(x, axis=-1, keepdims=True)
        array = there(x, device)
        columns = there(np.swapaxes(x, 0, -1), device).swapaxes(0, -1)  # rows apart in memory
        for rows in (array, columns):
            np.testing.assert_array_equal(here(row_max(rows)), expected)


@pytest.mark.parametrize("device", DEVICES)
def test_affine_is_a_product_and_a_sum(device: str) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        n, d, m = rng.integers(1, 9, 3)
        x, weight, bias = (rng.normal(size=s).astype(np.float32) for s in ((n, d), (d, m), (m,)))
        y = affine(*(there(array, device) for array in (x, weight, bias)))
        np.testing.assert_allclose(here(y), x @ weight + bias, rtol=1e-5, atol=1e-6)


@on_all_arrays
def test_attention_passes_on_nan(
    device: str, kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the token that has it to those that see it."""
    monkeypatch.setattr(kernels, "enabled", kernel)
    layer = dlref.MultiHeadAttention(4, 2, np.random.default_rng(0)).to(device)
    x = np.random.default_rng(1).normal(size=(2, 3, 4)).astype(np.float32)
    x[0, 1, 2] = np.nan
    y = here(layer.forward(there(x, device))[0])
    assert np.isnan(y[0]).all()
    assert np.isfinite(y[1]).all()


def masks(kind: str, examples: int, length: int) -> np.ndarray:
    rng = np.random.default_rng(7)
    if kind == "(T, T)":
        return rng.random((length, length)) < 0.5
    mask = rng.random((examples, length, length)) < 0.5
    if kind == "rows that see nothing":
        mask[0, 1] = mask[1, :] = False
    if kind == "none sees anything":
        mask[...] = False
    if kind == "columns that none sees":
        mask[..., 2] = False
    if kind == "padding":  # as for texts of different lengths
        mask[...] = np.arange(length) < np.array([length, length - 2])[:, None, None]
    return mask


@on_all_arrays
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "kind",
    [
        "(T, T)",
        "(N, T, T)",
        "padding",
        "columns that none sees",
        "rows that see nothing",
        "none sees anything",
    ],
)
def test_masked_attention_beside_torch(
    *,
    kind: str,
    dtype: str,
    causal: bool,
    device: str,
    kernel: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if device == "mps" and dtype == "float64":
        return
    monkeypatch.setattr(kernels, "enabled", kernel)
    limit = 1e-5 if dtype == "float32" else 1e-10
    heads, shape = 2, (2, 4, 6)
    mask = masks(kind, *shape[:2])
    for seed in range(3):
        rng = np.random.default_rng(seed)
        layer = dlref.MultiHeadAttention(6, heads, rng, causal=causal).to(dtype="float64")
        layer = layer.with_params(
            {k: p + 0.3 * rng.normal(size=p.shape) for k, p in layer.params.items()}
        )
        x, dy = rng.normal(size=(2, *shape))
        allowed = np.broadcast_to(mask & np.tri(4, dtype=bool) if causal else mask, (2, 4, 4))

        # PyTorch, with the rows that see nothing set to 0 by hand: their softmax is of nothing.
        params = {k: torch.tensor(p, requires_grad=True) for k, p in layer.params.items()}
        w_in, b_in, w_out, b_out = params.values()
        tensor, sees = torch.tensor(x, requires_grad=True), torch.tensor(allowed)[:, None]
        parts = (tensor @ w_in + b_in).reshape(2, 4, 3, heads, 3).permute(2, 0, 3, 1, 4)
        scores = parts[0] @ parts[1].mT / np.sqrt(3)
        weights = torch.softmax(scores.masked_fill(~sees, -1e9), dim=-1) * sees
        mixed = (weights @ parts[2]).permute(0, 2, 1, 3).reshape(2, 4, 6)
        y = mixed @ w_out + b_out
        expected = dict(
            zip(
                ["y", "dx", *params],
                [
                    y.detach(),
                    *torch.autograd.grad(y, [tensor, *params.values()], torch.tensor(dy)),
                ],
                strict=True,
            )
        )

        moved = layer.to(device, dtype=dtype)
        here_x = there(x.astype(dtype), device)
        found, cache = moved.forward(here_x, mask=there(mask, device))
        dx, grads = moved.backward(there(dy.astype(dtype), device), cache, input_grad=True)
        for key, array in {"y": found, "dx": dx, **grads}.items():
            scale = max(1.0, float(expected[key].abs().max()))
            assert np.isfinite(here(array)).all()
            error = np.abs(here(array) - expected[key].numpy()).max() / scale
            assert error <= limit, (key, error)
        blind = ~allowed.any(axis=-1)
        bias = here(moved.params["out_proj.bias"])
        np.testing.assert_array_equal(here(found)[blind], np.broadcast_to(bias, (blind.sum(), 6)))
        if kind == "none sees anything":
            np.testing.assert_array_equal(here(dx), 0.0)
            np.testing.assert_array_equal(here(grads["in_proj_weight"]), 0.0)


@pytest.mark.parametrize("causal", [False, True])
def test_a_mask_equals_torchs_multihead_attention(causal: bool) -> None:
    rng = np.random.default_rng(0)
    layer = dlref.MultiHeadAttention(6, 2, rng, causal=causal).to(dtype="float64")
    module = torch.nn.MultiheadAttention(6, 2, batch_first=True, dtype=torch.float64)
    assert list(layer.params) == [name for name, _ in module.named_parameters()]
    module.load_state_dict(
        {k: torch.tensor(p.T if p.ndim == 2 else p) for k, p in layer.params.items()}
    )
    x, mask = rng.normal(size=(3, 5, 6)), rng.random((5, 5)) < 0.5
    np.fill_diagonal(mask, True)
    forbidden = ~torch.tensor(mask & np.tri(5, dtype=bool) if causal else mask)
    expected, _ = module(*[torch.tensor(x)] * 3, attn_mask=forbidden, need_weights=False)
    y, _ = layer.forward(x, mask=mask)
    assert relative_error(y, expected.detach()) <= 1e-12


@on_all_arrays
def test_a_masked_gradient_matches_finite_differences(
    device: str, kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if device == "mps":
        return
    monkeypatch.setattr(kernels, "enabled", kernel)
    mask = there(masks("rows that see nothing", 2, 4), device)

    class Masked(dlref.MultiHeadAttention):
        def forward(self, x: Any, *, training: Any = None, mask: Any = mask) -> tuple[Any, Any]:
            return super().forward(x, training=training, mask=mask)

    for seed in range(2):
        rng = np.random.default_rng(seed)
        layer = Masked(4, 2, rng, causal=True).to(device, dtype="float64")
        errors = dlref.gradcheck(layer, there(rng.normal(size=(2, 4, 4)), device), seed=seed)
        assert max(errors.values()) <= 1e-6, errors


@on_all_arrays
def test_no_token_sees_those_after_it_or_another_text(
    device: str, kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "enabled", kernel)
    net = dlref.gpt(tokens=9, context=6, features=8, depth=2, heads=2).to(device)
    x = np.random.default_rng(0).integers(0, 9, (2, 6))
    before = here(net.forward(there(x, device))[0])
    for t in range(6):
        changed = x.copy()
        changed[0, t] = (changed[0, t] + 1) % 9
        moved = np.abs(here(net.forward(there(changed, device))[0]) - before).max(axis=-1) > 1e-6
        np.testing.assert_array_equal(moved[0], np.arange(6) >= t)
        assert not moved[1].any()


def attention_of_ones() -> dlref.MultiHeadAttention:
    """Query, key and value are the input itself, and y is what the head gives."""
    return dlref.MultiHeadAttention(1, 1, np.random.default_rng(0)).with_params(
        {
            "in_proj_weight": np.ones((1, 3), np.float32),
            "in_proj_bias": np.zeros(3, np.float32),
            "out_proj.weight": np.ones((1, 1), np.float32),
            "out_proj.bias": np.zeros(1, np.float32),
        }
    )


@on_all_arrays
def test_huge_scores_give_all_weight_to_the_largest(
    device: str, kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "enabled", kernel)
    moved = attention_of_ones().to(device)
    x = there(np.array([[[1e3], [-1e3], [2e3]]], np.float32), device)
    y, cache = moved.forward(x)
    np.testing.assert_array_equal(here(y), [[[2e3], [-1e3], [2e3]]])
    dx, _ = moved.backward(there(np.ones((1, 3, 1), np.float32), device), cache, input_grad=True)
    assert np.isfinite(here(dx)).all()


# Residual, Sequential


def test_a_dead_correction_lets_everything_pass() -> None:
    layer = dlref.Residual(dlref.Linear(3, 3, np.random.default_rng(0)))
    for p in layer.params.values():
        p[...] = 0
    x = np.random.default_rng(1).normal(size=(2, 3)).astype(np.float32)
    y, cache = layer.forward(x)
    np.testing.assert_array_equal(y, x)
    dx, _ = layer.backward(x, cache, input_grad=True)
    np.testing.assert_array_equal(dx, x)
    assert layer.backward(x, cache, input_grad=False)[0] is None


@pytest.mark.parametrize("name", ["lenet", "ReLU"])
def test_gradients_match_finite_differences_along_a_direction(name: str) -> None:
    """With so small a step that hardly a ReLU or a pooling window changes its mind."""
    case = CASES[name]
    for seed in range(4):
        layer, x, rng = case.layer(seed), case.input(seed), np.random.default_rng(seed)
        y, cache = layer.forward(x)
        dy = rng.normal(size=y.shape)
        dx, grads = layer.backward(dy, cache, input_grad=True)
        arrays, computed = {"x": x, **layer.params}, {"x": dx, **grads}
        for key, array in arrays.items():
            direction = rng.normal(size=array.shape)
            direction /= np.linalg.norm(direction)
            values = []
            for sign in (1, -1):
                moved = {**arrays, key: array + sign * 1e-6 * direction}
                z = moved.pop("x")
                values.append(float((layer.with_params(moved).forward(z)[0] * dy).sum()))
            measured = (values[0] - values[1]) / 2e-6
            expected = float((computed[key] * direction).sum())
            scale = max(1.0, float(np.linalg.norm(computed[key])))
            assert abs(measured - expected) <= 1e-6 * scale, key


KERNELS: dict[str, tuple[Callable[[], dlref.Layer], tuple[int, ...]]] = {
    "Conv2d": (lambda: dlref.Conv2d(2, 3, 2, np.random.default_rng(0)), (1, 2, 4, 4)),
    "GELU": (dlref.GELU, (3, 4)),
    "LayerNorm": (lambda: dlref.LayerNorm(4), (3, 4)),
    "attention": (lambda: dlref.MultiHeadAttention(4, 2, np.random.default_rng(0)), (1, 3, 4)),
}


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("enabled", [True, False])
def test_pytorchs_kernels_are_used_where_they_are_not_switched_off(
    name: str, enabled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "enabled", enabled)
    make, shape = KERNELS[name]
    _, cache = make().to("cpu").forward(there(np.ones(shape, np.float32), "cpu"))
    inner = cache[2] if name == "attention" else cache
    assert isinstance(inner, kernels.Kernel) == enabled


@on_all_arrays
def test_a_mask_holds_beside_very_low_scores(
    device: str, kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The allowed scores are −10⁴, and the forbidden one would be 10⁴."""
    monkeypatch.setattr(kernels, "enabled", kernel)
    x = there(np.array([[[100.0], [-100.0], [-100.0]]], np.float32), device)
    mask = there(np.array([[False, True, True], [True, False, False], [True] * 3]), device)
    y, _ = attention_of_ones().to(device).forward(x, mask=mask)
    np.testing.assert_allclose(here(y), [[[-100.0], [100.0], [-100.0]]], rtol=1e-5)


def test_numbers_that_overflow_in_batch_norm_change_no_running_number() -> None:
    layer = dlref.BatchNorm(1)
    before = {name: array.copy() for name, array in layer.buffers.items()}
    x = np.array([[1e20], [2e20]], np.float32)
    with (
        np.errstate(over="ignore"),
        pytest.raises(ValueError, match="the batch's variance must be finite, got inf"),
    ):
        layer.forward(x, training=np.random.default_rng(0))
    for name, array in layer.buffers.items():
        np.testing.assert_array_equal(array, before[name])


def test_gpt_drops_out_after_the_embedding_and_at_the_end_of_each_correction() -> None:
    net = dlref.gpt(11, 5, 8, 2, 2, dropout=0.3, seed=0)
    assert repr(net).count("Dropout(0.3)") == repr(net).count("Dropout(") == 5
    assert repr(net.layers[1]) == "Dropout(0.3)"
    for block in net.layers[2:4]:
        assert isinstance(block, dlref.Sequential)
        for correction in block.layers:
            assert isinstance(correction, dlref.Residual)
            assert repr(correction.layers[-1]) == "Dropout(0.3)"


def test_embeddings_std_is_that_of_both_arrays() -> None:
    layer = dlref.Embedding(200, 200, 50, np.random.default_rng(0), std=3.0)
    for p in layer.params.values():
        assert float(p.std()) == pytest.approx(3.0, rel=0.03)


def test_a_network_asks_its_first_layer_for_no_gradient_at_the_input() -> None:
    asked = []

    class Watched(dlref.Linear):
        def backward(self, dy: Any, cache: Any, *, input_grad: bool = True) -> Any:
            asked.append(input_grad)
            return super().backward(dy, cache, input_grad=input_grad)

    rng = np.random.default_rng(0)
    net = dlref.Sequential(Watched(4, 3, rng), dlref.ReLU(), Watched(3, 2, rng))
    y, cache = net.forward(np.ones((5, 4), np.float32))
    net.backward(y, cache)
    net.backward(y, cache, input_grad=True)
    assert asked == [True, False, True, True]


class Outer(dlref.Layer):
    """An own layer that holds another one, and says nothing of copies."""

    def __init__(self, held: Callable[[dlref.Layer], Any]) -> None:
        inner = dlref.Linear(2, 2, np.random.default_rng(0))
        self.inner, self.params = held(inner), inner.params


class Copied(Outer):
    """It says how it is copied."""

    def with_params(self, params: Any) -> Any:
        layer = super().with_params(params)
        layer.inner = self.inner.with_params(params)
        return layer


class Activated(dlref.Layer):
    """What it holds has no parameters, and may be shared."""

    def __init__(self) -> None:
        self.activation = dlref.ReLU()


class Counts(dlref.Layer):
    """An own layer with buffers and without parameters."""

    def __init__(self) -> None:
        self.buffers = {
            "n": np.arange(3.0, dtype=np.float32),
            "steps": np.array(7),
            "seen": np.array([True, False]),
            "none": np.zeros(0, np.float32),
        }


class Mixed(dlref.Layer):
    """Its buffer is float64 beside float32."""

    def __init__(self) -> None:
        self.params = {"w": np.ones(2, np.float32)}
        self.buffers = {"total": np.array(1.5)}


@pytest.mark.parametrize("held", [lambda x: x, lambda x: [1, x], lambda x: {"a": x}])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda layer: layer.to(dtype="float64")])
def test_a_copy_that_would_share_an_inner_layer_is_refused(copied: Any, held: Any) -> None:
    with pytest.raises(TypeError, match="Outer: a copy would share the layer in inner: put"):
        copied(Outer(held))


def test_a_layer_that_writes_with_params_may_hold_others() -> None:
    layer = Copied(lambda inner: inner)
    found = copy.deepcopy(layer)
    assert found.inner.params["weight"] is found.params["weight"]
    assert found.params["weight"] is not layer.params["weight"]
    assert isinstance(copy.deepcopy(Activated()).activation, dlref.ReLU)


@pytest.mark.parametrize("device", DEVICES)
def test_buffers_without_parameters_move_too(device: str) -> None:
    net = dlref.Sequential(dlref.Linear(2, 2, np.random.default_rng(0)), Counts())
    for layer in (Counts(), net):
        moved = layer.to(device, dtype="float32")
        for name, array in moved.buffers.items():
            assert array is not layer.buffers[name]
            assert device_of(array) == device
            found = dlref.asarray(array)
            assert found.dtype == layer.buffers[name].dtype
            np.testing.assert_array_equal(found, layer.buffers[name])
    assert copy.deepcopy(Counts()).buffers["steps"] == 7
    assert Counts().to(dtype="float64").buffers["n"].dtype == np.float64
    assert Counts().with_params({}).buffers["n"].sum() == 3
    given = {name: dlref.asarray(p, device) for name, p in net.params.items()}
    assert all(device_of(a) == device for a in net.with_params(given).buffers.values())


def test_buffers_of_floats_take_the_dtype_of_the_parameters() -> None:
    for layer, name in ((Mixed(), "total"), (dlref.Sequential(Mixed()), "0.total")):
        assert copy.deepcopy(layer).buffers[name].dtype == np.float32
        assert layer.to(dtype="float64").buffers[name].dtype == np.float64
        with pytest.raises(TypeError, match=f"params\\['{name}'\\] must be float32, got float64"):
            layer.with_params({**layer.params, **layer.buffers})
        with pytest.raises(ValueError, match=rf"{name}'\] must have shape \(\), got \(1,\)"):
            layer.with_params({**layer.params, name: np.ones(1, "float32")})


def test_a_layer_that_stands_twice_in_nested_networks_is_refused() -> None:
    layer = dlref.Linear(2, 2, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"0\.0\.weight and 1\.0\.weight are the same array"):
        dlref.Sequential(dlref.Residual(layer), dlref.Residual(layer))
    norm = dlref.BatchNorm(2)
    ones = {name: np.ones(2, "float32") for name in norm.params}
    same = norm.with_params({**ones, **norm.buffers})
    with pytest.raises(ValueError, match=r"0\.running_mean and 1\.running_mean are the same"):
        dlref.Sequential(norm, same)
