"""Learning states of the in-weight predictors, for the step engine."""
