import numpy as np

import dlref

predictions = np.array([2.0, 5.0, 4.0])
targets = np.array([3.0, 5.0, 1.0])

squared_errors = (predictions - targets) ** 2
loss, dpredictions = dlref.mse(predictions, targets)

print("squared errors:", squared_errors)
print(f"their mean, by hand: {squared_errors.mean():.4f}")
print(f"their mean, dlref:   {loss:.4f}")
print("gradient:", dpredictions.round(4))
