"""Phase diagrams: predictions for whole grids of settings at once."""
