"""Single gates, visit by visit, from the definition: no characteristic function, no closed form."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from theory.gating.cell import GateCell
from theory.in_context import LossLaw

Array = NDArray[np.float64]


def last_visits_below(cell: GateCell, visits: int, runs: int, generator: np.random.Generator) -> Array:
    """Last visit of each run at which the gate is below 1/2 (0: at none), for a gate that sees every visit."""
    last = np.zeros(runs)
    for visit, logit in enumerate(log_odds(cell, visits, runs, generator), 1):
        last[logit < 0] = visit
    return last


def log_odds(cell: GateCell, visits: int, runs: int, generator: np.random.Generator) -> Iterator[Array]:
    """Log-odds of each run's gate after one visit, after two, and so on; shape (runs,)."""
    labels, b = cell.labels, cell.pseudo_count
    own = np.zeros(runs)
    noisy = np.zeros((runs, labels.noisy_labels if labels.noise > 0 else 1))
    logit = np.full(runs, cell.prior_log_odds)
    every = np.arange(runs)
    for visit in range(1, visits + 1):
        is_noise = generator.random(runs) < labels.noise
        which = generator.integers(noisy.shape[1], size=runs)
        seen = np.where(is_noise, noisy[every, which], own)
        loss = np.where(is_noise, _drawn(cell.loss.noisy, runs, generator), _drawn(cell.loss.own, runs, generator))
        logit += loss + np.log((seen + b) / (visit - 1 + labels.total_labels * b))
        own += ~is_noise
        noisy[every, which] += is_noise
        yield logit


def _drawn(law: LossLaw, runs: int, generator: np.random.Generator) -> Array:
    edges = np.cumsum(law.probabilities)
    return law.values[np.minimum(np.searchsorted(edges, generator.random(runs) * edges[-1]), law.values.size - 1)]
