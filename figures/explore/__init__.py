"""The explorer: a window with a slider for each parameter, in which the prediction follows at once."""
