"""Task gradients and the update that a weighting computes from them."""
