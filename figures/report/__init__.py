"""The report: one page that holds everything about a setting, what is predicted and what is simulated."""
