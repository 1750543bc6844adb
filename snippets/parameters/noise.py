import matplotlib.pyplot as plt
import numpy as np

import dlref

x, y, x_test, y_test = dlref.data.digits()
x, x_test = x.astype("float64"), x_test.astype("float64")
right = np.zeros((9, 5, 10))  # 9 sizes of noise, 5 nets, 10 draws for each net
for seed in range(5):
    net = dlref.mlp([64, 64, 10], seed=seed).to(dtype="float64")
    optimizer, rng = dlref.SGD(lr=0.1, momentum=0.9), np.random.default_rng(seed)
    for rows in rng.integers(1437, size=(500, 64)):  # 500 random batches of 64 images
        logits, cache = net.forward(x[rows])
        _, grads = net.backward(dlref.cross_entropy(logits, y[rows])[1], cache)
        optimizer.step(net.params, grads)
    for i, draw in np.ndindex(9, 10):
        noisy, noise = net.to(), np.random.default_rng([seed, draw])  # a copy, its noise
        for p in noisy.params.values():
            p += i / 4 * p.std() * noise.normal(size=p.shape)
        right[i, seed, draw] = round(360 * dlref.accuracy(noisy.forward(x_test)[0], y_test))
plt.plot(np.arange(9) / 4, right.reshape(9, 50), "C0", alpha=0.25)
plt.gca().set(xlabel="size of the noise", ylabel="right, of 360")
plt.show()
for i, r in enumerate(right):
    print(f"noise {i / 4:.2f}: mean {r.mean():3.0f}, from {r.min():.0f} to {r.max():.0f}")
