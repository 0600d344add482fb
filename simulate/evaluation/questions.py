"""Prompts of one kind, in-base or out-of-base, with the law of their labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Questions:
    """Prompts that are asked, for every lane.

    Parameters
    ----------
    prompts : PromptBlock
        The prompts, with classes and labels of their contexts, and the label that was drawn.
    outcomes : ndarray of int, shape (rows, lanes, k)
        Labels that the query can have, given its class (and the episode's label map).
    chances : ndarray, shape (k,) or (rows, lanes, k)
        Their probabilities, above zero or exactly zero.
    """

    prompts: PromptBlock
    outcomes: Indices
    chances: Array

    def moved(self, new_label: Indices) -> Questions:
        """The same prompts with every label, of context and query, moved; nothing is changed in place.

        Parameters
        ----------
        new_label : ndarray of int, shape (labels,)
            Where each label goes, a permutation: numbers of matching examples stay what they are.
        """
        prompts = self.prompts
        context = prompts.context_labels
        moved = replace(
            prompts, label=new_label[prompts.label], context_labels=None if context is None else new_label[context]
        )
        return Questions(moved, new_label[self.outcomes], self.chances)


def noisy_outcomes(own: Indices, labels: int, noise: float, noisy_labels: int) -> tuple[Indices, Array]:
    """Labels that noise makes of own ones, shape (..., k), and their probabilities, shape (k,).

    Parameters
    ----------
    own : ndarray of int, shape (...)
        Labels without noise.
    labels : int
        Number of labels.
    noise : float
        Probability of another label.
    noisy_labels : int
        How many labels after the own one, in a circle, share it: 1, or all others.

    Examples
    --------
    >>> outcomes, chances = noisy_outcomes(np.array([0, 2]), labels=3, noise=0.1, noisy_labels=1)
    >>> outcomes.tolist(), chances.tolist()
    ([[0, 1], [2, 0]], [0.9, 0.1])
    """
    chances = np.append(1 - noise, np.full(noisy_labels, noise / noisy_labels))
    possible = np.flatnonzero(chances)
    return (own[..., None] + possible) % labels, chances[possible]
