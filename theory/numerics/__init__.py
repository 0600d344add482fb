"""Special functions in the forms that keep their digits."""
