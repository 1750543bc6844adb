"""Models trained on the package's own data: what they reach, and beside what.

python -m tests.training.digits          # LeNet and an MLP, both splits, five seeds
python -m tests.training.python_manual   # GPT and n-grams, some minutes
"""
