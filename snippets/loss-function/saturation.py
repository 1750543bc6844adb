import matplotlib.pyplot as plt
import numpy as np

logit = np.linspace(-8, 8, 81)  # of the right class, for one sigmoid unit
p = 1 / (1 + np.exp(-logit))  # probability of the right class

cross_entropy_slope = p - 1  # of -log(p)
squared_error_slope = 2 * (p - 1) * p * (1 - p)  # of (p - 1)²

fig, ax = plt.subplots()
ax.plot(logit, cross_entropy_slope, label="cross-entropy")
ax.plot(logit, squared_error_slope, "--", label="squared error after sigmoid")
ax.set_xlabel("logit of the right class")
ax.set_ylabel("slope of the loss")
ax.legend()
plt.show()

print(f"at the left end, p = {p[0]:.4f}:")
print(f"slope of cross-entropy {cross_entropy_slope[0]:.4f}")
print(f"slope of squared error {squared_error_slope[0]:.4f}")
