import numpy as np

import dlref

x, y, x_test, y_test = dlref.data.digits()
x, y = np.vstack([x, x_test]).astype("float64"), np.hstack([y, y_test])


def wrong(sizes, lr, steps, seed):
    rng, count = np.random.default_rng(seed), 0
    a, b = np.array_split(rng.permutation(len(x)), 2)
    for learn, test in ((a, b), (b, a)):  # so each image is tested once
        net, optimizer = dlref.mlp(sizes, seed=seed).to(dtype="float64"), dlref.SGD(lr, 0.9)
        for rows in rng.choice(learn, (steps, 64)):
            logits, cache = net.forward(x[rows])
            _, dlogits = dlref.cross_entropy(logits, y[rows])
            optimizer.step(net.params, net.backward(dlogits, cache)[1])
        count += np.sum(net.forward(x[test])[0].argmax(axis=1) != y[test])
    return count


models = ([64, 10], 0.5, 450), ([64, 256, 10], 0.2, 300), ([64, 128, 128, 10], 0.1, 300)
for seed in (0, 1, 2):
    linear, one, two = (wrong(*model, seed) for model in models)
    print(f"wrong of 1797: linear {linear}, one hidden layer {one}, two {two}")
