"""The falsifier: hunts for counterexamples to a claim over its whole admissible box, extreme corners first."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import mpmath
import numpy as np
from numpy.typing import NDArray

from theory.theorems.claim import Array, Claim, call
from theory.theorems.expectations import DIGITS
from theory.theorems.parameters import SMALLEST, Parameter

Point = dict[str, Array]
# Points, slack as a ratio, and by how much the claim is violated.
Compared = tuple[Point, Array, Array]

# Double precision may be off by this much relatively. A larger violation has to be confirmed to 50 digits; one that is
# not confirmed convicts the evaluator, unless it is below the absolute rounding.
ROUNDING: Final = 1e-11
_ABSOLUTE_ROUNDING: Final = 1e-14
_BLOCK: Final = 1 << 14
_CORNER_SHARE: Final = 0.3
_LOCAL_SHARE: Final = 0.3
_SUSPECTS: Final = 3


@dataclass(frozen=True, kw_only=True)
class Hunt:
    """What a hunt found.

    Parameters
    ----------
    claim : str
        Name of the claim.
    points : int
        Number of points at which both sides were compared.
    tightest, median, loosest : float
        Slack as a ratio of the larger side (as claimed) to the smaller: 1 is tight, below 1 is a violation. For an
        equality one plus the relative difference.
    tightest_point : mapping of str to float
        Where the slack is smallest.
    counterexample : mapping of str to float, optional
        A point where the claim fails, confirmed to 50 digits.
    evaluator_error : mapping of str to float, optional
        A point where double precision violates the claim and 50 digits do not: the evaluator is wrong there.
    """

    claim: str
    points: int
    tightest: float
    median: float
    loosest: float
    tightest_point: Mapping[str, float]
    counterexample: Mapping[str, float] | None
    evaluator_error: Mapping[str, float] | None

    @property
    def refuted(self) -> bool:
        """Whether a counterexample was found."""
        return self.counterexample is not None

    @property
    def clean(self) -> bool:
        """Whether the claim stands and its evaluators are right."""
        return self.counterexample is None and self.evaluator_error is None


def hunt(claim: Claim, budget: int, generator: np.random.Generator) -> Hunt:
    """Compare the two sides of a claim at many admissible points.

    First the corners of the box, then points spread over it on logarithmic scales, then points near the tightest ones.

    Parameters
    ----------
    claim : Claim
        What to attack.
    budget : int
        Number of points.
    generator : numpy.random.Generator
        Where to look.

    Returns
    -------
    Hunt
        The tightest point, and a counterexample where there is one.
    """
    corners = corner_points(claim, int(_CORNER_SHARE * budget), generator)
    found = [_compared(claim, block) for block in _blocks(corners)]
    near = int(_LOCAL_SHARE * budget)
    spread = random_points(claim, budget - near - _size(corners), generator)
    found += [_compared(claim, block) for block in _blocks(spread)]
    points, slack, _ = _joined(found)
    found.append(_compared(claim, points_near(claim, points, slack, near, generator)))
    return _verdict(claim, *_joined(found))


def slack_ratio(claim: Claim, point: Point) -> tuple[Array, Array]:
    """Slack of the claim at many points as a ratio, below 1 where it is violated; and by how much it is violated."""
    left, right = claim.sides(point)
    left, right = np.broadcast_arrays(left, right)
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        raise FloatingPointError(f"{claim.name}: a side is not finite at {_first(point, ~(np.isfinite(left + right)))}")
    if claim.relation in ("=", "~"):
        difference = np.abs(left - right)
        if claim.remainder is not None:
            allowed = call(claim.remainder, point)
            if not np.isfinite(allowed).all():
                raise FloatingPointError(f"{claim.name}: the remainder is not finite")
            return _ratio(allowed, difference), np.asarray(difference - allowed)
        return 1 - difference / np.maximum(np.maximum(np.abs(left), np.abs(right)), SMALLEST), difference
    larger, smaller = (right, left) if claim.relation == "<=" else (left, right)
    return _ratio(larger, smaller), np.asarray(smaller - larger)


def _ratio(larger: Array, smaller: Array) -> Array:
    """Slack of ``smaller <= larger`` as a ratio, for sides of any sign: infinite where only the larger is positive."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        ratio = np.where(larger > 0, np.where(smaller > 0, larger / smaller, np.inf), smaller / larger)
    ratio = np.where((larger <= 0) & (smaller >= 0), -np.inf, ratio)
    return np.asarray(np.where(larger == smaller, 1.0, ratio))


# Points.


def random_points(claim: Claim, count: int, generator: np.random.Generator) -> Point:
    """Admissible points, each parameter on a scale that reaches the ends of its range."""
    point: Point = {}
    for parameter in claim.parameters:
        low, high = _hunted_range(claim, parameter, point, count)
        corners = np.asarray(_corners(parameter), dtype=np.float64)
        spread = _spread(low, high, generator.random(count), generator)
        extreme = generator.choice(corners, size=count)
        value = np.where(generator.random(count) < 0.15, extreme, spread)
        point[parameter.name] = _fitted(parameter, value, low, high)
    return point


def corner_points(claim: Claim, limit: int, generator: np.random.Generator) -> Point:
    """Every combination of the parameters' extreme values, or a random choice of ``limit`` of them."""
    lists = [_corners(parameter) for parameter in claim.parameters]
    total = math.prod(len(values) for values in lists)
    if total <= limit:
        rows = np.array(list(itertools.product(*lists)), dtype=np.float64).reshape(total, len(lists))
    else:
        rows = np.stack([generator.choice(np.asarray(values), size=limit) for values in lists], axis=1)
    point: Point = {}
    for column, parameter in enumerate(claim.parameters):
        low, high = _hunted_range(claim, parameter, point, len(rows))
        point[parameter.name] = _fitted(parameter, rows[:, column], low, high)
    return point


def points_near(claim: Claim, points: Point, slack: Array, count: int, generator: np.random.Generator) -> Point:
    """Points close to those where the slack is smallest."""
    best = np.argsort(slack)[:64]
    chosen = generator.choice(best, size=count)
    near: Point = {}
    for parameter in claim.parameters:
        low, high = _hunted_range(claim, parameter, near, count)
        scale = 10 ** generator.uniform(-4, 0, size=count)
        value = points[parameter.name][chosen] * np.exp(scale * generator.standard_normal(count))
        value = np.where(generator.random(count) < 0.5, points[parameter.name][chosen], value)
        near[parameter.name] = _fitted(parameter, value, low, high)
    return near


def _corners(parameter: Parameter) -> tuple[float, ...]:
    """Extreme values; what lies outside the range at hand is moved to its nearest end."""
    ends = [-np.inf, np.inf]
    if parameter.is_integer:
        return tuple(dict.fromkeys([*ends, *parameter.corners, 1.0, 2.0, 3.0, 10.0, 1000.0]))
    return tuple(dict.fromkeys([*ends, *parameter.corners, 1e-300, 1e-12, 1e-3, 0.5, 1 - 1e-12]))


def _hunted_range(claim: Claim, parameter: Parameter, point: Point, count: int) -> tuple[Array, Array]:
    low, high = parameter.range_at(point)
    high = np.minimum(high, claim.hunted_up_to.get(parameter.name, np.inf))
    return np.broadcast_to(low, count), np.broadcast_to(high, count)


def _spread(low: Array, high: Array, share: Array, generator: np.random.Generator) -> Array:
    """Values between the ends: uniform, or logarithmic from the lower end, or logarithmic from the upper end."""
    width = high - low
    tiny = np.where(generator.random(share.size) < 0.5, 1e-12, 1e-4)
    logarithmic = np.exp(np.log(tiny) * (1 - share))
    how = generator.integers(4, size=share.size)
    fraction = np.choose(how, [share, logarithmic, logarithmic, 1 - logarithmic])
    # On a range that spans many orders of magnitude above a positive end: even in the logarithm.
    wide = (low > 0) & (high > 100 * low)
    ratio = np.log(np.where(wide, high / np.where(wide, low, 1.0), 1.0))
    return np.asarray(np.where(wide & (how != 3), low * np.exp(share * ratio), low + fraction * width))


def _fitted(parameter: Parameter, value: Array, low: Array, high: Array) -> Array:
    if parameter.is_integer:
        least, most = np.floor(low) + 1 if parameter.above else np.ceil(low), np.floor(high)
        if parameter.below:
            most = np.where(most == high, most - 1, most)
        return np.asarray(np.clip(np.rint(np.clip(value, -1e300, 1e300)), least, most))
    value = np.where(np.abs(value) < SMALLEST, 0.0, value)
    width = high - low
    least = low + np.minimum(2 * SMALLEST, width / 4) if parameter.above else low
    # Next to an excluded end; 1 - 1e-12 of a bound keeps products with it on the right side of rounding.
    least = np.where(parameter.above & (least == low), low + 1e-12 * np.maximum(np.abs(low), 1e-300), least)
    most = high - 1e-12 * np.maximum(np.abs(high), 1e-300) if parameter.below else high
    return np.asarray(np.clip(value, least, most))


# Verdict.


def _compared(claim: Claim, point: Point) -> Compared:
    return point, *slack_ratio(claim, claim.settings(point))


def _verdict(claim: Claim, points: Point, slack: Array, gap: Array) -> Hunt:
    suspicious = slack < 1 - ROUNDING
    tiny = suspicious & (gap <= _ABSOLUTE_ROUNDING)
    counterexample, evaluator_error = None, None
    for group, excused in ((suspicious & ~tiny, False), (tiny, True)):
        where = np.flatnonzero(group)
        for index in where[np.argsort(slack[where])][:_SUSPECTS].tolist():
            suspect = _at(points, index)
            if counterexample is None and violated(claim, suspect):
                counterexample = suspect
            elif not excused:
                evaluator_error = suspect
    # What only rounding violates is as tight as can be.
    slack = np.where(tiny & (counterexample is None), 1.0, slack)
    tightest = int(np.argmin(slack))
    finite = slack[np.isfinite(slack)]
    return Hunt(
        claim=claim.name,
        points=slack.size,
        tightest=float(slack[tightest]),
        median=float(np.median(slack)),
        loosest=float(finite.max(initial=1.0)),
        tightest_point=_at(points, tightest),
        counterexample=counterexample,
        evaluator_error=evaluator_error if counterexample is None else None,
    )


def violated(claim: Claim, point: Mapping[str, float]) -> bool:
    """Whether the claim fails at a point, to 50 digits."""
    left, right = claim.sides_to_fifty_digits(point)
    if claim.relation in ("=", "~"):
        arrays = {name: np.asarray(value) for name, value in point.items()}
        allowed = float(call(claim.remainder, arrays)) if claim.remainder is not None else 0.0
        return bool(abs(left - right) > allowed + _last_digits(left, right))
    gap = left - right if claim.relation == "<=" else right - left
    return bool(gap > _last_digits(left, right))


def _last_digits(left: Any, right: Any) -> Any:
    return mpmath.mpf(10) ** (10 - DIGITS) * max(abs(left), abs(right))


def _blocks(points: Point) -> Iterator[Point]:
    for start in range(0, _size(points), _BLOCK):
        yield {name: values[start : start + _BLOCK] for name, values in points.items()}


def _size(points: Point) -> int:
    return next(iter(points.values())).size


def _joined(found: Sequence[Compared]) -> Compared:
    names = found[0][0]
    points = {name: np.concatenate([point[name] for point, _, _ in found]) for name in names}
    slack, gap = (np.concatenate([compared[i] for compared in found]) for i in (1, 2))
    return points, slack, gap


def _at(points: Point, index: int) -> dict[str, float]:
    return {name: float(values[index]) for name, values in points.items()}


def _first(points: Point, where: NDArray[np.bool_]) -> dict[str, float]:
    return _at(points, int(np.argmax(where)))
