"""Addressable random streams: one for each replicate and purpose, whatever the order or the block size.

Within a stream every step uses as many variates as every other, so that drawing in blocks of any size gives the same
steps.
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
    "row-kind",
    "distractor",
    "context-classes",
    "positions",
    "context-labels",
    "relabelling",
    "query-inputs",
    "context-inputs",
    "centres",
    "label-maps",
    "coverage",
    "stored-rows",
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
    "row-kind": 8,
    "distractor": 9,
    "context-classes": 10,
    "positions": 11,
    "context-labels": 12,
    "relabelling": 13,
    "query-inputs": 14,
    "context-inputs": 15,
    "centres": 16,
    "label-maps": 17,
    "coverage": 18,
    "stored-rows": 19,
}


def stream(seed: int, replicate: int, purpose: Purpose, evaluation: int | None = None) -> np.random.Generator:
    """Generator of one replicate and purpose.

    Parameters
    ----------
    seed : int
        The run's seed, at least 0.
    replicate : int
        Number of the replicate, at least 0; replicate 7 is the same in a run of 8 and of 800.
    purpose : str
        What the variates are for.
    evaluation : int, optional
        Number of an evaluation, at least 0: its streams are none of the training's.

    Examples
    --------
    >>> bool(stream(1, 7, "query").random() == stream(1, 7, "query").random())
    True
    """
    seed = integer("seed", seed, minimum=0)
    key = (replicate, _KEYS[purpose]) if evaluation is None else (replicate, _KEYS[purpose], evaluation)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
