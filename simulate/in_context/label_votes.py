"""Majority vote: the label that most examples carry takes all."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from simulate.block_fields import context_labels, relevant_places
from simulate.blocks import PromptBlock
from simulate.in_context.floors import checked_floors, floored, floored_log
from simulate.in_context.label_counts import LabelCounts
from simulate.lanes import Lanes
from simulate.protocols import Needs

Array = NDArray[np.float64]


class MajorityVoteState:
    """State of :class:`theory.setting.MajorityVote`, which learns nothing.

    Parameters
    ----------
    lanes : Lanes
        The learners.
    """

    needs: ClassVar[Needs] = "labels"

    def __init__(self, lanes: Lanes) -> None:
        self._floor = checked_floors(lanes, copies=True)
        self._labels = lanes.labels

    def advance(self, block: PromptBlock) -> Array:
        """Log of the probability of each prompt's label, shape (rows, lanes); there is nothing to learn."""
        key, share = self._winners(block)
        won = np.zeros(block.label.size)
        mine = key % self._labels == block.label.ravel()[key // self._labels]
        won[key[mine] // self._labels] = share[mine]
        return floored_log(won.reshape(block.label.shape), self._labels, self._floor)

    def label_law(self, block: PromptBlock) -> Array:
        """Probabilities of all labels, shape (rows, lanes, labels)."""
        key, share = self._winners(block)
        law = np.zeros(block.label.size * self._labels)
        law[key] = share
        return floored(law.reshape(*block.label.shape, self._labels), self._floor)

    def _winners(self, block: PromptBlock) -> tuple[NDArray[np.int64], Array]:
        """Keys (prompt times labels, plus label) of the labels with most votes, and the share of each."""
        relevant = relevant_places(block)
        voters = (relevant | ~relevant.any(axis=-1, keepdims=True)).reshape(-1, relevant.shape[-1])
        votes = LabelCounts.of(context_labels(block).reshape(voters.shape), voters, self._labels)
        most = np.zeros(votes.prompts, dtype=np.int64)
        np.maximum.at(most, votes.prompt, votes.count)
        first = votes.count == most[votes.prompt]
        ties = np.bincount(votes.prompt[first], minlength=votes.prompts)
        return votes.key[first], 1 / ties[votes.prompt[first]]
