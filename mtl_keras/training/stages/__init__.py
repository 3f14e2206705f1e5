"""Training of one task after another."""
