"""A sweep over MPI: ``mpiexec -n 65 python -m mpi4py.futures examples/mpi_sweep.py GRID.toml DIR`` (64 workers)."""

from __future__ import annotations

import sys

from mpi4py.futures import MPIPoolExecutor

import simulate


def main(grid: str, folder: str) -> int:
    """Compute what is missing; returns the exit code."""
    with MPIPoolExecutor() as executor:
        done = simulate.sweep(grid, folder, executor, progress=True)
    print(f"{done.stored} cells computed, {done.present} were there, {len(done.failed)} failed")
    return 1 if done.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
