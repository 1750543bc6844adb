"""From dlref to PyTorch: the equivalent module, for what PyTorch's ecosystem does with it."""

from typing import TYPE_CHECKING

from dlref.checks import check_installed
from dlref.layer import Layer

if TYPE_CHECKING:
    import torch


def to_torch(net: Layer) -> "torch.nn.Module":
    """Make the ``torch.nn.Module`` that computes what a network computes.

    The module has its own copies of the parameters, under the names that they have here. Weights of
    linear maps are transposed, since PyTorch keeps (out, in). It is in use, not in training:
    ``module.train()`` switches dropout and batch statistics on.

    What dlref leaves to PyTorch begins here: ``torch.compile``, lower precision, and
    ``torch.distributed.fsdp.fully_shard``, which spreads a model that does not fit on one GPU.

    Args:
        net: a network of dlref's own layers.

    Returns:
        A module on the device of the network and of its dtype.

    Raises:
        TypeError: a layer has no equivalent, such as a class of your own.
        ImportError: PyTorch is not installed.

    Source: PyTorch documentation, torch.nn,
    https://docs.pytorch.org/docs/stable/nn.html

    >>> import numpy as np
    >>> import torch
    >>> import dlref
    >>> net, x = dlref.mlp([4, 3, 2], seed=0), np.ones((1, 4), "float32")
    >>> module = dlref.to_torch(net)
    >>> print(np.allclose(module(torch.from_numpy(x)).detach().numpy(), net.forward(x)[0]))
    True
    >>> print(list(module.state_dict()))
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """
    check_installed("to_torch", "torch")
    if not isinstance(net, Layer):
        raise TypeError(f"to_torch: net must be a dlref.Layer, got {type(net).__name__}")
    from dlref.torch_modules import module_of

    return module_of(net).eval()
