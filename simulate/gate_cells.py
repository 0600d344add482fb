"""Gate cells: what has a gate of its own, and how a class's gate is made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.setting import AnyTask, TaskDistribution

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class GateCells:
    """The cells of a gate on a task; those of one class lie together.

    Parameters
    ----------
    per : str
        What has a cell: ``query``, ``query-and-relevance`` (first irrelevant, then relevant contexts) or ``shared``.
    share : ndarray, shape (classes, cells of a class)
        Share of a class's prompts that meet each of its cells; the class's gate is the mean over its prompts.

    Examples
    --------
    >>> task = TaskDistribution(num_high=1, num_low=1, p_high=0.5, p_relevant=0.75)
    >>> cells = GateCells.of(task, "query-and-relevance")
    >>> cells.find(np.array([0, 1]), np.array([2, 0])).tolist(), cells.share[0].tolist()
    ([1, 2], [0.25, 0.75])
    """

    per: str
    share: Array

    @classmethod
    def of(cls, task: AnyTask, per: str) -> GateCells:
        """Cells of a gate on a task."""
        if per != "query-and-relevance":
            return cls(per, np.ones((task.total_classes, 1)))
        if isinstance(task, TaskDistribution):
            relevant = np.full(task.total_classes, task.p_relevant)
        else:
            relevant = task.relevance_of_class
        return cls(per, np.stack([1 - relevant, relevant], axis=1))

    @property
    def of_class(self) -> int:
        """Cells of a class."""
        return int(self.share.shape[1])

    @property
    def total(self) -> int:
        """Number of cells."""
        return number_of_cells(self.per, int(self.share.shape[0]))

    def find(self, query: Indices, relevant_examples: Indices) -> Indices:
        """The cell that each prompt meets, of the shape of the queries."""
        return cell_of(self.per, query, relevant_examples)


def cell_of(per: str, query: Indices, relevant_examples: Indices) -> Indices:
    """Number of the cell that each prompt meets, of the shape of the queries.

    Examples
    --------
    >>> query, relevant_examples = np.array([0, 1]), np.array([2, 0])
    >>> [cell_of(per, query, relevant_examples).tolist() for per in ("query", "query-and-relevance", "shared")]
    [[0, 1], [1, 2], [0, 0]]
    """
    if per == "shared":
        return np.zeros_like(query)
    if per == "query":
        return query
    return np.asarray(2 * query + (relevant_examples > 0), dtype=np.intp)


def number_of_cells(per: str, classes: int) -> int:
    """How many cells a gate has for so many classes."""
    return {"query": classes, "query-and-relevance": 2 * classes, "shared": 1}[per]
