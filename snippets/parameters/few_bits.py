import numpy as np

import dlref

x, y, x_test, y_test = dlref.data.digits()
x, x_test = x.astype("float64"), x_test.astype("float64")
all_bits = (32, 8, 6, 4, 3, 2)
right = np.zeros((6, 5))  # bits, nets
for seed in range(5):
    net = dlref.mlp([64, 64, 10], seed=seed).to(dtype="float64")
    optimizer, rng = dlref.SGD(lr=0.1, momentum=0.9), np.random.default_rng(seed)
    for rows in rng.integers(1437, size=(500, 64)):  # 500 random batches of 64 images
        logits, cache = net.forward(x[rows])
        _, grads = net.backward(dlref.cross_entropy(logits, y[rows])[1], cache)
        optimizer.step(net.params, grads)
    for i, bits in enumerate(all_bits):
        rounded = net.to()  # a copy
        for p in rounded.params.values():
            step = abs(p).max() / (2 ** (bits - 1) - 1)  # one step for each array
            p[:] = step * np.round(p / step)
        right[i, seed] = round(360 * dlref.accuracy(rounded.forward(x_test)[0], y_test))
for bits, r in zip(all_bits, right, strict=True):
    print(f"{bits:2} bits: from {r.min():.0f} to {r.max():.0f} of 360 right")
