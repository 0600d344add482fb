"""Grids of settings, computed on any executor and stored cell by cell."""
