import numpy as np

import dlref

rng = np.random.default_rng(0)
net = dlref.mlp([4, 3, 2], seed=0).to(dtype="float64")
weight_1, bias_1, weight_2, bias_2 = net.params.values()
x = rng.normal(size=(5, 4))  # 5 examples
doutput = rng.normal(size=(5, 2))  # in training it comes from the loss; here, any will do

hidden = np.maximum(x @ weight_1 + bias_1, 0)  # forward
dhidden = doutput @ weight_2.T  # backward: each hidden unit collects its share
dsum = dhidden * (hidden > 0)  # and where it put out 0, nothing passes
by_hand = {
    "0.weight": x.T @ dsum,
    "0.bias": dsum.sum(axis=0),
    "2.weight": hidden.T @ doutput,
    "2.bias": doutput.sum(axis=0),
}
_, grads = net.backward(doutput, net.forward(x)[1])
for name, gradient in by_hand.items():
    same = np.allclose(gradient, grads[name], rtol=0, atol=1e-12)
    print(f"{name} {gradient.shape}, as dlref's to 1e-12: {same}")
print("as finite differences to 1e-6:", max(dlref.gradcheck(net, x).values()) < 1e-6)
