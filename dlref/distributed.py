"""Data parallel training: processes that torchrun starts share out every batch.

Each has the same network and the same data, and makes the forward and backward pass of its rows.
Then they average the gradients, so that every optimizer makes the step of the whole batch, and all
networks stay equal. PyTorch's own ``torch.distributed`` carries the numbers. It is imported only
where there is more than one process.
"""

import atexit
import copy
import math
import os
import secrets
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from dlref.backend import Array, device_of, namespace
from dlref.checks import check_installed
from dlref.devices import seed_device
from dlref.layer import Layer

LONGEST_WAIT = timedelta(minutes=30)  # for a process that loads data, saves, or stands still


@dataclass(frozen=True)
class Group:
    """This process, number ``rank`` of ``size`` that train together; alone, it sends nothing."""

    rank: int = 0
    size: int = 1

    def share(self, rows: Array) -> Array:
        """The rows of this process. It gets the first, at no weight, where there are too few."""
        if self.size == 1:
            return rows
        return rows[self.rank :: self.size] if self.rank < len(rows) else rows[:1]

    def average(self, arrays: Sequence[Array], rows: int) -> list[Array]:
        """What each process found for its share of so many rows, as it is for all rows.

        All travel in one message, in the dtype of the last one.
        """
        if self.size == 1:
            return list(arrays)
        import torch

        weight = len(range(self.rank, rows, self.size)) / rows
        last, shapes = arrays[-1], [np.shape(array) for array in arrays]
        xp = namespace(last)
        parts = [xp.asarray(a, dtype=last.dtype, device=last.device) for a in arrays]
        flat = weight * xp.concat([xp.reshape(part, (-1,)) for part in parts])
        with _explained(self.rank):
            torch.distributed.all_reduce(torch.as_tensor(flat))  # shares memory: a sum in place
        ends = np.cumsum([math.prod(shape) for shape in shapes])
        starts = [0, *ends[:-1]]
        return [
            xp.reshape(flat[start:end], shape)
            for start, end, shape in zip(starts, ends, shapes, strict=True)
        ]

    def masks(self, rng: np.random.Generator, like: Array) -> np.random.Generator:
        """What random layers draw from in an epoch: other numbers in each process.

        The common generator, which draws the order of the examples, is not asked.
        """
        if self.size == 1:
            return rng
        own = np.random.default_rng([self.rank, *copy.deepcopy(rng).integers(2**32, size=4)])
        seed_device(like, own)
        return own

    def agree(self, run: Mapping[str, str]) -> None:
        """Raise, in every process, unless all were started with the same."""
        if self.size == 1:
            return
        import torch

        runs: list[Mapping[str, str]] = [{}] * self.size
        with _explained(self.rank):
            torch.distributed.all_gather_object(runs, run)
        for rank, other in enumerate(runs):
            for name, value in runs[0].items():
                if other[name] != value:
                    raise ValueError(
                        f"fit: {name} is {value} in process 0, and {other[name]} in process "
                        f"{rank}: begin with the same in all"
                    )

    def copy_buffers(self, net: Layer) -> None:
        """Take over what the layers of process 0 changed themselves, such as running means."""
        for array in net.buffers.values() if self.size > 1 else ():
            import torch

            with _explained(self.rank):
                torch.distributed.broadcast(torch.as_tensor(array), src=0)  # in place

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.size > 1:
            import torch

            with _explained(self.rank):
                torch.distributed.barrier()


def join(params: Mapping[str, Array]) -> Group:
    """Take part in what torchrun started, with a network of these parameters."""
    rank, imported = os.environ.get("RANK"), sys.modules.get("torch")
    if rank is None and not (imported and imported.distributed.is_initialized()):
        raise RuntimeError(
            "fit: parallel=True needs the processes of torchrun, and there is one alone: start "
            "them with `torchrun --nproc-per-node=2 train.py`, or leave parallel=True out"
        )
    check_installed("fit: parallel=True", "torch")
    import torch

    distributed: Any = torch.distributed
    first: Array = next(iter(params.values()), None)
    device, local = device_of(first), int(os.environ.get("LOCAL_RANK", "0"))
    if device not in ("numpy", "cpu", "cuda"):
        raise ValueError(f'fit: parallel=True works on "numpy", "cpu" and "cuda", got "{device}"')
    if device == "cuda" and torch.cuda.device_count() > 1 and first.device.index != local:
        raise ValueError(
            f"fit: the network of local process {local} is on {first.device}: begin the script "
            'with torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))'
        )
    if not distributed.is_initialized():
        if os.environ.get("WORLD_SIZE") == "1":
            return Group()
        backend = "cpu:gloo,cuda:nccl" if device == "cuda" else "gloo"
        with _explained(rank, "could not meet"):
            store, number, size = next(distributed.rendezvous("env://", timeout=LONGEST_WAIT))
            store = distributed.PrefixStore(_meet(store, number, size), store)
            distributed.init_process_group(
                backend, store=store, rank=number, world_size=size, timeout=LONGEST_WAIT
            )
        atexit.register(_close, device)
    return Group(distributed.get_rank(), distributed.get_world_size())


def _close(device: str) -> None:
    """Close what ``join`` opened, at the end of the process.

    Left open, a thread of gloo may drop its last message while Python shuts down, which aborts the
    process (PyTorch 2.13). But after an error NCCL might wait for what the others never send.
    """
    import torch

    distributed: Any = torch.distributed
    failed = hasattr(sys, "last_value")  # the error that Python has printed
    if distributed.is_initialized() and not (device == "cuda" and failed):
        distributed.destroy_process_group()


def _meet(store: Any, rank: int, size: int) -> str:
    """A name that all processes which are alive agree upon, and that is new.

    After a restart torchrun's store still holds the addresses of the dead (PyTorch 2.13), and who
    reads one waits in vain. So each calls with a word of its own, and waits until process 0
    answers this very word. Process 0 answers old words too, until all others have its name.
    """
    mine, others = secrets.token_hex(8), range(1, size)
    if rank > 0:
        store.set(f"call {rank}", mine)
        name: str = store.get(mine).decode()
        store.set(f"{name} {rank}", "here")
        return name
    store.wait([f"call {other}" for other in others])
    limit = time.monotonic() + LONGEST_WAIT.total_seconds()
    while not store.check([f"{mine} {other}" for other in others]):
        if time.monotonic() > limit:
            raise RuntimeError(f"no answer within {LONGEST_WAIT}")
        for other in others:
            store.set(store.get(f"call {other}").decode(), mine)
        time.sleep(0.01)
    return mine


@contextmanager
def _explained(rank: int | str | None, what: str = "lost touch with") -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        # PyTorch's frames hold the group, which closes only when nothing does.
        traceback.clear_frames(error.__traceback__)
        if not isinstance(error, RuntimeError):
            raise
        raise RuntimeError(
            f"fit: process {rank} {what} the others ({str(error).strip()}). If this names no other "
            "cause, one has ended or stands still; where it raised an error, it has printed it. "
            "Mend that, and start all again: with checkpoint= and resume=True they go on from the "
            "last epoch, and `torchrun --max-restarts=1` starts them by itself"
        ) from None
