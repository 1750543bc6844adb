import numpy as np

import dlref

rng = np.random.default_rng(0)
x = dlref.data.digits()[0][:100].astype("float64")
layers = [dlref.Linear(64, 64, rng, dlref.glorot_uniform) for _ in range(50)]
net = dlref.Sequential(*layers).to(dtype="float64")
y = net.forward(x)[0]

matrix = np.eye(64)
for i in range(50):
    matrix = matrix @ net.params[f"{i}.weight"]  # the biases are still 0
gap = np.abs(y - x @ matrix).max() / np.abs(y).max()
print("50 linear layers and one 64×64 matrix, gap below 1e-12:", gap < 1e-12)

bent = dlref.mlp([64] * 51, seed=0).to(dtype="float64")  # ReLU between the layers
for name, f in (("without ReLU", net), ("with ReLU", bent)):
    a, b, both = (f.forward(z)[0] for z in (x[:50], x[50:], x[:50] + x[50:]))
    print(f"{name}, f(a) + f(b) = f(a + b):", np.allclose(a + b, both, atol=1e-9))
