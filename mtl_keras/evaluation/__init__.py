"""Looks at what a model learned."""
