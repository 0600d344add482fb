"""Gates of the step engine: the learning state of every gate, one family in a file."""
