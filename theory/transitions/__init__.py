"""Boundaries: where curves cross their level, and where the window of in-context learning closes."""
