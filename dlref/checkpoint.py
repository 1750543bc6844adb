"""Checkpoints: a training run on disk, whole at every moment, to go on from to the same numbers."""

import json
import os
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

import numpy as np

from dlref.backend import Array, asarray, device_of
from dlref.checks import check_array
from dlref.layer import Layer
from dlref.optimizer import Optimizer

FORMAT = "dlref checkpoint 1"
STATE = "optimizer."  # begins the names of the optimizer's arrays


@dataclass(frozen=True)
class Checkpoint:
    """A training run after a whole number of epochs.

    ``fit`` writes and reads it. To use the trained parameters elsewhere, load it and give them to
    a network of the same architecture: ``net.with_params(Checkpoint.load(path).params)``. They
    are NumPy arrays; ``.to("cuda")`` moves the network.

    On disk it is one safetensors file, which any reader of that format opens: the parameters
    under their own names, the optimizer's arrays under ``optimizer.``, the rest as JSON. To load
    it runs no code, as a pickle would. To make one in memory never fails.

    Args:
        run: what the run was started with; it goes on only with the same.
        history: what ``fit`` returns, up to here.
        random_state: the state of the generator that draws the batches.
        lr: the learning rate, which a schedule may have changed.
        steps: how many steps the optimizer has made.
        params: name → array in its shape and dtype, as ``net.params``, but on NumPy.
        state: name → array in its shape and dtype, what the optimizer remembers.

    Source: the safetensors format, https://huggingface.co/docs/safetensors

    >>> import tempfile
    >>> import dlref
    >>> x, y, _, _ = dlref.data.digits()
    >>> net = dlref.mlp([64, 10], seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     history = dlref.fit(
    ...         net,
    ...         (x, y),
    ...         loss=dlref.cross_entropy,
    ...         optimizer=dlref.Adam(),
    ...         epochs=2,
    ...         batch_size=64,
    ...         checkpoint=f"{folder}/run.safetensors",
    ...     )
    ...     checkpoint = dlref.Checkpoint.load(f"{folder}/run.safetensors")
    >>> print(checkpoint.epoch, list(checkpoint.params))
    2 ['0.bias', '0.weight']
    """

    run: Mapping[str, str]
    history: Mapping[str, list[float]]
    random_state: Mapping[str, Any]
    lr: float
    steps: int
    params: Mapping[str, np.ndarray] = field(repr=False)
    state: Mapping[str, np.ndarray] = field(repr=False)

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self.history["loss"])

    @classmethod
    def take(
        cls,
        run: Mapping[str, str],
        history: Mapping[str, list[float]],
        net: Layer,
        optimizer: Optimizer,
        rng: np.random.Generator,
    ) -> Self:
        """Copy the state of a run. It never fails.

        Args:
            run: what the run was started with.
            history: what ``fit`` returns, up to here.
            net: the network.
            optimizer: the optimizer.
            rng: the generator that draws the batches.

        Returns:
            A checkpoint that shares no memory with the run.
        """
        steps, state = optimizer.state()
        return cls(
            run=run,
            history={name: list(values) for name, values in history.items()},
            random_state=rng.bit_generator.state,
            lr=optimizer.lr,
            steps=steps,
            params={name: asarray(p) for name, p in net.params.items()},
            state={name: asarray(array) for name, array in state.items()},
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a checkpoint.

        Args:
            path: the file.

        Returns:
            The checkpoint, its arrays on NumPy.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is no whole checkpoint: cut off, damaged, or something else.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                about = json.loads((file.metadata() or {})[FORMAT])
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            state = {name: arrays.pop(name) for name in list(arrays) if name.startswith(STATE)}
            state = {name.removeprefix(STATE): array for name, array in state.items()}
            return cls(**about, params=arrays, state=state)
        except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(
                f"{os.fspath(path)} is no whole {FORMAT} ({error!r}): it is another file, or was "
                "cut off or damaged; use a copy, or train again under another path"
            ) from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the checkpoint; until the last byte is on disk, an older one under the path stays.

        The bytes go to ``<path>.part``, which then takes the place of ``path`` in one step.

        Args:
            path: the file.

        Raises:
            OSError: the disk is full, the folder is not there, or may not be written.
        """
        from safetensors.numpy import save

        arrays = dict(self.params) | {STATE + name: array for name, array in self.state.items()}
        about = {f.name: getattr(self, f.name) for f in fields(self)}
        del about["params"], about["state"]
        content = save(arrays, {FORMAT: json.dumps(about, default=np.ndarray.tolist)})
        try:
            replace_file(Path(os.path.realpath(path)), content)  # a link stays a link
        except OSError as error:
            raise OSError(
                error.errno,
                f"the checkpoint was not written ({error.strerror}), and what was there before is "
                "whole: make room, or mend the path, and train on with resume=True",
                os.fspath(path),
            ) from error

    def check_run(self, run: Mapping[str, str]) -> None:
        """Raise unless the checkpoint is of a run that was started with the same.

        Args:
            run: what the present run is started with.

        Raises:
            ValueError: something differs; the error says what.
        """
        for name, value in run.items():
            before = self.run.get(name)
            if before != value:
                raise ValueError(
                    f"the checkpoint is of another run: its {name} was {before}, and is {value} "
                    "now: use the same again, or another path"
                )

    def restore(self, net: Layer, optimizer: Optimizer, rng: np.random.Generator) -> None:
        """Put the state of the run into a network, an optimizer and a generator.

        Args:
            net: the network; its parameters change.
            optimizer: the optimizer; its state and its learning rate change.
            rng: the generator; its state changes.

        Raises:
            ValueError: the parameters have other names, shapes or values than the network's, or
                the optimizer's arrays do not fit; nothing is changed then.
            TypeError: a dtype differs.
        """
        if self.params.keys() != net.params.keys():
            raise ValueError(
                f"checkpoint: the network's parameters are {sorted(net.params)}, the file has "
                f"{sorted(self.params)}: make the network that was trained"
            )
        params, state = dict(self.params), dict(self.state)
        for name, p in net.params.items():
            params[name] = _moved(params[name], p)
            check_array(f"checkpoint: params[{name!r}]", params[name], p.shape, like=p)
        for name, array in state.items():
            state[name] = _moved(array, net.params.get(name.partition(".")[2], array))
        optimizer.restore(self.steps, state, net.params)
        optimizer.lr = self.lr
        rng.bit_generator.state = dict(self.random_state)
        for name, p in net.params.items():
            p[...] = params[name]


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that at every moment the old or the new content is there, and whole."""
    part = path.with_name(path.name + ".part")  # in the same folder: a rename moves no bytes
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # on disk before the old one goes
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def describe(**settings: Any) -> dict[str, str]:
    """What a run is started with, in words; it goes on only where they are the same."""
    return {name: _in_words(value) for name, value in settings.items()}


def _in_words(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return ", ".join(map(_in_words, value))
    if isinstance(value, np.random.Generator):
        return str(value.bit_generator.state)
    if hasattr(value, "shape"):  # other data of the same shape is other data
        array = asarray(value)
        return f"{array.dtype} {list(array.shape)} with checksum {zlib.crc32(array):08x}"
    return name_of(value) if callable(value) else repr(value)


def name_of(function: Callable[..., Any]) -> str:
    """A function's name; a callable object has its class's."""
    return str(getattr(function, "__name__", type(function).__name__))


def _moved(array: np.ndarray, like: Array) -> Array:
    return asarray(array, device_of(like))
