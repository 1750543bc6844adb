"""LeNet beside an MLP on the digits, on a random split and on unseen writers."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

import dlref

LEARNING_RATE, EPOCHS, BATCH_SIZE = 0.002, 40, 32
SEEDS = range(5)


class Score(NamedTuple):
    """How many of the test images two nets of one seed read right."""

    seed: int
    mlp: int
    lenet: int
    images: int


def scores(split: str, seeds: range = SEEDS) -> Iterator[Score]:
    """Both nets trained alike: the same optimizer, schedule, epochs and order of examples."""
    x, y, x_test, y_test = dlref.data.digits(split)
    for seed in seeds:
        mlp = dlref.mlp([64, 128, 128, 10], seed=seed)
        lenet = dlref.lenet((1, 8, 8), padding=(2, 2), seed=seed)
        right = []
        for net, shape in ((mlp, (-1, 64)), (lenet, (-1, 1, 8, 8))):
            steps = EPOCHS * -(-len(x) // BATCH_SIZE)
            dlref.fit(
                net,
                (x.reshape(shape), y),
                loss=dlref.cross_entropy,
                optimizer=dlref.AdamW(LEARNING_RATE, weight_decay=0.1),
                schedule=dlref.WarmupCosine(LEARNING_RATE, steps, warmup=20),
                epochs=EPOCHS,
                batch_size=BATCH_SIZE,
                seed=seed,
            )
            logits, _ = net.forward(x_test.reshape(shape))
            right.append(round(dlref.accuracy(logits, y_test) * len(y_test)))
        yield Score(seed, right[0], right[1], len(y_test))


def interval(right: int, images: int) -> tuple[float, float]:
    """Wilson's 95 % interval for the accuracy on all images of the kind."""
    z, p = 1.96, right / images
    center = (p + z**2 / (2 * images)) / (1 + z**2 / images)
    half = z * np.sqrt(p * (1 - p) / images + z**2 / (4 * images**2)) / (1 + z**2 / images)
    return center - half, center + half


def main() -> None:
    """A line for each net and seed."""
    for split in ("random", "last"):
        for score in scores(split):
            for name in ("mlp", "lenet"):
                right = getattr(score, name)
                low, high = interval(right, score.images)
                print(
                    f"{split:6} seed {score.seed} {name:5} {right} of {score.images}: "
                    f"{right / score.images:.1%} ({low:.1%} to {high:.1%})",
                    flush=True,
                )


if __name__ == "__main__":
    main()
