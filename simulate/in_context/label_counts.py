"""How often each label stands in each context: only what occurs, so that the number of labels does not matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class LabelCounts:
    """Counts of the labels that occur; one entry for each prompt and label, in increasing order of both.

    Parameters
    ----------
    key : ndarray of int, shape (k,)
        Prompt times the number of labels, plus label.
    count : ndarray of int, shape (k,)
        How many examples of the prompt carry the label, at least 1.
    prompts, labels : int
        Number of prompts and of labels.
    """

    key: NDArray[np.int64]
    count: NDArray[np.int64]
    prompts: int
    labels: int

    @classmethod
    def of(cls, context_labels: Indices, chosen: NDArray[np.bool_], labels: int) -> LabelCounts:
        """Counts over the chosen examples; both arrays have shape (prompts, context_length).

        Examples
        --------
        >>> counts = LabelCounts.of(np.array([[3, 1, 3], [0, 2, 2]]), np.array([[1, 1, 1], [1, 0, 1]]) > 0, 4)
        >>> counts.key.tolist(), counts.count.tolist()
        ([1, 3, 4, 6], [1, 2, 1, 1])
        """
        prompts = context_labels.shape[0]
        # Examples that are not chosen get a label behind all others, whose runs are left out at the end.
        ordered = np.sort(np.where(chosen, context_labels, labels), axis=1)
        key = (np.arange(prompts, dtype=np.int64)[:, None] * (labels + 1) + ordered).ravel()
        start = np.flatnonzero(np.diff(key, prepend=-1))
        prompt, label = np.divmod(key[start], labels + 1)
        kept = label < labels
        return cls((prompt * labels + label)[kept], np.diff(start, append=key.size)[kept], prompts, labels)

    @property
    def prompt(self) -> NDArray[np.int64]:
        """Prompt of each entry."""
        return self.key // self.labels
