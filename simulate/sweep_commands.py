"""``python -m simulate sweep``, ``status``, ``export`` and ``replay``."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simulate.sweeps.cell_file import CellFileError
from simulate.sweeps.exporting import export_csv, export_netcdf, export_npz
from simulate.sweeps.gathering import SweepTable
from simulate.sweeps.grid_file import read_grid
from simulate.sweeps.replaying import Replay, replay
from simulate.sweeps.shards import shard_of
from simulate.sweeps.sweep_status import Failure, SweepStatus, sweep_status
from simulate.sweeps.sweeping import Sweep, stored_sweep, sweep
from theory.checks import integer
from theory.command import check_writable, number, whole_number
from theory.errors import SettingError

_INTERRUPTED = 130
_LISTED = 10
_WRITERS: dict[str, Callable[[SweepTable, str], list[Path]]] = {
    "csv": export_csv,
    "npz": export_npz,
    "netcdf": export_netcdf,
}


def add_sweep_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The sub-commands ``sweep``, ``status``, ``export`` and ``replay``."""
    parser = commands.add_parser(
        "sweep",
        help="simulate a grid of settings; the same command again goes on where it ended",
        description="Computes the cells of a grid that are not stored yet. Results depend on the grid alone, not on "
        "workers, shards or interruptions. Exit code 1 where cells failed, 130 after Ctrl-C.",
    )
    parser.add_argument("grid", metavar="GRID.toml", help="what to simulate (see examples/grid.toml)")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder of the cells")
    parser.add_argument("--workers", metavar="N", help="processes (default: as many as cores)")
    parser.add_argument("--shard", metavar="i/n", help="only every n-th cell, from the i-th on")
    parser.add_argument("--executor", metavar="dask:ADDRESS", help="a dask scheduler, tcp://host:port or its file")
    parser.add_argument("--extend", action="store_true", help="the folder may belong to another grid so far")
    parser.set_defaults(run=_sweep)
    parser = commands.add_parser(
        "status",
        help="how far a sweep has come",
        description="Reads every file and changes none. Exit code 1 where cells have failed or files were altered.",
    )
    parser.add_argument("folder", metavar="DIR", help="folder of a sweep")
    parser.set_defaults(run=_status)
    _add_export(commands)
    parser = commands.add_parser(
        "replay",
        help="compute a stored cell again, and compare",
        description="Computes a cell from the provenance in its file. Exit code 1 where an array has other bytes.",
    )
    parser.add_argument("file", metavar="FILE.npz", help="a file in the folder cells/ of a sweep")
    parser.set_defaults(run=_replay)


def _add_export(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "export",
        help="all cells of a sweep as one table or file",
        description="CSV: a row for each cell and class; gate curves and the like go into files of their own beside "
        "it. npz and netCDF hold everything, with units and meanings.",
    )
    parser.add_argument("folder", metavar="DIR", help="folder of a sweep")
    for name in _WRITERS:
        parser.add_argument(f"--{name}", metavar="FILE", help=f"write {name}")
    parser.add_argument("--partial", action="store_true", help="export although cells are missing or altered")
    parser.set_defaults(run=_export)


def _sweep(arguments: argparse.Namespace) -> int:
    grid = read_grid(arguments.grid)
    if arguments.workers is not None and arguments.executor is not None:
        raise SettingError("--workers", arguments.workers, "nothing beside --executor, which has workers of its own")
    cells = grid.cells if arguments.shard is None else shard_of(grid.cells, arguments.shard)
    print(f"{_cells(len(cells))} of {grid.replicates:,} x {grid.steps:,} steps", flush=True)
    with _stopped_by_signals(), _executor(arguments) as executor:
        try:
            done = sweep(grid, arguments.out, executor, shard=arguments.shard, extend=arguments.extend, progress=True)
        except KeyboardInterrupt:
            status = sweep_status(arguments.out)
            print(f"interrupted: {status.done:,} of {len(grid.cells):,} cells are stored; the same command resumes")
            return _INTERRUPTED
    _print_sweep(done)
    return 1 if done.failed else 0


def _print_sweep(done: Sweep) -> None:
    _print_altered(done.set_aside, "set aside")
    if done.others:
        print(f"{done.others:,} cells of other grids are in the folder too")
    print(f"{_cells(done.stored)} computed, {done.present:,} were there, {len(done.failed):,} failed")
    _print_failures(done.failed)


def _cells(number: int) -> str:
    return f"{number:,} cell{'s' * (number != 1)}"


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """A request to end (a batch system's SIGTERM) ends as Ctrl-C does: what is done is kept and said."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _executor(arguments: argparse.Namespace) -> Iterator[int | Executor | None]:
    if arguments.executor is None:
        workers = arguments.workers
        yield None if workers is None else integer("--workers", whole_number(workers), minimum=1)
        return
    kind, _, address = arguments.executor.partition(":")
    if kind != "dask" or not address:
        raise SettingError("--executor", arguments.executor, "dask:ADDRESS, such as dask:tcp://127.0.0.1:8786")
    with _dask_client(address) as client:
        yield client.get_executor()


def _dask_client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise SettingError("--executor", f"dask:{address}", "dask, installed by the extra icl-iwl[dask]") from error
    connect: Any = Client  # which has no types
    where = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
    try:
        return connect(**where, timeout=10)
    except (OSError, ValueError) as error:
        raise SettingError("--executor", f"dask:{address}", f"a scheduler that answers ({error})") from error


def _status(arguments: argparse.Namespace) -> int:
    status = sweep_status(arguments.folder)
    _print_altered(status.altered, "altered; the next sweep sets it aside")
    print(_status_line(status))
    if status.others:
        print(f"{status.others:,} cells of other grids are in the folder too")
    _print_failures(status.failed)
    return 1 if status.failed or status.altered else 0


def _status_line(status: SweepStatus) -> str:
    counts = f"{status.done:,} of {len(status.grid.cells):,} cells are stored, {len(status.failed):,} failed"
    if not status.done:
        return counts
    mean = status.seconds / status.done
    left = mean * (status.remaining + len(status.failed))
    return f"{counts}; {number(mean)} s a cell" + (f", {number(left)} s of work left on one core" if left else "")


def _print_altered(altered: Sequence[CellFileError], what: str) -> None:
    for error in altered:
        print(f"{what}: {error}", file=sys.stderr)


def _print_failures(failed: Sequence[Failure]) -> None:
    for failure in failed[:_LISTED]:
        print(f"failed: {failure.point or 'the cell'}: {failure.error}", file=sys.stderr)
    if len(failed) > _LISTED:
        print(f"... and {len(failed) - _LISTED:,} more (records in the folder failed/)", file=sys.stderr)


def _export(arguments: argparse.Namespace) -> int:
    wanted = {name: getattr(arguments, name) for name in _WRITERS if getattr(arguments, name) is not None}
    if not wanted:
        raise SettingError("export", None, f"one of {', '.join(f'--{name} FILE' for name in _WRITERS)}")
    for path in wanted.values():
        check_writable(path)
    table = stored_sweep(arguments.folder, skip_altered=arguments.partial)
    missing = int(table.possible.sum() - table.complete.sum())
    if missing and not arguments.partial:
        raise SettingError("export", f"{missing:,} cells missing", "a sweep that is done, or --partial")
    for name, path in wanted.items():
        for written in _WRITERS[name](table, path):
            print(f"wrote {written}")
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    found = replay(arguments.file)
    for name, (then, now) in found.versions.items():
        print(f"{name} was {then}, is {now}")
    print(_replay_line(found))
    for deviation in found.deviations[:_LISTED]:
        size = "" if deviation.largest is None else f": off by up to {number(deviation.largest)}"
        print(f"  {deviation.name}{size}")
    return 1 if found.deviations else 0


def _replay_line(found: Replay) -> str:
    if not found.deviations:
        return f"the same: all {found.arrays} arrays, byte for byte"
    return f"not the same: {len(found.deviations)} of {found.arrays} arrays differ"
