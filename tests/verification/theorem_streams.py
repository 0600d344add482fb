"""Streams for the checks: the simulator's own samplers and engine, with histories side by side as classes of one task.

A class's table and gate cell depend on its own visits alone, so that one scan of many classes holds as many independent
histories of one query.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.prompts import PromptStatistics
from simulate.scan import LossTotals, Scan
from simulate.statistics import StatisticsSampler, statistics_sampler
from tests.verification.theorem_check import Address, Point
from theory.setting import Attention, DirichletTable, GatedPredictor, TaskDistribution

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
TINY_FLOOR = 1e-9


def label_task(C: int, label_noise: float = 0.0, noisy_labels: int = 1, **more: Any) -> TaskDistribution:
    """A task of ``C`` equally frequent classes with a theorem's label law."""
    assert noisy_labels in (1, C - 1)
    kind = "cyclic" if noisy_labels == 1 else "symmetric"
    settings: dict[str, Any] = {"context_length": 1, "relevant_examples": 1, **more}
    return TaskDistribution(
        frequencies="uniform", num_classes=C, label_noise=label_noise, label_noise_kind=kind, **settings
    )


def histories_task(task: TaskDistribution, number: int) -> TaskDistribution:
    """The same labels, for so many classes (at least as many as there are labels)."""
    return TaskDistribution(
        frequencies="uniform",
        num_classes=max(number, task.total_labels),
        num_labels=task.total_labels,
        context_length=task.context_length,
        relevant_examples=task.relevant_examples,
        label_noise=task.label_noise,
        label_noise_kind=task.label_noise_kind,
    )


@lru_cache(maxsize=64)
def sampler_of(task: TaskDistribution) -> StatisticsSampler:
    return statistics_sampler(task)


def drawn(task: TaskDistribution, steps: int, address: Address) -> PromptStatistics:
    """Steps of a task, by the sampler of sufficient statistics."""
    sampler = sampler_of(task)
    return sampler.draw(steps, address.streams(sampler))


def prompts_of(query: Indices, offset: Indices, matches: Indices | int = 1, length: int = 1) -> PromptStatistics:
    """Prompts whose examples are all relevant, so many of which carry the query's label."""
    return PromptStatistics(
        query=query,
        label_offset=offset,
        relevant_examples=np.full(query.size, length, dtype=np.intp),
        relevant_matches=np.broadcast_to(np.asarray(matches, dtype=np.intp), query.shape).copy(),
        irrelevant_matches=np.zeros(query.size, dtype=np.intp),
    )


def label_offsets(point: Point, visits: int, histories: int, address: Address) -> Indices:
    """Noisy labels of the visits of so many histories, shape (visits, histories)."""
    task = label_task(point["C"], point.get("label_noise", 0.0), point.get("noisy_labels", 1))
    return drawn(task, visits * histories, address).label_offset.reshape(visits, histories)


def table_scan(
    task: TaskDistribution, histories: int, steps: int, b: float, gate: Any = None, in_context: Any = None
) -> Scan:
    """An engine for so many histories, with a table of the given pseudo-count."""
    parts: dict[str, Any] = {} if gate is None else {"gate": gate}
    attention = Attention(floor=TINY_FLOOR) if in_context is None else in_context
    model = GatedPredictor(in_weight=DirichletTable(pseudo_count=b), in_context=attention, **parts)
    return Scan(histories_task(task, histories), model, np.array([max(steps, 1)]))


def visited_in_turn(scan: Scan, offsets: Indices, matches: Indices | int = 1, length: int = 1) -> LossTotals:
    """Visit all histories in turn, row by row of the offsets; losses of the histories afterwards."""
    visits, histories = offsets.shape
    if visits:
        matches = matches.ravel() if isinstance(matches, np.ndarray) else matches
        query = np.tile(np.arange(histories), visits)
        scan.advance(prompts_of(query, offsets.ravel(), matches, length))
    return scan.totals()


def law_of(offsets: Indices, label_noise: float, noisy_labels: int) -> Array:
    """Log-probabilities of labels under their law."""
    with np.errstate(divide="ignore"):
        noisy = np.log(label_noise) - np.log(noisy_labels)
        return np.asarray(np.where(offsets == 0, np.log1p(-label_noise), noisy), dtype=np.float64)
