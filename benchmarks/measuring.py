"""Times as ratios of things that ran in turn, and Markdown tables of them.

Absolute times mean little on a shared machine: every figure is a ratio within one process, and is quoted as the median
with the smallest and the largest of the rounds. Times are the processor's, which others' work disturbs less than a
clock on the wall.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from simulate.scan_engine import BLOCK


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one call, which must do its work in this process."""
    started = time.process_time()
    work()
    return time.process_time() - started


def ratios(work: Callable[[], object], base: Callable[[], object], rounds: int) -> list[float]:
    """Time of the one over that of the other, in turn."""
    work()
    base()
    return [seconds(work) / seconds(base) for _ in range(rounds)]


def spread(measured: list[float]) -> str:
    """Median, smallest and largest."""
    return f"{statistics.median(measured):.2f} ({min(measured):.2f} to {max(measured):.2f})"


def row(*cells: object) -> None:
    """One row of a table, shown as soon as it is there."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def head(*cells: str) -> None:
    """Header of a table."""
    print()
    row(*cells)
    row(*("---" for _ in cells))


def variates_alone(streams: int, steps: int, replicates: int = 1) -> None:
    """As many uniform variates as a run uses, 64-bit from the same bit generator, in blocks of the same size."""
    generators = [np.random.default_rng(i) for i in range(streams)]
    for start in range(0, steps * replicates, BLOCK):
        for generator in generators:
            generator.random(min(BLOCK, steps * replicates - start))


def processor() -> str:
    """Name of the processor."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
