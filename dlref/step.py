"""One step of training: the four lines that every page teaches."""

from dataclasses import dataclass, field

import numpy as np

from dlref.backend import Array
from dlref.checks import check_number
from dlref.distributed import Group
from dlref.evaluation import Loss
from dlref.layer import Gradients, Layer
from dlref.optimizer import Optimizer
from dlref.schedules import NORMS, Schedule, clip_gradients


@dataclass
class Step:
    """What ``fit`` does with a batch; called with ``(x, y, rng)``, it returns the loss, unread."""

    net: Layer
    loss: Loss
    optimizer: Optimizer
    schedule: Schedule | None = None
    max_norm: float | None = None
    group: Group = field(default_factory=Group)

    def __post_init__(self) -> None:
        if not isinstance(self.net, Layer):
            raise TypeError(f"fit: net must be a dlref.Layer, such as an mlp, got {self.net!r:.80}")
        if not isinstance(self.optimizer, Optimizer):
            raise TypeError(
                f"fit: optimizer must be such as SGD(lr=0.1), got {self.optimizer!r:.80}"
            )
        if self.schedule is not None:
            if not callable(self.schedule):
                raise TypeError(
                    f"fit: schedule must be a function of the step, got {self.schedule!r}"
                )
            if self.optimizer.steps > 0:
                raise ValueError(
                    f"fit: a schedule counts the optimizer's steps, and this one has made "
                    f"{self.optimizer.steps}: make a new {type(self.optimizer).__name__}"
                )
            self.learning_rate()
        if self.max_norm is not None:
            check_number("fit: max_norm", self.max_norm, *NORMS)

    def __call__(self, x: Array, y: Array, rng: np.random.Generator) -> Array:
        self.optimizer.lr = self.learning_rate()
        loss, grads = self.gradients(x, y, rng)
        self.optimizer.step(self.net.params, grads)
        return loss

    def gradients(self, x: Array, y: Array, rng: np.random.Generator) -> tuple[Array, Gradients]:
        """The loss and its gradients, of the whole batch, clipped where asked for."""
        outputs, cache = self.net.forward(self.group.share(x), training=rng)
        loss, doutputs = self.loss(outputs, self.group.share(y))
        _, grads = self.net.backward(doutputs, cache)
        if self.group.size > 1:
            loss, *means = self.group.average([loss, *grads.values()], len(x))
            grads = dict(zip(grads, means, strict=True))
        if self.max_norm is not None:
            grads, _ = clip_gradients(grads, self.max_norm)
        return loss, grads

    def learning_rate(self) -> float:
        """That of the next step."""
        if self.schedule is None:
            return self.optimizer.lr
        steps = self.optimizer.steps
        return check_number(f"fit: schedule({steps})", self.schedule(steps), 0.0)
