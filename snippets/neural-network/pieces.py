import matplotlib.pyplot as plt
import numpy as np

import dlref

x = np.arange(-1, 6, 1 / 64)
inside, curve = (x >= 0) & (x <= 4), np.sin(2 * x) + x / 2  # 0 at 0, as is 2.bias
fig, ax = plt.subplots(subplot_kw={"xlabel": "input", "ylabel": "output"})
ax.axvspan(0, 4, color="C0", alpha=0.1)
ax.plot(x[::8], curve[::8], "--", label="the curve")
for units in (2, 4, 8, 16):
    knots = np.linspace(0, 4, units + 1)  # where the network is to meet the curve
    slopes = np.diff(np.interp(knots, x, curve)) / np.diff(knots)
    net = dlref.mlp([1, units, 1], seed=0).to(dtype="float64")
    net.params["0.weight"][:] = 1.0
    net.params["0.bias"][:] = -knots[:-1]  # each unit is on to the right of its knot
    net.params["2.weight"][:, 0] = np.diff(slopes, prepend=0)  # and changes the slope there
    y = net.forward(x[:, None])[0][:, 0]
    pieces = 1 + (np.abs(np.diff(y, 2)) > 1e-9).sum()
    near, far = np.abs(y - curve)[inside].max(), np.abs(y - curve)[~inside].max()
    print(f"{units:2} units, {pieces:2} pieces: off by up to {near:.3f} inside, {far:.1f} outside")
    if units in (4, 16):
        ax.plot(x[::8], y[::8], label=f"{units} hidden units")
ax.legend()
plt.show()
