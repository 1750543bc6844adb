"""Training: the four-line loop, with batches, validation, a history and checkpoints."""

import copy
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from dlref.backend import Array, device_of, namespace
from dlref.capture import CapturedStep
from dlref.checkpoint import Checkpoint
from dlref.checks import check_size
from dlref.devices import asarray, seed_device
from dlref.distributed import Group, join
from dlref.evaluation import Data, Loss, Metric, check_examples, check_smallest_batch, evaluate
from dlref.fingerprint import fingerprint
from dlref.layer import Layer
from dlref.optimizer import Optimizer
from dlref.progress import progress
from dlref.schedules import Schedule
from dlref.step import Step
from dlref.weight_initialization import generator

History = dict[str, list[float]]
"""What happened in training, by name: a number an epoch."""


def fit(
    net: Layer,
    data: Data,
    *,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int,
    batch_size: int,
    seed: int | np.random.Generator = 0,
    schedule: Schedule | None = None,
    max_norm: float | None = None,
    capture: bool = False,
    validation: Data | None = None,
    metric: Metric | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    parallel: bool = False,
) -> History:
    """Train a network in place: the four-line loop over batches, epoch after epoch.

    In each epoch every example is used once, in a new random order; the last batch may be
    smaller. A progress bar shows on a terminal and in a notebook, and nowhere else.

    With a checkpoint, the run is written to that file before the first epoch and after each one.
    The same call with ``resume=True`` goes on from it, where there is one, and ends at the same
    numbers as a run that was never interrupted, on the same device and the same versions. The
    same call: a network with the same first parameters, a fresh optimizer, a generator made from
    its seed again. What differs is refused, but for the inside of functions, which go by name, and
    of classes of your own, which go by what ``repr`` shows.

    With ``parallel=True``, the processes that torchrun starts train together. Each makes the passes
    of its rows of every batch, then they average the gradients; all end at the same numbers, which
    are those of one process, to rounding. But random layers draw other masks in each process, and
    ``BatchNorm`` has the mean and variance of its process's rows, at least two, and in the end the
    running ones of process 0, which alone writes the checkpoint and shows the bar.

    Args:
        net: the network; its parameters change.
        data: ``(x, y)`` to train on, as ``net`` and ``loss`` take them, N examples each.
        loss: ``cross_entropy``, ``mse``, or any function ``(outputs, y) → (loss, doutputs)``
            that averages over examples.
        optimizer: ``SGD``, ``Adam``, ``AdamW``.
        epochs: how often each example is used, in all; those before an interruption count.
        batch_size: examples a step; ``BatchNorm`` needs two or more in the last one too.
        seed: a whole number, or a ``numpy.random.Generator``, for the order of the examples and for
            what ``Dropout`` draws.
        schedule: ``WarmupCosine`` or any function step → learning rate, which sets the optimizer's
            ``lr`` before each step; steps count from 0, so the optimizer must be new.
        max_norm: where given, gradients are clipped to it, as ``clip_gradients`` does.
        capture: record the step of the fourth full batch as a CUDA graph and replay it, which takes
            Python out of the loop; for a network on ``"cuda"``. The loss may read no value then,
            own layers must write their arrays in place, and of the optimizer's settings only ``lr``
            may change.
        validation: another ``(x, y)``, evaluated after each epoch and never trained on.
        metric: ``accuracy``, or any function ``(outputs, y) → number`` that averages over
            examples; for the validation data.
        checkpoint: a file, ``"run.safetensors"``.
        resume: go on from the checkpoint instead of refusing to overwrite it.
        parallel: train together with the other processes of ``torchrun``, which all make this call.

    Returns:
        The history, each a list with one number an epoch. ``"loss"``: the mean over all
        examples, each at the time of its batch, in the loss's unit. With validation data also
        ``"validation_loss"`` and, with a metric, for instance ``"validation_accuracy"``.

    Raises:
        ValueError: a shape, a device, a label or a value does not fit, in any example: all are
            looked at before the first step (values on a GPU are not). Or the loss is not finite
            after an epoch. Or the checkpoint is of another run, or was cut off or changed. Or the
            processes of a parallel run do not all begin with the same.
        TypeError: a dtype or an argument's type does not fit.
        FileExistsError: the checkpoint is there, and ``resume`` is not True.
        OSError: the checkpoint cannot be written; the last one stays whole.
        ImportError: ``parallel=True`` without PyTorch, or a checkpoint without safetensors.
        RuntimeError: ``parallel=True`` finds no torchrun; or another process has ended, or has
            made the others wait for 30 minutes.

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), section 8.1.3,
    https://www.deeplearningbook.org

    >>> import dlref
    >>> x, y, x_test, y_test = dlref.data.digits()
    >>> net = dlref.mlp([64, 32, 10], seed=0)
    >>> history = dlref.fit(
    ...     net,
    ...     (x, y),
    ...     loss=dlref.cross_entropy,
    ...     optimizer=dlref.SGD(lr=0.5),
    ...     epochs=10,
    ...     batch_size=64,
    ... )
    >>> print(f"{dlref.accuracy(net.forward(x_test)[0], y_test):.2f}")
    0.93
    """
    step = Step(net, loss, optimizer, schedule, max_norm)
    group = step.group = join(net.params) if parallel else Group()
    if capture and group.size > 1:
        raise ValueError("fit: capture=True records one process alone: leave it or parallel out")
    epochs = check_size("fit: epochs", epochs)
    batch_size = check_size("fit: batch_size", batch_size)
    run_step = CapturedStep(step) if capture else step
    rng = generator("fit", seed)
    if metric is not None and validation is None:
        raise ValueError("fit: metric is for the validation data: pass validation=(x, y) too")
    if resume and checkpoint is None:
        raise ValueError("fit: resume=True goes on from a checkpoint: pass checkpoint= too")
    check_examples("data", net, data, loss, batch_size=batch_size)
    if validation is not None:
        check_examples("validation", net, validation, loss, metric, batch_size=batch_size)
    optimizer.check_settings()
    optimizer.check_params(net.params)
    check_smallest_batch(net, data[0], batch_size, group.size)

    history: History = {"loss": []}
    if checkpoint is not None or parallel:
        run = fingerprint(
            network=repr(net),
            parameters={**net.params, **net.buffers},
            optimizer=repr(optimizer),
            seed=rng,
            schedule=schedule,
            max_norm=max_norm,
            loss=loss,
            metric=metric,
            batch_size=batch_size,
            processes=group.size,
            data=data,
            validation=validation,
        )
        found = _checkpoint_to_resume(checkpoint, run, epochs, resume)
        there = None if found is None else f"of epoch {found.epoch}"
        group.agree(run | {"epochs": str(epochs), "checkpoint": str(there)})
        if found is not None:
            found.restore(net, optimizer, rng)
            history = dict(found.history)
        elif checkpoint is not None and group.rank == 0:
            # a path that cannot be written fails now, not after the first epoch
            Checkpoint.take(run, history, net, optimizer, rng).save(checkpoint)

    done, steps = len(history["loss"]), math.ceil(len(data[0]) / batch_size)
    with progress(epochs * steps, done * steps, "step", show=group.rank == 0) as advance:
        for _ in range(done, epochs):
            seed_device(data[0], copy.deepcopy(rng))  # rng draws the same order on any device
            order = asarray(rng.permutation(len(data[0])), device_of(data[0]))
            batches = _batches(order, batch_size, advance)
            means = {"loss": _train(run_step, data, batches, group.masks(rng, data[0]))}
            group.copy_buffers(net)
            if validation is not None:
                share = group.share(validation[0]), group.share(validation[1])
                seen = evaluate(net, share, loss, metric, batch_size)
                means |= _of_all(group, seen, len(validation[0]))
            for name, mean in means.items():
                history.setdefault(name, []).append(mean)
            if checkpoint is not None and group.rank == 0:
                Checkpoint.take(run, history, net, optimizer, rng).save(checkpoint)
            group.wait()
    return history


def _train(
    step: Step | CapturedStep, data: Data, batches: Iterator[Array], rng: np.random.Generator
) -> float:
    """One epoch: a step for every batch. Returns the mean loss of the examples."""
    losses, sizes = [], []
    for batch in batches:
        losses.append(step(_rows(data[0], batch), _rows(data[1], batch), rng))
        sizes.append(len(batch))
    # The losses are read after the last step: a GPU would have to wait for each.
    mean = float(np.average([float(value) for value in losses], weights=sizes))
    if not math.isfinite(mean):  # on a GPU nothing has looked at it before
        raise ValueError(
            f"fit: the loss of an epoch is {mean}: lower the learning rate, or look for what is "
            "not finite in the data"
        )
    return mean


def _of_all(group: Group, means: dict[str, float], examples: int) -> dict[str, float]:
    """The means over all of so many examples, of which each process looked at its share."""
    values = group.average([np.asarray(mean) for mean in means.values()], examples)
    return dict(zip(means, map(float, values), strict=True))


def _batches(order: Array, size: int, advance: Callable[[], object]) -> Iterator[Array]:
    """The indices of all examples, so many at a time."""
    for start in range(0, len(order), size):
        yield order[start : start + size]
        advance()


def _rows(array: Array, indices: Array) -> Array:
    return namespace(array).take(array, indices, axis=0)


def _checkpoint_to_resume(
    path: str | os.PathLike[str] | None, run: dict[str, str], epochs: int, resume: bool
) -> Checkpoint | None:
    """The checkpoint to go on from; none where there is no file."""
    if path is None or not Path(path).exists():
        return None
    where = os.fspath(path)
    if Path(path).is_dir():
        raise IsADirectoryError(f"fit: checkpoint must be a file, and {where!r} is a folder")
    if not resume:
        raise FileExistsError(f"fit: {where} is there: pass resume=True to go on, or another path")
    found = Checkpoint.load(path)
    found.check_run(run)
    if found.epoch > epochs:
        raise ValueError(
            f"fit: {where} is of epoch {found.epoch}, got epochs={epochs}: "
            "pass at least as many, or another path"
        )
    return found
