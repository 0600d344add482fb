"""The theorems, by name: every bound, identity and limit of the gated predictor."""

from __future__ import annotations

from typing import Final

from theory.catalogue import (
    dirichlet_bayes_risk,
    excess_after_examples,
    in_weight_bounds,
    in_weight_risk,
    laplace_upper,
    risk_after_examples,
    unvisited_floor,
)
from theory.errors import unknown_name
from theory.theorems.claim import Claim
from theory.theorems.theorem import Erratum, Theorem

THEOREMS: Final[tuple[Theorem, ...]] = (
    *in_weight_risk.THEOREMS,
    *laplace_upper.THEOREMS,
    *in_weight_bounds.THEOREMS,
    *risk_after_examples.THEOREMS,
    *excess_after_examples.THEOREMS,
    *unvisited_floor.THEOREMS,
    *dirichlet_bayes_risk.THEOREMS,
)
ERRATA: Final[tuple[Erratum, ...]] = ()
_BY_NAME: Final[dict[str, Claim]] = {claim.name: claim for claim in (*THEOREMS, *ERRATA)}


def find_claim(name: str) -> Claim:
    """The theorem or erratum of that name.

    Raises
    ------
    SettingError
        There is none; the message suggests the nearest name.

    Examples
    --------
    >>> find_claim("laplace_upper_linear").evaluate(n=9, C=3)
    array(0.2)
    """
    if name not in _BY_NAME:
        raise unknown_name("theorem", name, _BY_NAME)
    return _BY_NAME[name]
