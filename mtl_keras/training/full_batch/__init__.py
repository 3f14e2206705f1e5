"""Full-batch training with the optimizers of SciPy."""
