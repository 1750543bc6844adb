import numpy as np

import dlref

x, y, x_test, y_test = dlref.data.digits()
x, x_test = x.astype("float64"), x_test.astype("float64")
right = np.zeros((10, 2, 5))  # tenths deleted; the smallest, or random ones; 5 nets
for seed in range(5):
    net = dlref.mlp([64, 64, 10], seed=seed).to(dtype="float64")
    optimizer, rng = dlref.SGD(lr=0.1, momentum=0.9), np.random.default_rng(seed)
    for rows in rng.integers(1437, size=(500, 64)):  # 500 random batches of 64 images
        logits, cache = net.forward(x[rows])
        _, grads = net.backward(dlref.cross_entropy(logits, y[rows])[1], cache)
        optimizer.step(net.params, grads)
    for tenths in range(10):
        nets = [net.to(), net.to()]  # two copies
        for name in ("0.weight", "2.weight"):
            small, random = nets[0].params[name], nets[1].params[name]
            small[abs(small) < np.quantile(abs(small), tenths / 10)] = 0
            random.flat[rng.permutation(small.size)[: np.sum(small == 0)]] = 0  # as many
        scores = [n.forward(x_test)[0] for n in nets]
        right[tenths, :, seed] = [round(360 * dlref.accuracy(s, y_test)) for s in scores]
for tenths in (0, 2, 5, 8, 9):
    (a, b), (c, d) = [(r.min(), r.max()) for r in right[tenths]]
    print(f"{10 * tenths:2} % deleted: smallest {a:.0f} to {b:.0f}, random {c:.0f} to {d:.0f}")
