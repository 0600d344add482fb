"""A grid of settings: what a sweep computes, cell by cell."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from simulate.engine_choice import chosen_engine
from simulate.lanes import MOST_REPLICATES, Lanes, check_setting
from simulate.learner import Learner
from simulate.sweeps.configuration import (
    Configuration,
    by_contents,
    canonical,
    derived_seed,
    named_files,
    with_absolute_files,
)
from simulate.sweeps.grid_axes import GridAxis, Value, grid_axis
from simulate.sweeps.measures import measure_options
from theory.checks import MOST_STEPS, integer
from theory.errors import SettingError
from theory.setting_file import Setting, assemble, override_setting, read, to_dict
from theory.setting_file.overrides import changes_kind

MOST_CELLS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class GridCell:
    """A point of a grid.

    Parameters
    ----------
    index : tuple of int
        Its place along each axis.
    values : tuple
        Its value along each axis.
    configuration : Configuration
        What is computed there.
    """

    index: tuple[int, ...]
    values: tuple[Value, ...]
    configuration: Configuration


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """A grid of settings, each simulated alike.

    Parameters
    ----------
    setting : dict, str, or (task, model)
        What all cells start from: nested settings from :func:`theory.read`, a preset's name or a settings file, or what
        :func:`theory.load` gives.
    axes : mapping, or tuple of GridAxis
        What changes: names with their values as for :func:`simulate.grid_axis`, or what that gives. The last one
        changes fastest.
    steps, replicates : int
        Of every cell's simulation.
    seed : int
        Every cell's seed follows from it.
    measure : {"run", "evaluate", "trace"}
        What is done with each setting: see :func:`simulate.run`, :func:`simulate.evaluate`, :func:`simulate.trace`.
    options : mapping
        Further settings of the measure, such as ``prompts``.
    common_random_numbers : bool
        Whether all cells use the grid's seed itself: neighbours then differ less from each other, but their errors are
        not independent. By default a cell's seed follows from the grid's and the cell's setting.
    skip_impossible : bool
        Leave out points that are no setting (more relevant examples than the context holds) instead of raising.

    Raises
    ------
    SettingError
        A point is no setting (the message names the point), or a number is not admissible.

    Examples
    --------
    >>> axes = {"label_noise": "0:0.1:2", "relevant_examples": [1, 2, 4]}
    >>> grid = Grid(setting="transient", axes=axes, steps=1_000, replicates=2)
    >>> grid.shape, grid.cells[1].values
    ((2, 3), (0.0, 2))
    """

    setting: Any
    axes: Any
    steps: int = 100_000
    replicates: int = 16
    seed: int = 0
    measure: str = "run"
    options: Mapping[str, Any] = field(default_factory=dict)
    common_random_numbers: bool = False
    skip_impossible: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "setting", _as_setting(self.setting))
        object.__setattr__(self, "axes", _as_axes(self.axes))
        object.__setattr__(self, "steps", integer("steps", self.steps, minimum=1, maximum=MOST_STEPS))
        replicates = integer("replicates", self.replicates, minimum=1, maximum=MOST_REPLICATES)
        object.__setattr__(self, "replicates", replicates)
        object.__setattr__(self, "seed", integer("seed", self.seed, minimum=0))
        for name in ("common_random_numbers", "skip_impossible"):
            if not isinstance(getattr(self, name), bool):
                raise SettingError(name, getattr(self, name), "true or false")
        object.__setattr__(self, "options", measure_options(self.measure, self.options))
        _check_axes(self.axes)
        if not self.cells:
            raise SettingError("axes", [axis.name for axis in self.axes], "at least one point that is a setting")

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values along each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    @cached_property
    def cells(self) -> tuple[GridCell, ...]:
        """All points that are settings, in the order of the axes, the last one fastest."""
        found = (self._cell(index) for index in product(*map(range, self.shape)))
        return tuple(cell for cell in found if cell is not None)

    @cached_property
    def key(self) -> str:
        """A name that follows from the axes and from all cells: equal for grids that ask for the same."""
        axes = [[axis.name, axis.values] for axis in self.axes]
        text = canonical([axes, [cell.configuration.key for cell in self.cells]])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def to_dict(self) -> dict[str, Any]:
        """Plain values that say all about the grid."""
        return {
            "setting": self.setting,
            "axes": [
                {"name": axis.name, "values": list(axis.values), "changes": [list(map(list, c)) for c in axis.changes]}
                for axis in self.axes
            ],
            "steps": self.steps,
            "replicates": self.replicates,
            "seed": self.seed,
            "measure": self.measure,
            "options": dict(self.options),
            "common_random_numbers": self.common_random_numbers,
            "skip_impossible": self.skip_impossible,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Grid:
        """The grid that :meth:`to_dict` described."""
        axes = tuple(
            GridAxis(
                name=axis["name"],
                values=tuple(axis["values"]),
                changes=tuple(tuple((key, value) for key, value in changes) for changes in axis["changes"]),
            )
            for axis in data["axes"]
        )
        return cls(**{**data, "axes": axes})

    def point(self, cell: GridCell) -> str:
        """A cell's place in words: the settings along the axes."""
        return _point(self.axes, cell.values)

    def _cell(self, index: tuple[int, ...]) -> GridCell | None:
        values = tuple(axis.values[place] for axis, place in zip(self.axes, index, strict=True))
        changes = [change for axis, place in zip(self.axes, index, strict=True) for change in axis.changes[place]]
        try:
            setting = _changed(self.setting, changes)
        except SettingError as error:
            if self.skip_impossible:
                return None
            if not values:
                raise
            allowed = f"{error.allowed} (at the point {_point(self.axes, values)})"
            raise SettingError(error.field, error.value, allowed) from error
        return GridCell(index=index, values=values, configuration=self._configuration(setting))

    def _configuration(self, setting: Setting) -> Configuration:
        files = named_files(setting)
        own_seed = derived_seed(self.seed, by_contents(setting, files))
        return Configuration(
            measure=self.measure,
            setting=setting,
            steps=self.steps,
            replicates=self.replicates,
            seed=self.seed if self.common_random_numbers else own_seed,
            options=self.options,
            files=files,
        )


def _point(axes: Sequence[GridAxis], values: Sequence[Value]) -> str:
    return ", ".join(f"{axis.name} = {value}" for axis, value in zip(axes, values, strict=True))


def _as_setting(given: object) -> Setting:
    if isinstance(given, str | Path):
        return read(given)
    if isinstance(given, tuple) and len(given) == 2:
        check_setting(*given)
        return to_dict(*given)
    if not isinstance(given, dict):
        raise SettingError(
            "setting", given, "a preset's name, a settings file, a task and a model, or theory.read(...)"
        )
    return given


def _as_axes(given: object) -> tuple[GridAxis, ...]:
    if isinstance(given, Mapping):
        return tuple(grid_axis(name, values) for name, values in given.items())
    axes = (given,) if isinstance(given, GridAxis) else given
    if not isinstance(axes, tuple | list) or not all(isinstance(axis, GridAxis) for axis in axes):
        raise SettingError("axes", given, "a mapping of names to values, or a tuple of grid_axis(...)")
    return tuple(axes)


def _check_axes(axes: Sequence[GridAxis]) -> None:
    names = [axis.name for axis in axes]
    if len(set(names)) < len(names):
        raise SettingError("axes", names, "different settings along the axes")
    cells = prod(len(axis.values) for axis in axes)
    if cells > MOST_CELLS:
        raise SettingError("axes", cells, f"at most {MOST_CELLS:,} cells")


def with_changes(base: Setting, changes: Iterable[tuple[str, Any]]) -> Setting:
    """Nested settings with some of them changed."""
    setting = copy.deepcopy(base)
    # A frequency law, or the kind of a part, comes before the settings that belong to it.
    for key, value in sorted(changes, key=lambda change: not changes_kind(change[0])):
        override_setting(setting, key, value)
    return setting


def _changed(base: Setting, changes: Sequence[tuple[str, Any]]) -> Setting:
    """Complete, checked settings of a point."""
    task, model = assemble(with_changes(base, changes))
    check_setting(task, model)
    if chosen_engine(task, model, None) == "step":
        Learner(Lanes((task,), (model,), 1))  # which refuses parts that do not fit the task
    return with_absolute_files(to_dict(task, model))
