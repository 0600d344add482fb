"""The page docs/bench.md: ``python -m benchmarks.page > docs/bench.md`` (some ten minutes), or some sections by name.

Usage: ``python -m benchmarks.page [SECTION ...]``, with sections ``scan``, ``flatness``, ``step``, ``memory``,
``theory``, ``diagrams``, ``imports``.
"""

from __future__ import annotations

import os

# One thread: the figures are for one core, and a BLAS with threads would blur them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import platform
import sys

import numpy as np

from benchmarks.flatness import flatness
from benchmarks.measuring import processor
from benchmarks.memory_use import memory
from benchmarks.scan_speed import scan_engine
from benchmarks.step_speed import step_engine
from benchmarks.theory_speed import bounds, diagrams, imports

SECTIONS = {
    "scan": scan_engine,
    "flatness": flatness,
    "step": step_engine,
    "memory": memory,
    "theory": bounds,
    "diagrams": diagrams,
    "imports": imports,
}


def main(names: list[str]) -> None:
    """Print the page, or some of its sections."""
    print("# Speed\n\nMade by `python -m benchmarks.page`: medians (smallest to largest) of ratios of things that ran")
    print("in turn in one process, on one core of a shared machine, by the processor's time.")
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}"
    print(f"\nMachine: {processor()}, {os.cpu_count()} cores; {versions}.", flush=True)
    for name in names or SECTIONS:
        SECTIONS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
