import numpy as np

import dlref


class Skip(dlref.Sequential):  # h + f(h) in place of f(h)
    def forward(self, x):
        y, cache = super().forward(x)
        return x + y, cache

    def backward(self, dy, cache, *, input_grad=True):
        dx, grads = super().backward(dy, cache, input_grad=True)
        return dy + dx, grads


x, y, _, _ = dlref.data.digits()
x, y, init = x[:200].astype("float64"), y[:200], dlref.glorot_uniform
for kind, seed in ((dlref.Sequential, 0), (dlref.Sequential, 1), (Skip, 0), (Skip, 1)):
    rng = np.random.default_rng(seed)
    f = [kind(dlref.Linear(64, 64, rng, init), dlref.Sigmoid()) for _ in range(30)]
    net = dlref.Sequential(*f, dlref.Linear(64, 10, rng, init)).to(dtype="float64")
    logits, cache = net.forward(x)
    dy = dlref.cross_entropy(logits, y)[1]
    dx = np.array(net.backward(dy, cache, input_grad=True)[0])
    print(f"{kind.__name__}: {np.linalg.norm(dx) / np.linalg.norm(dy):.1e} is left at the input")
