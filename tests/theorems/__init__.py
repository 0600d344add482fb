"""Every theorem of the catalogue: derivation, falsifier, exact values, simulation, wrong variant."""
