"""What a theorem is: statement, derivation, checks, falsifier, calculator. The theorems are in ``theory.catalogue``."""
