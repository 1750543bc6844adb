"""What one block does to the process, the next block must not see.

Blocks run in one process, because 100 that each import PyTorch take 2 s there and five minutes
in processes of their own. So each starts from a random state that no block can rely on, in an
empty folder, and everything it may have changed is put back.
"""

import builtins
import contextlib
import decimal
import gc
import locale
import os
import random
import secrets
import signal
import sys
import tempfile
import types
import warnings
from collections.abc import Iterator
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np

from tools.figures import STYLE

PATCHABLE = {"dlref", "numpy", "matplotlib", "tests", "tools"}


@contextlib.contextmanager
def isolated() -> Iterator[types.ModuleType]:
    """Run a block as `__main__`; what it changed is put back, whatever it raised."""
    main = types.ModuleType("__main__")
    with (
        contextlib.ExitStack() as restore,
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        matplotlib.rc_context(),
        np.errstate(),
        np.printoptions(),
        decimal.localcontext(),
        warnings.catch_warnings(),
    ):
        for namespace in (os.environ, builtins.__dict__, sys.__dict__):
            restore.callback(_put_back, namespace, dict(namespace))
        for mutable in (sys.path, sys.argv, sys.meta_path, sys.path_hooks):
            restore.callback(_put_back_list, mutable, list(mutable))
        restore.callback(_put_back_modules, dict(sys.modules), _names_of_packages())
        restore.callback(sys.setprofile, sys.getprofile())
        restore.callback(gc.enable if gc.isenabled() else gc.disable)
        restore.callback(locale.setlocale, locale.LC_ALL, locale.setlocale(locale.LC_ALL))
        restore.callback(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
        restore.callback(sys.setrecursionlimit, sys.getrecursionlimit())
        restore.callback(random.setstate, random.getstate())
        restore.callback(np.random.set_state, np.random.get_state())
        restore.callback(sys.modules.__setitem__, "__main__", sys.modules["__main__"])
        restore.callback(plt.close, "all")
        _torch(restore)

        warnings.simplefilter("error")
        random.seed(secrets.randbits(64))
        np.random.seed(secrets.randbits(32))
        matplotlib.use("Agg")
        matplotlib.rcParams.update(STYLE)
        plt.close("all")
        restore.callback(setattr, plt, "show", plt.show)
        plt.show = lambda *_, **__: None  # the page shows it; Agg would warn that it cannot
        sys.modules["__main__"] = main
        sys.argv[:] = ["snippet.py"]
        yield main


def _torch(restore: contextlib.ExitStack) -> None:
    torch = sys.modules.get("torch")
    if torch is None:
        return
    restore.callback(torch.set_rng_state, torch.get_rng_state())
    restore.callback(torch.set_default_dtype, torch.get_default_dtype())
    restore.callback(torch.set_default_device, None)
    restore.callback(torch.set_grad_enabled, torch.is_grad_enabled())
    restore.callback(torch.set_num_threads, torch.get_num_threads())
    restore.callback(_put_back_determinism, torch, torch.are_deterministic_algorithms_enabled())
    restore.callback(torch.set_printoptions, profile="default")
    restore.callback(torch.set_float32_matmul_precision, torch.get_float32_matmul_precision())
    torch.manual_seed(secrets.randbits(32))


def _put_back_determinism(torch: Any, before: bool) -> None:
    if torch.are_deterministic_algorithms_enabled() != before:
        torch.use_deterministic_algorithms(before)  # the first call imports for over a second


def _names_of_packages() -> list[tuple[Any, dict[str, Any]]]:
    """What every module of these packages holds, and every class of ours: a block may patch it."""
    found: list[tuple[Any, dict[str, Any]]] = []
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in PATCHABLE and module is not None:
            found.append((module, dict(vars(module))))
        if name.partition(".")[0] == "dlref":
            classes = [c for c in vars(module).values() if isinstance(c, type)]
            found += [(c, dict(vars(c))) for c in classes if c.__module__ == name]
    return found


def _put_back_modules(
    modules: dict[str, types.ModuleType], names: list[tuple[Any, dict[str, Any]]]
) -> None:
    for name, module in modules.items():
        if sys.modules.get(name) is not module:
            sys.modules[name] = module
    for owner, before in names:
        for name in set(vars(owner)) - set(before):
            if not isinstance(vars(owner)[name], types.ModuleType):  # imported meanwhile: it stays
                delattr(owner, name)
        for name, value in before.items():
            if vars(owner).get(name, owner) is not value:
                setattr(owner, name, value)


def _put_back_list(mutable: list[Any], before: list[Any]) -> None:
    mutable[:] = before


def _put_back(namespace: Any, before: dict[Any, Any]) -> None:
    for key in set(namespace) - set(before):
        del namespace[key]
    for key, value in before.items():
        if key not in namespace or namespace[key] is not value:
            namespace[key] = value
