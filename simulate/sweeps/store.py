"""A folder of cells that survives: whole files or none, one worker at a time on each cell, nothing believed unread."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from simulate.sweeps.cell_file import CellFileError, StoredCell, cell_bytes, read_cell
from simulate.sweeps.configuration import Configuration
from theory.command import writable_folder
from theory.errors import OutputError

_ROOMS = ("cells", "partial", "claims", "failed", "set-aside")


@dataclass(frozen=True)
class Store:
    """A folder with one file for each cell.

    ``cells/KEY.npz`` are results, ``partial/`` holds what is being written, ``claims/`` the locks of cells that are
    being computed, ``failed/KEY.json`` what went wrong, ``set-aside/`` files that were found altered.

    Parameters
    ----------
    folder : Path
        The folder; :meth:`prepare` makes what is missing.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(Path(folder)).prepare()
    ...     with store.claim("0" * 32) as mine, Store(Path(folder)).claim("0" * 32) as twice:
    ...         print(mine, twice)
    True False
    """

    folder: Path

    def prepare(self) -> Store:
        """Make the folders, or raise :class:`OutputError` where nothing can be written."""
        for room in _ROOMS:
            writable_folder(self.folder / room)
        return self

    def path(self, key: str) -> Path:
        """The final name of a cell's file."""
        return self.folder / "cells" / f"{key}.npz"

    def has(self, key: str) -> bool:
        """Whether there is a file under a cell's final name."""
        try:
            return self.path(key).exists()
        except OSError as error:
            raise OutputError(self.path(key), error.strerror or error) from error

    def read(self, configuration: Configuration) -> StoredCell:
        """A cell, once it is sure that its file is whole and of this configuration.

        Raises
        ------
        CellFileError
            It is not.
        """
        path = self.path(configuration.key)
        cell = read_cell(path)
        if cell.configuration.key != configuration.key:
            raise CellFileError(path, "holds another cell")
        return cell

    @contextmanager
    def claim(self, key: str) -> Iterator[bool]:
        """Whether the cell is ours to compute while the context lasts; the claim of a process dies with it."""
        lock = FileLock(self.folder / "claims" / f"{key}.lock", timeout=0, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            yield False
            return
        except OSError as error:
            raise OutputError(lock.lock_file, error.strerror or error) from error
        try:
            yield True
        finally:
            if self.has(key):
                # Whoever takes the lock of a removed file finds the cell there.
                Path(lock.lock_file).unlink(missing_ok=True)
            lock.release()

    def write(self, cell: StoredCell) -> None:
        """Store a cell that is claimed: its file gets its final name when it is whole and on the disk.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        key, partial = cell.configuration.key, self.folder / "partial"
        for left in partial.glob(f"{key}.*.npz"):
            left.unlink(missing_ok=True)  # by a process that was killed: the claim is ours now
        _write_durably(partial / f"{key}.{secrets.token_hex(4)}.npz", self.path(key), cell_bytes(cell))
        # What is stored has not failed, whatever becomes of the record.
        with suppress(OSError):
            self.failure_path(key).unlink()

    def failure_path(self, key: str) -> Path:
        """Where the record of a cell's failure is, if it has failed."""
        return self.folder / "failed" / f"{key}.json"

    def record_failure(self, configuration: Configuration, record: dict[str, Any]) -> None:
        """Write down why a cell failed; ``record`` holds plain values."""
        text = json.dumps({**record, "configuration": configuration.to_dict()}, indent=1)
        temporary = self.folder / "partial" / f"{configuration.key}.{secrets.token_hex(4)}.json"
        _write_durably(temporary, self.failure_path(configuration.key), text.encode())

    def failure(self, key: str) -> dict[str, Any] | None:
        """The record of a cell's failure, if there is one that can be read."""
        try:
            found: dict[str, Any] = json.loads(self.failure_path(key).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            return {"error": f"its record cannot be read ({error})"}
        return found

    def check(self, configuration: Configuration) -> CellFileError | None:
        """Read a cell's file, and set it aside if it is not what it should be; says what was wrong with it.

        A file of a cell that another process is about to replace is left to it.
        """
        try:
            self.read(configuration)
        except CellFileError:
            with self.claim(configuration.key) as mine:
                return self._set_aside_unless_good(configuration) if mine else None
        return None

    def _set_aside_unless_good(self, configuration: Configuration) -> CellFileError | None:
        # Read again, now that nobody else can replace it.
        try:
            self.read(configuration)
        except CellFileError as error:
            return error if self.set_aside(error.path) else None
        return None

    def set_aside(self, path: Path) -> bool:
        """Move a file out of the way, unless another process has; nothing is ever deleted that was not understood."""
        target = self.folder / "set-aside" / f"{path.name}.{secrets.token_hex(4)}"
        try:
            os.replace(path, target)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise OutputError(path, f"it is no cell, and cannot be set aside ({error.strerror or error})") from error
        return True


def _write_durably(temporary: Path, target: Path, content: bytes) -> None:
    """Write a file under a temporary name, flush it to the disk, rename it, and make the new name last."""
    try:
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
        _flush_folder(target.parent)
    except OSError as error:
        raise OutputError(target, error.strerror or error) from error


def _flush_folder(folder: Path) -> None:
    """Make the names in a folder last beyond a crash of the machine; only POSIX systems open folders."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
