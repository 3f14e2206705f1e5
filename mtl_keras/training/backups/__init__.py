"""Backups of training, and training that resumes from them."""
