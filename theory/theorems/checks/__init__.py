"""Checks of single steps: plain functions of the two sides, and what each of them may call its finding."""
