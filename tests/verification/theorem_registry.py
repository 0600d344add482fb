"""All checks of theorems against the simulator."""

from __future__ import annotations

from tests.verification import (
    theorem_checks_attention,
    theorem_checks_changing_rates,
    theorem_checks_emergence,
    theorem_checks_gate,
    theorem_checks_gate_states,
    theorem_checks_in_context,
    theorem_checks_in_weight,
    theorem_checks_predictor_states,
    theorem_checks_sequences,
    theorem_checks_transition,
    theorem_checks_twin,
)
from tests.verification.theorem_check import Check
from theory.catalogue import ERRATA, THEOREMS

NAMES = tuple(claim.name for claim in (*THEOREMS, *ERRATA))
"""Everything that has to be checked."""
REFUTED = frozenset(erratum.name for erratum in ERRATA)
"""What the simulator has to disagree with."""
REGISTRY: tuple[Check, ...] = tuple(
    sorted(
        (
            *theorem_checks_in_weight.CHECKS,
            *theorem_checks_sequences.CHECKS,
            *theorem_checks_in_context.CHECKS,
            *theorem_checks_gate.CHECKS,
            *theorem_checks_gate_states.CHECKS,
            *theorem_checks_changing_rates.CHECKS,
            *theorem_checks_transition.CHECKS,
            *theorem_checks_attention.CHECKS,
            *theorem_checks_emergence.CHECKS,
            *theorem_checks_twin.CHECKS,
            *theorem_checks_predictor_states.CHECKS,
        ),
        key=lambda check: NAMES.index(check.theorem),
    )
)
REPEATS = 30
"""Batches of draws in the slow tier."""
CASES: tuple[tuple[Check, int], ...] = tuple((check, i) for check in REGISTRY for i in range(len(check.settings)))


def name_of(case: tuple[Check, int]) -> str:
    """Theorem, number of the check among its checks, and of the setting."""
    check, setting = case
    number = [other for other in REGISTRY if other.theorem == check.theorem].index(check)
    return f"{check.theorem}-{number}-{setting}"
