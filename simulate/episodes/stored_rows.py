"""A fixed sample of rows, drawn once for each replicate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.episodes.arrays import Episodes
from theory.setting import EpisodeDistribution

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False, kw_only=True)
class SampleShares:
    """What a fixed sample of rows really holds.

    Parameters
    ----------
    classes : ndarray, shape (classes,)
        Share of the rows that ask for each class.
    row_kinds : ndarray, shape (kinds of rows,)
        Share of each kind of rows.
    relevant : float
        Share of the rows with at least one context example of the query's class.
    """

    classes: Array
    row_kinds: Array
    relevant: float

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists."""
        return {"classes": self.classes.tolist(), "row_kinds": self.row_kinds.tolist(), "relevant": self.relevant}


@dataclass(frozen=True, eq=False, kw_only=True)
class StoredRows:
    """The rows of one replicate, and their shares."""

    episodes: Episodes
    shares: SampleShares


def forced_queries(distribution: EpisodeDistribution, query: Indices, generator: np.random.Generator) -> Indices:
    """The queries with every class that occurs forced upon one of random rows, as many as there are such classes."""
    occurring = np.flatnonzero(distribution.class_probabilities)
    forced = query.copy()
    forced[generator.permutation(query.size)[: occurring.size]] = occurring
    return forced


def sample_shares(distribution: EpisodeDistribution, episodes: Episodes) -> SampleShares:
    """Realised shares of a sample."""
    return SampleShares(
        classes=np.bincount(episodes.query, minlength=distribution.total_classes) / episodes.rows,
        row_kinds=np.bincount(episodes.row_kind, minlength=len(distribution.rows)) / episodes.rows,
        relevant=float((episodes.relevant_examples > 0).mean()),
    )
