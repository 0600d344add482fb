"""Training, block by block, with the losses of every group of queries added up on the way."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.evaluation.exam import chunks
from simulate.evaluation.query_groups import QueryGroup, group_of_class
from simulate.learner import LearnedBlock

Array = NDArray[np.float64]

LARGEST_BLOCK = 1 << 19
"""Numbers that one array of a block of prompts may have."""


class Source(Protocol):
    """Where the prompts of all lanes come from, as :class:`simulate.sources.PromptSource`."""

    def draw(self, rows: int) -> PromptBlock:
        """The next ``rows`` prompts of every lane."""
        ...


class Trainee(Protocol):
    """What learns, as :class:`simulate.learner.Learner`."""

    lanes: int

    def advance(self, block: PromptBlock) -> LearnedBlock:
        """Predict and learn, row by row."""
        ...


class Training:
    """A learner on its stream.

    Parameters
    ----------
    learner : Trainee
        What learns.
    source : Source
        What it learns from.
    groups : tuple of QueryGroup
        Whose losses are added up.
    classes : int
        Number of classes.
    width : int
        Numbers that the largest array of a block has for each prompt.
    """

    def __init__(
        self, learner: Trainee, source: Source, groups: tuple[QueryGroup, ...], classes: int, width: int = 1
    ) -> None:
        self._learner, self._source = learner, source
        self._groups, self._group_of_class = len(groups), group_of_class(groups, classes)
        self._rows = max(1, LARGEST_BLOCK // (learner.lanes * width))

    def advance(self, steps: int) -> Array:
        """Learn from the next steps; visits, then summed losses of g, h and f, shape (groups, 4, lanes)."""
        totals = np.zeros((4, self._groups, self._learner.lanes))
        for rows in chunks(steps, self._rows):
            block = self._source.draw(rows)
            learned = self._learner.advance(block)
            place = self._group_of_class[block.query] * block.lanes + np.arange(block.lanes)
            for row, weights in enumerate((None, learned.in_weight, learned.in_context, learned.gated)):
                summed = np.bincount(
                    place.ravel(), None if weights is None else weights.ravel(), minlength=totals[row].size
                )
                totals[row] += summed.reshape(totals[row].shape)
        return totals.swapaxes(0, 1)
