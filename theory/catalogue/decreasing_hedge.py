r"""The Hedge gate whose rate falls with the visits: :math:`\lambda/\sqrt i` before visit :math:`i`.

Nothing is paid for the size of losses once the rate is at most 1, where log loss is mixable.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy
from scipy.special import log_expit

from theory.catalogue.bayes_gate import PRIOR, prior
from theory.catalogue.gate_losses import (
    AT_LEAST_ONE_VISIT,
    HUNTED_VISITS,
    SWITCHES,
    Array,
    each_visit,
    gap_up_to,
    losses_so_far,
    mixed_loss,
)
from theory.catalogue.hedge import LARGEST_LOSS, RATE, B, rate
from theory.catalogue.letters import NATS, n
from theory.catalogue.loss_sequences import G_PAYS, H_PAYS, loss_of_g, loss_of_gate, loss_of_h
from theory.catalogue.mixture_loss import (
    FASTER_LOSES_LITTLE_LESS,
    MIXTURE_LOSS_MEANS,
    POWER_MEAN,
    SLOWER_AT_ONE_VISIT,
    SLOWER_LOSES_MORE,
    G,
    H,
    MixtureLoss,
    gain,
    inverse_rate,
    rise,
    slower,
    weight,
)
from theory.numerics.gate_prices import decreasing_hedge_price, total_excess_rate
from theory.theorems.checks.identities import simplifies
from theory.theorems.checks.inequalities import by_sign
from theory.theorems.checks.reductions import (
    adding,
    after,
    as_one_sum,
    follows_from,
    in_every_case,
    substituting,
    using,
)
from theory.theorems.checks.sums import VISIT, each_term, naming, over_all, telescopes, times, written_out
from theory.theorems.derivation import Derivation, Step
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

_x, _q, _D = sympy.symbols("x q D", positive=True)
_z, _s = sympy.symbols("z s", nonnegative=True)
_g, _h = sympy.symbols("g h", real=True)
_a, _b = sympy.symbols("a b", nonnegative=True)
_BELOW_ONE: Final = {prior: 1 / (1 + _q)}

_VISIT_RATE: Final = rate / sympy.sqrt(VISIT)
_ODDS: Final = prior / (1 - prior) * sympy.exp(_VISIT_RATE * (loss_of_h(VISIT - 1) - loss_of_g(VISIT - 1)))
_WEIGHT: Final = _ODDS / (1 + _ODDS)
_GAP: Final = H_PAYS - G_PAYS
_TILTED: Final = sympy.log(_WEIGHT * sympy.exp(_VISIT_RATE * _GAP) + 1 - _WEIGHT) / _VISIT_RATE
_ABOVE_ONE: Final = sympy.Max(_VISIT_RATE - 1, 0)


def _mixture(inverse: sympy.Expr, i: sympy.Expr) -> sympy.Expr:
    return MixtureLoss(prior, inverse / rate, loss_of_g(i), loss_of_h(i))


_ROOT, _ROOT_BEFORE = sympy.sqrt(VISIT), sympy.sqrt(VISIT - 1)
_LOSS: Final = over_all(lambda _: loss_of_gate(_WEIGHT), n)
_SHIFTED: Final = over_all(lambda _: H_PAYS - sympy.log(_WEIGHT * sympy.exp(_GAP) + 1 - _WEIGHT), n)
_MIXED: Final = over_all(lambda _: H_PAYS - _TILTED, n)
_SIZES: Final = over_all(lambda _: _ABOVE_ONE * _GAP**2 / 8, n)
_LARGEST: Final = over_all(lambda _: _ABOVE_ONE * B**2 / 8, n)
_CHANGES: Final = over_all(lambda i: _mixture(_ROOT, i) - _mixture(_ROOT, i - 1), n)
_FALLING: Final = over_all(lambda i: _mixture(_ROOT, i) - _mixture(_ROOT_BEFORE, i - 1), n)
_AT_END: Final = _mixture(sympy.sqrt(n), n)
_START: Final = sympy.sqrt(n) / rate * sympy.log(1 / (1 - prior))
_BOUND: Final = loss_of_h(n) + _START + _LARGEST

_PAID: Final = {_g: G_PAYS, _h: H_PAYS}
_GIVEN_ODDS: Final = {_x: _ODDS.subs(_BELOW_ONE)}
_GIVEN_WEIGHT: Final = {weight: _WEIGHT.subs(_BELOW_ONE)}
_NAMES: Final = {_a: loss_of_g(VISIT - 1), _b: loss_of_h(VISIT - 1), G: loss_of_g(VISIT), H: loss_of_h(VISIT)}

_ROOTS: Final = Step(
    _ROOT / rate,
    "=",
    _ROOT_BEFORE / rate + 1 / (rate * (_ROOT + _ROOT_BEFORE)),
    "The rate falls: one over it grows.",
    simplifies,
)
_BEFORE: Final = MixtureLoss(prior, inverse_rate, G, H)
_AFTER: Final = MixtureLoss(prior, inverse_rate + slower, G, H)
_FALLS: Final = naming(
    {
        _a: _mixture(_ROOT, VISIT).subs(_ROOTS.left, _ROOTS.right),
        G: loss_of_g(VISIT - 1),
        H: loss_of_h(VISIT - 1),
        inverse_rate: _ROOT_BEFORE / rate,
        slower: 1 / (rate * (_ROOT + _ROOT_BEFORE)),
    },
    adding(_a - _BEFORE - _AFTER, substituting({prior: weight}, follows_from(SLOWER_LOSES_MORE))),
)
_AT_ONE_VISIT: Final = adding(
    _h,
    in_every_case(
        substituting({rate: _D * (1 - rise / (1 + rise))}, follows_from(SLOWER_AT_ONE_VISIT)),
        substituting({rate: _D * (1 + rise)}, follows_from(FASTER_LOSES_LITTLE_LESS)),
    ),
)
_CHAIN: Final = (
    Step(
        _LOSS,
        "=",
        _SHIFTED,
        "The in-context loss comes out of the logarithm.",
        each_term(substituting(_BELOW_ONE, naming(_GIVEN_ODDS | _PAID, after(sympy.exp, simplifies)))),
    ),
    Step(
        _SHIFTED,
        "<=",
        _MIXED + _SIZES,
        "At a rate up to 1 log loss is at most the loss of the exponential mixture, and little more at a larger one.",
        as_one_sum(
            each_term(
                substituting(
                    _BELOW_ONE,
                    naming(_GIVEN_WEIGHT | _PAID | {_D: _ROOT}, substituting({_g: _h - gain}, _AT_ONE_VISIT)),
                )
            )
        ),
    ),
    Step(
        _MIXED + _SIZES,
        "<=",
        _MIXED + _LARGEST,
        "Losses in [0, B] differ by at most B.",
        adding(
            _MIXED,
            each_term(
                naming(
                    _PAID | {_z: _ABOVE_ONE},
                    substituting({_h: _g + gain, B: sympy.Abs(gain) + slower}, by_sign()),
                )
            ),
        ),
    ),
    Step(
        _MIXED + _LARGEST,
        "=",
        _CHANGES + _LARGEST,
        "The loss of the exponential mixture at a visit, by the mixture's losses before and after it.",
        adding(
            _LARGEST,
            each_term(
                written_out(
                    substituting(
                        _BELOW_ONE,
                        naming(_NAMES | {_D: _ROOT}, times(rate / _D, after(sympy.exp, simplifies))),
                    )
                )
            ),
        ),
    ),
    Step(
        _CHANGES + _LARGEST,
        "<=",
        _FALLING + _LARGEST,
        "Before the visit the rate was larger, and the mixture lost less at it.",
        adding(_LARGEST, each_term(using(_ROOTS, _FALLS))),
    ),
    Step(
        _FALLING + _LARGEST,
        "=",
        _AT_END + _LARGEST,
        "What the mixture lost before a visit is taken away what it had lost after the visit before.",
        adding(_LARGEST, telescopes(_mixture(_ROOT, VISIT), simplifies)),
    ),
    Step(
        _AT_END + _LARGEST,
        "<=",
        _BOUND,
        "The in-weight predictor's term may be dropped.",
        adding(
            _LARGEST,
            naming(
                {inverse_rate: sympy.sqrt(n) / rate, G: loss_of_g(n), H: loss_of_h(n)},
                substituting({inverse_rate: _D, **_BELOW_ONE}, written_out(times(1 / _D, after(sympy.exp, by_sign())))),
            ),
        ),
    ),
)


def decreasing_hedge_loss(n: Array, S: Array, prior: Array, rate: Array, gap: Array) -> Array:
    """Cumulative loss of the gate, visit by visit."""
    start = np.log(prior) - np.log1p(-prior)
    total, lead = np.zeros(()), np.zeros(())
    for i, exists, by_g in each_visit(n, S):
        odds = start + rate / np.sqrt(i + 1) * (gap * lead)
        pays = (np.where(by_g, gap, 0.0), np.where(by_g, 0.0, gap))
        total = total + np.where(exists, mixed_loss(log_expit(odds), log_expit(-odds), *pays), 0.0)
        lead = lead + np.where(by_g, -1.0, 1.0)
    return np.asarray(total)


def price(n: Array, prior: Array, rate: Array, B: Array) -> Array:
    r""":math:`\frac{\sqrt n}\lambda \log\frac1{1-\pi} + \frac{B^2}8\sum_i\max(\lambda_i - 1, 0)`: regret at most."""
    return decreasing_hedge_price(-np.log1p(-prior), rate, n, B**2 * total_excess_rate(n, rate))


def _bound(n: Array, S: Array, prior: Array, rate: Array, B: Array, gap: Array) -> Array:
    return np.asarray(losses_so_far(n, S, gap)[1] + price(n, prior, rate, B))


def _without_root(n: Array, S: Array, prior: Array, rate: Array, B: Array, gap: Array) -> Array:
    return np.asarray(
        losses_so_far(n, S, gap)[1] + price(n, prior, rate, B) + (np.sqrt(n) - 1) / rate * np.log1p(-prior)
    )


THEOREMS: Final = (
    Theorem(
        name="decreasing_hedge_regret",
        title="Hedge gate with a falling rate, rate/sqrt(i): cumulative loss against the in-context predictor",
        family="gate",
        kind="upper",
        source=DERIVED_HERE,
        parameters=(AT_LEAST_ONE_VISIT, SWITCHES, PRIOR, RATE, LARGEST_LOSS, gap_up_to(B)),
        premises=(
            "the losses of a visit differ by at most B where its rate is above 1, and by anything elsewhere",
            "against the in-weight predictor the same with prior in the place of 1 - prior: the names are arbitrary",
            "derived for every such sequence; evaluated on the evenly switching one",
            MIXTURE_LOSS_MEANS,
        ),
        left=_LOSS,
        relation="<=",
        right=_BOUND,
        derivation=Derivation(
            lemmas=(POWER_MEAN, SLOWER_AT_ONE_VISIT, FASTER_LOSES_LITTLE_LESS, SLOWER_LOSES_MORE, _ROOTS),
            chain=_CHAIN,
        ),
        evaluate_left=decreasing_hedge_loss,
        evaluate_right=_bound,
        hunted_up_to={"n": HUNTED_VISITS},
        value=price,
        value_meaning=f"regret of the gate against the in-context predictor at most, {NATS}",
        wrong=WrongVariant(
            mistake="the price of the prior at the first rate, not at the last one: no root of n",
            right=loss_of_h(n) + sympy.log(1 / (1 - prior)) / rate + _LARGEST,
            evaluate=_without_root,
        ),
    ),
)
