import matplotlib.pyplot as plt
import numpy as np

import dlref

x, y, _, _ = dlref.data.digits()
x, y = x[:200].astype("float64"), y[:200]
he, glorot = dlref.he_normal, dlref.glorot_uniform
pairs = (dlref.ReLU, he), (dlref.Tanh, glorot), (dlref.ReLU, glorot), (dlref.Sigmoid, glorot)
for activation, init in pairs:
    signal = np.zeros((5, 30))  # for each seed, the size after each hidden layer
    for seed in range(5):
        net = dlref.mlp([64] * 31 + [10], activation, init, seed).to(dtype="float64")
        logits, caches = net.forward(x)
        dy = dlref.cross_entropy(logits, y)[1]
        for i in range(60, 1, -1):  # layer 60 gives the logits
            dy = np.array(net.layers[i].backward(dy, caches[i])[0])
            signal[seed, i // 2 - 1] = np.linalg.norm(dy)
    low, _, mid, _, high = np.sort(signal / signal[:, -1:], axis=0)
    name = f"{activation.__name__}, {init.__name__}"
    plt.semilogy(range(1, 31), mid, label=name)
    print(f"{name}: {mid[0]:.1e} is left ({low[0]:.1e} to {high[0]:.1e})")
plt.gca().set(xlabel="hidden layer", ylabel="error signal, 1 at layer 30")
plt.legend()
plt.show()
