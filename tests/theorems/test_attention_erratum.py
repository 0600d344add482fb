"""The published lower bound on the in-context loss that is off by a factor of two."""

from __future__ import annotations

import mpmath
import numpy as np

from theory.catalogue import find_claim
from theory.theorems.falsifier import hunt


def test_the_factor_two_is_refuted_where_the_notes_say() -> None:
    erratum = find_claim("in_context_loss_factor_two")
    left, right = erratum.sides_to_fifty_digits({"L": 8, "k": 1, "relevant_distance": 0, "irrelevant_distance": 4})
    assert mpmath.nstr(left, 3) == "0.00261"
    assert mpmath.nstr(right, 3) == "0.00522"


def test_the_falsifier_finds_the_counterexample_by_itself() -> None:
    found = hunt(find_claim("in_context_loss_factor_two"), 3000, np.random.default_rng(0))
    assert found.refuted
    assert found.tightest < 0.51
