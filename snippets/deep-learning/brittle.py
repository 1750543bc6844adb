import numpy as np

import dlref

x, y, x_test, y_test = dlref.data.digits()
x, x_test = x.astype("float64"), x_test.astype("float64")
random_signs = np.random.default_rng(0).choice([-1.0, 1.0], x_test.shape)

for name, sizes in (("one layer", [64, 10]), ("three layers", [64, 64, 64, 10])):
    for seed in (0, 1, 2):
        net = dlref.mlp(sizes, seed=seed).to(dtype="float64")
        optimizer, rng = dlref.SGD(lr=0.1, momentum=0.9), np.random.default_rng(seed)
        for _ in range(20):
            for rows in np.array_split(rng.permutation(len(x)), 23):
                logits, cache = net.forward(x[rows])
                _, dlogits = dlref.cross_entropy(logits, y[rows])
                optimizer.step(net.params, net.backward(dlogits, cache)[1])
        logits, cache = net.forward(x_test)
        _, dlogits = dlref.cross_entropy(logits, y_test)
        dx = np.array(net.backward(dlogits, cache, input_grad=True)[0])
        changes = np.zeros_like(dx), random_signs, np.sign(dx)
        scores = [net.forward(np.clip(x_test + 0.1 * c, 0, 1))[0] for c in changes]
        none, random, worst = (round(360 * dlref.accuracy(s, y_test)) for s in scores)
        print(f"{name}, right of 360: {none}, random signs {random}, gradient's {worst}")
