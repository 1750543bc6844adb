import numpy as np

import dlref

x, y, x_test, y_test = dlref.data.digits()
x, x_test = x.astype("float64"), x_test.astype("float64")
for seed in range(5):
    net = dlref.mlp([64, 64, 10], seed=seed).to(dtype="float64")
    optimizer, rng = dlref.SGD(lr=0.1, momentum=0.9), np.random.default_rng(seed)
    for rows in rng.integers(1437, size=(500, 64)):  # 500 random batches of 64 images
        logits, cache = net.forward(x[rows])
        _, grads = net.backward(dlref.cross_entropy(logits, y[rows])[1], cache)
        optimizer.step(net.params, grads)
    p, twin, halfway = net.params, net.to(), net.to()  # two copies
    order, c = rng.permutation(64), rng.uniform(0.5, 2, size=64)
    twin.params["0.weight"][:] = p["0.weight"][:, order] * c
    twin.params["0.bias"][:] = p["0.bias"][order] * c
    twin.params["2.weight"][:] = p["2.weight"][order] / c[:, None]
    differ = sum(np.sum(p[name] != twin.params[name]) for name in p)
    for name in p:
        halfway.params[name][:] = (p[name] + twin.params[name]) / 2
    scores = [n.forward(x_test)[0] for n in (net, twin, halfway)]
    same = np.allclose(scores[0], scores[1])
    right = [round(360 * dlref.accuracy(s, y_test)) for s in scores]
    print(f"{differ} numbers differ, same scores: {same}; net, twin, halfway: {right}")
