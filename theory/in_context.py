r"""Loss of the in-context predictor :math:`h`, attention that copies labels: its exact law and its risk.

A prompt with :math:`m` relevant examples, :math:`A` of which carry the query's label :math:`y`, and :math:`k`
irrelevant ones, :math:`B` of which carry it, costs
:math:`-\log[(1-C\varepsilon)(\rho A + B)/(\rho m + k) + \varepsilon]`; the law of :math:`(m, A, B)` is a finite sum of
binomials.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.classes import ClassKind, class_kinds
from theory.errors import SettingError
from theory.numerics.special import binomial_law, binomial_log_probability
from theory.setting import Attention, LearnedAttention, TaskDistribution

Array = NDArray[np.float64]

_NEGLIGIBLE = 1e-19
_MOST_VALUES = 1 << 12
_MOST_GROUPS = 4
_LABELS_APART = 256
"""Noisy labels up to which it shows (beyond 1e-3 in the gate) that the losses of different labels differ."""


@dataclass(frozen=True, eq=False)
class LossLaw:
    """A law on finitely many losses.

    Parameters
    ----------
    values : ndarray, shape (v,)
        Losses in nats.
    probabilities : ndarray, shape (v,)
        Their probabilities; they sum to one.
    """

    values: Array
    probabilities: Array

    @property
    def mean(self) -> float:
        """Expected loss in nats."""
        return float(self.values @ self.probabilities)

    @property
    def variance(self) -> float:
        """Variance of the loss."""
        return float((self.values - self.mean) ** 2 @ self.probabilities)


@dataclass(frozen=True, eq=False)
class PromptLaw:
    """Law of what the in-context loss needs of a prompt; every array has shape (v,).

    Parameters
    ----------
    num_relevant : ndarray of int
        Number :math:`m` of relevant examples.
    relevant, irrelevant : ndarray of int
        How many of the relevant and of the irrelevant examples carry the query's label, :math:`A` and :math:`B`.
    probabilities : ndarray
        Their probabilities; they sum to one.
    """

    num_relevant: NDArray[np.int64]
    relevant: NDArray[np.int64]
    irrelevant: NDArray[np.int64]
    probabilities: Array


@dataclass(frozen=True, eq=False)
class PromptLaws:
    """Laws of the prompts of a class, given the query's label.

    Parameters
    ----------
    own, noisy : PromptLaw
        Given the own label, and given any of the noisy ones.
    noisy_groups : tuple of (float, PromptLaw)
        As ``InContextLoss.noisy_groups``.
    """

    own: PromptLaw
    noisy: PromptLaw
    noisy_groups: tuple[tuple[float, PromptLaw], ...] = ()


@dataclass(frozen=True, eq=False)
class TailLaws:
    """Laws of the in-context loss for bounds on its tails: their exponential moments are never below the true ones.

    Parameters
    ----------
    own, noisy : LossLaw
        Given the own label, and given any of the noisy ones.
    dearest, cheapest : LossLaw
        Given the noisy label that the context's other examples carry least often, and most often: the largest and
        the smallest loss in stochastic order.
    """

    own: LossLaw
    noisy: LossLaw
    dearest: LossLaw
    cheapest: LossLaw


@dataclass(frozen=True, eq=False)
class InContextLoss:
    """Laws of the in-context loss of a class, given whether the query's label is the own one or noise.

    Parameters
    ----------
    own, noisy : LossLaw
        The two laws.
    noise : float
        Probability of noise.
    dominating : TailLaws, optional
        Laws for bounds on tails, where the two themselves will not do.
    noisy_groups : tuple of (float, LossLaw)
        Laws given which noisy label it is, with the share of the noisy labels that have each; empty where all have the
        law ``noisy``, or so many that it does not matter which one came.
    groups_are_exact : bool
        Whether the labels of a group have the very same law, not only similar ones.
    """

    own: LossLaw
    noisy: LossLaw
    noise: float
    dominating: TailLaws | None = None
    noisy_groups: tuple[tuple[float, LossLaw], ...] = ()
    groups_are_exact: bool = True

    @property
    def tails(self) -> TailLaws:
        """Laws for bounds on tails."""
        return self.dominating or TailLaws(self.own, self.noisy, self.noisy, self.noisy)

    @property
    def risk(self) -> float:
        """Exact risk in nats."""
        noisy = self.noise * self.noisy.mean if self.noise > 0 else 0.0
        own = (1 - self.noise) * self.own.mean if self.noise < 1 else 0.0
        return own + noisy


def label_mass(
    relevant: ArrayLike,
    irrelevant: ArrayLike,
    num_relevant: ArrayLike,
    num_irrelevant: ArrayLike,
    odds: ArrayLike,
) -> Array:
    r"""Attention mass on a label, :math:`(\rho A + B)/(\rho m + k)`; arguments broadcast.

    Written with :math:`1/\rho`, so that no odds overflow.

    Examples
    --------
    >>> float(label_mass(1, 0, 1, 3, 9.0))
    0.75
    """
    weight = 1 / np.asarray(odds, dtype=np.float64)
    top = np.asarray(relevant) + weight * np.asarray(irrelevant)
    return np.asarray(top / (np.asarray(num_relevant) + weight * np.asarray(num_irrelevant)), dtype=np.float64)


def floored_loss(mass: ArrayLike, total_labels: ArrayLike, floor: ArrayLike) -> Array:
    r"""Loss :math:`-\log[(1 - C\varepsilon)\,\text{mass} + \varepsilon]` in nats; infinite where both are 0."""
    mass, total_labels, floor = (np.asarray(a, dtype=np.float64) for a in (mass, total_labels, floor))
    kept = (1 - total_labels * floor) * mass + floor
    # What is missing to 1, formed without a subtraction from 1: a small loss keeps its digits.
    missing = (1 - mass) + floor * (total_labels * mass - 1)
    with np.errstate(divide="ignore"):
        loss = np.where(mass > 0.5, -np.log1p(-np.where(mass > 0.5, missing, 0.0)), -np.log(kept))
    return np.asarray(loss + 0.0, dtype=np.float64)


def relevant_law(task: TaskDistribution, probability: float) -> tuple[NDArray[np.int64], Array]:
    r"""Law of the number :math:`m` of relevant examples in a relevant context of a class.

    Fixed, or Binomial(:math:`L`, :math:`p_x`) given that it is at least one.

    Parameters
    ----------
    task : TaskDistribution
        The task.
    probability : float
        :math:`p_x`.

    Examples
    --------
    >>> task = TaskDistribution(frequencies="uniform", num_classes=2, context_length=2)
    >>> values, weights = relevant_law(task, 0.5)
    >>> values.tolist(), [round(float(w), 6) for w in weights]
    ([1, 2], [0.666667, 0.333333])
    """
    if task.relevant_examples is not None:
        return np.array([task.relevant_examples]), np.ones(1)
    length = task.context_length
    values = np.arange(1, length + 1)
    if probability < 1e-150:
        return values[:1], np.ones(1)
    log_weights = binomial_log_probability(values, length, probability)
    weights = np.exp(log_weights - log_weights.max())
    kept = np.flatnonzero(weights > _NEGLIGIBLE)
    return values[kept], weights[kept] / weights[kept].sum()


def check_attention(task: TaskDistribution, attention: Attention | LearnedAttention) -> None:
    r"""Check that attention fits the task: :math:`C\varepsilon < 1`, and a finite risk for every class.

    Raises
    ------
    SettingError
        If it does not.
    """
    check_floor(task, attention)
    if attention.floor == 0:
        for kind in class_kinds(task)[0]:
            _check_finite(task, attention, kind, task.p_relevant)


def _check_finite(
    task: TaskDistribution, attention: Attention | LearnedAttention, kind: ClassKind, p_relevant: float
) -> None:
    if attention.floor == 0 and _label_can_be_missing(task, kind, p_relevant):
        allowed = "a positive floor, since contexts can lack the query's label (infinite in-context risk)"
        raise SettingError("model.in_context.floor", attention.floor, allowed)


def in_context_loss(
    task: TaskDistribution, attention: Attention, kind: ClassKind, relevant: bool | None = None
) -> InContextLoss:
    r"""Exact law of the in-context loss of one class.

    Parameters
    ----------
    task, attention : TaskDistribution, Attention
        The setting.
    kind : ClassKind
        The class.
    relevant : bool, optional
        Only relevant, or only irrelevant contexts; by default both, mixed by ``p_relevant``.

    Raises
    ------
    SettingError
        If the floor is 0 and a label can be missing from its context, so that the risk is infinite, or if
        :math:`C\varepsilon \ge 1`.
    """
    check_floor(task, attention)
    p_relevant = task.p_relevant if relevant is None else float(relevant)
    _check_finite(task, attention, kind, p_relevant)
    noise, in_context = task.label_noise, task.noise_in_context
    collisions = kind.noisy_collisions

    def losses(match: float, collisions: Array, weights: Array) -> tuple[Array, Array]:
        return _losses(task, attention, kind, p_relevant, match, collisions, weights)

    own = losses(1 - in_context, np.array([kind.own_collision]), np.ones(1))
    noisy_match = in_context / task.noisy_labels
    noisy = losses(noisy_match, collisions, kind.noisy_weights)
    dearest, cheapest = noisy, noisy
    if collisions.size > 1:
        dearest, cheapest = (
            losses(noisy_match, np.array([c]), np.ones(1)) for c in (collisions.min(), collisions.max())
        )
    tails = None
    if collisions.size > 1 or max(own[0].size, noisy[0].size) > _MOST_VALUES:
        tails = TailLaws(*(_spread_out(*law) for law in (own, noisy, dearest, cheapest)))
    apart = collisions.size > 1 and task.noisy_labels <= _LABELS_APART
    groups = tuple(
        (float(weights.sum()), _merged(*losses(noisy_match, members, weights / weights.sum())))
        for members, weights in (_alike(collisions, kind.noisy_weights, task.context_length) if apart else ())
    )
    groups_are_exact = collisions.size == 1 or (apart and collisions.size <= _MOST_GROUPS)
    return InContextLoss(_merged(*own), _merged(*noisy), noise, tails, groups, groups_are_exact)


def _alike(collisions: Array, weights: Array, length: int) -> list[tuple[Array, Array]]:
    """Collision probabilities and weights of groups of noisy labels with similar losses.

    Up to 4 different ones are groups of their own; more are grouped by the chance that an irrelevant example carries
    the label at all.
    """
    group = np.arange(collisions.size)
    if collisions.size > _MOST_GROUPS:
        carried = -np.expm1(length * np.log1p(-np.minimum(collisions, 1 - 1e-12)))
        width = (carried.max() - carried.min()) / _MOST_GROUPS
        group = np.minimum(((carried - carried.min()) / max(width, 1e-300)).astype(np.intp), _MOST_GROUPS - 1)
    return [(collisions[group == g], weights[group == g]) for g in np.unique(group).tolist()]


def check_floor(task: TaskDistribution, attention: Attention | LearnedAttention) -> None:
    r"""Raise :class:`SettingError` unless :math:`C\varepsilon < 1`."""
    if task.total_labels * attention.floor >= 1:
        allowed = f"less than 1/C = {1 / task.total_labels:g}, since C * floor must stay below 1"
        raise SettingError("model.in_context.floor", attention.floor, allowed)


def _label_can_be_missing(task: TaskDistribution, kind: ClassKind, p_relevant: float) -> bool:
    """Whether some prompt of positive probability has no example with its query's label."""
    noise, in_context = task.label_noise, task.noise_in_context
    # Asked of the noise itself: 1 - noise rounds to 1 for a tiny one.
    branches = [
        (noise < 1, in_context > 0, kind.own_collision),
        (noise > 0, task.noisy_labels > 1 or in_context < 1, float(kind.noisy_collisions.min())),
    ]
    only_relevant = task.relevant_examples in (None, task.context_length)
    any_may_miss = 0 < in_context < 1
    for possible, relevant_may_miss, collision in branches:
        irrelevant_may_miss = any_may_miss or collision < 1
        without_match = p_relevant < 1 and irrelevant_may_miss
        with_match = p_relevant > 0 and relevant_may_miss and (only_relevant or irrelevant_may_miss)
        if possible and (without_match or with_match):
            return True
    return False


def _losses(
    task: TaskDistribution,
    attention: Attention,
    kind: ClassKind,
    p_relevant: float,
    match: float,
    collisions: Array,
    weights: Array,
) -> tuple[Array, Array]:
    """Losses and their probabilities given a query label that relevant examples carry with probability ``match``."""
    law = _prompt_law(task, kind, p_relevant, match, collisions, weights)
    k = task.context_length - law.num_relevant
    mass = label_mass(law.relevant, law.irrelevant, law.num_relevant, k, attention.odds)
    loss, weight = floored_loss(mass, task.total_labels, attention.floor), law.probabilities
    # A label that can never be missing has mass in every context; what is infinite here has probability 0.
    kept = (weight > _NEGLIGIBLE) & np.isfinite(loss)
    if not kept.any():
        # A label that no query has, in contexts that cannot carry it: its law has weight 0 wherever it is used.
        return np.zeros(1), np.ones(1)
    return loss[kept], weight[kept] / weight[kept].sum()


def prompt_laws(task: TaskDistribution, kind: ClassKind, relevant: bool | None = None) -> PromptLaws:
    """Exact law of a class's prompts, given that the query's label is the own one, and given that it is noise.

    Parameters
    ----------
    task : TaskDistribution
        The task.
    kind : ClassKind
        The class.
    relevant : bool, optional
        Only relevant, or only irrelevant contexts; by default both, mixed by ``p_relevant``.
    """
    p_relevant = task.p_relevant if relevant is None else float(relevant)
    match, noisy_match = 1 - task.noise_in_context, task.noise_in_context / task.noisy_labels

    def law(match: float, collisions: Array, weights: Array) -> PromptLaw:
        return _prompt_law(task, kind, p_relevant, match, collisions, weights)

    collisions, weights = kind.noisy_collisions, kind.noisy_weights
    apart = collisions.size > 1 and task.noisy_labels <= _LABELS_APART
    return PromptLaws(
        own=law(match, np.array([kind.own_collision]), np.ones(1)),
        noisy=law(noisy_match, collisions, weights),
        noisy_groups=tuple(
            (float(shares.sum()), law(noisy_match, members, shares / shares.sum()))
            for members, shares in (_alike(collisions, weights, task.context_length) if apart else ())
        ),
    )


def _prompt_law(
    task: TaskDistribution, kind: ClassKind, p_relevant: float, match: float, collisions: Array, weights: Array
) -> PromptLaw:
    """Law of the prompts given a query label that relevant examples carry with probability ``match``."""
    numbers, chances = relevant_law(task, kind.probability) if p_relevant > 0 else (np.zeros(0, int), np.zeros(0))
    numbers, chances = np.append(numbers, 0), np.append(p_relevant * chances, 1 - p_relevant)
    parts: list[tuple[NDArray[Any], ...]] = []
    for m, chance in zip(numbers.tolist(), chances.tolist(), strict=True):
        if chance <= 0:
            continue
        relevant, relevant_weight = binomial_law(m, match)
        irrelevant, irrelevant_weight = _collision_law(task.context_length - m, collisions, weights)
        both = np.broadcast_arrays(m, relevant[:, None], irrelevant[None, :])
        weight = chance * relevant_weight[:, None] * irrelevant_weight[None, :]
        parts.append((*(array.ravel() for array in both), weight.ravel()))
    return PromptLaw(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _merged(loss: Array, weight: Array) -> LossLaw:
    """At most 4096 values: more are merged within narrow intervals at their mean.

    The mean stays exact, and the variance loses at most a quarter of the interval's square (about 1e-6).
    """
    if loss.size <= _MOST_VALUES:
        return LossLaw(loss, weight)
    interval, _ = _intervals(loss)
    total = np.asarray(np.bincount(interval, weights=weight), dtype=np.float64)
    mean = np.asarray(np.bincount(interval, weights=weight * loss), dtype=np.float64)
    used = total > 0
    return LossLaw(mean[used] / total[used], total[used])


def _spread_out(loss: Array, weight: Array) -> LossLaw:
    """At most 4097 values: the mass of each narrow interval goes to its two ends, with the same mean.

    That is larger in convex order: no exponential moment falls.
    """
    if loss.size <= _MOST_VALUES:
        return LossLaw(loss, weight)
    interval, edges = _intervals(loss)
    share = np.clip((loss - edges[interval]) / np.diff(edges)[interval], 0.0, 1.0)
    total = np.bincount(interval, weights=weight * (1 - share), minlength=edges.size)
    total += np.bincount(interval + 1, weights=weight * share, minlength=edges.size)
    used = total > 0
    return LossLaw(edges[used], np.asarray(total[used], dtype=np.float64))


def _intervals(loss: Array) -> tuple[NDArray[np.intp], Array]:
    """Interval of each loss, and the ends of the 4096 equal intervals."""
    edges = np.linspace(loss.min(), loss.max(), _MOST_VALUES + 1)
    width = (loss.max() - loss.min()) / _MOST_VALUES
    interval = np.minimum(((loss - loss.min()) / width).astype(np.intp), _MOST_VALUES - 1)
    return interval, edges


def _collision_law(trials: int, collisions: Array, weights: Array) -> tuple[NDArray[np.int64], Array]:
    """Mixture of Binomial(trials, b) over the collision probabilities of the labels that share the noise."""
    law = np.zeros(trials + 1)
    for collision, weight in zip(collisions.tolist(), weights.tolist(), strict=True):
        values, probabilities = binomial_law(trials, collision)
        law[values] += weight * probabilities
    kept = np.flatnonzero(law)
    return kept, law[kept]
