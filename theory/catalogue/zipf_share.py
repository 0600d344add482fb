r"""Zipf frequencies: the mass of the rare classes, which are those that a learner has not yet seen often enough.

:math:`p_x = x^{-a}/Z` for :math:`x = 1, \dots, M`. A sum over ranks is compared with its integral: they differ by at
most the largest value of a summand that rises first and falls then.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import sympy
from numpy.typing import NDArray

from theory.catalogue.letters import n
from theory.catalogue.stream import N
from theory.numerics.special import binomial_log_probability, log_rising
from theory.theorems.checks.algebra import Ranges
from theory.theorems.checks.identities import simplifies, to_fifty_digits
from theory.theorems.checks.inequalities import by_sampling
from theory.theorems.checks.sequences import within
from theory.theorems.derivation import Derivation, Step
from theory.theorems.parameters import Parameter
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant
from theory.theorems.zipf_sums import ZipfEnd, ZipfNormalisation, ZipfTail, ZipfVisited

Array = NDArray[np.float64]

num_classes = sympy.Symbol("num_classes", integer=True, positive=True)
zipf_exponent = sympy.Symbol("zipf_exponent", positive=True)
rank = sympy.Symbol("rank", positive=True)

_CLASSES: Final = (
    Parameter(symbol=num_classes, latex="M", meaning="number of classes", lowest=2, highest=1e5),
    Parameter(
        symbol=zipf_exponent, latex="a", meaning="exponent of Zipf's law", lowest=1.05, highest=5, corners=(1.3, 2.0)
    ),
)
_RANK: Final = Parameter(
    symbol=rank,
    latex="X",
    meaning="rank at which classes leave the context, (N/(Z threshold))^(1/a)",
    lowest=1,
    highest=num_classes,
)
_STEPS: Final = Parameter(symbol=N, latex="N", meaning="examples of the stream", lowest=1, highest=1e12)
_VISITS: Final = Parameter(symbol=n, latex="n", meaning="visits of the query's class", lowest=0, highest=N)
_IID: Final = "each example is of class x with probability p_x, independently, and so is the query"
_SHARE: Final = "share of the query mass"
# Beyond, the sum over the classes takes too long.
_MOST_CLASSES: Final = 200.0

_a, _M, _X = zipf_exponent, num_classes, rank
_Z: Final = ZipfNormalisation(_M, _a)
_s: Final = 1 - 1 / _a
_RANGES: Final[Ranges] = {_M: (20, 40), _a: (1.2, 4), _X: (2, 20), N: (20, 60), n: (0, 10)}

# A hard threshold.

_TAIL: Final = ZipfTail(_M, _a, _X)
_TAIL_LAW: Final = (_X ** (1 - _a) - _M ** (1 - _a)) / ((_a - 1) * _Z)
_TAIL_REMAINDER: Final = _X**-_a / _Z
_z, _x, _p = (sympy.Symbol(name, positive=True) for name in ("Z", "x", "p"))
_steps_ratio: Final = _z * _X**_a
_POWER_LAW: Final = Step(
    _X ** (1 - _a) / ((_a - 1) * _z),
    "=",
    _z ** (-1 / _a) / (_a - 1) * _steps_ratio ** (-(1 - 1 / _a)),
    "In steps, N = Z X^a n*: a power law with exponent -(1 - 1/a), before N has reached the last class.",
    simplifies,
)
_INTEGRAL: Final = Step(
    sympy.diff(-(_x ** (1 - _a)) / (_a - 1), _x),
    "=",
    _x**-_a,
    "The integral of a power.",
    simplifies,
)
_STEP: Final = Step(
    (_x + 1) ** -_a,
    "<=",
    _x**-_a,
    "The powers fall: a sum over ranks lies within one term, the first one, of the integral.",
    by_sampling({_x: (1, 50), _a: (1.2, 4)}, points=60),
)

# Classes that were visited so often.

_VISITED: Final = ZipfVisited(_M, _a, N, n)
_UNCUT: Final = _Z ** (-1 / _a) / _a * sympy.gamma(n + _s) / sympy.gamma(n + 1) * sympy.gamma(N + 1)
_VISITED_LAW: Final = _UNCUT / sympy.gamma(N + 1 + _s) * ZipfEnd(_M, _a, N, n)
_PEAK: Final = (n + 1) / (N + 1)
_VISITED_REMAINDER: Final = _PEAK * sympy.binomial(N + 1, n + 1) * _PEAK ** (n + 1) * (1 - _PEAK) ** (N - n)
_DENSITY: Final = Step(
    -sympy.diff((_z * _p) ** (-1 / _a), _p),
    "=",
    _z ** (-1 / _a) / _a * _p ** (-1 / _a - 1),
    "The rank is (Z p)^(-1/a): so many ranks there are for each step in the probability.",
    simplifies,
)
_BETA: Final = Step(
    sympy.binomial(N, n) * sympy.gamma(n + _s) * sympy.gamma(N - n + 1) / sympy.gamma(N + 1 + _s),
    "=",
    sympy.gamma(n + _s) / sympy.gamma(n + 1) * sympy.gamma(N + 1) / sympy.gamma(N + 1 + _s),
    "Euler's beta integral of p^(n + s - 1) (1 - p)^(N - n), over all probabilities up to 1.",
    to_fifty_digits(_RANGES),
)
_RISE: Final = Step(
    sympy.diff((n + 1) * sympy.log(_p) + (N - n) * sympy.log(1 - _p), _p),
    "=",
    (n + 1 - (N + 1) * _p) / (_p * (1 - _p)),
    "The summand p P(Bin(N, p) = n) rises up to p = (n + 1)/(N + 1) and falls beyond.",
    simplifies,
)


def normalisation(num_classes: Array, zipf_exponent: Array) -> Array:
    """Sum of the powers, class by class from the last one on."""
    return _over_classes(num_classes, lambda x: x**-zipf_exponent)


def _over_classes(num_classes: Array, term: object) -> Array:
    total = np.zeros(())
    for x in range(int(np.max(num_classes)), 0, -1):
        total = total + np.where(x <= num_classes, term(float(x)), 0.0)  # type: ignore[operator]
    return np.asarray(total, dtype=np.float64)


def mass_beyond(num_classes: Array, zipf_exponent: Array, rank: Array) -> Array:
    """Mass of the classes beyond a rank, as a sum."""
    beyond = _over_classes(num_classes, lambda x: np.where(x > np.floor(rank), x**-zipf_exponent, 0.0))
    return np.asarray(beyond / normalisation(num_classes, zipf_exponent))


def mass_beyond_law(num_classes: Array, zipf_exponent: Array, rank: Array) -> Array:
    r""":math:`(X^{1-a} - M^{1-a})/((a-1)Z)`, without a difference of powers."""
    b = zipf_exponent - 1
    ratio = np.log1p((num_classes - rank) / rank)
    scale = num_classes**-b / (b * normalisation(num_classes, zipf_exponent))
    return np.asarray(scale * np.expm1(b * ratio))


def mass_visited(num_classes: Array, zipf_exponent: Array, N: Array, n: Array) -> Array:
    """Mass of the classes that were visited so often, as a sum."""
    z = normalisation(num_classes, zipf_exponent)

    def term(x: float) -> Array:
        p = x**-zipf_exponent / z
        return np.asarray(p * np.exp(binomial_log_probability(n, N, p)))

    return _over_classes(num_classes, term)


def mass_visited_law(num_classes: Array, zipf_exponent: Array, N: Array, n: Array) -> Array:
    r""":math:`\frac{Z^{-1/a}}{a}\frac{\Gamma(n+s)}{n!}\frac{\Gamma(N+1)}{\Gamma(N+1+s)}I_{1-p_M}(N-n+1, n+s)`."""
    from scipy.special import betaincc

    z, s = normalisation(num_classes, zipf_exponent), 1 - 1 / zipf_exponent
    last = num_classes**-zipf_exponent / z
    ratios = np.exp(-log_rising(n + s, 1 - s) - log_rising(N + 1, s))
    return np.asarray(z ** (s - 1) / zipf_exponent * ratios * betaincc(n + s, N - n + 1, last))


def _without_normalisation(num_classes: Array, zipf_exponent: Array, N: Array, n: Array) -> Array:
    z = normalisation(num_classes, zipf_exponent)
    return np.asarray(mass_visited_law(num_classes, zipf_exponent, N, n) * z ** (1 / zipf_exponent))


def _remainder_of_visited(N: Array, n: Array) -> Array:
    # Next to 1, where all steps are visits, its logarithm has to exist.
    peak = np.minimum((n + 1) / (N + 1), 1 - 1e-16)
    return np.asarray(peak * np.exp(binomial_log_probability(n + 1, N + 1, peak)))


def _remainder_of_tail(num_classes: Array, zipf_exponent: Array, rank: Array) -> Array:
    z = normalisation(num_classes, zipf_exponent)
    return np.asarray(rank**-zipf_exponent / z)


THEOREMS: Final = (
    Theorem(
        name="zipf_share_threshold",
        title="Zipf frequencies: mass of the classes beyond a rank, a power of the steps with exponent -(1 - 1/a)",
        family="transition",
        kind="asymptotic",
        source=DERIVED_HERE,
        parameters=(*_CLASSES, _RANK),
        premises=("a class is in context while its expected number of visits N p_x is below a threshold n*",),
        left=_TAIL,
        relation="~",
        right=_TAIL_LAW,
        derivation=Derivation(
            lemmas=(_INTEGRAL, _STEP, _POWER_LAW),
            chain=(
                Step(
                    _TAIL,
                    "~",
                    _TAIL_LAW,
                    "The sum over ranks is its integral, up to the probability of the class at the threshold, n*/N.",
                    within(_TAIL_REMAINDER, _RANGES),
                ),
            ),
        ),
        evaluate_left=mass_beyond,
        evaluate_right=mass_beyond_law,
        hunted_up_to={"num_classes": _MOST_CLASSES},
        remainder=_remainder_of_tail,
        value_meaning=_SHARE,
        wrong=WrongVariant(
            mistake="the constant 1/a in place of 1/(a - 1)",
            right=_TAIL_LAW * (_a - 1) / _a,
            evaluate=lambda num_classes, zipf_exponent, rank: (
                mass_beyond_law(num_classes, zipf_exponent, rank) * (zipf_exponent - 1) / zipf_exponent
            ),
        ),
    ),
    Theorem(
        name="zipf_share_visits",
        title="Zipf frequencies: mass of the queries whose class was visited n times, a power of the steps",
        family="transition",
        kind="asymptotic",
        source=DERIVED_HERE,
        parameters=(*_CLASSES, _STEPS, _VISITS),
        premises=(_IID,),
        left=_VISITED,
        relation="~",
        right=_VISITED_LAW,
        derivation=Derivation(
            lemmas=(_DENSITY, _BETA, _RISE),
            chain=(
                Step(
                    _VISITED,
                    "~",
                    _VISITED_LAW,
                    "A sum over ranks of what rises first and falls then differs from its integral by its peak at "
                    "most. Weighted with 1 - E alpha_n and summed over n it is the share of the query mass answered in "
                    "context.",
                    within(_VISITED_REMAINDER, _RANGES),
                ),
            ),
        ),
        evaluate_left=mass_visited,
        evaluate_right=mass_visited_law,
        hunted_up_to={"num_classes": _MOST_CLASSES, "N": 2000.0},
        remainder=_remainder_of_visited,
        value_meaning=_SHARE,
        wrong=WrongVariant(
            mistake="the factor Z^(-1/a) forgotten",
            right=_VISITED_LAW * _Z ** (1 / _a),
            evaluate=_without_normalisation,
        ),
    ),
)
