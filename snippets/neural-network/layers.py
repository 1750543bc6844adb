import numpy as np
import torch

import dlref

rng = np.random.default_rng(0)
net = dlref.mlp([64, 32, 10], seed=0).to(dtype="float64")
net.params["0.bias"][:] = rng.normal(size=32)  # a bias of 0 would not show
net.params["2.bias"][:] = rng.normal(size=10)
weight_1, bias_1, weight_2, bias_2 = net.params.values()
x = dlref.data.digits()[0][:5].astype("float64")  # 5 images of 64 pixels

hidden = np.maximum(x @ weight_1 + bias_1, 0)
output = hidden @ weight_2 + bias_2
print(f"shapes: {x.shape} @ {weight_1.shape}, {hidden.shape} @ {weight_2.shape}")
print("as dlref's to 1e-12:", np.allclose(output, net.forward(x)[0], rtol=0, atol=1e-12))

parts = torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10)
twin = torch.nn.Sequential(*parts).double()  # PyTorch keeps the transpose of each weight
twin.load_state_dict({name: torch.tensor(p.T) for name, p in net.params.items()})
result = twin(torch.tensor(x)).detach().numpy()
print("as PyTorch's to 1e-12:", np.allclose(output, result, rtol=0, atol=1e-12))
without_bend = (x @ weight_1 + bias_1) @ weight_2 + bias_2
one_layer = x @ (weight_1 @ weight_2) + (bias_1 @ weight_2 + bias_2)
print("without the bend, one layer does the same:", np.allclose(without_bend, one_layer))
