"""A trace as one ``.npz`` file: arrays without pickle, and everything else as a JSON text inside."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulate.evaluation.exam import CellName
from simulate.evaluation.grading import MEASURES
from simulate.evaluation.results import cell_of, values_of
from simulate.evaluation.traces import Trace, losses_of
from theory.command import write_atomically
from theory.errors import SettingError
from theory.setting_file import assemble, to_dict

_FORMAT = 1
_TRAINING = ("visits", "in_weight", "in_context", "gated")


def save_trace(trace: Trace, path: str | Path) -> None:
    """Write a trace; the file is whole, or not there.

    The file holds ``steps`` (k,), ``values`` (cells, measures, k, replicates) with the cells' names in ``cells``
    (cells, 3) and the measures' in ``measures``, ``training`` (groups, 4, k, replicates: visits, and summed losses of
    g, h and f in nats) with the groups' names in ``groups``, and ``summary``, a JSON text with all settings.

    Parameters
    ----------
    trace : Trace
        What was simulated.
    path : str or Path
        The file, in an existing folder.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    summary = {
        "format": _FORMAT,
        "replicates": trace.replicates,
        "prompts": trace.prompts,
        "seed": trace.seed,
        "setting": to_dict(trace.task, trace.model),
    }
    arrays: dict[str, NDArray[np.generic]] = {
        "summary": np.array(json.dumps(summary, allow_nan=False)),
        "steps": trace.steps,
        "cells": np.array([(cell.base, cell.context, cell.group) for cell in trace.cells]),
        "measures": np.array(MEASURES),
        "values": np.stack([values_of(cell) for cell in trace.cells]),
        "groups": np.array([losses.group for losses in trace.training]),
        "training": np.stack([[getattr(losses, name) for name in _TRAINING] for losses in trace.training]),
    }

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]

    write_atomically(path, write)


def load_trace(path: str | Path) -> Trace:
    """The trace that :func:`save_trace` wrote.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    SettingError
        It cannot be read, is no trace, or its model has a part that is a user's own, which files have no name for.
    """
    try:
        # Opened here, because NumPy leaves a file open that turns out to be none of its own.
        with Path(path).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return _trace(dict(file))
    except SettingError:
        raise
    except OSError as error:
        raise SettingError("trace file", str(path), f"a file that can be read ({error.strerror or error})") from error
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        # NumPy takes what it cannot read for a pickle, and says so: that would mislead.
        raise SettingError("trace file", str(path), "a file that save_trace has written") from error


def _trace(arrays: dict[str, NDArray[Any]]) -> Trace:
    summary = json.loads(str(arrays["summary"]))
    if summary["format"] != _FORMAT:
        raise ValueError(f"format {summary['format']}, not {_FORMAT}")
    steps, cells, groups = arrays["steps"].astype(np.int64), arrays["cells"], arrays["groups"]
    replicates = int(summary["replicates"])
    _check_shape("values", arrays["values"], (len(cells), len(MEASURES), steps.size, replicates))
    _check_shape("training", arrays["training"], (len(groups), len(_TRAINING), steps.size, replicates))
    if arrays["measures"].tolist() != list(MEASURES):
        raise ValueError("other measures")
    task, model = assemble(summary["setting"])
    return Trace(
        task=task,
        model=model,
        steps=steps,
        replicates=replicates,
        prompts=int(summary["prompts"]),
        seed=int(summary["seed"]),
        cells=tuple(
            cell_of(CellName(*name), values) for name, values in zip(cells.tolist(), arrays["values"], strict=True)
        ),
        training=tuple(
            losses_of(name, values) for name, values in zip(groups.tolist(), arrays["training"], strict=True)
        ),
    )


def _check_shape(name: str, values: NDArray[Any], shape: tuple[int, ...]) -> None:
    if values.shape != shape or values.dtype != np.float64 or np.isnan(values).any():
        raise ValueError(f"{name} are not numbers of the shape {shape}")
