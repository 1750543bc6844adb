"""dlref: the deep net in plain sight.

Forward, loss, backward, step: every layer has its backward pass next to its forward pass, and
the same code runs on NumPy and on PyTorch. The training loop is four lines::

    logits, cache = net.forward(x)                  # neural network
    loss, dlogits = dlref.cross_entropy(logits, y)  # loss function
    _, grads = net.backward(dlogits, cache)         # backpropagation
    optimizer.step(net.params, grads)               # gradient descent, on the parameters

In names and shapes, N is the batch size, C the number of classes, D and M the widths of a
layer's input and output. A leading ``d`` means the loss's gradient: ``dlogits`` has the shape
of ``logits``.
"""

from dlref import data
from dlref.activations import ReLU, Sigmoid, Tanh
from dlref.backend import asarray, available_devices
from dlref.checkpoint import Checkpoint
from dlref.gradient_check import gradcheck
from dlref.layer import Layer
from dlref.linear import Linear
from dlref.losses import cross_entropy, mse
from dlref.metrics import accuracy
from dlref.neural_network import Sequential, mlp
from dlref.optimizer import Optimizer
from dlref.optimizers import SGD, Adam, AdamW
from dlref.training import fit
from dlref.weight_initialization import glorot_uniform, he_normal

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Checkpoint",
    "Layer",
    "Linear",
    "Optimizer",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "accuracy",
    "asarray",
    "available_devices",
    "cross_entropy",
    "data",
    "fit",
    "glorot_uniform",
    "gradcheck",
    "he_normal",
    "mlp",
    "mse",
]

__version__ = "0.1.0"
