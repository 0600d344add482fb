r"""The universal mixture: constant mixing weights averaged with Jeffreys' prior, against the best constant weight.

The product of the mixed predictions is :math:`\sum_j c_j\alpha^j(1-\alpha)^{n-j}` with :math:`c_j \ge 0`, so that the
average over :math:`\alpha \sim \mathrm{Beta}(\tfrac12,\tfrac12)` (``cover1996universal``) loses at most what it loses
on the worst monomial, and that is a vertex.
"""

from __future__ import annotations

from typing import Any, Final

import mpmath
import numpy as np
import sympy

from theory.catalogue.gate_losses import AT_LEAST_ONE_VISIT, Array, gap_up_to, most_visits
from theory.catalogue.letters import NATS, n
from theory.catalogue.loss_sequences import gap
from theory.numerics.special import log_rising
from theory.theorems.checks.identities import simplifies, to_fifty_digits
from theory.theorems.checks.inequalities import by_convexity, by_sign
from theory.theorems.checks.reductions import after, follows_from, instance_of, substituting
from theory.theorems.checks.sums import (
    by_concavity,
    each_term,
    in_logarithms,
    minus_log,
    naming,
    read_backwards,
    sums_to,
    telescopes,
    times,
    without_factor,
)
from theory.theorems.derivation import Derivation, Step
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

k = sympy.Symbol("k", integer=True, nonnegative=True)
_j = sympy.Symbol("j", integer=True, nonnegative=True)
_i = sympy.Symbol("i", integer=True, positive=True)
_m = sympy.Symbol("m", integer=True, nonnegative=True)
_x = sympy.Symbol("x", positive=True)
_N = sympy.Symbol("N", positive=True)
_y, _z = sympy.symbols("y z", positive=True)
_p = sympy.Symbol("p", nonnegative=True)
_HALF: Final = sympy.Rational(1, 2)

IN_WEIGHT_BETTER: Final = Parameter(
    symbol=k, latex="k", meaning="visits on which the in-context predictor pays", lowest=0, highest=n
)
HUNTED_VISITS: Final = 200.0
_VISITS_BY_QUADRATURE: Final = 10_000


# On k visits the in-context predictor pays the gap, on the others the in-weight predictor.


def best_share(n: Any, k: Any, gap: Any) -> Any:
    """The best constant weight in mpmath: where the derivative vanishes, or the nearer end."""
    q = mpmath.exp(-gap)
    return (min(max((1 + q) * k / n, q), 1) - q) / (1 - q) if q < 1 else mpmath.mpf(1) / 2


def _product(share: Any, n: Any, k: Any, gap: Any) -> Any:
    lost = -mpmath.expm1(-gap)
    return (1 - (1 - share) * lost) ** k * (1 - share * lost) ** (n - k)


def precise_loss_of_best_share(n: Any, k: Any, gap: Any) -> Any:
    """Cumulative loss of the best constant weight in mpmath."""
    return -mpmath.log(_product(best_share(n, k, gap), n, k, gap))


def _loss_of_mixture(n: Any, k: Any, gap: Any) -> Any:
    """By the Gauss rule of the prior, which is exact for polynomials of degree n."""
    nodes = int(n) // 2 + 1
    shares = (mpmath.sin(mpmath.pi * (2 * i + 1) / (4 * nodes)) ** 2 for i in range(nodes))
    return -mpmath.log(mpmath.fsum(_product(share, n, k, gap) for share in shares) / nodes)


def _coefficient(j: Any, n: Any, k: Any, gap: Any) -> Any:
    q = mpmath.exp(-gap)
    wins, losses = int(k), int(n) - int(k)
    return mpmath.fsum(
        mpmath.binomial(wins, a) * q ** (wins - a) * mpmath.binomial(losses, int(j) - a) * q ** (int(j) - a)
        for a in range(max(0, int(j) - losses), min(wins, int(j)) + 1)
    )


class _OfSequence(sympy.Function):  # type: ignore[misc]
    is_real = True
    letter = ""

    def _latex(self, _: Any) -> str:
        return self.letter


class UniversalLoss(_OfSequence):
    """Cumulative loss of the universal mixture; arguments ``n, k, gap``."""

    nargs = 3
    letter = (
        r"-\log \int_0^1 \prod_{i=1}^{n} \left[\alpha e^{-g_i} + (1 - \alpha) e^{-h_i}\right]"
        r" \frac{d\alpha}{\pi \sqrt{\alpha (1 - \alpha)}}"
    )
    mp_value = staticmethod(_loss_of_mixture)


class LossOfBestShare(_OfSequence):
    """Cumulative loss of the best constant mixing weight; arguments ``n, k, gap``."""

    nargs = 3
    letter = r"\min_{\alpha} L_n(\alpha)"
    mp_value = staticmethod(precise_loss_of_best_share)


class BestShare(_OfSequence):
    """The best constant mixing weight; arguments ``n, k, gap``."""

    nargs = 3
    is_nonnegative = True
    letter = r"\alpha^{*}"
    mp_value = staticmethod(best_share)


class Coefficient(sympy.Function):  # type: ignore[misc]
    r""":math:`c_j`: sum over the choices of j visits of the product of what g gives there and h elsewhere."""

    nargs = 4
    is_nonnegative = True
    mp_value = staticmethod(_coefficient)

    def _latex(self, printer: Any) -> str:
        return f"c_{{{printer.doprint(self.args[0])}}}"


_c: Final = Coefficient(_j, n, k, gap)
_a: Final = BestShare(n, k, gap)
_KT: Final = sympy.gamma(_j + _HALF) * sympy.gamma(n - _j + _HALF) / (sympy.pi * sympy.gamma(n + 1))
_LARGEST: Final = _j**_j * (n - _j) ** (n - _j) / n**n
_VERTEX: Final = sympy.gamma(n + _HALF) / (sympy.sqrt(sympy.pi) * sympy.gamma(n + 1))


def _over_monomials(value: sympy.Expr) -> sympy.Expr:
    return -sympy.log(sympy.Sum(_c * value, (_j, 0, n)))


LOSS: Final = UniversalLoss(n, k, gap)
_EXPANDED: Final = _over_monomials(_KT)
_AT_VERTEX: Final = _over_monomials(_VERTEX * _LARGEST)
_AT_SHARE: Final = _over_monomials(_VERTEX * _a**_j * (1 - _a) ** (n - _j))
_BEST: Final = LossOfBestShare(n, k, gap)
_SHARP: Final = _BEST + sympy.log(sympy.sqrt(sympy.pi) * sympy.gamma(n + 1) / sympy.gamma(n + _HALF))
_FACTORS: Final = _BEST + sympy.Sum(sympy.log(_i / (_i - _HALF)), (_i, 1, n))
_ROOTS: Final = _BEST + sympy.Sum(sympy.log((4 * _i + 1) / (4 * _i - 3)) / 2, (_i, 1, n))
_BOUND: Final = _BEST + sympy.log(4 * n + 1) / 2

# Why no monomial is worse than a vertex: phi is convex.


def _trigamma_lemma(count: sympy.Expr) -> Step:
    squares = sympy.Sum(1 / (count + _m + _HALF) ** 2, (_m, 0, sympy.oo))
    products = sympy.Sum(1 / ((count + _m) * (count + _m + 1)), (_m, 0, sympy.oo))
    trigamma = sympy.polygamma(1, count + _HALF)
    return Step(
        trigamma,
        "<=",
        1 / count,
        "In the series of psi'(N + 1/2), the square of a mean is at least the product.",
        follows_from(
            Step(trigamma, "=", squares, "The series of the trigamma function.", read_backwards(sums_to)),
            Step(squares, "<=", products, "A squared mean is at least the product.", each_term(by_sign())),
            Step(products, "=", 1 / count, "The series telescopes.", sums_to),
        ),
    )


_TRIGAMMA: Final = _trigamma_lemma(_N)
_BETWEEN: Final = {_N: _y + _z}


def _trigamma_at(count: sympy.Expr) -> Step:
    """The lemma at a count between 0 and N."""
    at_count = {_N: count}
    check = instance_of(_TRIGAMMA, at_count, _BETWEEN)
    return Step(_TRIGAMMA.left.subs(at_count), "<=", _TRIGAMMA.right.subs(at_count), _TRIGAMMA.reason, check)


def _phi(count: sympy.Expr) -> sympy.Expr:
    return count * sympy.log(count) - sympy.log(sympy.gamma(count + _HALF))


_VERTEX_LEMMA: Final = Step(
    _phi(_y) + _phi(n - _y),
    "<=",
    _phi(n) - sympy.log(sympy.gamma(_HALF)),
    "phi(N) = N log N - log Gamma(N + 1/2) is convex, so the sum over both counts is largest where one of them is 0.",
    substituting(
        {n: _N}, by_concavity(_y, (sympy.Integer(0), _N), _BETWEEN, (_trigamma_at(_y), _trigamma_at(_N - _y)))
    ),
)
_ENTROPY_LEMMA: Final = Step(
    _y * sympy.log(_p) + (n - _y) * sympy.log(1 - _p),
    "<=",
    _y * sympy.log(_y / n) + (n - _y) * sympy.log(1 - _y / n),
    "A monomial is largest at the share of its counts.",
    substituting({n: _y + _z}, by_convexity(_p, _y / (_y + _z), {_p: 1 / (1 + _x)})),
)
_COUNTS: Final = {_j: _y, n: _y + _z}
_TO_SHARP: Final = (
    Step(
        LOSS,
        "=",
        _EXPANDED,
        "Multiplied out, the product is a sum of monomials with coefficients of at least 0; a Beta integral each.",
        to_fifty_digits({n: (4, 9), k: (0, 4), gap: (0, 3)}),
    ),
    Step(
        _EXPANDED,
        "<=",
        _AT_VERTEX,
        "No monomial is worse than a vertex.",
        minus_log(each_term(without_factor(_c, in_logarithms(_VERTEX_LEMMA, _COUNTS))), _COUNTS),
    ),
    Step(
        _AT_VERTEX,
        "<=",
        _AT_SHARE,
        "Each monomial is largest at the share of its counts.",
        minus_log(
            each_term(
                without_factor(_c, naming({_p: _a}, in_logarithms(_ENTROPY_LEMMA, {_p: 1 / (1 + _x), **_COUNTS})))
            ),
            {_a: 1 / (1 + _x), **_COUNTS},
        ),
    ),
    Step(
        _AT_SHARE,
        "=",
        _SHARP,
        "The monomials at the best share add up to the product there.",
        to_fifty_digits({n: (4, 9), k: (0, 4), gap: (0, 3)}),
    ),
)
_TO_ROOT: Final = (
    *_TO_SHARP,
    Step(
        _SHARP,
        "=",
        _FACTORS,
        "The ratio of gamma functions is a product.",
        read_backwards(telescopes(_SHARP.subs(n, _i) - _BEST.subs(n, _i), after(sympy.exp, simplifies))),
    ),
    Step(
        _FACTORS,
        "<=",
        _ROOTS,
        "(4i + 1)(i - 1/2)^2 exceeds (4i - 3) i^2 by 1/4.",
        each_term(substituting({_i: _m + 1}, times(sympy.Integer(2), after(sympy.exp, by_sign())))),
    ),
    Step(
        _ROOTS,
        "=",
        _BOUND,
        "The product telescopes.",
        telescopes(sympy.log(4 * _i + 1) / 2, after(sympy.exp, simplifies)),
    ),
)


def _mixed(share: Array, other: Array, gap: Array) -> Array:
    """Log of share + other * exp(-gap), for shares that sum to 1."""
    lost = -other * np.expm1(-gap)
    little = lost < 0.5
    direct = np.log(np.where(little, 1.0, share + other * np.exp(-gap)))
    return np.asarray(np.where(little, np.log1p(-np.where(little, lost, 0.0)), direct))


def universal_loss(n: Array, k: Array, gap: Array) -> Array:
    """Cumulative loss of the universal mixture, by the Gauss rule of the prior, which is exact."""
    nodes = most_visits(n, _VISITS_BY_QUADRATURE) // 2 + 1
    angle = np.pi * (2 * np.arange(nodes) + 1) / (4 * nodes)
    share, other = np.sin(angle) ** 2, np.cos(angle) ** 2
    n, k, gap = (np.asarray(value, dtype=np.float64)[..., None] for value in (n, k, gap))
    log_product = k * _mixed(share, other, gap) + (n - k) * _mixed(other, share, gap)
    best = log_product.max(axis=-1)
    return np.asarray(-best - np.log1p(np.expm1(log_product - best[..., None]).mean(axis=-1)))


def loss_of_best_share(n: Array, k: Array, gap: Array) -> Array:
    """Cumulative loss of the best constant mixing weight, in closed form."""
    lost = -np.expm1(-gap)
    # By how much the mixed probabilities fall short of 1 where the derivative vanishes; 0 and `lost` are the ends.
    shortfalls = ((n - 2 * k + lost * k) / n, (2 * k - n + lost * (n - k)) / n)
    total = np.zeros(())
    for count, shortfall in zip((k, n - k), shortfalls, strict=True):
        inside = (shortfall > 0) & (shortfall < lost)
        at_end = np.where(shortfall >= lost, gap, 0.0)
        loss = np.where(inside, -np.log1p(-np.where(inside, shortfall, 0.0)), at_end)
        total = total + count * loss
    return np.asarray(total)


def gamma_price(n: Array) -> Array:
    r""":math:`\log\frac{\sqrt\pi\,\Gamma(n+1)}{\Gamma(n+\frac12)}`: the regret at a vertex."""
    return np.asarray(np.log(np.pi) / 2 + log_rising(n + 0.5, 0.5))


def root_price(n: Array) -> Array:
    r""":math:`\tfrac12\log(4n+1)`, below :math:`\tfrac12\log(n+1) + \log 2`."""
    return np.asarray(np.log1p(4 * n) / 2)


_PREMISES: Final = (
    "the mixing weight is averaged with the prior Beta(1/2, 1/2)",
    "evaluated where on k visits the in-context, on n - k the in-weight predictor pays the gap and the other nothing",
    "the expansions into monomials were compared for the evaluated sequences; the other steps hold for every one",
)
_PARAMETERS: Final = (AT_LEAST_ONE_VISIT, IN_WEIGHT_BETTER, gap_up_to(100))

THEOREMS: Final = (
    Theorem(
        name="universal_mixture_regret_sharp",
        title="Universal mixture: cumulative loss against the best constant mixing weight, attained at a vertex",
        family="gate",
        kind="upper",
        source=DERIVED_HERE,
        parameters=_PARAMETERS,
        premises=_PREMISES,
        left=LOSS,
        relation="<=",
        right=_SHARP,
        derivation=Derivation(lemmas=(_TRIGAMMA, _VERTEX_LEMMA, _ENTROPY_LEMMA), chain=_TO_SHARP),
        evaluate_left=universal_loss,
        evaluate_right=lambda n, k, gap: loss_of_best_share(n, k, gap) + gamma_price(n),
        hunted_up_to={"n": HUNTED_VISITS},
        value=gamma_price,
        value_meaning=f"regret against the best constant mixing weight at most, {NATS}",
        wrong=WrongVariant(
            mistake="half the logarithm of n pi, true only of its leading term",
            right=_BEST + sympy.log(sympy.pi * n) / 2,
            evaluate=lambda n, k, gap: loss_of_best_share(n, k, gap) + np.log(np.pi * n) / 2,
        ),
    ),
    Theorem(
        name="universal_mixture_regret",
        title="Universal mixture: regret against the best constant mixing weight, half a logarithm",
        family="gate",
        kind="upper",
        source=DERIVED_HERE,
        parameters=_PARAMETERS,
        premises=_PREMISES,
        left=LOSS,
        relation="<=",
        right=_BOUND,
        derivation=Derivation(lemmas=(_TRIGAMMA, _VERTEX_LEMMA, _ENTROPY_LEMMA), chain=_TO_ROOT),
        evaluate_left=universal_loss,
        evaluate_right=lambda n, k, gap: loss_of_best_share(n, k, gap) + root_price(n),
        hunted_up_to={"n": HUNTED_VISITS},
        value=root_price,
        value_meaning=f"regret against the best constant mixing weight at most, {NATS}",
        wrong=WrongVariant(
            mistake="half the logarithm of n + 1 alone",
            right=_BEST + sympy.log(n + 1) / 2,
            evaluate=lambda n, k, gap: loss_of_best_share(n, k, gap) + np.log1p(n) / 2,
        ),
    ),
)
