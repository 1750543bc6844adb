"""A block starts from a state it cannot rely on, and leaves nothing behind for the next one."""

import builtins
import decimal
import gc
import locale
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

import dlref
from tests.pages import run
from tests.pages.isolation import isolated

# What a careless block may do, and what must be as it was before.
DIRT: dict[str, tuple[str, Callable[[], Any]]] = {
    "environment": ("import os; os.environ['DLREF_X'] = '1'", lambda: os.environ.get("DLREF_X")),
    "working folder": ("import os; os.chdir('/')", os.getcwd),
    "path": ("import sys; sys.path.insert(0, 'x')", lambda: list(sys.path)),
    "arguments": ("import sys; sys.argv.append('x')", lambda: list(sys.argv)),
    "recursion limit": ("import sys; sys.setrecursionlimit(5000)", sys.getrecursionlimit),
    "builtins": ("import builtins; builtins.print = len", lambda: builtins.print),
    "standard output": ("import sys; sys.stdout = None", lambda: sys.stdout),
    "python random": ("import random; random.seed(1)", random.getstate),
    "numpy random": ("import numpy as n; n.random.seed(1)", lambda: str(np.random.get_state())),
    "numpy print": ("import numpy as n; n.set_printoptions(precision=1)", np.get_printoptions),
    "numpy errors": ("import numpy as n; n.seterr(all='ignore')", np.geterr),
    "decimal": ("import decimal; decimal.getcontext().prec = 3", lambda: decimal.getcontext().prec),
    "warnings": (
        "import warnings; warnings.simplefilter('ignore')",
        lambda: list(warnings.filters),
    ),
    "locale": (
        "import locale; locale.setlocale(locale.LC_CTYPE, 'C')",
        lambda: locale.setlocale(locale.LC_CTYPE),
    ),
    "rcParams": (
        "import matplotlib as m; m.rcParams['lines.linewidth'] = 9",
        lambda: dict(mpl.rcParams),
    ),
    "figures": ("import matplotlib.pyplot as p; p.plot([1])", plt.get_fignums),
    "torch random": ("import torch; torch.manual_seed(1)", lambda: torch.get_rng_state().tolist()),
    "torch dtype": (
        "import torch; torch.set_default_dtype(torch.float64)",
        torch.get_default_dtype,
    ),
    "torch device": ("import torch; torch.set_default_device('meta')", torch.get_default_device),
    "torch grad": ("import torch; torch.set_grad_enabled(False)", torch.is_grad_enabled),
    "torch threads": (
        "import torch; torch.set_num_threads(1 + torch.get_num_threads())",
        torch.get_num_threads,
    ),
    "torch determinism": (
        "import torch; torch.use_deterministic_algorithms(True)",
        torch.are_deterministic_algorithms_enabled,
    ),
    "torch print": (
        "import torch; torch.set_printoptions(precision=1)",
        lambda: str(torch.tensor([0.123456])),
    ),
    "dlref method": (
        "import dlref; dlref.ReLU.forward = None",
        lambda: dlref.ReLU.forward,
    ),
    "numpy function": ("import numpy; numpy.square = abs", lambda: np.square),
    "imported modules": (
        "import sys; sys.modules['numpy.fft'] = sys",
        lambda: sys.modules["numpy.fft"],
    ),
    "the checks": (
        "import tests.pages.run as r; r._compare_output = print",
        lambda: run._compare_output,
    ),
    "garbage collector": ("import gc; gc.disable()", gc.isenabled),
    "torch precision": (
        "import torch; torch.set_float32_matmul_precision('medium')",
        torch.get_float32_matmul_precision,
    ),
    "interrupt handler": (
        # A shell starts what runs in the background with SIGINT ignored, so that is no change.
        "import signal; signal.signal(signal.SIGINT, lambda *_: None)",
        lambda: signal.getsignal(signal.SIGINT),
    ),
    "dlref": ("import dlref; dlref.cross_entropy = None", lambda: dlref.cross_entropy),
    "dlref module": (
        "import dlref.losses as m; m.namespace = None; m.extra = 1",
        lambda: dict(vars(dlref.losses)),
    ),
}


@pytest.mark.parametrize("name", DIRT)
@pytest.mark.parametrize("ending", ["", "\nraise ValueError"])
def test_what_a_block_changes_is_put_back(name: str, ending: str) -> None:
    code, state = DIRT[name]
    before = state()
    try:
        with isolated() as main:
            exec(code, main.__dict__)
            during = repr(state())
            exec(ending, main.__dict__)
    except ValueError:
        pass
    assert during != repr(before), "the block changes nothing, so this test proves nothing"
    assert repr(state()) == repr(before)


def test_each_block_starts_from_another_random_state() -> None:
    code = (
        "import random, numpy, torch; drawn = random.random(), numpy.random.rand(), torch.rand(1)"
    )
    drawn = []
    for _ in range(2):
        with isolated() as main:
            exec(code, main.__dict__)
            drawn.append([float(number) for number in main.drawn])
    assert all(a != b for a, b in zip(*drawn, strict=True))


def test_block_is_main_in_an_empty_folder_with_warnings_as_errors() -> None:
    with isolated() as main:
        assert main.__name__ == "__main__"
        assert sys.modules["__main__"] is main
        assert list(Path.cwd().iterdir()) == []
        assert mpl.get_backend().lower() == "agg"
        with pytest.raises(UserWarning):
            warnings.warn("x", stacklevel=1)
