"""A table of a report: what is shown of it, and all of it as a file inside the page."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

ROWS_SHOWN = 24
"""Rows that a reader looks at; longer tables are cut, and say so."""
MOST_ROWS_IN_PAGE = 20_000
"""Rows of a file inside the page: about 2 MB."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table as it is shown; its first column names the rows.

    Parameters
    ----------
    caption : str
        What it shows.
    header : tuple of str
        Names of the columns, with their units.
    rows : tuple of tuples of str
        What is shown.
    note : str
        How it was cut; empty where it was not.
    file_name : str
        Name of the file with all rows.
    file_link : str
        That file, as a ``data:`` address.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str
    file_name: str
    file_link: str


def table(
    caption: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    data: Sequence[dict[str, Any]],
    *,
    file_name: str,
    shown: Sequence[int] | None = None,
) -> Table:
    """Make a table.

    Parameters
    ----------
    caption, header, rows
        As in :class:`Table`; ``rows`` are all of them.
    data : sequence of dict
        The same rows as plain numbers and texts, for the file.
    file_name : str
        Name of the file.
    shown : sequence of int, optional
        Rows to show where there are too many; by default the first ones.

    Examples
    --------
    >>> rows = [(str(i), str(i * i)) for i in range(100)]
    >>> made = table("Squares", ("number", "square"), rows, [{"square": 0}], file_name="squares.csv")
    >>> len(made.rows), made.note
    (24, '24 of 100 rows are shown; the file has all.')
    """
    note = ""
    if len(rows) > ROWS_SHOWN:
        places = list(range(ROWS_SHOWN)) if shown is None else list(shown)
        all_in_file = len(data) <= MOST_ROWS_IN_PAGE
        file_has = "all" if all_in_file else f"the first {MOST_ROWS_IN_PAGE:,}"
        note = f"{len(places)} of {len(rows):,} rows are shown; the file has {file_has}."
        rows = [rows[i] for i in places]
    return Table(
        caption=caption,
        header=tuple(header),
        rows=tuple(tuple(row) for row in rows),
        note=note,
        file_name=file_name,
        file_link=data_link("text/csv;charset=utf-8", csv_text(data[:MOST_ROWS_IN_PAGE]).encode()),
    )


def spread_by_frequency(probabilities: Sequence[float]) -> list[int]:
    """Which rows of many to show: from the most to the least frequent, evenly spaced in the logarithm of the rank.

    Examples
    --------
    >>> len(spread_by_frequency([0.5] + [0.5 / 999] * 999)), spread_by_frequency([0.1, 0.6, 0.3])
    (24, [1, 2, 0])
    """
    order = np.argsort(-np.asarray(probabilities), kind="stable")
    if order.size <= ROWS_SHOWN:
        return [int(place) for place in order]
    # More are asked for than there is room for, as the first ones coincide.
    for wanted in range(ROWS_SHOWN, 4 * ROWS_SHOWN):
        ranks = np.unique(np.rint(np.geomspace(1, order.size, wanted)).astype(int)) - 1
        if ranks.size >= ROWS_SHOWN:
            break
    return [int(place) for place in order[np.append(ranks[: ROWS_SHOWN - 1], order.size - 1)]]


def csv_text(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as CSV; ``None`` is an empty field."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def data_link(media_type: str, content: bytes) -> str:
    """A file as an address that needs no network."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"
