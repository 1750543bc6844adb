import torch

import dlref

net = dlref.mlp([64, 64, 10], seed=0)
for name, array in net.params.items():
    print(f"{name:8} shape {array.shape!s:8} holds {array.size:4} numbers")

by_name = sum(array.size for array in net.params.values())
by_formula = (64 + 1) * 64 + (64 + 1) * 10  # (D + 1) M for each linear layer
linear = torch.nn.Linear
in_torch = torch.nn.Sequential(linear(64, 64), torch.nn.ReLU(), linear(64, 10))
by_torch = sum(p.numel() for p in in_torch.parameters())
print(f"in all: dlref {by_name}, formula {by_formula}, PyTorch {by_torch}")

norm = torch.nn.BatchNorm1d(64)
parameters = sum(p.numel() for p in norm.parameters())
buffers = sum(b.numel() for b in norm.buffers())
print(f"a batch norm layer: {parameters} parameters, and {buffers} numbers in buffers")
