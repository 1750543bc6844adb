import io

import numpy as np

import dlref

x, y, x_test, y_test = dlref.data.digits()
x, x_test = x.astype("float64"), x_test.astype("float64")
net = dlref.mlp([64, 64, 10], seed=0).to(dtype="float64")
optimizer, rng = dlref.SGD(lr=0.1, momentum=0.9), np.random.default_rng(0)
print(f"untrained:     {360 * dlref.accuracy(net.forward(x_test)[0], y_test):.0f} of 360")
for rows in rng.integers(1437, size=(500, 64)):  # 500 random batches of 64 images
    logits, cache = net.forward(x[rows])
    _, grads = net.backward(dlref.cross_entropy(logits, y[rows])[1], cache)
    optimizer.step(net.params, grads)
scores = net.forward(x_test)[0]
print(f"trained:       {360 * dlref.accuracy(scores, y_test):.0f} of 360")

file = io.BytesIO()  # a file in memory
np.savez(file, **net.params)
p = np.load(io.BytesIO(file.getvalue()))
hidden = np.maximum(x_test @ p["0.weight"] + p["0.bias"], 0)  # the architecture,
from_file = hidden @ p["2.weight"] + p["2.bias"]  # in two lines
print(f"from the file: {360 * dlref.accuracy(from_file, y_test):.0f} of 360")
print("the same scores:", np.allclose(from_file, scores))
