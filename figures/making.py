"""From recipes to files: pictures, and the numbers behind them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from figures.gallery import find_figure
from figures.style import save_figure, style
from figures.workbench import Workbench
from simulate.sweeps.exporting import export_csv
from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.tables import Table
from theory.command import writable_folder


@dataclass(frozen=True, kw_only=True)
class Made:
    """What became of a figure.

    Parameters
    ----------
    name : str
        The figure.
    files : tuple of Path
        What was written.
    seconds : float
        How long it took.
    error : str
        One line on what went wrong; empty if nothing did.
    """

    name: str
    files: tuple[Path, ...] = ()
    seconds: float
    error: str = ""


def make(name: str, folder: Path, *, quick: bool = False, workers: int | None = None) -> list[Path]:
    """Make a figure: compute what is not stored, draw it, write its files.

    Parameters
    ----------
    name : str
        The figure.
    folder : Path
        Where ``NAME.png``, ``.pdf``, ``.svg``, ``NAME-*.csv`` and the folder ``store`` are.
    quick : bool
        Fewer points and repetitions.
    workers : int, optional
        Processes of its sweeps.

    Raises
    ------
    SettingError
        There is no such figure.
    OutputError
        A file cannot be written.
    """
    recipe = find_figure(name)
    results = recipe.results(Workbench(writable_folder(folder) / "store", workers), quick)
    with style():
        figure = recipe.draw(results)
    written = save_figure(figure, folder / name)
    for part, table in results.items():
        written += export_csv(_as_sweep(table), folder / f"{name}-{part}.csv")
    return written


def make_all(names: Sequence[str], folder: Path, *, quick: bool, workers: int) -> Iterator[Made]:
    """Make figures, several at a time; one that fails does not stop the others."""
    if workers == 1 or len(names) == 1:
        for name in names:
            yield _made(name, folder, quick, workers)
        return
    # Each figure in a process of its own: its sweeps then take one.
    pool = ProcessPoolExecutor(min(workers, len(names)), mp_context=get_context("spawn"))
    started = time.perf_counter()
    try:
        made = {pool.submit(_made, name, folder, quick, 1): name for name in names}
        for done in as_completed(made):
            yield outcome(made[done], done, time.perf_counter() - started)
    finally:
        pool.shutdown(cancel_futures=True)


def outcome(name: str, done: Future[Made], seconds: float) -> Made:
    """What became of a figure in another process, also where that process was lost."""
    error = done.exception()
    return done.result() if error is None else Made(name=name, seconds=seconds, error=one_line(error))


def one_line(error: BaseException) -> str:
    r"""Kind and text of an error.

    Examples
    --------
    >>> one_line(ValueError("no\n  such thing"))
    'ValueError: no such thing'
    """
    return " ".join(f"{type(error).__name__}: {error}".split())


def _made(name: str, folder: Path, quick: bool, workers: int) -> Made:
    started = time.perf_counter()
    try:
        files = make(name, folder, quick=quick, workers=workers)
    except Exception as error:
        return Made(name=name, seconds=time.perf_counter() - started, error=one_line(error))
    return Made(name=name, files=tuple(files), seconds=time.perf_counter() - started)


def _as_sweep(table: Table | SweepTable) -> SweepTable:
    """A table as a sweep without axes."""
    if isinstance(table, SweepTable):
        return table
    whole = np.ones((), dtype=np.bool_)
    return SweepTable(
        axes=(),
        coordinates=table.coordinates,
        quantities=table.quantities,
        complete=whole,
        possible=whole,
        description={},
    )
