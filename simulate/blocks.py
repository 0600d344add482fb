"""Blocks of prompts: a few steps of many learners, which is what predictors and gates read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

CACHED = 1 << 15
"""Prompts whose arrays stay in the nearest caches from one pass over them to the next."""


@dataclass(frozen=True, eq=False)
class PromptBlock:
    """Prompts for a row of learners: row by row the steps of a stream, or the questions of an evaluation.

    A *lane* is one learner: one replicate of one setting. The statistics are always there; what only some parts of a
    model need is ``None`` unless it was asked for.

    Parameters
    ----------
    query, label : ndarray of int, shape (rows, lanes)
        Class of the query, and the label that it turned out to have.
    relevant_examples : ndarray of int, shape (rows, lanes)
        Number of context examples of the query's class.
    relevant_matches, irrelevant_matches : ndarray of int, shape (rows, lanes)
        How many of the relevant and of the other examples carry the query's label.
    context_classes, context_labels : ndarray of int, shape (rows, lanes, context_length), optional
        Class and label of every context example.
    query_inputs : ndarray, shape (rows, lanes, dimension), optional
        Input of the query.
    context_inputs : ndarray, shape (rows, lanes, context_length, dimension), optional
        Inputs of the context's examples.
    """

    query: Indices
    label: Indices
    relevant_examples: Indices
    relevant_matches: Indices
    irrelevant_matches: Indices
    context_classes: Indices | None = None
    context_labels: Indices | None = None
    query_inputs: Array | None = None
    context_inputs: Array | None = None

    @property
    def rows(self) -> int:
        """Prompts of every lane."""
        return int(self.query.shape[0])

    @property
    def lanes(self) -> int:
        """Number of learners."""
        return int(self.query.shape[1])

    def part(self, start: int, end: int) -> PromptBlock:
        """The rows from ``start`` up to, not including, ``end``."""
        return replace(self, **{name: a[start:end] for name, a in vars(self).items() if a is not None})

    def parts(self) -> Iterator[PromptBlock]:
        """The same prompts, a few rows at a time."""
        rows = max(1, CACHED // self.lanes)
        return (self.part(start, start + rows) for start in range(0, self.rows, rows))
