"""The exact law of how noise spreads over several labels, for problems of a grid where a normal law is not enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from theory.diagrams.gate_arrays import GateRows, LabelCounts, rough_moments
from theory.diagrams.prompt_arrays import PromptRows
from theory.gating.label_spread import LARGEST_SUM, spread_characteristic

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Indices = NDArray[np.intp]

_SKEW_ERROR = 3e-4
"""Error of the gate up to which the spread is taken as normal."""
_MOST_GROUPS = 4


def skewed(gates: GateRows, problems: Indices, visits: Array, counts: LabelCounts) -> NDArray[np.bool_]:
    """For which problems the skewness of the spread moves the mean gate; the estimate of ``theory.gating``."""
    moments = rough_moments(gates, problems, visits)
    _, at = gates.rows_of(problems)
    least = np.full(problems.size, np.inf)
    np.minimum.at(least, at, moments.variance)
    rate = gates.rate[problems]
    third = rate**3 * (counts.weight * counts.spread_third).sum(axis=1)
    error = 0.07 * third / (least + math.pi**2 / 3) ** 1.5
    return np.asarray((error > _SKEW_ERROR) & (counts.noisy[:, -1] <= LARGEST_SUM))


def spread_factor(
    gates: GateRows, problem: int, counts: LabelCounts, place: int, t: Array, groups: Sequence[tuple[int, ComplexArray]]
) -> ComplexArray:
    """Characteristic function of what the spread adds to the log-odds of one problem, without its mean.

    Parameters
    ----------
    gates : GateRows
        All problems.
    problem : int
        The problem.
    counts : LabelCounts
        Counts of this and other problems.
    place : int
        Its place among these.
    t : ndarray, shape (t,)
        Where it is wanted.
    groups : sequence of (int, ndarray of complex, shape (t,))
        Groups of labels with the same in-context losses, see ``theory.gating.label_spread.spread_characteristic``: the
        losses at noisy visits are then part of the result. Empty to leave them out.

    Returns
    -------
    ndarray of complex, shape (t, counts)
    """
    frequencies = np.asarray(gates.rate[problem] * t, dtype=np.float64)
    without_losses = [(int(gates.noisy_labels[problem]), np.ones(t.size, dtype=np.complex128))]
    noisy, mean, b = counts.noisy[place], counts.spread_mean[place], float(gates.pseudo_count[problem])
    return spread_characteristic(noisy, mean, groups or without_losses, b, frequencies)


def label_groups(prompts: PromptRows, row: int) -> list[tuple[int, PromptRows]]:
    """Groups of noisy labels with different in-context losses: how many labels, and a row with these alone.

    Empty where all have the same losses, and where there are more than 4 groups, which are mixed as if each noisy visit
    drew its label anew.
    """
    one = prompts.take(np.array([row]))
    shares = one.noisy_weights[0]
    numbers = np.diff(np.rint(np.cumsum(shares) * one.noisy_labels[0]).astype(int), prepend=0)
    kinds = np.flatnonzero(numbers).tolist()
    if not 1 < len(kinds) <= _MOST_GROUPS:
        return []
    return [
        (
            int(numbers[kind]),
            replace(one, noisy_collisions=one.noisy_collisions[:, [kind]], noisy_weights=np.ones((1, 1))),
        )
        for kind in kinds
    ]
