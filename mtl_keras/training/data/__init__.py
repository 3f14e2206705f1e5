"""Checks and preparation of the data that `fit` receives."""
