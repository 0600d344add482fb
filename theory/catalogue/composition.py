r"""Generalization of g, risk of h and regret of the gate in one line: the average loss of the gated predictor.

Stopping the online learner after a uniformly drawn number of visits gives a predictor whose risk is the average of the
expected losses. Label counts decide everything where the label is the own one or one other: :math:`N \sim
\mathrm{Bin}(n, 1-\eta)` visits have the own label, the Laplace table pays :math:`\Lambda_N`, and an in-context
predictor that puts mass :math:`q` on the own label pays :math:`S_N`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import mpmath
import numpy as np
import sympy
from scipy.special import gammaln, xlog1py, xlogy

from theory.catalogue.bayes_gate import PRIOR, mixture, prior
from theory.catalogue.gate_losses import AT_LEAST_ONE_VISIT, Array, mixed_loss, most_visits
from theory.catalogue.letters import LABELS_IID, NATS, NUM_CLASSES, C, label_noise, n
from theory.numerics.excess import log_gamma_surplus
from theory.numerics.special import log_rising, stirling_series
from theory.theorems.checks.identities import by_definition, by_summation, simplifies
from theory.theorems.checks.inequalities import by_sign
from theory.theorems.checks.reductions import after, follows_from, substituting, using
from theory.theorems.checks.sums import (
    VISIT,
    against_each,
    each_term,
    in_minimum,
    is_a_term,
    is_an_argument,
    logarithm_of,
    naming,
    times,
    without_factor,
    written_out,
)
from theory.theorems.derivation import Check, Derivation, Step
from theory.theorems.expectations import binomial_mean
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

copied = sympy.Symbol("copied", positive=True)
_k = sympy.Symbol("k", integer=True, nonnegative=True)
_j = sympy.Symbol("j", integer=True, nonnegative=True)
_m = sympy.Symbol("m", integer=True, nonnegative=True)
_n = sympy.Symbol("n", integer=True, positive=True)
_x, _y, _z = sympy.symbols("x y z", positive=True)
_u, _v, _c = sympy.symbols("u v c")
_L, _S = sympy.symbols("L S", real=True)

OWN_MASS: Final = Parameter(
    symbol=copied,
    latex="q",
    meaning="mass that the in-context predictor puts on the own label; the rest is on the other one",
    lowest=0,
    highest=1,
    above=True,
    below=True,
)
NOISE: Final = Parameter(
    symbol=label_noise,
    latex=r"\eta",
    meaning="probability that a label is the other one",
    lowest=0,
    highest=1,
    above=True,
    below=True,
)
HUNTED_VISITS: Final = 100.0
_VISITS_ENUMERATED: Final = 10_000


def _log_gamma(x: sympy.Expr) -> sympy.Expr:
    return sympy.log(sympy.gamma(x))


class _LossOfCount(sympy.Function):  # type: ignore[misc]
    nargs = 3
    is_real = True
    letter = ""

    def _latex(self, _: Any) -> str:
        return self.letter


class LossOfTable(_LossOfCount):
    """Cumulative loss of the Laplace table on n visits of which k have the own label; arguments ``n, k, C``."""

    letter = r"\Lambda_k"

    @staticmethod
    def mp_value(n: Any, k: Any, C: Any) -> Any:
        """Its value in mpmath's working precision."""
        labels = mpmath.loggamma(n + C) - mpmath.loggamma(C)
        return labels - mpmath.loggamma(k + 1) - mpmath.loggamma(n - k + 1)

    def definition(self) -> sympy.Expr:
        """The ratio of rising factorials, from exchangeability."""
        n, k, C = self.args
        return _log_gamma(n + C) - _log_gamma(C) - _log_gamma(k + 1) - _log_gamma(n - k + 1)


class LossOfContext(_LossOfCount):
    """Cumulative loss of the in-context predictor on the same visits; arguments ``n, k, copied``."""

    letter = "S_k"

    @staticmethod
    def mp_value(n: Any, k: Any, copied: Any) -> Any:
        """Its value in mpmath's working precision."""
        return -k * mpmath.log(copied) - (n - k) * mpmath.log1p(-copied)

    def definition(self) -> sympy.Expr:
        """One term for each visit."""
        n, k, copied = self.args
        return -k * sympy.log(copied) - (n - k) * sympy.log(1 - copied)


_COUNTS_OF_LABELS: Final = _log_gamma(n + C) - _log_gamma(C) - _log_gamma(n + 1)
_TABLE: Final = LossOfTable(n, _k, C)
_CONTEXT: Final = LossOfContext(n, _k, copied)
_CODE: Final = -_k * sympy.log(1 - label_noise) - (n - _k) * sympy.log(label_noise)
_FOR_G: Final = sympy.log(1 / prior)
_FOR_H: Final = sympy.log(1 / (1 - prior))


def _mean(value: sympy.Expr) -> sympy.Sum:
    return binomial_mean(lambda _: value, n, 1 - label_noise)


def risk_of(probability: sympy.Expr) -> sympy.Expr:
    r"""Expected loss of what puts that probability on the own label, the rest on the other one."""
    return -(1 - label_noise) * sympy.log(probability) - label_noise * sympy.log(1 - probability)


_WEIGHT: Final = _mean(sympy.Integer(1)).function
_ENTROPY: Final = risk_of(1 - label_noise)
_LOSS: Final = _mean(-sympy.log(mixture(_TABLE, _CONTEXT))) / n
_BETTER: Final = _mean(sympy.Min(_TABLE + _FOR_G, _CONTEXT + _FOR_H)) / n
_MEANS: Final = sympy.Min(_mean(_TABLE + _FOR_G), _mean(_CONTEXT + _FOR_H)) / n
_BOUND: Final = sympy.Min(_mean(_TABLE + _FOR_G), n * risk_of(copied) + _FOR_H) / n
_CODED: Final = sympy.Min(_mean(_CODE + _COUNTS_OF_LABELS + _FOR_G), n * risk_of(copied) + _FOR_H) / n
_CLOSED: Final = sympy.Min(n * _ENTROPY + _COUNTS_OF_LABELS + _FOR_G, n * risk_of(copied) + _FOR_H) / n

# Noise and prior below 1, written so that SymPy sees it.
_NOISE: Final = {label_noise: 1 / (1 + _x)}
_MASS: Final = {copied: 1 / (1 + _z)}
_PRIORS: Final = {prior: 1 / (1 + _y)}
_loss_at = sympy.Function("l", real=True)

_STOPPED: Final = Step(
    sympy.Sum(_loss_at(VISIT) / n, (VISIT, 1, n)),
    "=",
    sympy.Sum(_loss_at(VISIT), (VISIT, 1, n)) / n,
    "Stopped before a uniformly drawn visit, the learner has the average of its expected losses as its risk.",
    simplifies,
)
_AT_COUNT: Final = {**_NOISE, n: _k + _m}
_AT_MOST_ONE: Final = Step(
    _WEIGHT,
    "<=",
    sympy.Integer(1),
    "The probability of a count is at most 1.",
    follows_from(
        Step(
            _WEIGHT,
            "<=",
            _mean(sympy.Integer(1)),
            "One of the probabilities of all counts.",
            is_a_term(_k, _AT_COUNT),
        ),
        Step(_mean(sympy.Integer(1)), "=", sympy.Integer(1), "They sum to 1.", by_summation(label_noise)),
    ),
)


def _at_least_one(step: Step) -> Step:
    return Step(step.left.subs(n, _n), step.relation, step.right.subs(n, _n), step.reason, step.check)


_TABLE_LOSS: Final = Step(
    _TABLE,
    "=",
    _COUNTS_OF_LABELS + _log_gamma(n + 1) - _log_gamma(_k + 1) - _log_gamma(n - _k + 1),
    "Exchangeability: the loss is the code length of the label law, plus that of the order.",
    by_definition,
)
_MEAN_CONTEXT: Final = Step(
    _mean(_CONTEXT + _FOR_H),
    "=",
    n * risk_of(copied) + _FOR_H,
    "The in-context losses are independent draws.",
    written_out(
        naming(
            {_u: sympy.log(copied), _v: sympy.log(1 - copied), _c: _FOR_H},
            by_summation(label_noise),
        ),
    ),
)
_MEAN_CODE: Final = Step(
    _mean(_CODE + _COUNTS_OF_LABELS + _FOR_G),
    "=",
    n * _ENTROPY + _COUNTS_OF_LABELS + _FOR_G,
    "The mean of the ideal code lengths is the entropy.",
    naming(
        {_u: sympy.log(1 - label_noise), _v: sympy.log(label_noise), _c: _COUNTS_OF_LABELS + _FOR_G},
        by_summation(label_noise),
    ),
)
_DROP: Final = after(sympy.exp, substituting(_PRIORS, by_sign()))


def _for_each_count(check: Check) -> Check:
    """Divided by the number of visits, which is at least 1, and by the probability of the count, which is at most n."""
    weight = _WEIGHT.subs({**_NOISE, n: _k + _m})
    return each_term(substituting({**_NOISE, **_MASS, _n: _k + _m}, without_factor(weight, check)))


def _at_counts(value: sympy.Expr) -> sympy.Expr:
    return value.subs({n: _k + _m, **_MASS})


def _times_visits(check: Check) -> Check:
    return substituting({n: _n}, times(_n, check))


_TO_BOUND: Final = (
    Step(
        _LOSS,
        "<=",
        _BETTER,
        "bayes_regret, for each count of the own label.",
        _times_visits(
            _for_each_count(naming({_L: _at_counts(_TABLE), _S: _at_counts(_CONTEXT)}, against_each(_DROP, _DROP)))
        ),
    ),
    Step(
        _BETTER,
        "<=",
        _MEANS,
        "The mean of a minimum is at most the minimum of the means.",
        _times_visits(against_each(_for_each_count(is_an_argument), _for_each_count(is_an_argument))),
    ),
    Step(
        _MEANS,
        "=",
        _BOUND,
        "The in-context losses are independent draws.",
        substituting({n: _n}, in_minimum(using(_at_least_one(_MEAN_CONTEXT), simplifies))),
    ),
)
_TO_CLOSED: Final = (
    *_TO_BOUND,
    Step(
        _BOUND,
        "<=",
        _CODED,
        "The table codes a count at least as well as its probability does: a probability is at most 1.",
        written_out(
            substituting({n: _n}, in_minimum(_for_each_count(logarithm_of(_AT_MOST_ONE, _AT_COUNT)))),
        ),
    ),
    Step(
        _CODED,
        "=",
        _CLOSED,
        "The mean of the ideal code lengths is the entropy.",
        substituting({n: _n}, in_minimum(using(_at_least_one(_MEAN_CODE), simplifies))),
    ),
)


def average_loss(n: Array, C: Array, label_noise: Array, prior: Array, copied: Array) -> Array:
    """Expected loss per visit of the gated predictor, by enumeration of the counts."""
    own, other = np.log(prior), np.log1p(-prior)
    return (
        _mean_over_counts(
            lambda k: mixed_loss(own, other, _loss_of_table(n, k, C), _loss_of_context(n, k, copied)), n, label_noise
        )
        / n
    )


def _loss_of_table(n: Array, k: Array, C: Array) -> Array:
    return np.asarray(log_rising(C, n) - gammaln(k + 1) - gammaln(n - k + 1))


def _loss_of_context(n: Array, k: Array, copied: Array) -> Array:
    return np.asarray(-k * np.log(copied) - (n - k) * np.log1p(-copied))


def _mean_over_counts(value: Callable[[Array], Array], n: Array, label_noise: Array) -> Array:
    total = np.zeros(())
    for count in range(most_visits(n, _VISITS_ENUMERATED) + 1):
        k = np.minimum(float(count), n)
        log_weight = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        log_weight = log_weight + xlog1py(k, -label_noise) + xlogy(n - k, label_noise)
        total = total + np.where(count <= n, np.exp(log_weight) * value(k), 0.0)
    return np.asarray(total)


def expected_loss_of_table(n: Array, C: Array, label_noise: Array) -> Array:
    r""":math:`E\Lambda_N` at any number of visits, without the large terms of the factorials, which cancel."""
    own, other = n * (1 - label_noise), n * label_noise
    at_mean = _beyond_power(n) - _beyond_power(own) - _beyond_power(other)
    spread = log_gamma_surplus(n, 1 - label_noise, 1.0) + log_gamma_surplus(n, label_noise, 1.0)
    return np.asarray(n * _entropy(label_noise) + _log_number_of_counts(n, C) + at_mean - spread)


def _beyond_power(x: Array) -> Array:
    """Log of Gamma(x + 1), without x log x - x."""
    large = np.maximum(x, 16.0)
    series = np.log(2 * np.pi * large) / 2 + stirling_series(large)
    small = np.minimum(x, 16.0)
    return np.asarray(np.where(x < 16, gammaln(small + 1) - xlogy(small, small) + small, series))


def in_context_risk(label_noise: Array, copied: Array) -> Array:
    r""":math:`r_h`: expected loss of the in-context predictor."""
    return np.asarray(-(1 - label_noise) * np.log(copied) - label_noise * np.log1p(-copied))


def composed(n: Array, C: Array, label_noise: Array, prior: Array, copied: Array) -> Array:
    """The better of the two expected cumulative losses with the price of its prior, per visit."""
    table = expected_loss_of_table(n, C, label_noise)
    return np.asarray(_with_prices(n, table, label_noise, prior, copied))


def closed_form(n: Array, C: Array, label_noise: Array, prior: Array, copied: Array) -> Array:
    r""":math:`\frac1n\min\{nH + \log\binom{n+C-1}{n} + \log\frac1\pi,\ n r_h + \log\frac1{1-\pi}\}`."""
    table = n * _entropy(label_noise) + _log_number_of_counts(n, C)
    return np.asarray(_with_prices(n, table, label_noise, prior, copied))


def _entropy(label_noise: Array) -> Array:
    return np.asarray(-(1 - label_noise) * np.log1p(-label_noise) - label_noise * np.log(label_noise))


def _log_number_of_counts(n: Array, C: Array) -> Array:
    """Log of the binomial coefficient of n + C - 1 over n, from its smaller side."""
    few, many = np.minimum(n, C - 1), np.maximum(n, C - 1)
    return np.asarray(log_rising(many + 1, few) - gammaln(few + 1))


def _with_prices(n: Array, table: Array, label_noise: Array, prior: Array, copied: Array) -> Array:
    context = n * in_context_risk(label_noise, copied)
    return np.asarray(np.minimum(table - np.log(prior), context - np.log1p(-prior)) / n)


def _without_prior(n: Array, C: Array, label_noise: Array, prior: Array, copied: Array) -> Array:
    table = expected_loss_of_table(n, C, label_noise)
    return np.asarray(np.minimum(table, n * in_context_risk(label_noise, copied)) / n + 0 * prior)


def _halved_excess(n: Array, C: Array, label_noise: Array, prior: Array, copied: Array) -> Array:
    table = n * _entropy(label_noise) + _log_number_of_counts(n, C) / 2
    return np.asarray(_with_prices(n, table, label_noise, prior, copied))


_PARAMETERS: Final = (AT_LEAST_ONE_VISIT, NUM_CLASSES, NOISE, PRIOR, OWN_MASS)
_PREMISES: Final = (
    LABELS_IID,
    "a label is the own one or one other; the table starts from the pseudo-count b = 1; one gate cell: over several"
    " cells the sums add up",
)

THEOREMS: Final = (
    Theorem(
        name="composition",
        title="Average gated predictor, one gate cell: the better of generalization and in-context risk, plus regret",
        family="gate",
        kind="upper",
        source=DERIVED_HERE,
        parameters=_PARAMETERS,
        premises=_PREMISES,
        left=_LOSS,
        relation="<=",
        right=_BOUND,
        derivation=Derivation(lemmas=(_STOPPED, _MEAN_CONTEXT), chain=_TO_BOUND),
        evaluate_left=average_loss,
        evaluate_right=composed,
        hunted_up_to={"n": HUNTED_VISITS},
        value_meaning=f"expected loss per visit of the gated predictor at most, {NATS}",
        wrong=WrongVariant(
            mistake="a gate without regret",
            right=sympy.Min(_mean(_TABLE), n * risk_of(copied)) / n,
            evaluate=_without_prior,
        ),
    ),
    Theorem(
        name="composition_closed_form",
        title="Average gated predictor with a Laplace table: entropy, learning cost and regret in closed form",
        family="gate",
        kind="upper",
        source=DERIVED_HERE,
        parameters=_PARAMETERS,
        premises=_PREMISES,
        left=_LOSS,
        relation="<=",
        right=_CLOSED,
        derivation=Derivation(
            lemmas=(_STOPPED, _MEAN_CONTEXT, _TABLE_LOSS, _AT_MOST_ONE, _MEAN_CODE), chain=_TO_CLOSED
        ),
        evaluate_left=average_loss,
        evaluate_right=closed_form,
        hunted_up_to={"n": HUNTED_VISITS},
        value_meaning=f"expected loss per visit of the gated predictor at most, {NATS}",
        wrong=WrongVariant(
            mistake="half of the learning cost",
            right=sympy.Min(n * _ENTROPY + _COUNTS_OF_LABELS / 2 + _FOR_G, n * risk_of(copied) + _FOR_H) / n,
            evaluate=_halved_excess,
        ),
    ),
)
