import numpy as np

import dlref


class Skip(dlref.Sequential):  # h + f(h) in place of f(h)
    def forward(self, x, *, training=None):
        y, cache = super().forward(x, training=training)
        return x + y, cache

    def backward(self, dy, cache, *, input_grad=True):
        dx, grads = super().backward(dy, cache, input_grad=True)
        return dy + dx, grads


x = dlref.data.digits()[0][:200].astype("float64")
for kind, seed in ((dlref.Sequential, 0), (dlref.Sequential, 1), (Skip, 0), (Skip, 1)):
    rng = np.random.default_rng(seed)
    layers = [dlref.Linear(64, 64, rng, dlref.glorot_uniform) for _ in range(30)]
    net = dlref.Sequential(*(kind(layer, dlref.Sigmoid()) for layer in layers))
    net = net.to(dtype="float64")
    y, cache = net.forward(x)
    dy = rng.normal(size=y.shape)  # random slopes at the last sigmoids
    dx = np.array(net.backward(dy, cache, input_grad=True)[0])
    print(f"{kind.__name__}: {np.linalg.norm(dx) / np.linalg.norm(dy):.1e} is left at the input")
