"""Backups that survive a kill, and training that goes on from them."""
