import matplotlib.pyplot as plt
import numpy as np

import dlref

curvatures = np.array([1.0, 25.0])  # it bends 25 times as strongly across as along


def path(optimizer):
    w, points = np.array([10.0, 1.0]), []
    while np.abs(w).max() > 1e-3:
        points.append(w.copy())
        optimizer.step({"w": w}, {"w": curvatures * w})
    return np.array(points)


plain = path(dlref.SGD(lr=2 / 26))  # fastest in the long run: 2 / (1 + 25)
momentum = path(dlref.SGD(lr=1 / 9, momentum=4 / 9))  # likewise
fig, ax = plt.subplots()
ax.plot(*plain[:40].T, "o-", markersize=3, label="plain")
ax.plot(*momentum[:40].T, "o-", markersize=3, label="momentum 4/9")
ax.set(xlabel="along the valley", ylabel="across")
ax.legend()
plt.show()
print(f"steps until both are within 0.001 of 0: plain {len(plain)}, momentum {len(momentum)}")
