"""The theorems, by name: every bound, identity and limit of the gated predictor."""

from __future__ import annotations

from typing import Final

from theory.catalogue import (
    adahedge,
    attention,
    attention_floor,
    bayes_gate,
    bayes_in_context,
    bayes_two_labels,
    boundary,
    boundary_elasticity,
    composition,
    context_gap,
    convexity,
    cumulative_limit,
    cumulative_loss,
    decreasing_hedge,
    dirichlet_bayes_risk,
    excess_after_examples,
    expected_cumulative_loss,
    exponentiated_gradient,
    fixed_share,
    gradient_bound,
    hedge,
    high_probability,
    in_context_loss,
    in_context_risk,
    in_weight_bounds,
    in_weight_risk,
    laplace_upper,
    learned_temperature,
    no_hypercompression,
    pointwise,
    pointwise_small,
    projected_gradient,
    projected_gradient_rate,
    risk_after_examples,
    universal_mixture,
    unvisited_floor,
    zipf_share,
)
from theory.errors import SettingError, unknown_name
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
    *cumulative_loss.THEOREMS,
    *expected_cumulative_loss.THEOREMS,
    *cumulative_limit.THEOREMS,
    *pointwise.THEOREMS,
    *pointwise_small.THEOREMS,
    *no_hypercompression.THEOREMS,
    *high_probability.THEOREMS,
    *attention.THEOREMS,
    *in_context_loss.THEOREMS,
    *attention_floor.THEOREMS,
    *in_context_risk.THEOREMS,
    *bayes_in_context.THEOREMS,
    *bayes_two_labels.THEOREMS,
    *learned_temperature.THEOREMS,
    *convexity.THEOREMS,
    *bayes_gate.THEOREMS,
    *hedge.THEOREMS,
    *decreasing_hedge.THEOREMS,
    *adahedge.THEOREMS,
    *fixed_share.THEOREMS,
    *universal_mixture.THEOREMS,
    *gradient_bound.THEOREMS,
    *exponentiated_gradient.THEOREMS,
    *projected_gradient.THEOREMS,
    *projected_gradient_rate.THEOREMS,
    *composition.THEOREMS,
    *boundary.THEOREMS,
    *boundary_elasticity.THEOREMS,
    *context_gap.THEOREMS,
    *zipf_share.THEOREMS,
)
ERRATA: Final[tuple[Erratum, ...]] = (*in_context_loss.ERRATA,)
_BY_NAME: Final[dict[str, Claim]] = {claim.name: claim for claim in (*THEOREMS, *ERRATA)}


def find_claim(name: str) -> Claim:
    """The theorem or erratum of that name.

    Raises
    ------
    SettingError
        There is none; the message suggests the nearest name.

    Examples
    --------
    >>> find_claim("laplace_upper_linear").kind
    'upper'
    """
    if name not in _BY_NAME:
        raise unknown_name("theorem", name, _BY_NAME)
    return _BY_NAME[name]


def find_theorem(name: str) -> Theorem:
    """The theorem of that name; an erratum is none.

    Raises
    ------
    SettingError
        There is none; the message suggests the nearest name.
    """
    claim = find_claim(name)
    if not isinstance(claim, Theorem):
        raise SettingError("theorem", name, f"a theorem, not an erratum: {claim.name} is false")
    return claim


def theorem_names() -> list[str]:
    """Names of all theorems, in the order of the catalogue.

    Examples
    --------
    >>> "laplace_upper_linear" in theorem_names()
    True
    """
    return [theorem.name for theorem in THEOREMS]
