"""The nets as users of torch.nn write them by hand; dlref has no part in these.

The parameters of a module come in the order of dlref's, and linear weights are transposed.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.benchmarks.nets import GPT, MLP, Net


def make_module(net: Net) -> nn.Module:
    """A module with weights of its own, which the trainer replaces."""
    if isinstance(net, MLP):
        layers: list[nn.Module] = []
        for inputs, outputs in zip(net.sizes[:-1], net.sizes[1:], strict=True):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        return nn.Sequential(*layers[:-1])
    return GPTModule(net) if isinstance(net, GPT) else lenet()


def lenet() -> nn.Module:
    """LeNet-5 with ReLU and max pooling."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


class GPTModule(nn.Module):
    """GPT-2 in the manner of nanoGPT, https://github.com/karpathy/nanoGPT, without dropout."""

    def __init__(self, net: GPT) -> None:
        super().__init__()
        self.tokens = nn.Embedding(net.tokens, net.features)
        self.positions = nn.Embedding(net.context, net.features)
        self.blocks = nn.ModuleList(Block(net.features, net.heads) for _ in range(net.depth))
        self.norm = nn.LayerNorm(net.features)
        self.head = nn.Linear(net.features, net.tokens, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, x: Tensor) -> Tensor:
        h = self.tokens(x) + self.positions(torch.arange(x.shape[1], device=x.device))
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h))  # type: ignore[no-any-return]


class Block(nn.Module):
    """A transformer block with the normalization before each part."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.norm_1 = nn.LayerNorm(features)
        self.attention = CausalSelfAttention(features, heads)
        self.norm_2 = nn.LayerNorm(features)
        self.mlp = nn.Sequential(
            nn.Linear(features, 4 * features),
            nn.GELU(approximate="tanh"),
            nn.Linear(4 * features, features),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm_1(x))
        return x + self.mlp(self.norm_2(x))  # type: ignore[no-any-return]


class CausalSelfAttention(nn.Module):
    """Query, key and value by one linear map, and PyTorch's fused attention."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(features, 3 * features)
        self.projection = nn.Linear(features, features)

    def forward(self, x: Tensor) -> Tensor:
        n, t, d = x.shape
        q, k, v = (
            part.view(n, t, self.heads, d // self.heads).transpose(1, 2)
            for part in self.qkv(x).split(d, dim=2)
        )
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.projection(y.transpose(1, 2).reshape(n, t, d))  # type: ignore[no-any-return]
