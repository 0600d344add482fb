"""The gated predictor as it learns: the states of its three parts, put together for all lanes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from simulate.implementations import gate_state, in_context_state, in_weight_state
from simulate.lanes import Lanes
from simulate.protocols import Gate, GatePath, Needs, Predictor

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LearnedBlock:
    """What happened along a block: log losses in nats, each prompt predicted first, then learned from.

    Parameters
    ----------
    in_weight, in_context, gated : ndarray, shape (rows, lanes)
        Losses of the in-weight, the in-context and the gated predictor.
    path : GatePath
        The gate, before and after each prompt.
    """

    in_weight: Array
    in_context: Array
    gated: Array
    path: GatePath


class Learner:
    r"""Learning state of the gated predictor :math:`f = \alpha g + (1-\alpha) h`, for all lanes.

    Parameters
    ----------
    lanes : Lanes
        The settings and replicates that learn side by side.

    Raises
    ------
    NoEngineError
        A part of the model has no implementation; the message names it.
    """

    def __init__(self, lanes: Lanes) -> None:
        model = lanes.models[0]
        self.lanes: int = lanes.count
        self._in_weight: Predictor = in_weight_state(model.in_weight, lanes)
        self._in_context: Predictor = in_context_state(model.in_context, lanes)
        self._gate: Gate = gate_state(model.gate, lanes)

    @property
    def needs(self) -> Needs:
        """What the three parts read of a prompt: the most that one of them does."""
        return strongest(self._in_weight.needs, self._in_context.needs, self._gate.needs)

    @property
    def per(self) -> str | None:
        """What has a gate cell; ``None`` for a gate without cells."""
        return self._gate.per

    def advance(self, block: PromptBlock) -> LearnedBlock:
        """Predict and learn, row by row."""
        log_g = self._in_weight.advance(block)
        log_h = self._in_context.advance(block)
        path = self._gate.advance(block, log_g, log_h)
        return LearnedBlock(-log_g, -log_h, mixture_loss(path.before, log_g, log_h), path)

    def label_laws(self, block: PromptBlock) -> tuple[Array, Array, Array]:
        """Laws of g and h, shape (rows, lanes, labels), and the gate, shape (rows, lanes); nothing is learned."""
        return self._in_weight.label_law(block), self._in_context.label_law(block), self._gate.weight(block)


def strongest(*needs: Needs) -> Needs:
    """The most that is needed: inputs include labels, labels include statistics.

    Examples
    --------
    >>> strongest("statistics", "labels", "statistics")
    'labels'
    """
    return max(needs, key=get_args(Needs).index)


def mixture_loss(gate: Array, log_g: Array, log_h: Array) -> Array:
    r"""Loss :math:`-\log(\alpha g + (1-\alpha) h)` in nats, in log space, elementwise.

    Examples
    --------
    >>> mixture_loss(np.array([0.0, 0.5]), np.array([-1.0, -2.0]), np.array([-3.0, -2.0])).round(12).tolist()
    [3.0, 2.0]
    """
    # A gate that is exactly 0 or 1 has one predictor only: its weight's logarithm is minus infinity, and means it.
    with np.errstate(divide="ignore"):
        log_in_weight, log_in_context = np.log(gate), np.log1p(-gate)
    return np.asarray(-np.logaddexp(log_in_weight + log_g, log_in_context + log_h), dtype=np.float64)
