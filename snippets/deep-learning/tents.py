import numpy as np


def tent(x):  # two ReLUs: up from 0 to 1, and down again
    return 2 * np.maximum(x, 0) - 4 * np.maximum(x - 0.5, 0)


x = np.arange(1025) / 1024  # steps of 1/1024, which floats hold exactly
y = x
for k in range(1, 9):
    y = tent(y)
    bends = np.count_nonzero(np.diff(np.diff(y)))
    print(f"{k} tents, {2 * k} ReLUs: {bends + 1} pieces, {bends} bends")
