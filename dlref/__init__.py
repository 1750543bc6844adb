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
from dlref.checkpoint import Checkpoint
from dlref.devices import asarray, available_devices
from dlref.gradient_check import gradcheck
from dlref.layer import Layer
from dlref.layers.activations import ReLU, Sigmoid, Tanh
from dlref.layers.attention import MultiHeadAttention
from dlref.layers.batch_norm import BatchNorm
from dlref.layers.convolution import Conv2d
from dlref.layers.dropout import Dropout
from dlref.layers.embedding import Embedding
from dlref.layers.flatten import Flatten
from dlref.layers.gelu import GELU
from dlref.layers.layer_norm import LayerNorm
from dlref.layers.linear import Linear
from dlref.layers.local_response_norm import LocalResponseNorm
from dlref.layers.pooling import MaxPool2d
from dlref.layers.residual import Residual
from dlref.layers.transformer import transformer_block
from dlref.losses import binary_cross_entropy, cross_entropy, mse
from dlref.metrics import accuracy
from dlref.models.alexnet import alexnet
from dlref.models.gpt import GPT, gpt
from dlref.models.gpt2_weights import load_gpt2
from dlref.models.lenet import lenet
from dlref.neural_network import Sequential, mlp
from dlref.optimizer import Optimizer
from dlref.optimizers import SGD, Adam, AdamW
from dlref.pytorch import to_torch
from dlref.schedules import WarmupCosine, clip_gradients
from dlref.training import fit
from dlref.weight_initialization import glorot_uniform, he_normal

__all__ = [
    "GELU",
    "GPT",
    "SGD",
    "Adam",
    "AdamW",
    "BatchNorm",
    "Checkpoint",
    "Conv2d",
    "Dropout",
    "Embedding",
    "Flatten",
    "Layer",
    "LayerNorm",
    "Linear",
    "LocalResponseNorm",
    "MaxPool2d",
    "MultiHeadAttention",
    "Optimizer",
    "ReLU",
    "Residual",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "WarmupCosine",
    "accuracy",
    "alexnet",
    "asarray",
    "available_devices",
    "binary_cross_entropy",
    "clip_gradients",
    "cross_entropy",
    "data",
    "fit",
    "glorot_uniform",
    "gpt",
    "gradcheck",
    "he_normal",
    "lenet",
    "load_gpt2",
    "mlp",
    "mse",
    "to_torch",
    "transformer_block",
]

__version__ = "0.1.0"
