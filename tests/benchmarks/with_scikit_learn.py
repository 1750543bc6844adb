"""scikit-learn: MLPClassifier, given the same batch again and again by partial_fit."""

from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier

from tests.benchmarks.libraries import Trainer
from tests.benchmarks.nets import Arrays, Problem, interleave


class ScikitLearn(Trainer):
    """Plain gradient descent: no momentum, no penalty, one batch an epoch.

    partial_fit computes and reads the loss by itself. It shows no gradients, so the step is checked
    by what it did to the weights.
    """

    def __init__(self, problem: Problem, device: str) -> None:
        self.problem = problem
        self.classes = np.arange(len(problem.biases[-1]))
        self.model = MLPClassifier(
            hidden_layer_sizes=[len(bias) for bias in problem.biases[:-1]],
            solver="sgd",
            alpha=0,
            batch_size=len(problem.x),
            learning_rate_init=problem.learning_rate,
            momentum=0,
            nesterovs_momentum=False,
            shuffle=False,
        )
        self.step()  # makes the weights that reset replaces
        self.reset()

    def reset(self) -> None:
        start = interleave(self.problem.weights, self.problem.biases)
        held = interleave(self.model.coefs_, self.model.intercepts_)
        for param, array in zip(held, start, strict=True):
            param[...] = array

    def step(self) -> Any:
        self.model.partial_fit(self.problem.x, self.problem.y, classes=self.classes)
        return self.model.loss_

    def gradients(self) -> None:
        return None

    def params(self) -> Arrays:
        return interleave(self.model.coefs_, self.model.intercepts_)
