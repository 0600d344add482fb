"""What a worker does with a chunk of cells."""

from __future__ import annotations

import os
import platform
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from simulate.sweeps.blas_threads import stay_at_one_blas_thread
from simulate.sweeps.working import CellReport

Work = Callable[[Sequence[Any]], Sequence[CellReport]]
"""Computes cells, given as anything that can travel to a worker, and reports on each."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """Which chunk it is: the driver's computer and process, a name that no other dispatch has, and a number.

    dask takes calls with equal arguments for the same call, and would answer a second request for a cell that was
    claimed with the report of the first.
    """

    node: str
    process: int
    dispatch: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Raised:
    """``work`` itself raised; as text, because an exception need not survive the way back."""

    error: str


def calls() -> Iterator[Call]:
    """The calls of a dispatch that this process drives; no two are equal, here or elsewhere.

    Examples
    --------
    >>> next(calls()).process == os.getpid(), next(calls()) == next(calls())
    (True, False)
    """
    dispatch = uuid.uuid4().hex
    return (Call(node=platform.node(), process=os.getpid(), dispatch=dispatch, number=n) for n in count())


def run_chunk(work: Work, cells: Sequence[Any], call: Call) -> list[CellReport] | Raised:
    """Compute a chunk on one thread of BLAS; a worker in the driver's process leaves that to the driver.

    Examples
    --------
    >>> report = CellReport(key="a", outcome="present", seconds=0.0)
    >>> run_chunk(lambda cells: [report], ["a"], next(calls())) == [report]
    True
    >>> run_chunk(lambda cells: 1 / 0, ["a"], next(calls()))
    Raised(error='ZeroDivisionError: division by zero')
    """
    if (call.node, call.process) != (platform.node(), os.getpid()):
        stay_at_one_blas_thread()
    try:
        return list(work(cells))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever it is, SystemExit too, it is told to the driver
        return Raised(error=in_one_line(error))


def in_one_line(error: BaseException) -> str:
    """Type and message of an exception, and of what has caused it.

    Examples
    --------
    >>> in_one_line(KeyError("a"))
    "KeyError: 'a'"
    >>> error = ValueError("not this")
    >>> error.__cause__ = KeyError("a")
    >>> in_one_line(error)
    "ValueError: not this (KeyError: 'a')"
    """
    text = " ".join(f"{type(error).__name__}: {error}".split())
    # Pools attach the traceback of the other process as if it were a cause.
    if error.__cause__ is None or type(error.__cause__).__name__ == "_RemoteTraceback":
        return text
    return f"{text} ({in_one_line(error.__cause__)})"
