"""Where a network lives: device words, copies, and machines without PyTorch."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

import dlref
from tests.dlref.common import DEVICES, TORCH_DEVICES

ALL = '"numpy", "cpu", "cuda", "mps", "auto"'


def run_python(code: str) -> str:
    """The output of a fresh interpreter, in which every warning is an error."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_and_training_on_numpy_imports_no_other_library() -> None:
    code = """
import sys
import dlref
net = dlref.mlp([64, 8, 10])
x, y, _, _ = dlref.data.digits()
logits, cache = net.forward(x)
loss, dlogits = dlref.cross_entropy(logits, y)
dlref.SGD(0.1, 0.9).step(net.params, net.backward(dlogits, cache)[1])
dlref.accuracy(logits, y)
print([name for name in ("torch", "array_api_compat", "tqdm", "sklearn") if name in sys.modules])
"""
    assert run_python(code) == "[]\n"


NO_TORCH = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
import dlref
"""


def test_without_torch_numpy_works_and_auto_is_numpy() -> None:
    code = """
print(dlref.available_devices())
net = dlref.mlp([3, 2], device="auto")
print(type(net.params["0.weight"]).__name__)
"""
    assert run_python(NO_TORCH + code) == "['numpy']\nndarray\n"


@pytest.mark.parametrize("device", ["cpu", "cuda", "mps"])
def test_without_torch_another_device_says_what_to_install(device: str) -> None:
    code = f"""
try:
    dlref.mlp([3, 2], device="{device}")
except ValueError as error:
    print(error)
"""
    assert run_python(NO_TORCH + code) == (
        f'device "{device}" is not there; there is "numpy": install PyTorch (pip install torch)\n'
    )


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_named_with_those_that_are(device: str) -> None:
    if device in dlref.available_devices():
        assert dlref.asarray([1.0], device, dtype="float32").device.type == device
        return
    net = dlref.mlp([3, 2])
    for attempt in (
        lambda: dlref.mlp([3, 2], device=device),
        lambda: net.to(device),
        lambda: dlref.asarray([1.0], device),
    ):
        with pytest.raises(ValueError, match=f'device "{device}" is not there; there is "numpy"'):
            attempt()


@pytest.mark.parametrize("device", ["gpu", "", "CPU", "cuda:7", None, 0, torch.device("cpu")])
def test_an_unknown_device_is_named_with_the_known_ones(device: Any) -> None:
    net = dlref.mlp([3, 2])
    for attempt in (
        lambda: dlref.mlp([3, 2], device=device),
        lambda: dlref.asarray([1.0], device),
        lambda: net.to("gpu" if device is None else device),  # to(None) keeps the device
    ):
        with pytest.raises(ValueError, match=f"is unknown: use one of {ALL}"):
            attempt()


def test_auto_is_an_accelerator_where_there_is_one() -> None:
    there = dlref.available_devices()
    best = "cuda" if "cuda" in there else "mps" if "mps" in there else "numpy"
    p = dlref.mlp([3, 2], device="auto").params["0.weight"]
    assert isinstance(p, np.ndarray) if best == "numpy" else p.device.type == best


@pytest.mark.parametrize("target", DEVICES)
@pytest.mark.parametrize("source", DEVICES)
def test_to_returns_a_new_network_that_shares_no_memory(source: str, target: str) -> None:
    old = dlref.mlp([3, 4, 2], device=source)
    new = old.to(target)
    before = {name: dlref.asarray(p) for name, p in old.params.items()}
    assert new is not old
    for name, p in new.params.items():
        assert type(p) is (np.ndarray if target == "numpy" else torch.Tensor)
        np.testing.assert_array_equal(dlref.asarray(p), before[name])
        p += 1.0
        np.testing.assert_array_equal(dlref.asarray(old.params[name]), before[name])


@pytest.mark.parametrize("device", DEVICES)
def test_asarray_never_shares_memory(device: str) -> None:
    x = np.ones((2, 3), np.float32)
    for source in (x, torch.from_numpy(x), x.T, x[::2]):
        copy = dlref.asarray(source, device)
        copy += 1.0
        np.testing.assert_array_equal(x, 1.0)
        assert tuple(copy.shape) == tuple(source.shape)


@pytest.mark.parametrize("device", TORCH_DEVICES)
def test_training_on_a_device_gives_numpys_numbers(device: str) -> None:
    x, y, _, _ = dlref.data.digits()
    losses: dict[str, list[float]] = {}
    for where in ("numpy", device):
        net = dlref.mlp([64, 32, 10], seed=3, device=where)
        optimizer = dlref.SGD(0.1, momentum=0.9)
        inputs, labels = dlref.asarray(x[:256], where), dlref.asarray(y[:256], where)
        losses[where] = []
        for _ in range(20):
            logits, cache = net.forward(inputs)
            loss, dlogits = dlref.cross_entropy(logits, labels)
            _, grads = net.backward(dlogits, cache)
            optimizer.step(net.params, grads)
            losses[where].append(float(loss))
    np.testing.assert_allclose(losses[device], losses["numpy"], rtol=1e-4)
    assert losses["numpy"][-1] < 0.5 < losses["numpy"][0]


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_values_on_a_gpu_are_not_read(device: str) -> None:
    if device not in dlref.available_devices():
        pytest.skip(f"this machine has no {device}")
    bad = dlref.asarray([[np.nan, 0.0]], device, dtype="float32")
    loss, _ = dlref.mse(bad, dlref.asarray([[0.0, 0.0]], device, dtype="float32"))
    assert np.isnan(float(loss))


def test_mps_says_that_it_has_no_float64() -> None:
    if "mps" not in dlref.available_devices():
        pytest.skip("this machine has no mps")
    with pytest.raises(TypeError, match='no float64: pass dtype="float32"'):
        dlref.asarray([1.0], "mps")
