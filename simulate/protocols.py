"""What the parts of a model look like to the step engine; a user's own part may have the same shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock

Array = NDArray[np.float64]
Needs = Literal["statistics", "labels", "inputs"]
"""What a part reads of a prompt: its statistics, the context's classes and labels too, or also all inputs."""


@dataclass(frozen=True, eq=False)
class GatePath:
    """The gate along a block: the weight on the in-weight predictor and what was predicted, shape (rows, lanes) each.

    Parameters
    ----------
    before : ndarray
        Weight with which each prompt was predicted.
    after : ndarray
        Weight that the same prompt's cell has once it was learned from.
    log_predicted : ndarray, optional
        Log of the probability that the gated predictor gave each prompt's label. Where a gate does not tell, it has to
        be formed from ``before``, which has no digits left of its complement where it is close to 1.
    """

    before: Array
    after: Array
    log_predicted: Array | None = None


@runtime_checkable
class Predictor(Protocol):
    """Learning state of an in-weight or in-context predictor, for all lanes."""

    needs: ClassVar[Needs]

    def advance(self, block: PromptBlock) -> Array:
        """Log of the probability of each prompt's label, shape (rows, lanes): predicted first, then learned from."""
        ...

    def label_law(self, block: PromptBlock) -> Array:
        """Probabilities of all labels, shape (rows, lanes, labels), as the lanes are now; nothing is learned."""
        ...


@runtime_checkable
class Gate(Protocol):
    """Learning state of a gate, for all lanes."""

    needs: ClassVar[Needs]
    per: str | None
    """What has a cell (``query``, ``query-and-relevance``, ``shared``), or ``None`` for a gate without cells."""

    def advance(self, block: PromptBlock, in_weight: Array, in_context: Array) -> GatePath:
        """Weight before and after each prompt; the log probabilities of its label are of shape (rows, lanes)."""
        ...

    def weight(self, block: PromptBlock) -> Array:
        """Weight on the in-weight predictor for each prompt, shape (rows, lanes), as the lanes are now."""
        ...
