"""Class counts from CSV, and text files in general."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from theory.errors import SettingError
from theory.setting import LARGEST_NUMBER


class _Rows(Protocol):
    """What ``csv.reader`` returns."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


def read_counts(path: str | Path) -> dict[str, tuple[Any, ...]]:
    """Class names and counts from a CSV file with the columns ``class`` and ``count`` (others are ignored).

    Parameters
    ----------
    path : str or Path
        The file, UTF-8, with a header line.

    Returns
    -------
    dict
        ``class_names`` (strings) and ``counts`` (non-negative integers), in the file's order.

    Raises
    ------
    SettingError
        A column is missing, a count is not a whole number or negative, a class is named twice, or there is no class.
    """
    path = Path(path)
    # newline="": line ends within quoted names are theirs.
    reader = csv.reader(io.StringIO(read_text("counts_file", path), newline=""))
    try:
        return _parse_counts(path, reader)
    except csv.Error as error:
        raise SettingError("counts_file", str(path), f"a CSV file ({error} in line {reader.line_num})") from error


def _parse_counts(path: Path, reader: _Rows) -> dict[str, tuple[Any, ...]]:
    header = [name.strip() for name in next(reader, [])]
    for column in ("class", "count"):
        if column not in header:
            raise SettingError(
                "counts_file",
                str(path),
                f"a CSV file with the columns class,count (no {column!r} in its header)",
            )
    name_at, count_at = header.index("class"), header.index("count")
    names: dict[str, int] = {}
    for row in reader:
        if not row:
            continue
        where = f"{path.name} line {reader.line_num}"
        if len(row) <= max(name_at, count_at):
            raise SettingError(where, ",".join(row), "a class and a count")
        name, text = row[name_at], row[count_at].strip()
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_NUMBER))):
            raise SettingError(f"{where}, count", text, f"a whole number of at least 0 and at most {LARGEST_NUMBER:,}")
        if name in names:
            raise SettingError(f"{where}, class", name, "a class that is not listed before")
        names[name] = int(text)
    if not names:
        raise SettingError("counts_file", str(path), "at least two classes")
    return {"class_names": tuple(names), "counts": tuple(names.values())}


def read_text(field: str, path: Path) -> str:
    """Content of a UTF-8 file, or a :class:`SettingError` that names the field."""
    try:
        # utf-8-sig: spreadsheets put a byte order mark before the header.
        with path.open(encoding="utf-8-sig", newline="") as file:
            return file.read()
    except OSError as error:
        raise SettingError(field, str(path), f"a readable file ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise SettingError(field, str(path), f"a UTF-8 text file ({error.reason} at byte {error.start})") from error
    except ValueError as error:
        raise SettingError(field, str(path), f"the path of a file ({error})") from error
