r"""AdaHedge: Hedge at the rate :math:`\log 2/Q_{i-1}`, set by the mixability gaps that it has met."""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy

from theory.catalogue.adahedge_gaps import (
    WeightAtVisit,
    adahedge_loss,
    each_loss_and_gap,
    gap_of_visit,
    sum_of_gaps,
)
from theory.catalogue.gate_losses import (
    AT_LEAST_ONE_VISIT,
    HUNTED_VISITS,
    SWITCHES,
    Array,
    gap_up_to,
    losses_so_far,
)
from theory.catalogue.letters import NATS, n
from theory.catalogue.loss_sequences import (
    G_PAYS,
    H_PAYS,
    S,
    gap,
    loss_of_g,
    loss_of_gate,
    loss_of_h,
)
from theory.catalogue.mixture_loss import (
    MIXTURE_LOSS_MEANS,
    POWER_MEAN,
    SLOWER_LOSES_MORE,
    G,
    H,
    MixtureLoss,
    gain,
    inverse_rate,
    slower,
    weight,
)
from theory.numerics.gate_prices import adahedge_price
from theory.theorems.checks.identities import simplifies, to_fifty_digits
from theory.theorems.checks.inequalities import by_convexity, by_sign
from theory.theorems.checks.reductions import adding, after, follows_from, instance_of, substituting, using
from theory.theorems.checks.sums import (
    VISIT,
    against_each,
    each_term,
    naming,
    over_all,
    telescopes,
    times,
    written_out,
)
from theory.theorems.derivation import Derivation, Step
from theory.theorems.theorem import Theorem, WrongVariant

HALF: Final = sympy.Rational(1, 2)
_x, _D, _r = sympy.symbols("x D r", positive=True)
_a, _c = sympy.symbols("a c", nonnegative=True)
_g, _h = sympy.symbols("g h", real=True)


def _mixture(i: sympy.Expr, rate_before: sympy.Expr) -> sympy.Expr:
    """Loss over i visits of the mixture at the rate of a visit."""
    return MixtureLoss(HALF, sum_of_gaps(rate_before - 1) / sympy.log(2), loss_of_g(i), loss_of_h(i))


_LOG2: Final = sympy.log(2)
WEIGHT: Final = WeightAtVisit(VISIT, n, S, gap)
_MET: Final = sum_of_gaps(VISIT) - sum_of_gaps(VISIT - 1)
_MEAN: Final = WEIGHT * G_PAYS + (1 - WEIGHT) * H_PAYS
_LOSS: Final = over_all(lambda _: loss_of_gate(WEIGHT), n)
_AVERAGE: Final = over_all(lambda _: _MEAN, n)
_CHANGES: Final = over_all(lambda i: _MET + _mixture(i, i) - _mixture(i - 1, i), n)
_FALLING: Final = over_all(lambda i: _MET + _mixture(i, i) - _mixture(i - 1, i - 1), n)
_AT_END: Final = sum_of_gaps(n) + _mixture(n, n)
_PRICE: Final = sum_of_gaps(n) + sum_of_gaps(n - 1)
_BOUND: Final = sympy.Min(loss_of_g(n), loss_of_h(n)) + _PRICE

_SMALL: Final = {n: (5, 9), S: (0, 4), VISIT: (1, 5), gap: (0, 3)}
_GAP_MET: Final = Step(
    sum_of_gaps(VISIT),
    "=",
    sum_of_gaps(VISIT - 1) + _MEAN - (_mixture(VISIT, VISIT) - _mixture(VISIT - 1, VISIT)),
    "The gap of a visit: the mean loss under the weights less the loss of the exponential mixture.",
    to_fifty_digits(_SMALL),
)
_GAPS_ADD_UP: Final = Step(
    sum_of_gaps(VISIT - 1) / _LOG2,
    "=",
    sum_of_gaps(VISIT - 2) / _LOG2 + gap_of_visit(VISIT - 1) / _LOG2,
    "The sum of the gaps sets the next rate.",
    to_fifty_digits(_SMALL),
)
_NO_GAP_IS_NEGATIVE: Final = Step(
    -sympy.log(weight * sympy.exp(gain / _D) + 1 - weight) * _D,
    "<=",
    -weight * gain,
    "The mixture loses at most the mean, so that no gap is negative and the rate falls.",
    by_convexity(gain, 0, {weight: 1 / (1 + _x)}),
)
SLOWER_AT_EVEN_WEIGHTS: Final = Step(
    SLOWER_LOSES_MORE.left.subs(weight, HALF),
    "<=",
    SLOWER_LOSES_MORE.right.subs(weight, HALF),
    "Where the rate falls the mixture loses more.",
    instance_of(SLOWER_LOSES_MORE, {weight: HALF}),
)
_BEFORE: Final = MixtureLoss(HALF, inverse_rate, G, H)
_AFTER: Final = MixtureLoss(HALF, inverse_rate + slower, G, H)
_DROP: Final = after(sympy.exp, by_sign())
_FALLS: Final = naming(
    {
        _a: _mixture(VISIT, VISIT).subs(_GAPS_ADD_UP.left, _GAPS_ADD_UP.right),
        G: loss_of_g(VISIT - 1),
        H: loss_of_h(VISIT - 1),
        inverse_rate: sum_of_gaps(VISIT - 2) / _LOG2,
        slower: gap_of_visit(VISIT - 1) / _LOG2,
    },
    adding(_a - _BEFORE - _AFTER, follows_from(SLOWER_AT_EVEN_WEIGHTS)),
)
_CHAIN: Final = (
    Step(
        _LOSS,
        "<=",
        _AVERAGE,
        "The logarithm is concave.",
        each_term(
            naming(
                {_a: WEIGHT, _g: G_PAYS, _h: H_PAYS},
                substituting({_g: _h - gain, _a: 1 / (1 + _x)}, by_convexity(gain, 0)),
            )
        ),
    ),
    Step(
        _AVERAGE,
        "=",
        _CHANGES,
        "The mean loss is the gap and the loss of the mixture.",
        each_term(using(_GAP_MET, simplifies)),
    ),
    Step(
        _CHANGES,
        "<=",
        _FALLING,
        "Before the visit the rate was larger, and the mixture lost less at it.",
        each_term(adding(_MET, using(_GAPS_ADD_UP, _FALLS))),
    ),
    Step(
        _FALLING,
        "=",
        _AT_END,
        "What the mixture lost before a visit is taken away what it had lost after the visit before.",
        telescopes(sum_of_gaps(VISIT) + _mixture(VISIT, VISIT), simplifies),
    ),
    Step(
        _AT_END,
        "<=",
        _BOUND,
        "Either term of the mixture may be dropped; log(2) over the last rate is the sum of the gaps before it.",
        adding(
            sum_of_gaps(n),
            naming(
                {_c: sum_of_gaps(n - 1), G: loss_of_g(n), H: loss_of_h(n)},
                substituting({_c: _D * _LOG2}, written_out(against_each(times(1 / _D, _DROP), times(1 / _D, _DROP)))),
            ),
        ),
    ),
)


def price(n: Array, S: Array, gap: Array) -> Array:
    r""":math:`Q_n + Q_{n-1}`: regret at most."""
    gaps = np.cumsum([met for _, met in each_loss_and_gap(n, S, gap)], axis=0)
    last = np.broadcast_to(n, gaps.shape[1:]).astype(np.intp)
    # Without a gap beyond a sequence's end: there the sum stays, and only the one before the last has to be found.
    before = np.take_along_axis(np.concatenate([np.zeros_like(gaps[:1]), gaps]), last[None] - 1, axis=0)[0]
    return adahedge_price(np.stack([before, gaps[-1]]))


def _bound(n: Array, S: Array, gap: Array) -> Array:
    return np.asarray(np.minimum(*losses_so_far(n, S, gap)) + price(n, S, gap))


def _half_of_it(n: Array, S: Array, gap: Array) -> Array:
    return np.asarray(_bound(n, S, gap) - price(n, S, gap) / 2)


THEOREMS: Final = (
    Theorem(
        name="adahedge_regret",
        title="AdaHedge: cumulative loss against the better predictor, by the mixability gaps that it met",
        family="gate",
        kind="upper",
        source="derooij2014follow",
        parameters=(AT_LEAST_ONE_VISIT, SWITCHES, gap_up_to(100)),
        premises=(
            "Q_i is the sum of the mixability gaps of the visits up to i: mean losses under the weights less those of"
            " the exponential mixture; the rate before visit i is log(2)/Q_{i-1}, and infinite at Q_{i-1} = 0",
            MIXTURE_LOSS_MEANS,
            "evaluated on the evenly switching sequence of losses; that the gaps are the mean losses less those of the"
            " mixture, and add up to the next rate, was compared for the evaluated sequences, the other steps hold for"
            " every one",
        ),
        left=_LOSS,
        relation="<=",
        right=_BOUND,
        derivation=Derivation(
            lemmas=(POWER_MEAN, SLOWER_LOSES_MORE, SLOWER_AT_EVEN_WEIGHTS, _GAP_MET, _GAPS_ADD_UP, _NO_GAP_IS_NEGATIVE),
            chain=_CHAIN,
        ),
        evaluate_left=adahedge_loss,
        evaluate_right=_bound,
        hunted_up_to={"n": HUNTED_VISITS},
        value=price,
        value_meaning=f"regret against the better predictor at most, on the evenly switching sequence, {NATS}",
        wrong=WrongVariant(
            mistake="half of it: the mean of the two sums",
            right=sympy.Min(loss_of_g(n), loss_of_h(n)) + _PRICE / 2,
            evaluate=_half_of_it,
        ),
    ),
)
