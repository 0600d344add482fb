"""From curves and late losses to the results of groups and classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulate.boundary import simulated_boundary
from simulate.checkpoints import last_part_start
from simulate.curves import GateCurve
from simulate.run_result import CONFIDENCE, GroupResult, MeanLosses
from simulate.streams import stream
from theory.setting import AnyTask
from theory.strata import strata

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Results = tuple[GroupResult, ...]


class Curves(Protocol):
    """Gate curves of a setting's groups and classes."""

    def groups(self) -> list[GateCurve]:
        """One curve for each group or stratum."""
        ...

    def classes(self) -> Iterator[GateCurve]:
        """One curve for each class of a task without groups."""
        ...


def group_results(task: AnyTask, curves: Curves, late: Array, steps: int, seed: int) -> tuple[Results, Results]:
    """Results of the groups or classes, and of the strata of similar classes.

    Parameters
    ----------
    task : TaskDistribution or EpisodeDistribution
        What was simulated.
    curves : Curves
        Mean gates.
    late : ndarray, shape (4, classes)
        Visits in the last tenth of the steps, and sums of the losses of g, h and f at them.
    steps, seed : int
        Of the run.
    """

    def result(name: str, members: Indices, curve: GateCurve, number: int) -> GroupResult:
        visits, *losses = late[:, members].sum(axis=1).tolist()
        in_weight, in_context, gated = (value / visits if visits > 0 else None for value in losses)
        return GroupResult(
            name=name,
            num_classes=int(members.size),
            class_probability=_common_probability(task, members),
            boundary=simulated_boundary(curve, stream(seed, number, "bootstrap"), CONFIDENCE),
            gate_mean=curve.mean_after(last_part_start(steps)),
            loss=MeanLosses(in_weight=in_weight, in_context=in_context, gated=gated),
            curve=curve,
        )

    division = strata(task)
    groups = tuple(
        result(name, np.flatnonzero(division.of_class == i), curve, i)
        for i, (name, curve) in enumerate(zip(division.names, curves.groups(), strict=True))
    )
    if task.grouped:
        return groups, groups
    offset = len(groups)
    entries = tuple(
        result(task.name_of(i), np.array([i]), curve, offset + i) for i, curve in enumerate(curves.classes())
    )
    return entries, groups


def _common_probability(task: AnyTask, members: Indices) -> float:
    """Probability of one of the classes; their mean where they differ."""
    probabilities = task.class_probabilities[members]
    same = bool(np.ptp(probabilities) <= 1e-12 * probabilities[0])
    return float(probabilities[0] if same else probabilities.mean())
