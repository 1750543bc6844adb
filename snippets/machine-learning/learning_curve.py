import matplotlib.pyplot as plt
import numpy as np

import dlref

x, y, x_test, y_test = dlref.data.digits()
sizes, right = (10, 30, 100, 300, 1437), np.zeros((5, 5))
for i, seed in np.ndindex(5, 5):
    rows = np.random.default_rng(seed).permutation(1437)[: sizes[i]]
    net, optimizer = dlref.mlp([64, 10], seed=seed), dlref.SGD(lr=0.5, momentum=0.9)
    for _ in range(300):
        logits, cache = net.forward(x[rows])
        _, dlogits = dlref.cross_entropy(logits, y[rows])
        _, grads = net.backward(dlogits, cache)
        optimizer.step(net.params, grads)
    right[i, seed] = 360 * dlref.accuracy(net.forward(x_test)[0], y_test)
low, mean, high = right.min(axis=1), right.mean(axis=1), right.max(axis=1)
fig, ax = plt.subplots()
ax.plot(sizes, mean, "o-", label="mean of five")
ax.fill_between(sizes, low, high, alpha=0.3, label="lowest to highest")
ax.set(xscale="log", ylim=(0, 360), xlabel="training images", ylabel="right, of 360 test images")
ax.legend(loc="lower right")
plt.show()
for name, row in (("images", sizes), ("lowest", low), ("mean", mean), ("highest", high)):
    print(f"{name:8}" + "".join(f"{number:6,.0f}" for number in row))
