import numpy as np

import dlref

x, y, x_test, y_test = dlref.data.digits()
x, y = np.vstack([x, x_test]).astype("float64"), np.hstack([y, y_test])


def wrong(sizes, lr, steps, seed):
    rng, result = np.random.default_rng(seed), np.zeros(len(x), dtype=bool)
    halves = np.array_split(rng.permutation(len(x)), 2)
    for learn, test in (halves, halves[::-1]):  # so each image is tested once
        net = dlref.mlp(sizes, seed=seed).to(dtype="float64")
        optimizer = dlref.SGD(lr, momentum=0.9)
        for rows in rng.choice(learn, (steps, 64)):
            logits, cache = net.forward(x[rows])
            _, dlogits = dlref.cross_entropy(logits, y[rows])
            optimizer.step(net.params, net.backward(dlogits, cache)[1])
        result[test] = net.forward(x[test])[0].argmax(axis=1) != y[test]
    return result


for seed in (0, 1, 2):
    a, b = wrong([64, 10], 0.5, 450, seed), wrong([64, 128, 128, 10], 0.1, 300, seed)
    print(f"wrong: linear {sum(a)} ({sum(a & ~b)} alone), deep {sum(b)} ({sum(b & ~a)} alone)")
