import numpy as np

import dlref

x, y, _, _ = dlref.data.digits()
loss, _ = dlref.cross_entropy(np.zeros((len(y), 10)), y)
print(f"equal logits: {loss:.4f}, log 10 = {np.log(10):.4f}")

sure = np.zeros((len(y), 10))
sure[:, 3] = 10.0  # always "it is a 3"
loss, _ = dlref.cross_entropy(sure, y)
print(f"always sure of a 3: {loss:.4f}")
print(f"and right on {dlref.accuracy(sure, y):.4f} of {len(y)} images")
