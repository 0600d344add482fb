"""Where training rows come from: a stream of fresh rows, or a fixed sample drawn from again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from theory.checks import choice, integer

COVERAGES = ("iid", "forced")
MOST_ROWS = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Every training row is drawn afresh."""

    kind: ClassVar[str] = "stream"


@dataclass(frozen=True, kw_only=True)
class FiniteSample:
    """A fixed set of rows for each replicate, of which training draws one after the other, uniformly with replacement.

    Labels, their noise and inputs are drawn once with a row, so that they can be memorised.

    Parameters
    ----------
    rows : int
        Number of rows, from 1 to 2**30.
    coverage : {"iid", "forced"}
        Rows are independent; or random ones of them, as many as there are classes that occur, get these classes as
        their queries, one each, as in ``chan2025toward``: every class occurs, and rare ones more often than by their
        probability. It needs as many rows.

    Raises
    ------
    SettingError
        A setting is out of its range.
    """

    kind: ClassVar[str] = "finite"
    rows: int = 1024
    coverage: str = "iid"

    def __post_init__(self) -> None:
        rows = integer("episodes.sampling.rows", self.rows, minimum=1, maximum=MOST_ROWS)
        object.__setattr__(self, "rows", rows)
        choice("episodes.sampling.coverage", self.coverage, COVERAGES)


AnySampling = Stream | FiniteSample
SAMPLING_KINDS: dict[str, type] = {part.kind: part for part in (Stream, FiniteSample)}
"""Kinds of sampling by the name that a settings file gives them."""
