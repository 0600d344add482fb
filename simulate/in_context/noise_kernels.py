"""The law of label noise: what label is seen where another one is the own one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LOG_IMPOSSIBLE = math.log(1e-300)
"""What the evidence takes for the log of a probability of zero."""


@dataclass(frozen=True, eq=False)
class NoiseKernel:
    r"""Law :math:`K(c'\mid c)` of the label that is seen, given the own one.

    Parameters
    ----------
    kind : {"cyclic", "symmetric", "matrix"}
        Where a noisy label goes: to the next label, to any other one alike, or as the matrix says.
    noise : float
        Probability of a noisy label; 0 and unused for a matrix.
    matrix : ndarray, shape (labels, labels), or None
        Row :math:`c` is the law of the label that is seen; ``None`` for the closed forms.
    """

    kind: str
    noise: float
    matrix: Array | None = None


def noise_kernels(task: Any) -> tuple[NoiseKernel, NoiseKernel]:
    """Label noise of the context and of the query.

    Parameters
    ----------
    task : TaskDistribution or EpisodeDistribution
        The task.

    Examples
    --------
    >>> from theory.setting import TaskDistribution
    >>> task = TaskDistribution(num_high=1, num_low=1, p_high=0.5, label_noise=0.1, context_label_noise=0.0)
    >>> [kernel.noise for kernel in noise_kernels(task)]
    [0.0, 0.1]
    """
    # A TaskDistribution is its own label rule; episodes keep theirs apart.
    rule = getattr(task, "labels", task)
    if rule.label_noise_kind == "matrix":
        query, context = _normalised(rule.noise_matrix), rule.context_noise_matrix
        context = query if context is None else _normalised(context)
        return NoiseKernel("matrix", 0.0, context), NoiseKernel("matrix", 0.0, query)
    context_noise = rule.label_noise if rule.context_label_noise is None else rule.context_label_noise
    return NoiseKernel(rule.label_noise_kind, context_noise), NoiseKernel(rule.label_noise_kind, rule.label_noise)


def _normalised(matrix: Any) -> Array:
    """Rows that sum to one not only as nearly as a settings file can say it, but to rounding."""
    given = np.asarray(matrix, dtype=np.float64)
    return np.asarray(given / given.sum(axis=1, keepdims=True), dtype=np.float64)


def log_probability(value: float) -> float:
    """Log of a probability, where that of an impossible event is as low as that of 1e-300."""
    return math.log(value) if value > 1e-300 else LOG_IMPOSSIBLE
