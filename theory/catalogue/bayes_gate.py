r"""The Bayes gate: its log-odds add :math:`\log g(y) - \log h(y)`; its loss is that of their mixture."""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy

from theory.catalogue.gate_losses import (
    HUNTED_VISITS,
    SWITCHES,
    Array,
    additive_gate_loss,
    gap_up_to,
    losses_so_far,
    mixed_loss,
)
from theory.catalogue.letters import NATS, n
from theory.catalogue.loss_sequences import loss_of_g, loss_of_gate, loss_of_h
from theory.theorems.checks.identities import simplifies
from theory.theorems.checks.inequalities import by_sign
from theory.theorems.checks.reductions import after, substituting
from theory.theorems.checks.sums import VISIT, against_each, naming, over_all, telescopes
from theory.theorems.derivation import Derivation, Step
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

prior = sympy.Symbol("prior", positive=True)
loss_g = sympy.Symbol("loss_g", nonnegative=True)
loss_h = sympy.Symbol("loss_h", nonnegative=True)
_a, _b = sympy.symbols("a b", real=True)
_G, _H = sympy.symbols("G H", nonnegative=True)
_x = sympy.Symbol("x", positive=True)
_BELOW_ONE: Final = {prior: 1 / (1 + _x)}

PRIOR: Final = Parameter(
    symbol=prior,
    latex=r"\pi",
    meaning="prior weight of the in-weight predictor",
    lowest=0,
    highest=1,
    above=True,
    below=True,
    default=0.5,
)
FEW_VISITS: Final = Parameter(
    symbol=n, latex="n", meaning="visits of the query, gone through one by one", lowest=1, highest=1e4, corners=(20.0,)
)
LOSSES: Final = tuple(
    Parameter(
        symbol=symbol, latex=latex, meaning=f"cumulative loss of the {who} predictor, nats", lowest=0, highest=1e12
    )
    for symbol, latex, who in ((loss_g, "G", "in-weight"), (loss_h, "H", "in-context"))
)


def mixture(in_weight: sympy.Expr, in_context: sympy.Expr) -> sympy.Expr:
    r""":math:`\pi e^{-G} + (1-\pi)e^{-H}`: what the mixture of both predictors gives the labels seen."""
    return prior * sympy.exp(-in_weight) + (1 - prior) * sympy.exp(-in_context)


# Step by step.

_BEFORE: Final = mixture(loss_of_g(VISIT - 1), loss_of_h(VISIT - 1))
_WEIGHT: Final = prior * sympy.exp(-loss_of_g(VISIT - 1)) / _BEFORE
_POTENTIAL: Final = -sympy.log(mixture(loss_of_g(VISIT), loss_of_h(VISIT)))
_STEPWISE: Final = over_all(lambda _: loss_of_gate(_WEIGHT), n)
_CLOSED: Final = -sympy.log(mixture(loss_of_g(n), loss_of_h(n)))
_NAMES: Final = {
    _G: loss_of_g(VISIT - 1),
    _H: loss_of_h(VISIT - 1),
    _a: loss_of_g(VISIT),
    _b: loss_of_h(VISIT),
}
_TELESCOPING: Final = Step(
    _STEPWISE,
    "=",
    _CLOSED,
    "What the gate gives a label is the ratio of the mixture with that label to the mixture before it.",
    telescopes(_POTENTIAL, naming(_NAMES, substituting(_BELOW_ONE, after(sympy.exp, simplifies)))),
)

# Against each of the two.

_TOTAL: Final = -sympy.log(mixture(loss_g, loss_h))
_BOUND: Final = sympy.Min(loss_g + sympy.log(1 / prior), loss_h + sympy.log(1 / (1 - prior)))
_ONE_VISIT: Final = Step(
    (prior * sympy.exp(-_a) * sympy.exp(-_G) + (1 - prior) * sympy.exp(-_b) * sympy.exp(-_H)) / mixture(_a, _b),
    "=",
    mixture(_a + _G, _b + _H) / mixture(_a, _b),
    "One visit multiplies the mixture by what the gate gives the label, so that the losses add up to the left side.",
    simplifies,
)
_DROP: Final = after(sympy.exp, substituting(_BELOW_ONE, by_sign()))
_CHAIN: Final = (
    Step(
        _TOTAL,
        "<=",
        _BOUND,
        "Either term of the mixture may be dropped: the logarithm increases.",
        against_each(_DROP, _DROP),
    ),
)


def stepwise_loss(n: Array, S: Array, prior: Array, gap: Array) -> Array:
    """Loss of the Bayes gate, visit by visit."""
    start = np.log(prior) - np.log1p(-prior)
    return additive_gate_loss(lambda lead: start + lead, n, S, gap)


def mixture_loss(prior: Array, loss_g: Array, loss_h: Array) -> Array:
    r""":math:`-\log[\pi e^{-G} + (1-\pi) e^{-H}]`: cumulative loss of the Bayes gate."""
    return mixed_loss(np.log(prior), np.log1p(-prior), loss_g, loss_h)


def _closed_loss(n: Array, S: Array, prior: Array, gap: Array) -> Array:
    return mixture_loss(prior, *losses_so_far(n, S, gap))


def _even_prior_loss(n: Array, S: Array, prior: Array, gap: Array) -> Array:
    return mixture_loss(np.full_like(prior, 0.5), *losses_so_far(n, S, gap))


def regret_bound(prior: Array, loss_g: Array, loss_h: Array) -> Array:
    r""":math:`\min(G + \log\frac1\pi, H + \log\frac1{1-\pi})`."""
    return np.minimum(loss_g - np.log(prior), loss_h - np.log1p(-prior))


THEOREMS: Final = (
    Theorem(
        name="bayes_gate_loss",
        title="Bayes gate: its losses, visit by visit, add up to the loss of the mixture of both predictors",
        family="gate",
        kind="exact",
        source=DERIVED_HERE,
        parameters=(FEW_VISITS, SWITCHES, PRIOR, gap_up_to(100)),
        premises=("derived for every sequence of losses; evaluated on the evenly switching one",),
        left=_STEPWISE,
        relation="=",
        right=_CLOSED,
        derivation=Derivation(chain=(_TELESCOPING,)),
        evaluate_left=stepwise_loss,
        evaluate_right=_closed_loss,
        hunted_up_to={"n": HUNTED_VISITS},
        value_meaning=f"cumulative loss of the gate, {NATS}",
        wrong=WrongVariant(
            mistake="an even prior whatever the gate's own",
            right=_CLOSED.subs(prior, sympy.Rational(1, 2)),
            evaluate=_even_prior_loss,
        ),
    ),
    Theorem(
        name="bayes_regret",
        title="Bayes gate: cumulative loss against the better predictor, on every sequence",
        family="gate",
        kind="upper",
        source=DERIVED_HERE,
        parameters=(PRIOR, *LOSSES),
        premises=("the left side is the gate's cumulative loss, by bayes_gate_loss",),
        left=_TOTAL,
        relation="<=",
        right=_BOUND,
        derivation=Derivation(lemmas=(_ONE_VISIT, _TELESCOPING), chain=_CHAIN),
        evaluate_left=mixture_loss,
        evaluate_right=regret_bound,
        value_meaning=f"cumulative loss of the gate at most, {NATS}",
        wrong=WrongVariant(
            mistake="the price of the prior paid once for both: half of it",
            right=sympy.Min(loss_g + sympy.log(1 / prior) / 2, loss_h + sympy.log(1 / (1 - prior)) / 2),
            evaluate=lambda prior, loss_g, loss_h: np.minimum(
                loss_g - np.log(prior) / 2, loss_h - np.log1p(-prior) / 2
            ),
        ),
    ),
)
