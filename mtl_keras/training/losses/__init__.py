"""Losses, metrics and loss weights of the tasks."""
