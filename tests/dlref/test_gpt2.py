"""GPT beside the GPT-2 of transformers, drawn at random: nothing is downloaded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from safetensors.torch import save_file as save_tensors
from transformers import GPT2Config, GPT2LMHeadModel

import dlref
from dlref import kernels
from dlref.models.gpt2_weights import gpt2_name
from tests.dlref.common import DEVICES, on_all_arrays, relative_error

CONFIGS = {  # vocabulary, context, features, depth, heads; texts and their length
    "usual": ((97, 16, 24, 2, 3), (3, 11)),
    "one of each": ((5, 8, 6, 1, 1), (1, 1)),
    "a head for each number": ((11, 6, 4, 3, 4), (2, 6)),
    "deep": ((31, 9, 8, 11, 2), (2, 9)),  # h.10 comes before h.2 in order of letters
    "wide": ((300, 32, 64, 2, 4), (2, 32)),
}


def transformers_gpt2(name: str) -> Any:
    """As its authors start it, but with nothing left at 0 or 1."""
    (tokens, context, features, depth, heads), _ = CONFIGS[name]
    torch.manual_seed(1)
    model = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=tokens,
            n_positions=context,
            n_embd=features,
            n_layer=depth,
            n_head=heads,
            bos_token_id=0,
            eos_token_id=0,
        )
    )
    model.train(False)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn(p.shape))
    return model


def saved(model: Any, path: Path, prefix: str = "transformer.") -> Path:
    """As a file of GPT-2; the one published first has no prefix."""
    state = {prefix + k: v.contiguous() for k, v in model.transformer.state_dict().items()}
    save_tensors(state, path)
    return path


@on_all_arrays
@pytest.mark.parametrize("prefix", ["transformer.", ""])
@pytest.mark.parametrize("name", CONFIGS)
def test_logits_loss_and_gradients_are_those_of_transformers(
    *,
    name: str,
    prefix: str,
    device: str,
    kernel: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernels, "enabled", kernel)
    (tokens, _, _, _, heads), shape = CONFIGS[name]
    model = transformers_gpt2(name)
    rng = np.random.default_rng(0)
    x, labels = rng.integers(0, tokens, (2, *shape))
    expected = model(torch.tensor(x)).logits
    expected_loss = torch.nn.functional.cross_entropy(
        expected.flatten(0, 1), torch.tensor(labels).flatten()
    )
    torch.autograd.backward(expected_loss)

    net = dlref.load_gpt2(saved(model, tmp_path / "model.safetensors", prefix), heads, device)
    logits, cache = net.forward(dlref.asarray(x, device))
    assert np.abs(dlref.asarray(logits) - expected.detach().numpy()).max() <= 1e-4
    assert relative_error(logits, expected.detach()) <= 1e-5
    loss, dlogits = dlref.cross_entropy(logits, dlref.asarray(labels, device))
    assert float(loss) == pytest.approx(expected_loss.item(), rel=1e-5)
    dx, grads = net.backward(dlogits, cache)
    assert dx is None
    theirs = {k.removeprefix("transformer."): p.grad for k, p in model.named_parameters()}
    assert {gpt2_name(k) for k in grads} == theirs.keys()  # wte with its second use, the head
    for key, grad in grads.items():
        wanted = theirs[gpt2_name(key)]
        assert wanted is not None
        difference = np.abs(dlref.asarray(grad) - wanted.numpy()).max()
        # One token sees itself alone: its query and key have no gradient.
        assert difference <= 1e-4 * max(1e-2, float(wanted.abs().max())), key


def test_the_smallest_gpt2_has_124_million_parameters() -> None:
    shapes = dict(GPT2Config().to_dict())
    found = {k: shapes[k] for k in ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head")}
    sizes = dlref.gpt.__kwdefaults__, dlref.gpt.__defaults__
    assert sizes[1] == tuple(found.values())
    v, t, d, depth, _ = found.values()
    small = dlref.gpt(tokens=7, context=5, features=6, depth=2, heads=3)

    def count(v: int, t: int, d: int, depth: int) -> int:
        return (v + t) * d + depth * (12 * d * d + 13 * d) + 2 * d

    assert sum(p.size for p in small.params.values()) == count(7, 5, 6, 2)
    assert count(v, t, d, depth) == 124_439_808


def test_a_fresh_net_starts_as_gpt2_and_knows_nothing() -> None:
    net = dlref.gpt(tokens=200, context=16, features=64, depth=3, heads=4, seed=2)
    for name, p in net.params.items():
        std = 0.02 / np.sqrt(6) if name.endswith(("out_proj.weight", "1.3.weight")) else 0.02
        if name.endswith(("in_proj_weight", "out_proj.weight", "position")) or (
            name.endswith("weight") and p.ndim == 2
        ):
            assert float(p.std()) == pytest.approx(std, rel=6 / np.sqrt(2 * p.size)), name
        elif name.endswith("bias"):
            assert not p.any(), name
        else:
            assert (p == 1).all(), name
    x, labels = np.random.default_rng(0).integers(0, 200, (2, 4, 16))
    loss, _ = dlref.cross_entropy(net.forward(x)[0], labels)
    assert float(loss) == pytest.approx(np.log(200), abs=0.2)


def test_a_dropout_net_draws_masks_in_training_alone() -> None:
    net = dlref.gpt(tokens=20, context=8, features=16, depth=2, heads=2, dropout=0.3)
    plain = dlref.gpt(tokens=20, context=8, features=16, depth=2, heads=2)
    assert list(net.params) == list(plain.params)
    x = np.arange(8)[None]
    first, second, again = (
        net.forward(x, training=np.random.default_rng(seed))[0] for seed in (0, 1, 0)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != second).any()
    np.testing.assert_array_equal(net.forward(x)[0], plain.forward(x)[0])


@pytest.mark.parametrize("device", ["numpy", "cpu"])
def test_a_small_gpt_learns_a_text_by_heart(device: str) -> None:
    text = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3])
    x, y = (dlref.asarray(part[None], device) for part in (text[:-1], text[1:]))
    net = dlref.gpt(tokens=10, context=16, features=16, depth=2, heads=2, seed=0, device=device)
    optimizer = dlref.AdamW(0.01)
    for _ in range(80):
        logits, cache = net.forward(x)
        loss, dlogits = dlref.cross_entropy(logits, y)
        grads, _ = dlref.clip_gradients(net.backward(dlogits, cache)[1], 1.0)
        optimizer.step(net.params, grads)
    assert float(loss) < 0.1
    np.testing.assert_array_equal(net.generate(text[:3], 13, temperature=0), text)


# load_gpt2


Arrays = dict[str, Any]


def small_file(path: Path, change: Callable[[Arrays], Arrays] = lambda arrays: arrays) -> Path:
    net = dlref.gpt(tokens=11, context=8, features=6, depth=2, heads=3, seed=1)
    save_file(change({gpt2_name(name): p for name, p in net.params.items()}), path)
    return path


def without(name: str) -> Callable[[Arrays], Arrays]:
    return lambda arrays: {k: a for k, a in arrays.items() if k != name}


def changed(name: str, change: Callable[[Any], Any]) -> Callable[[Arrays], Arrays]:
    return lambda arrays: {**arrays, name: np.ascontiguousarray(change(arrays[name]))}


BAD_FILES: dict[str, tuple[Callable[[Arrays], Arrays], str]] = {
    "no token rows": (without("wte.weight"), "has no tensor 'wte.weight'"),
    "no positions": (without("wpe.weight"), "has no tensor 'wpe.weight'"),
    "no last bias": (without("ln_f.bias"), "has no tensor 'ln_f.bias'"),
    "part of a block": (without("h.1.mlp.c_fc.bias"), "has no tensor 'h.1.mlp.c_fc.bias'"),
    "no blocks": (
        lambda arrays: {k: a for k, a in arrays.items() if not k.startswith("h.")},
        "has no tensor 'h.0.ln_1.weight'",
    ),
    "a block left out": (
        lambda arrays: {k.replace("h.1.", "h.2."): a for k, a in arrays.items()},
        "has no tensor 'h.1.ln_1.weight'",
    ),
    "another net": (lambda arrays: {"0.weight": np.ones((2, 2))}, "has no tensor 'wte.weight'"),
    "nothing": (lambda arrays: {}, "has no tensor 'wte.weight'"),
    "a transposed weight": (
        changed("h.0.mlp.c_fc.weight", lambda w: w.T),
        r"'2.1.1.weight'\] must have shape \(6, 24\), got \(24, 6\)",
    ),
    "a row of tokens": (changed("wte.weight", lambda w: w[0]), "not enough values to unpack"),
    "another head": (
        lambda arrays: {**arrays, "lm_head.weight": 1 + arrays["wte.weight"]},
        "its lm_head.weight is another than its wte.weight",
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_no_gpt2_is_refused(name: str, tmp_path: Path) -> None:
    change, message = BAD_FILES[name]
    path = small_file(tmp_path / "bad.safetensors", change)
    with pytest.raises(ValueError, match=message) as error:
        dlref.load_gpt2(path, heads=3)
    assert str(error.value).startswith(f"load_gpt2: {path} with 3 heads is no GPT-2 (")
    assert "give a safetensors file with its names and shapes" in str(error.value)


def test_a_file_that_is_cut_off_or_something_else_is_refused(tmp_path: Path) -> None:
    whole = small_file(tmp_path / "whole.safetensors").read_bytes()
    for content in (b"", whole[:5], whole[:200], whole[:-1], b"not a file of tensors", whole[8:]):
        path = tmp_path / "cut.safetensors"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"load_gpt2: .*cut.safetensors with 12 heads is no"):
            dlref.load_gpt2(path, heads=12)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"missing.safetensors"):
        dlref.load_gpt2(tmp_path / "missing.safetensors", heads=12)
    with pytest.raises(IsADirectoryError, match=r"is a folder: name the file in it"):
        dlref.load_gpt2(tmp_path, heads=12)


@pytest.mark.parametrize(
    ("heads", "error", "message"),
    [
        (4, ValueError, "heads must divide features, got 4 for 6.*and its number of heads"),
        (12, ValueError, "with 12 heads is no GPT-2.*got 12 for 6"),
        (0, ValueError, "load_gpt2: heads must be at least 1, got 0"),
        (-3, ValueError, "load_gpt2: heads must be at least 1, got -3"),
        (3.0, TypeError, "load_gpt2: heads must be a whole number, got 3.0"),
        ("3", TypeError, "load_gpt2: heads must be a whole number, got '3'"),
        (None, TypeError, "load_gpt2: heads must be a whole number, got None"),
    ],
)
def test_wrong_heads_are_refused(
    heads: Any, error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        dlref.load_gpt2(small_file(tmp_path / "m.safetensors"), heads)


def test_a_wrong_device_is_said_to_be_that_and_not_a_wrong_file(tmp_path: Path) -> None:
    path = small_file(tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match=r"^device 'gpu' is unknown: use one of"):
        dlref.load_gpt2(path, 3, "gpu")


def test_files_of_half_precision_are_read_as_float32(tmp_path: Path) -> None:
    path = small_file(tmp_path / "m.safetensors")
    tensors = {k: torch.tensor(a) for k, a in load_file(path).items()}
    for dtype, limit in ((torch.float16, 1e-3), (torch.bfloat16, 1e-2), (torch.float64, 1e-7)):
        half = tmp_path / "half.safetensors"
        save_tensors({k: t.to(dtype) for k, t in tensors.items()}, half)
        if dtype == torch.bfloat16:  # NumPy has no such numbers
            with pytest.raises(ValueError, match=r"is no GPT-2.*bfloat16|is no GPT-2.*BF16"):
                dlref.load_gpt2(half, 3)
            continue
        net = dlref.load_gpt2(half, 3)
        for name, p in net.params.items():
            assert p.dtype == np.float32
            assert relative_error(p, tensors[gpt2_name(name)]) <= limit


def test_what_a_file_of_gpt2_holds_besides_is_left_out(tmp_path: Path) -> None:
    more = {
        "h.0.attn.bias": np.tri(8, dtype=np.uint8)[None, None],
        "h.1.attn.masked_bias": np.array(-1e4, np.float32),
    }
    path = small_file(
        tmp_path / "m.safetensors",
        lambda arrays: {**arrays, **more, "lm_head.weight": arrays["wte.weight"].copy()},
    )
    assert isinstance(dlref.load_gpt2(path, 3), dlref.GPT)


# generate


def net_for_drawing(device: str = "numpy", **options: Any) -> dlref.GPT:
    sizes = {"tokens": 6, "context": 4, "features": 8, "depth": 1, "heads": 2} | options
    net = dlref.gpt(**sizes, seed=3, device=device)
    for name in ("0.weight", "0.position"):
        net.params[name][...] *= 20  # else all tokens would be nearly as likely
    return net


@pytest.mark.parametrize("device", DEVICES)
def test_generate_keeps_the_start_and_takes_the_likeliest_at_temperature_0(device: str) -> None:
    net, start = net_for_drawing(device), np.array([5, 0])
    found = net.generate(start, 9, temperature=0)
    assert found.shape == (11,)
    assert found.dtype == np.int64
    assert type(found) is np.ndarray
    tokens = list(start)
    for _ in range(9):
        seen = dlref.asarray(np.array([tokens[-4:]]), device)  # the context is 4 long
        tokens.append(int(dlref.asarray(net.forward(seen)[0])[0, -1].argmax()))
    np.testing.assert_array_equal(found, tokens)
    np.testing.assert_array_equal(net.generate(start, 9, top_k=1, seed=8), tokens)
    np.testing.assert_array_equal(net.generate(start, 9, temperature=1e-6), tokens)
    np.testing.assert_array_equal(net.generate(dlref.asarray(start, device), 9, top_k=1), tokens)


def test_generate_is_the_same_for_a_seed_and_on_each_device() -> None:
    net, start = net_for_drawing(), np.array([1])
    first = net.generate(start, 30, seed=4)
    np.testing.assert_array_equal(first, net.generate(start, 30, seed=4))
    np.testing.assert_array_equal(first, net.generate(start, 30, seed=np.random.default_rng(4)))
    np.testing.assert_array_equal(first, net.to("cpu").generate(start, 30, seed=4))
    assert (first != net.generate(start, 30, seed=5)).any()
    np.testing.assert_array_equal(first, net.generate(start, 30, seed=4, top_k=6))
    np.testing.assert_array_equal(first, net.generate(start, 30, seed=4, top_k=1000))
    rng = np.random.default_rng(0)
    draws = [tuple(net.generate(start, 10, seed=rng)) for _ in range(3)]
    assert len(set(draws)) == 3


def test_generate_crops_what_is_longer_than_the_context() -> None:
    net = net_for_drawing()
    long = np.array([0, 1, 2, 3, 4, 5, 0, 1])
    tail = net.generate(long, 12, seed=1)
    np.testing.assert_array_equal(tail[:8], long)
    np.testing.assert_array_equal(tail[8:], net.generate(long[-4:], 12, seed=1)[4:])
    single = net_for_drawing(context=1)
    np.testing.assert_array_equal(
        single.generate(long, 5, seed=1)[8:], single.generate(long[-1:], 5, seed=1)[1:]
    )


@pytest.mark.parametrize(
    ("temperature", "top_k"), [(1.0, None), (0.5, None), (2.0, None), (1.0, 3), (1.5, 2), (1, 9)]
)
def test_draws_follow_softmax(temperature: float, top_k: int | None) -> None:
    net, start, n = net_for_drawing(), np.array([2, 4]), 2000
    logits = net.forward(start[None])[0][0, -1].astype(float) / temperature
    if top_k is not None:
        logits[np.argsort(-logits)[top_k:]] = -np.inf
    expected = np.exp(logits - logits.max())
    expected /= expected.sum()
    rng = np.random.default_rng(0)
    drawn = [
        int(net.generate(start, 1, temperature=temperature, top_k=top_k, seed=rng)[-1])
        for _ in range(n)
    ]
    found = np.bincount(drawn, minlength=6) / n
    # Six standard deviations: beyond it once in 500 million.
    assert (np.abs(found - expected) <= 6 * np.sqrt(expected * (1 - expected) / n)).all()
    assert (found[expected == 0] == 0).all()


@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
)
def test_a_start_may_hold_integers_of_any_size(dtype: str) -> None:
    net = net_for_drawing()
    expected = net.generate(np.array([1, 2]), 6)
    found = net.generate(np.array([1, 2], dtype), 6)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(net.generate([1, 2], 6), expected)


START = np.array([1, 2])
BAD_CALLS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"start": np.array([1, 6])}, ValueError, r"integers in \[0, 6\), got 6 at index 1"),
    ({"start": np.array([-1, 2])}, ValueError, r"integers in \[0, 6\), got -1 at index 0"),
    ({"start": np.array([6, 0, 0, 0, 0])}, ValueError, r"integers in \[0, 6\), got 6 at index 0"),
    ({"start": np.array([1.0, 2.0])}, TypeError, "generate: start must be integers, got float64"),
    ({"start": np.array([[1, 2]])}, ValueError, r"start must have shape \(T,\), .*got \(1, 2\)"),
    ({"start": np.array(1)}, ValueError, r"start must have shape \(T,\).*, got \(\)"),
    ({"start": np.array([], int)}, ValueError, r"start must have shape \(T,\), .*got \(0,\)"),
    ({"start": None}, TypeError, "must hold numbers, got dtype object: None"),
    ({"start": "abc"}, TypeError, "must hold numbers, got dtype <U3"),
    ({"count": 0}, ValueError, "generate: count must be at least 1, got 0"),
    ({"count": 2.0}, TypeError, "generate: count must be a whole number, got 2.0"),
    ({"temperature": -0.1}, ValueError, "temperature must be at least 0.0, got -0.1"),
    ({"temperature": float("nan")}, ValueError, "temperature must be finite, got nan"),
    ({"temperature": "1"}, TypeError, "temperature must be a number, got '1'"),
    ({"top_k": 0}, ValueError, "generate: top_k must be at least 1, got 0"),
    ({"top_k": 1.0}, TypeError, "generate: top_k must be a whole number, got 1.0"),
    ({"seed": -1}, ValueError, "generate: seed must be at least 0, got -1"),
    ({"seed": None}, TypeError, "generate: seed must be a whole number or a Generator, got None"),
]


@pytest.mark.parametrize(("change", "error", "message"), BAD_CALLS)
def test_generate_refuses(change: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments: dict[str, Any] = {"start": START, "count": 2} | change
    with pytest.raises(error, match=message):
        net_for_drawing().generate(**arguments)


MAKERS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"tokens": 0}, ValueError, "tokens must be at least 1, got 0"),
    ({"context": 0}, ValueError, "context must be at least 1, got 0"),
    ({"features": 0}, ValueError, "features must be at least 1, got 0"),
    ({"features": 4.0}, TypeError, "features must be a whole number, got 4.0"),
    ({"depth": 0}, ValueError, "gpt: depth must be at least 1, got 0"),
    ({"depth": None}, TypeError, "gpt: depth must be a whole number, got None"),
    ({"heads": 0}, ValueError, "heads must be at least 1, got 0"),
    ({"heads": 3}, ValueError, "heads must divide features, got 3 for 4"),
    ({"dropout": 1.0}, ValueError, "p must be at least 0.0 and below 1.0, got 1.0"),
    ({"dropout": -0.1}, ValueError, "got -0.1"),
    ({"seed": -1}, ValueError, "gpt: seed must be at least 0, got -1"),
    ({"device": "gpu"}, ValueError, "device 'gpu' is unknown"),
]


@pytest.mark.parametrize(("change", "error", "message"), MAKERS)
def test_gpt_is_not_made_of_bad_sizes(
    change: dict[str, Any], error: type[Exception], message: str
) -> None:
    sizes = {"tokens": 5, "context": 4, "features": 4, "depth": 1, "heads": 2}
    with pytest.raises(error, match=message):
        dlref.gpt(**(sizes | change))


def test_a_gpt_needs_an_embedding_first() -> None:
    with pytest.raises(TypeError, match=r"GPT: the first layer must be an Embedding, got LayerN"):
        dlref.GPT(dlref.LayerNorm(4))


def test_nan_in_a_file_is_named_by_its_tensor(tmp_path: Path) -> None:
    def spoil(tensors: dict[str, Any]) -> dict[str, Any]:
        spoiled = {name: np.array(tensor) for name, tensor in tensors.items()}
        spoiled["h.0.mlp.c_fc.weight"][0, 1] = np.nan
        return spoiled

    path = small_file(tmp_path / "nan.safetensors", spoil)
    with pytest.raises(ValueError, match=r"h\.0\.mlp\.c_fc\.weight must be finite, got nan"):
        dlref.load_gpt2(path, heads=3)


@pytest.mark.parametrize("name", ["score.weight", "lm_head.bias", "h.0.attn.c_attn.lora_A"])
def test_a_tensor_that_gpt2_has_not_is_refused_and_its_masks_are_let_be(
    name: str, tmp_path: Path
) -> None:
    masks = {"h.0.attn.bias": np.ones((1, 1, 8, 8)), "h.1.attn.masked_bias": np.array(-1e4)}
    dlref.load_gpt2(small_file(tmp_path / "masks", lambda found: {**found, **masks}), heads=3)
    path = small_file(tmp_path / "more", lambda found: {**found, name: np.ones(2)})
    with pytest.raises(ValueError, match=f"it has a tensor '{name}'"):
        dlref.load_gpt2(path, heads=3)


def test_numbers_that_are_not_of_a_gpt2_are_not_continued() -> None:
    net = dlref.gpt(11, 5, 8, 1, 2)
    net.params["3.bias"][0] = np.nan
    for temperature in (0.0, 1.0):
        with pytest.raises(ValueError, match="generate: logits must be finite, got nan"):
            net.generate([1], 3, temperature=temperature)
