"""What `fit` is given: checked, and made into batches of numbers."""
