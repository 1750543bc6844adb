weights = [2.0, -1.0]  # one for each input
bias = -0.5

for inputs in ([1.0, 1.0], [1.0, 2.0], [3.0, 1.0]):
    weighted_sum = bias
    for weight, value in zip(weights, inputs, strict=True):
        weighted_sum += weight * value
    output = max(weighted_sum, 0.0)  # the bend: ReLU
    print(f"inputs {inputs}: weighted sum {weighted_sum:.1f}, output {output:.1f}")
