"""Addressable random streams: one for each replicate and purpose, whatever the order or the block size.

Within a stream every step uses one uniform variate, so that drawing in blocks of any size gives the same steps.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from theory.checks import integer

Purpose = Literal[
    "query",
    "relevance",
    "relevant-examples",
    "label",
    "relevant-labels",
    "irrelevant-labels",
    "prompts",
    "bootstrap",
]

_KEYS: dict[Purpose, int] = {
    "query": 0,
    "relevance": 1,
    "relevant-examples": 2,
    "label": 3,
    "relevant-labels": 4,
    "irrelevant-labels": 5,
    "prompts": 6,
    "bootstrap": 7,
}

_EVALUATION = 1 << 16
"""Where the keys of the training's streams have the purpose, those of the evaluation's have this: none is as large."""


def stream(seed: int, replicate: int, purpose: Purpose) -> np.random.Generator:
    """Generator of one replicate and purpose.

    Parameters
    ----------
    seed : int
        The run's seed, at least 0.
    replicate : int
        Number of the replicate, at least 0; replicate 7 is the same in a run of 8 and of 800.
    purpose : str
        What the variates are for.

    Examples
    --------
    >>> bool(stream(1, 7, "query").random() == stream(1, 7, "query").random())
    True
    """
    seed = integer("seed", seed, minimum=0)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(replicate, _KEYS[purpose])))


def evaluation_stream(seed: int, replicate: int, kind: int, purpose: Purpose) -> np.random.Generator:
    """Generator of the questions that an evaluation asks; never one that :func:`stream` returns.

    Parameters
    ----------
    seed, replicate : int
        As in :func:`stream`.
    kind : int
        Number of the kind of question, at least 0: every kind has streams of its own.
    purpose : str
        What the variates are for.

    Examples
    --------
    >>> bool(evaluation_stream(1, 7, 0, "query").random() == stream(1, 7, "query").random())
    False
    """
    seed = integer("seed", seed, minimum=0)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(replicate, _EVALUATION, kind, _KEYS[purpose])))
