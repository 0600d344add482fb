"""What it means that the simulator and a theorem agree: a record for each check, and how it is decided.

A check draws the quantity that a theorem is about with the toolkit's own simulator, and compares it with the sides that
the theorem's own evaluator gives. The wrong variant of the theorem is compared with the same draws.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc

from simulate.statistics import StatisticsSampler
from simulate.streams import Purpose, stream
from theory.catalogue import find_claim
from theory.theorems.claim import Claim, call
from theory.theorems.theorem import Theorem

Array = NDArray[np.float64]
Point = Mapping[str, Any]

FALSE_ALARM: Final = 1e-6
"""Probability with which a check fails although the theorem is true and the simulator right."""
ERRORS: Final = 5.0
"""Standard errors: the three tails of a check (both of the left side, one or two of the right) stay below 1e-6."""
POWER: Final = 0.99
SEEN: Final = ERRORS + 2.3263
"""Standard errors that a deviation must have to be seen with probability 0.99."""


@dataclass(frozen=True)
class Address:
    """Where the random numbers of some draws are: a seed for the check's setting, a replicate for the batch."""

    seed: int
    replicate: int

    def streams(self, sampler: StatisticsSampler) -> dict[Purpose, np.random.Generator]:
        return sampler.streams(self.seed, self.replicate)

    def generator(self) -> np.random.Generator:
        return stream(self.seed, self.replicate, "prompts")


@dataclass(frozen=True)
class Trajectories:
    """Values of every trajectory, with the theorem's parameters where they are the trajectory's own."""

    values: Array
    own: Point = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Parameters at which a theorem is checked.

    ``sees`` is the relative deviation that has to be seen with probability 0.99 (of trajectories: by how much the bound
    could be lowered before one of them breaks it); ``wrong`` whether the wrong variant can be told apart here.
    ``allowed`` is what the simulated quantity may be beside the theorem's, where the theorem is about its limit, in its
    unit. ``how`` is for the simulation alone.
    """

    point: Point
    draws: int = 1
    sees: float = 1e-9
    wrong: bool = True
    how: Point = field(default_factory=dict)
    allowed: float = 0.0


Draw = Callable[[Setting, int, Address], "Array | Trajectories"]
Kind = Literal["mean", "every", "regret", "chance", "quantile"]


@dataclass(frozen=True, kw_only=True)
class Check:
    r"""A theorem against the simulator.

    Parameters
    ----------
    theorem : str
        Its name.
    simulated : str
        How the simulator makes the draws.
    draw : callable
        So many draws in a setting, from the random numbers at an address.
    settings : tuple of Setting
        Where.
    kind : {"mean", "every", "regret", "chance", "quantile"}
        The mean of the draws obeys the claim; every trajectory does; the regret of every trajectory is at most the
        theorem's value; the frequency of an event does; the theorem's value is exceeded with its probability at most.
    left : bool
        Whether the draws are those of the claim's left side, which they then have to equal.
    random : bool
        Whether the draws are random: the slow tier repeats only those.
    rounding : float
        Relative error of what does not vary.
    """

    theorem: str
    simulated: str
    draw: Draw
    settings: tuple[Setting, ...]
    kind: Kind = "mean"
    left: bool = True
    random: bool = True
    rounding: float = 1e-11


@dataclass(frozen=True)
class Verdict:
    """Outcome: a comparison that is beyond 1 rejects the claim."""

    measured: float
    error: float
    theory: float
    beyond: float
    wrong_beyond: float
    sees: float


def verdict(check: Check, number: int, repeats: int = 1) -> Verdict:
    """Simulate a check's setting, and compare with the theorem and with its wrong variant."""
    setting = check.settings[number]
    seed = zlib.crc32(f"{check.theorem}/{check.simulated}/{number}".encode())
    batches = [check.draw(setting, setting.draws, Address(seed, i)) for i in range(repeats if check.random else 1)]
    claim = find_claim(check.theorem)
    wrong = claim.wrong_claim if isinstance(claim, Theorem) else claim
    if check.kind in ("every", "regret"):
        return _of_trajectories(check, setting, (claim, wrong), _joined(batches))
    draws = np.concatenate([np.atleast_1d(np.asarray(batch, dtype=np.float64)) for batch in batches])
    compare = {"mean": _of_means, "chance": _of_events, "quantile": _of_quantiles}[check.kind]
    return compare(check, setting, (claim, wrong), draws)


def _joined(batches: list[Any]) -> Trajectories:
    own = {name: np.concatenate([batch.own[name] for batch in batches]) for name in batches[0].own}
    return Trajectories(np.concatenate([np.atleast_1d(batch.values) for batch in batches]), own)


def arrays(point: Point) -> dict[str, Any]:
    return {name: np.asarray(value, dtype=np.float64) for name, value in point.items()}


def _of_means(check: Check, setting: Setting, claims: tuple[Claim, Claim], draws: Array) -> Verdict:
    point = arrays(setting.point)
    claim = claims[0]
    mean = float(draws.mean())
    spread = float(draws.std(ddof=1)) / np.sqrt(draws.size) if draws.size > 1 else 0.0
    error = max(spread, check.rounding * abs(mean) + 1e-15)
    theory = float(call(claim.evaluate_left if check.left else claim.evaluate_right, point))
    allowed = ERRORS * error + setting.allowed
    beyond = [_beyond(c, point, mean, allowed) for c in claims]
    if check.left:
        beyond[0] = max(beyond[0], abs(mean - theory) / allowed)
    return Verdict(mean, error, theory, beyond[0], beyond[1], (SEEN * error + setting.allowed) / abs(mean))


def _beyond(claim: Claim, point: dict[str, Any], mean: float, allowed: float) -> float:
    """How far a mean breaks the claim, in units of what is allowed."""
    gap = mean - float(call(claim.evaluate_right, point))
    if claim.remainder is not None:
        allowed += float(call(claim.remainder, point))
    return {"=": abs(gap), "~": abs(gap), "<=": gap, ">=": -gap}[claim.relation] / allowed


def _of_trajectories(check: Check, setting: Setting, claims: tuple[Claim, Claim], drawn: Trajectories) -> Verdict:
    point = arrays({**setting.point, **drawn.own})
    claim = claims[0]
    sign = -1.0 if claim.relation == ">=" else 1.0
    right, wrong_right = (call(c.evaluate_right, point) for c in claims)
    if check.kind == "regret":
        assert isinstance(claim, Theorem)
        value = call(claim.value_evaluator, point)
        right, wrong_right = value, value - (right - wrong_right)
    room = check.rounding * (1 + np.abs(right))
    both = claim.relation == "=" and check.kind == "every"
    beyond, wrong_beyond = (
        float(((np.abs(drawn.values - r) if both else sign * (drawn.values - r)) / room).max())
        for r in (right, wrong_right)
    )
    if check.left and check.kind == "every":
        beyond = max(beyond, float((np.abs(drawn.values - call(claim.evaluate_left, point)) / room).max()))
    slack = room if both else sign * (right - drawn.values)
    relative = np.maximum(slack, room) / np.maximum(np.abs(right), 1e-300)
    place = int(np.argmin(np.broadcast_to(relative, drawn.values.shape)))
    theory = float(np.broadcast_to(right, drawn.values.shape)[place])
    return Verdict(float(drawn.values[place]), 0.0, theory, beyond, wrong_beyond, float(relative.min()))


def _of_events(check: Check, setting: Setting, claims: tuple[Claim, Claim], draws: Array) -> Verdict:
    point = arrays(setting.point)
    claim = claims[0]
    count, size = int(draws.sum()), draws.size
    theory = float(call(claim.evaluate_left if check.left else claim.evaluate_right, point))
    beyond = [_surprise(_tail(claim, float(call(c.evaluate_right, point)), count, size)) for c in claims]
    if check.left:
        beyond[0] = max(beyond[0], _surprise(_tails(theory, count, size)))
    error = float(np.sqrt(theory * (1 - theory) / size))
    return Verdict(count / size, error, theory, beyond[0], beyond[1], SEEN * error / theory)


def _tail(claim: Claim, probability: float, count: int, size: int) -> float:
    """Probability of so many events, or more, where the claim says at most (or so few, where it says at least)."""
    if claim.relation == "<=":
        return float(bdtrc(count - 1, size, probability)) if count else 1.0
    return float(bdtr(count, size, probability))


def _tails(probability: float, count: int, size: int) -> float:
    upper = float(bdtrc(count - 1, size, probability)) if count else 1.0
    return min(1.0, 2 * min(upper, float(bdtr(count, size, probability))))


def _surprise(tail: float) -> float:
    """Above 1 where the tail is below a third of the false-alarm rate (a check has three tails)."""
    return float(np.log(max(tail, 1e-300)) / np.log(FALSE_ALARM / 3))


def _of_quantiles(check: Check, setting: Setting, claims: tuple[Claim, Claim], draws: Array) -> Verdict:
    """The values exceed the right side with the stated probability at most, and the exact quantile just so."""
    point = arrays(setting.point)
    level = float(point["delta"] / point["M"])
    left = float(call(claims[0].evaluate_left, point))
    rounding = check.rounding * (1 + abs(left))
    above, reaching = (int((draws > left + step).sum()) for step in (rounding, -rounding))
    rights = (float(call(claim.evaluate_right, point)) for claim in claims)
    beyond = [_surprise(_above(level, int((draws > right).sum()), draws.size)) for right in rights]
    quantile = min(_above(level, above, draws.size), float(bdtr(reaching, draws.size, level)))
    error = float(np.sqrt(level * (1 - level) / draws.size))
    measured = float(np.quantile(draws, 1 - level, method="higher"))
    return Verdict(measured, error, left, max(beyond[0], _surprise(quantile)), beyond[1], SEEN * error / level)


def _above(level: float, count: int, size: int) -> float:
    return float(bdtrc(count - 1, size, level)) if count else 1.0
