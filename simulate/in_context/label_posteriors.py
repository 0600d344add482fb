"""The Bayes rule from the noisy labels of the relevant examples."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from simulate.block_fields import context_labels, relevant_places
from simulate.blocks import PromptBlock
from simulate.in_context.floors import checked_floors, floored, floored_log
from simulate.in_context.label_counts import LabelCounts
from simulate.in_context.noise_kernels import LOG_IMPOSSIBLE, log_probability, noise_kernels
from simulate.in_context.own_label_evidence import (
    OwnLabelEvidence,
    cyclic_evidence,
    matrix_evidence,
    symmetric_evidence,
)
from simulate.lanes import Lanes
from simulate.protocols import Needs
from theory.errors import SettingError

Array = NDArray[np.float64]


class LabelPosteriorState:
    """State of :class:`theory.setting.LabelPosterior`, which learns nothing from one prompt to the next.

    Parameters
    ----------
    lanes : Lanes
        The learners.

    Raises
    ------
    SettingError
        The settings differ in the kind of their label noise, or a floor is out of its range.
    """

    needs: ClassVar[Needs] = "labels"

    def __init__(self, lanes: Lanes) -> None:
        kernels = [noise_kernels(task) for task in lanes.tasks]
        self._kind = _common_kind([context.kind for context, _ in kernels])
        # Where the noise has a closed form, no own label is ruled out, and the floor may be 0.
        self._floor = checked_floors(lanes, copies=self._kind == "matrix")
        self._labels = lanes.labels
        self._setting = np.repeat(np.arange(len(lanes.tasks)), lanes.replicates)
        others = 1 if self._kind == "cyclic" else lanes.labels - 1
        own = [log_probability(1 - context.noise) for context, _ in kernels]
        noisy = [log_probability(context.noise / others) for context, _ in kernels]
        self._own, self._noisy = lanes.of_tasks(own), lanes.of_tasks(noisy)
        self._query_noise = lanes.of_tasks([query.noise for _, query in kernels])
        if self._kind == "matrix":
            possible = np.array([context.matrix for context, _ in kernels])
            self._log_context = np.log(np.maximum(possible, np.exp(LOG_IMPOSSIBLE)))
            self._query = np.array([query.matrix for _, query in kernels])

    def advance(self, block: PromptBlock) -> Array:
        """Log of the probability of each prompt's label, shape (rows, lanes); there is nothing to learn."""
        label = block.label.ravel()
        if self._kind == "matrix":
            law = self._matrix_law(block)
            probability = np.take_along_axis(law, block.label[..., None], axis=-1)[..., 0]
        else:
            evidence = self._evidence(block)
            noise = self._of_prompts(block, self._query_noise)
            own, others = evidence.weight_of(label), evidence.weight_of_others(label)
            if self._kind == "cyclic":
                noisy = evidence.weight_of((label - 1) % self._labels) * noise
            else:
                noisy = others * (noise / (self._labels - 1))
            probability = (((1 - noise) * own + noisy) / (own + others)).reshape(block.label.shape)
        return floored_log(probability, self._labels, self._floor)

    def label_law(self, block: PromptBlock) -> Array:
        """Probabilities of all labels, shape (rows, lanes, labels)."""
        if self._kind == "matrix":
            return floored(self._matrix_law(block), self._floor)
        weights = self._evidence(block).dense()
        noise = self._of_prompts(block, self._query_noise)[:, None]
        if self._kind == "cyclic":
            law = (1 - noise) * weights + noise * np.roll(weights, 1, axis=1)
        else:
            law = (1 - noise) * weights + noise / (self._labels - 1) * _sums_of_others(weights)
        law /= weights.sum(axis=1, keepdims=True)
        return floored(law.reshape(*block.label.shape, self._labels), self._floor)

    def _evidence(self, block: PromptBlock) -> OwnLabelEvidence:
        counts, own, noisy = self._counts(block), self._own, self._noisy
        if self._kind == "cyclic":
            # All own labels but two make an example impossible; the two gain as much as they are more likely.
            own, noisy = own - LOG_IMPOSSIBLE, noisy - LOG_IMPOSSIBLE
            return cyclic_evidence(counts, self._of_prompts(block, own), self._of_prompts(block, noisy))
        return symmetric_evidence(counts, self._of_prompts(block, own - noisy))

    def _matrix_law(self, block: PromptBlock) -> Array:
        setting = np.tile(self._setting, block.rows)
        weights = matrix_evidence(self._counts(block), self._log_context, setting).dense()
        posterior = (weights / weights.sum(axis=1, keepdims=True)).reshape(*block.label.shape, self._labels)
        law: Array = np.empty(posterior.shape)
        for place, kernel in enumerate(self._query):
            here = self._setting == place
            law[:, here] = posterior[:, here] @ kernel
        return law

    def _counts(self, block: PromptBlock) -> LabelCounts:
        relevant = relevant_places(block)
        chosen = relevant.reshape(-1, relevant.shape[-1])
        return LabelCounts.of(context_labels(block).reshape(chosen.shape), chosen, self._labels)

    @staticmethod
    def _of_prompts(block: PromptBlock, of_lanes: Array) -> Array:
        """A number of every lane, for every prompt of the block, row by row."""
        return np.tile(of_lanes, block.rows)


def _sums_of_others(weights: Array) -> Array:
    """Sum of all other entries of each row; for the largest one, from which it would cancel, added up on its own."""
    sums = weights.sum(axis=1, keepdims=True) - weights
    rows, largest = np.arange(weights.shape[0]), weights.argmax(axis=1)
    rest = weights.copy()
    rest[rows, largest] = 0.0
    sums[rows, largest] = rest.sum(axis=1)
    return np.asarray(sums, dtype=np.float64)


def _common_kind(kinds: list[str]) -> str:
    for kind in kinds:
        if kind != kinds[0]:
            raise SettingError("label_noise_kind", kind, f"{kinds[0]!r}, as in the first of the settings")
    return kinds[0]
