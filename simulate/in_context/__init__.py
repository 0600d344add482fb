"""Learning states of the in-context predictors, for the step engine."""
