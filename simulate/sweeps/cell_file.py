"""One cell as one file: a ``.npz`` of arrays, its provenance as JSON inside, and a checksum over everything.

The file is an uncompressed zip archive whose comment, the last 64 bytes, is the SHA-256 of all bytes before it: a
truncated file and a flipped bit are noticed wherever they are, and ``numpy.load`` still reads it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.sweeps.configuration import Configuration
from simulate.sweeps.provenance import check_provenance
from simulate.sweeps.tables import Table

_DIGEST = 64
_PROVENANCE = "provenance.json"
_NO_TIME = (1980, 1, 1, 0, 0, 0)


class CellFileError(ValueError):
    """A file is no cell, or not the one that it should be; the message names it and says why.

    Parameters
    ----------
    path : Path
        The file.
    reason : str
        What is wrong with it.
    """

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{str(path)!r} {reason}")


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredCell:
    """What a cell's file holds.

    Parameters
    ----------
    configuration : Configuration
        What was computed.
    table : Table
        What came out.
    provenance : mapping
        When, where and with which versions; plain values.
    """

    configuration: Configuration
    table: Table
    provenance: Mapping[str, Any]


def cell_bytes(cell: StoredCell) -> bytes:
    """The contents of a cell's file: the same for the same cell and provenance."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in cell.table.to_arrays().items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _NO_TIME), array_bytes(array))
        provenance = {**cell.provenance, "configuration": cell.configuration.to_dict()}
        archive.writestr(zipfile.ZipInfo(_PROVENANCE, _NO_TIME), json.dumps(provenance, indent=1, allow_nan=False))
        archive.comment = bytes(_DIGEST)
    body = buffer.getvalue()[:-_DIGEST]
    return body + hashlib.sha256(body).hexdigest().encode()


def read_cell(path: Path) -> StoredCell:
    """The cell in a file, once its checksum is right and everything has the shape that it should have.

    Raises
    ------
    CellFileError
        The file cannot be read, is not whole, was altered, or is no cell.
    """
    content = _content(path)
    body, digest = content[:-_DIGEST], content[-_DIGEST:]
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise CellFileError(path, "is not whole, was altered, or is no cell: its checksum does not fit")
    try:
        return _parsed(content)
    except Exception as error:  # crafted files break zip, JSON and array readers in any way
        raise CellFileError(path, f"is no cell of this version ({type(error).__name__}: {error})") from error


def _content(path: Path) -> bytes:
    """All bytes of a regular file; a pipe under a cell's name is not waited for."""
    try:
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise CellFileError(path, "is no file")
            return file.read()
    except OSError as error:
        raise CellFileError(path, f"cannot be read ({error.strerror or error})") from error


def _parsed(content: bytes) -> StoredCell:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _check_members(archive, len(content))
        provenance = json.loads(archive.read(_PROVENANCE))
        names = [name for name in archive.namelist() if name != _PROVENANCE]
        arrays = {
            name.removesuffix(".npy"): np.lib.format.read_array(io.BytesIO(archive.read(name)), allow_pickle=False)
            for name in names
        }
    configuration = Configuration.from_dict(provenance.pop("configuration"))
    _ = configuration.key  # which checks that files and settings fit
    check_provenance(provenance)
    return StoredCell(configuration=configuration, table=Table.from_arrays(arrays), provenance=provenance)


def _check_members(archive: zipfile.ZipFile, size: int) -> None:
    """Raise where members are not as :func:`cell_bytes` writes them: nothing is unpacked that was packed."""
    members = archive.infolist()
    if len({member.filename for member in members}) < len(members):
        raise ValueError("two members of one name")
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1 or member.file_size > size:
            raise ValueError(f"the member {member.filename!r} is not stored as it is")


def array_bytes(array: NDArray[Any]) -> bytes:
    """An array as the contents of an ``.npy`` file, without pickle."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def arrays_digest(table: Table) -> str:
    """SHA-256 over the names and bytes of a table's arrays: equal for equal results."""
    digest = hashlib.sha256()
    for name, array in table.to_arrays().items():
        digest.update(f"{name}\n".encode())
        digest.update(array_bytes(array))
    return digest.hexdigest()
