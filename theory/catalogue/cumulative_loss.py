r"""The table's cumulative loss: on every sequence a function of the label counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import mpmath
import numpy as np
import sympy

from theory.catalogue.label_counts import OWN_COUNT, Array, count_entropy, counts_redundancy
from theory.catalogue.letters import NUM_CLASSES, NUM_NOISY_LABELS, PSEUDO_COUNT, VISITS, C, b, n
from theory.theorems.checks.sequences import SEEN_BEFORE, by_induction_over_visits, sum_over_counts
from theory.theorems.derivation import Derivation, Step
from theory.theorems.precise import working_digits
from theory.theorems.theorem import DERIVED_HERE, Theorem, WrongVariant

_i = sympy.Symbol("i", integer=True, nonnegative=True)
_ROWS: Final = 512

_LOSSES: Final = sympy.Sum(-sympy.log((SEEN_BEFORE(_i) + b) / (_i + C * b)), (_i, 0, n - 1))
_BY_COUNTS: Final = (
    sympy.loggamma(n + C * b)
    - sympy.loggamma(C * b)
    - sum_over_counts(lambda count: sympy.loggamma(count + b) - sympy.loggamma(b), C)
)
_WRONG: Final = _BY_COUNTS + sympy.log(1 + n / (C * b))

Groups = list[tuple[Array, Array]]


def count_groups(n: Array, own: Array, noisy_labels: Array) -> Groups:
    """Counts as (how many labels, count): the own label, and the others as even as whole numbers can be."""
    rest = n - own
    low = np.floor(rest / noisy_labels)
    more = rest - low * noisy_labels
    return [(np.ones_like(own), own), (more, low + 1), (noisy_labels - more, low)]


def closed_form(n: Array, C: Array, b: Array, own: Array, noisy_labels: Array) -> Array:
    r"""The cumulative loss from the counts, as a sum of positive terms; see the theorem's right side."""
    groups = count_groups(n, own, noisy_labels)
    redundancy = counts_redundancy(n, C, b, [(number, count, C * count - n) for number, count in groups])
    return count_entropy(n, groups) + redundancy


def running_sum(n: Array, C: Array, b: Array, own: Array, noisy_labels: Array) -> Array:
    """The losses one after the other: the own label's visits first, then the others in turn."""
    flat = [np.ravel(a) for a in np.broadcast_arrays(n, C, b, own, noisy_labels)]
    result = np.zeros(flat[0].shape)
    order = np.argsort(flat[0])
    for start in range(0, order.size, _ROWS):
        rows = order[start : start + _ROWS]
        result[rows] = _sums(*(a[rows, None] for a in flat))
    return result.reshape(np.broadcast(n, C, b, own, noisy_labels).shape)


def _sums(n: Array, C: Array, b: Array, own: Array, noisy_labels: Array) -> Array:
    i = np.arange(n.max())[None, :]
    seen = np.where(i < own, i, np.maximum(i - own, 0) // noisy_labels)
    losses = np.log1p((i - seen + (C - 1) * b) / (seen + b))
    return np.asarray(np.where(i < n, losses, 0.0).sum(axis=1))


def _sides(point: Mapping[str, Any], later: bool = False) -> tuple[Any, Any]:
    """Both sides to 50 digits; ``later`` for those of the wrong variant."""
    n, own, labels = (int(point[name]) for name in ("n", "own", "noisy_labels"))
    with mpmath.workdps(working_digits(point.values())):
        C, b = mpmath.mpf(point["C"]), mpmath.mpf(point["b"])
        counts, losses = [0] * (labels + 1 if n > own else 1), []
        for i in range(n):
            label = 0 if i < own else 1 + (i - own) % labels
            losses.append(mpmath.log((i + C * b) / (counts[label] + b)))
            counts[label] += 1
        seen = mpmath.fsum(mpmath.loggamma(count + b) - mpmath.loggamma(b) for count in counts if count)
        total = mpmath.loggamma(n + C * b + later) - mpmath.loggamma(C * b + later)
        return mpmath.fsum(losses), total - seen


THEOREMS: Final = (
    Theorem(
        name="cumulative_loss",
        title="Dirichlet table: the sum of its losses is a function of the label counts",
        family="in-weight",
        kind="exact",
        source=DERIVED_HERE,
        parameters=(VISITS, NUM_CLASSES, PSEUDO_COUNT, OWN_COUNT, NUM_NOISY_LABELS),
        premises=("any sequence of labels; evaluated where the other labels share their visits evenly",),
        left=_LOSSES,
        relation="=",
        right=_BY_COUNTS,
        derivation=Derivation(
            chain=(
                Step(
                    _LOSSES,
                    "=",
                    _BY_COUNTS,
                    "Without visits both sides are 0; one more visit adds the same loss to both.",
                    by_induction_over_visits(n),
                ),
            )
        ),
        evaluate_left=running_sum,
        evaluate_right=closed_form,
        hunted_up_to={"n": 2000},
        precise_sides=_sides,
        value_meaning="cumulative loss of n visits, nats",
        wrong=WrongVariant(
            mistake="the total n + Cb taken after instead of before each visit",
            right=_WRONG,
            evaluate=lambda n, C, b, own, noisy_labels: closed_form(n, C, b, own, noisy_labels) + np.log1p(n / (C * b)),
            precise_sides=lambda point: _sides(point, later=True),
        ),
    ),
)
