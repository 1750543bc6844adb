"""The published weights of GPT-2, under the names that their files have."""

import os
import re
from pathlib import Path

import numpy as np

from dlref.checks import check_finite, check_installed, check_size
from dlref.devices import asarray, resolve_device
from dlref.models.gpt import GPT, gpt

MASK = re.compile(r"h\.\d+\.attn\.(masked_)?bias")  # in some files: no parameters
PARTS = {  # of a block
    "0.0.": "ln_1.",
    "0.1.in_proj_": "attn.c_attn.",
    "0.1.out_proj.": "attn.c_proj.",
    "1.0.": "ln_2.",
    "1.1.": "mlp.c_fc.",
    "1.3.": "mlp.c_proj.",
}


def load_gpt2(path: str | os.PathLike[str], heads: int, device: str = "numpy") -> GPT:
    """Make a net with the weights of a file of GPT-2.

    A file has no settings. What is the same in all of GPT-2 is taken for granted: GELU by tanh,
    an ε of 1e-5 in the normalization, and scores scaled by the width of a head.

    Args:
        path: a safetensors file in the names and shapes of GPT-2's ``model.safetensors``.
        heads: heads of each attention, which the file does not say: 12, 16, 20 and 25 in the four
            sizes of GPT-2. Another divisor of the width would give another function, unseen.
        device: ``"numpy"``, ``"cpu"``, ``"cuda"``, ``"mps"``, or ``"auto"``.

    Returns:
        A ``GPT`` with the file's weights, as float32.

    Raises:
        OSError: there is no such file, or it is a folder.
        ValueError: the file has not the tensors of a GPT-2, or NaN or bfloat16 in them; ``heads``
            does not fit, or the device is not there.
        TypeError: ``heads`` is not a whole number.
        ImportError: safetensors is not installed.

    Source: the names are those of Hugging Face's transformers, GPT2LMHeadModel,
    https://huggingface.co/docs/transformers/model_doc/gpt2

    >>> import tempfile
    >>> import dlref
    >>> from dlref.models.gpt2_weights import gpt2_name
    >>> from safetensors.numpy import save_file
    >>> net = dlref.gpt(tokens=50, context=16, features=8, depth=2, heads=2, seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/model.safetensors"
    ...     save_file({gpt2_name(name): p for name, p in net.params.items()}, path)
    ...     loaded = dlref.load_gpt2(path, heads=2)
    >>> print((loaded.params["0.weight"] == net.params["0.weight"]).all())
    True
    """
    check_installed("load_gpt2", "safetensors")
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    heads = check_size("load_gpt2: heads", heads)
    if Path(path).is_dir():
        raise IsADirectoryError(f"load_gpt2: {os.fspath(path)} is a folder: name the file in it")
    device = resolve_device(device)
    try:
        found = {n.removeprefix("transformer."): array for n, array in load_file(path).items()}
        (tokens, features), (context, _) = found["wte.weight"].shape, found["wpe.weight"].shape
        if not np.array_equal(
            found.get("lm_head.weight", found["wte.weight"]), found["wte.weight"]
        ):
            raise ValueError("its lm_head.weight is another than its wte.weight")
        depth = 1 + max((int(n.split(".")[1]) for n in found if n.startswith("h.")), default=0)
        net = gpt(tokens, context, features, depth, heads)
        params = {name: asarray(found[gpt2_name(name)], dtype="float32") for name in net.params}
        used = {"lm_head.weight", *map(gpt2_name, net.params)}
        for name in found:
            if name not in used and not MASK.fullmatch(name):
                raise ValueError(f"it has a tensor {name!r}, which a GPT-2 has not")
        for name, array in params.items():
            check_finite(gpt2_name(name), array)
        return net.with_params(params).to(device)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        reason = f"it has no tensor {error}" if isinstance(error, KeyError) else error
        raise ValueError(
            f"load_gpt2: {os.fspath(path)} with {heads} heads is no GPT-2 ({reason}): give a "
            "safetensors file with its names and shapes, saved as float32 or float16, and its "
            "number of heads"
        ) from error


def gpt2_name(name: str) -> str:
    """The name that a parameter of ``gpt`` has in the published files.

    >>> gpt2_name("3.0.1.in_proj_weight")
    'h.1.attn.c_attn.weight'
    """
    layer, _, rest = name.partition(".")
    if layer == "0":
        return {"weight": "wte.weight", "position": "wpe.weight"}[rest]
    for ours, theirs in PARTS.items():
        if rest.startswith(ours):
            return f"h.{int(layer) - 2}.{theirs}{rest.removeprefix(ours)}"
    return f"ln_f.{rest}"
