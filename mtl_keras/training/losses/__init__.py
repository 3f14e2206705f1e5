"""Losses and metrics of the tasks, and the weights of the losses."""
