r"""Share of the query mass answered in context for tasks with very many classes, from the curves of a few of them.

Where each of thousands of classes has a mean gate of its own, but classes of similar frequency have similar ones, the
gates of some representative classes are enough: a class takes the mean of the two representatives on either side of it
in :math:`\log p`, each over the class's *own* number of visits. What this leaves is measured at classes in between.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.checks import integer, step_numbers
from theory.classes import ClassKind, class_kinds, kinds_at
from theory.errors import SettingError
from theory.gating.curve import GateCurve
from theory.scaling.rank_sums import LISTED, sum_over_ranks
from theory.scaling.zipf import ZipfShare, zipf_share
from theory.setting import GatedPredictor, TaskDistribution
from theory.solver import class_curves

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ContextShare:
    r"""Share of the query mass answered in context, against steps.

    Parameters
    ----------
    steps : ndarray of int, shape (k,)
        :math:`N`.
    share : ndarray, shape (k,)
        :math:`\sum_x p_x (1 - E\alpha_x(N))`, as ``Prediction.in_context_share``.
    interpolation_error : ndarray, shape (k,)
        Measured, the larger of two: the mean over the query mass of the difference between a class's own gate and the
        one that it was given, at classes half-way between the representatives; and what every other representative
        would have changed. 0 where every kind of class was looked at.
    representatives : tuple of int
        Classes whose gates were computed.
    """

    steps: NDArray[np.int64]
    share: Array
    interpolation_error: Array
    representatives: tuple[int, ...]


def context_share(
    task: TaskDistribution, model: GatedPredictor | None = None, steps: ArrayLike = 1, *, representatives: int = 17
) -> ContextShare:
    r"""Share of the query mass that is answered in context, for any number of classes.

    Parameters
    ----------
    task, model : TaskDistribution, GatedPredictor
        The setting, as for :func:`theory.predict`.
    steps : array_like of int, shape (k,)
        :math:`N \ge 0`.
    representatives : int
        How many classes, at least 3, have their gate computed, where there are more kinds of them than that (those
        half-way between come on top, for the error). Spread evenly in :math:`\log p`.

    Returns
    -------
    ContextShare

    Raises
    ------
    NoTheoryError, SettingError
        As :func:`theory.predict`; a number is out of its range.

    Examples
    --------
    >>> task = TaskDistribution(
    ...     frequencies="zipf", num_classes=9000, zipf_exponent=1.5, context_length=4, relevant_examples=2)
    >>> found = context_share(task, steps=[10**6])
    >>> found.representatives, found.interpolation_error.tolist()
    ((0,), [0.0])
    """
    model = model or GatedPredictor()
    number = integer("representatives", representatives, minimum=3)
    values = step_numbers("steps", steps, minimum=0)
    if task.grouped:
        return _of_groups(task, model, values)
    return _of_classes(task, model, values, number)


def zipf_task_share(
    task: TaskDistribution, model: GatedPredictor | None = None, steps: ArrayLike = 1, *, representative: int = 0
) -> ZipfShare:
    r"""Scaling law of the in-context share of a task with Zipf frequencies, from the gate of one of its classes.

    Exact (but for what :math:`share` and :math:`law` differ by) where all classes have the same gate over their visits:
    with a fixed number of relevant examples, and either no irrelevant ones or neither label noise nor shared labels.
    Elsewhere classes differ by what collides with their labels; :func:`context_share` takes that into account, the law
    does not.

    Parameters
    ----------
    task, model : TaskDistribution, GatedPredictor
        The setting, with ``frequencies = "zipf"`` and an exponent above 1.
    steps : array_like of int, shape (k,)
        :math:`N \ge 1`.
    representative : int
        The class whose gate is taken.

    Returns
    -------
    ZipfShare

    Raises
    ------
    NoTheoryError, SettingError
        As :func:`theory.predict` and :func:`theory.zipf_share`; another frequency law.

    Examples
    --------
    >>> task = TaskDistribution(
    ...     frequencies="zipf", num_classes=5000, zipf_exponent=1.5, context_length=4, relevant_examples=2)
    >>> found = zipf_task_share(task, steps=[10**8])
    >>> abs(float(found.share[0] - context_share(task, steps=[10**8]).share[0])) < 1e-9
    True
    """
    if task.frequencies != "zipf":
        raise SettingError("frequencies", task.frequencies, "'zipf', whose exponent the law is about")
    place = integer("representative", representative, minimum=0, maximum=task.total_classes - 1)
    (curve,) = class_curves(task, model or GatedPredictor(), kinds_at(task, np.array([place])))
    return zipf_share(float(task.zipf_exponent or 0.0), steps, curve=curve, num_classes=task.total_classes)


def _of_groups(task: TaskDistribution, model: GatedPredictor, steps: NDArray[np.int64]) -> ContextShare:
    kinds, _ = class_kinds(task)
    share = np.zeros(steps.size)
    for kind, curve in zip(kinds, class_curves(task, model, kinds), strict=True):
        share += kind.size * kind.probability * _in_context(curve, steps, kind.probability)
    return ContextShare(
        steps=steps,
        share=share,
        interpolation_error=np.zeros(steps.size),
        representatives=tuple(kind.representative for kind in kinds),
    )


def _in_context(curve: GateCurve, steps: NDArray[np.int64], probability: float) -> Array:
    return np.array([1 - curve.at_steps(n, probability) for n in steps.tolist()])


def _of_classes(task: TaskDistribution, model: GatedPredictor, steps: NDArray[np.int64], number: int) -> ContextShare:
    chosen = _Chosen.of(task, model, number)
    if len(chosen.curves) == 1:
        share = np.array([chosen.total(task, n) for n in steps.tolist()])
        return ContextShare(
            steps=steps,
            share=share,
            interpolation_error=np.zeros(steps.size),
            representatives=tuple(chosen.classes[:1].tolist()),
        )
    share = np.array([chosen.total(task, n) for n in steps.tolist()])
    coarse = np.array([chosen.every_other().total(task, n) for n in steps.tolist()])
    return ContextShare(
        steps=steps,
        share=share,
        interpolation_error=np.maximum(chosen.error(task, model, steps), np.abs(share - coarse)),
        representatives=tuple(chosen.classes.tolist()),
    )


@dataclass(frozen=True, eq=False)
class _Chosen:
    """Representative classes, from the most frequent on, with the logarithm of their probability and their gate.

    The most and the least frequent class, whose neighbours may be unlike those of any other one, stand for themselves.
    """

    order: NDArray[np.intp]
    logs: Array
    classes: NDArray[np.intp]
    curves: list[GateCurve]

    @classmethod
    def of(cls, task: TaskDistribution, model: GatedPredictor, number: int) -> _Chosen:
        probabilities = task.class_probabilities
        order = np.argsort(-probabilities, kind="stable")
        order = order[probabilities[order] > 0]
        logs = np.log(probabilities[order])
        places = np.arange(order.size)
        if order.size > number + 2:
            inner = _evenly(logs[1:-1], number) + 1
            places = np.unique(np.concatenate([[0], inner, [order.size - 1]]))
        classes = order[places]
        curves = _distinct_curves(task, model, kinds_at(task, classes))
        if all(curve is curves[0] for curve in curves):
            curves = curves[:1]
        return cls(order, logs[places], classes, curves)

    def every_other(self) -> _Chosen:
        """Half of the inner representatives; all where there is nothing to interpolate."""
        if self.classes.size == self.order.size or self.classes.size < 5:
            return self
        kept = np.unique(np.concatenate([[0], np.arange(1, self.classes.size - 1, 2), [self.classes.size - 2]]))
        kept = np.append(kept, self.classes.size - 1)
        return _Chosen(self.order, self.logs[kept], self.classes[kept], [self.curves[k] for k in kept.tolist()])

    def gate(self, steps: int, log_probability: Array) -> Array:
        """In-context weight after N steps of inner classes, shape of the logarithms of their probabilities."""
        p = np.exp(log_probability)
        if len(self.curves) == 1:
            return np.array([1 - self.curves[0].at_steps(steps, q) for q in p.tolist()])
        inner, curves = self.logs[1:-1], self.curves[1:-1]
        # Descending logarithms: position of the representative at or above each class.
        before = np.clip(np.searchsorted(-inner, -log_probability, side="right") - 1, 0, max(inner.size - 2, 0))
        result = np.empty(p.size)
        for i, (j, q) in enumerate(zip(before.tolist(), p.tolist(), strict=True)):
            after = min(j + 1, inner.size - 1)
            gap = inner[j] - inner[after]
            weight = min(max((inner[j] - log_probability[i]) / gap, 0.0), 1.0) if gap > 0 else 0.0
            near = 1 - curves[j].at_steps(steps, q) if weight < 1 else 0.0
            far = 1 - curves[after].at_steps(steps, q) if weight > 0 else 0.0
            result[i] = (1 - weight) * near + weight * far
        return result

    def total(self, task: TaskDistribution, steps: int) -> float:
        probabilities = task.class_probabilities
        first, last = int(self.order[0]), int(self.order[-1])
        curves = (self.curves[0], self.curves[-1])
        total = 0.0
        for x, curve in zip((first, last), curves, strict=True):
            p = float(probabilities[x])
            total += p * (1 - curve.at_steps(steps, p))
        return total + self._inner_total(task, steps)

    def _inner_total(self, task: TaskDistribution, steps: int) -> float:
        """Sum over all classes but the first and the last."""
        probabilities = task.class_probabilities
        if task.frequencies == "zipf" and self.order.size > 4 * LISTED:
            a, scale = float(task.zipf_exponent or 0.0), math.log(float(probabilities[0]))

            def term(rank: Array) -> Array:
                logs = scale - a * np.log(rank)
                return np.asarray(np.exp(logs) * self.gate(steps, logs))

            return sum_over_ranks(term, 2, float(self.order.size - 1), 1e-8)
        inner, counts = np.unique(probabilities[self.order[1:-1]], return_counts=True)
        return float((counts * inner) @ self.gate(steps, np.log(inner)))

    def error(self, task: TaskDistribution, model: GatedPredictor, steps: NDArray[np.int64]) -> Array:
        """Mass between neighbouring representatives, times the gate's error at a class half-way."""
        if self.classes.size == self.order.size:
            return np.zeros(steps.size)
        logs = np.log(task.class_probabilities[self.order])
        ends = np.searchsorted(-logs, -self.logs[1:-1], side="left")
        between = [
            (low, high) for low, high in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True) if high > low + 1
        ]
        total = np.zeros(steps.size)
        places = np.array([_nearest(logs[low : high + 1]) + low for low, high in between], dtype=np.intp)
        curves = _distinct_curves(task, model, kinds_at(task, self.order[places]))
        for (low, high), place, curve in zip(between, places.tolist(), curves, strict=True):
            mass = float(np.exp(logs[low + 1 : high]).sum())
            own = _in_context(curve, steps, math.exp(logs[place]))
            given = np.array([self.gate(n, logs[place : place + 1])[0] for n in steps.tolist()])
            total += mass * np.abs(own - given)
        return total


def _evenly(logs: Array, number: int) -> NDArray[np.intp]:
    """Positions of about so many values, spread evenly between the largest and the smallest, both among them."""
    targets = np.linspace(logs[0], logs[-1], number)
    return np.unique(np.clip(np.searchsorted(-logs, -targets), 0, logs.size - 1))


def _nearest(logs: Array) -> int:
    """Position of an inner value near the middle between the ends."""
    middle = (logs[0] + logs[-1]) / 2
    return int(np.clip(np.searchsorted(-logs, -middle), 1, logs.size - 2))


def _distinct_curves(task: TaskDistribution, model: GatedPredictor, kinds: list[ClassKind]) -> list[GateCurve]:
    """A gate for each kind; kinds with the same laws of the in-context loss share theirs."""
    found: dict[tuple[bytes, ...], GateCurve] = {}
    curves = []
    for curve in class_curves(task, model, kinds):
        losses = [cell.loss for _, cell in curve.cells]
        # What noise leads to does not matter where there is none.
        laws = [law for loss in losses for law in ((loss.own, loss.noisy) if loss.noise > 0 else (loss.own,))]
        key = tuple(part.tobytes() for law in laws for part in (law.values, law.probabilities))
        curves.append(found.setdefault(key, curve))
    return curves
