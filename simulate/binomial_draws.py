"""Binomial laws as tables, and binomial draws by inversion where tables were too large."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrik, gammaln, xlog1py

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_LOG_SMALLEST = -600.0


def binomial_rows(trials: Indices, probabilities: Array, largest: int) -> Array:
    """Binomial laws on 0 to ``largest``, one a row; shape (rows, largest + 1)."""
    n, p, k = trials[:, None], probabilities[:, None], np.arange(largest + 1)[None, :]
    rest = np.maximum(n - k, 0)
    log_factorial = gammaln(np.arange(int(max(trials.max(), largest)) + 1) + 1.0)
    log_law = log_factorial[n] - log_factorial[k] - log_factorial.take(rest)
    # Logarithms for each row only: where a probability is 0, all that matters is that nothing is raised to it.
    with np.errstate(divide="ignore", invalid="ignore"):
        log_law += np.where(k > 0, k * np.log(p), 0.0) + np.where(rest > 0, rest * np.log1p(-p), 0.0)
    return np.where(k <= n, np.exp(log_law), 0.0)


def binomial_inverse(uniforms: Array, trials: Indices, probabilities: Array) -> Indices:
    """Binomial draws by inversion, every step with its own law; cost grows with the largest draw, not with a table."""
    log_none = xlog1py(trials, -probabilities)
    drawn = np.zeros(uniforms.shape, dtype=np.intp)
    # Where no success at all has a probability beyond double precision, summing up from 0 cannot work.
    far = log_none < _LOG_SMALLEST
    drawn[far] = _inverse_far(uniforms[far], trials[far], probabilities[far])
    near = np.flatnonzero(~far)
    drawn[near] = _inverse_near(uniforms[near], trials[near], probabilities[near], np.exp(log_none[near]))
    return drawn


def _inverse_near(uniforms: Array, trials: Indices, probabilities: Array, law: Array) -> Indices:
    """Summing up the law from 0 successes."""
    odds = probabilities / np.maximum(1 - probabilities, 1e-300)
    cumulative = law.copy()
    drawn = np.zeros(uniforms.shape, dtype=np.intp)
    for successes in range(1, int(trials.max(initial=0)) + 1):
        more = (uniforms > cumulative) & (successes <= trials)
        if not more.any():
            break
        drawn += more
        law = law * odds * (np.maximum(trials - successes + 1, 0) / successes)
        cumulative += law
    return drawn


def _inverse_far(uniforms: Array, trials: Indices, probabilities: Array) -> Indices:
    """By SciPy's inverse of the distribution function, put right by at most one."""
    n = np.asarray(trials, dtype=np.int64)
    certain = probabilities >= 1
    p = np.where(certain, 0.5, probabilities)
    guess = np.ceil(np.clip(bdtrik(np.clip(uniforms, 1e-300, None), n.astype(np.float64), p), 0, n))
    lower = np.maximum(guess - 1, 0)
    guess = np.where(bdtr(lower, n, p) >= uniforms, lower, guess)
    return np.where(certain, n, guess).astype(np.intp)
