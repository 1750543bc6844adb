import numpy as np

import dlref

x, y, _, _ = dlref.data.digits()
x = x[:1408].astype("float64")
y = y[:1408]  # 1,408 = 22 batches of 64
net = dlref.mlp([64, 10], seed=0).to(dtype="float64")


def gradient(rows):
    logits, cache = net.forward(x[rows])
    return net.backward(dlref.cross_entropy(logits, y[rows])[1], cache)[1]["0.weight"]


full = gradient(np.arange(1408))
batches = np.arange(1408).reshape(22, 64)
mean = np.mean([gradient(rows) for rows in batches], axis=0)
print("mean of the batches' gradients = gradient of all:", np.allclose(mean, full))

rng = np.random.default_rng(0)
for size in (16, 64, 256):
    draws = [gradient(rng.integers(0, 1408, size)) - full for _ in range(400)]
    print(f"batch of {size:3}: typical error of the gradient {np.std(draws):.4f}")
