import numpy as np

import dlref

x_train, y_train, x_test, y_test = dlref.data.digits()


def threes_and_eights(x, y):
    chosen = np.isin(y, (3, 8))
    pixels = x[chosen].reshape(-1, 8, 8)[:, 2:6, 1:4]  # 12 pixels, left of the middle
    return pixels.sum(axis=(1, 2)), y[chosen] == 8  # how much ink; is it an 8?


def count_right(limit, ink, is_8):
    return np.sum((ink > limit) == is_8)  # the rule: more ink than the limit means 8


train, test = threes_and_eights(x_train, y_train), threes_and_eights(x_test, y_test)
limits = np.arange(0, 12, 0.25)
learned = max(limits, key=lambda limit: count_right(limit, *train))
for name, images in (("training", train), ("test", test)):
    always_3, guess, best = [count_right(limit, *images) for limit in (12, 6, learned)]
    print(f"{name}, of {len(images[0])}: always 3 {always_3} right", end=", ")
    print(f"our limit 6.00 {guess} right, learned limit {learned:.2f} {best} right")
