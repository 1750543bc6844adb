import numpy as np

import dlref

x_train, y_train, x_test, y_test = dlref.data.digits()
x_train, x_test = x_train.astype("float64"), x_test.astype("float64")


def train(sizes, answers, test_answers, seed):
    net = dlref.mlp(sizes, seed=seed).to(dtype="float64")
    optimizer, rng = dlref.SGD(lr=0.1, momentum=0.9), np.random.default_rng(seed)
    for _ in range(20):  # passes over the images, in 23 batches
        for rows in np.array_split(rng.permutation(len(x_train)), 23):
            logits, cache = net.forward(x_train[rows])
            _, dlogits = dlref.cross_entropy(logits, answers[rows])
            _, grads = net.backward(dlogits, cache)
            optimizer.step(net.params, grads)
    return round(360 * dlref.accuracy(net.forward(x_test)[0], test_answers))


for question, classes in (("which digit", 10), ("odd or even", 2)):
    answers = y_train % classes, y_test % classes  # digit % 2 is 1 where it is odd
    linear = [train([64, classes], *answers, seed) for seed in range(3)]
    hidden = [train([64, 32, classes], *answers, seed) for seed in range(3)]
    print(f"{question}: linear {linear}, 32 hidden units {hidden} of 360 right")
