"""Training on all samples at once by the optimizers of SciPy."""
