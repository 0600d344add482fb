"""Episodes as arrays, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Episodes:
    """Episodes in the order of the stream; names as in :class:`simulate.blocks.PromptBlock`.

    Parameters
    ----------
    row_kind : ndarray of int, shape (rows,)
        Which of the distribution's kinds each row is of.
    query, label : ndarray of int, shape (rows,)
        Class of the query, and the label that it turned out to have.
    relevant_examples : ndarray of int, shape (rows,)
        Number of context examples of the query's class.
    relevant_matches, irrelevant_matches : ndarray of int, shape (rows,)
        How many of the relevant and of the other examples carry the query's label.
    context_classes, context_labels : ndarray of int, shape (rows, context_length), or None
        Class and label of every context example, unless only statistics were asked for.
    query_inputs : ndarray, shape (rows, dimension), or None
        Input of the query, if inputs were asked for and are not the classes themselves.
    context_inputs : ndarray, shape (rows, context_length, dimension), or None
        Inputs of the context's examples, likewise.
    """

    row_kind: Indices
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
        """Number of episodes."""
        return int(self.query.size)

    def take(self, rows: Indices) -> Episodes:
        """The given rows, as often as they are named."""
        return Episodes(**{name: array[rows] for name, array in vars(self).items() if array is not None})


def joined(parts: Sequence[Episodes]) -> Episodes:
    """Episodes one after the other."""
    columns = {}
    for field in fields(Episodes):
        arrays = [array for array in (getattr(part, field.name) for part in parts) if array is not None]
        if arrays:
            columns[field.name] = np.concatenate(arrays)
    return Episodes(**columns)
