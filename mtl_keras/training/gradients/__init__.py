"""Gradients of the tasks at what they share, and the update made of them."""
