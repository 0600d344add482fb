"""The bound calculator: a theorem's value over scalars, lists and ranges of its parameters, as rows of a table."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from theory.errors import SettingError, unknown_name
from theory.ranges import parse_values
from theory.theorems.claim import Array, Claim, call
from theory.theorems.parameters import SMALLEST, Parameter
from theory.theorems.theorem import Theorem

_MOST_ROWS: Final = 1_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class BoundTable:
    """Values of a theorem over a grid of parameters.

    Parameters
    ----------
    theorem : Theorem
        Which.
    parameters : dict of str to ndarray, shape (rows,)
        Every parameter, in the theorem's order.
    value : ndarray, shape (rows,)
        What the theorem gives (see its ``value_meaning``).
    beside : dict of str to ndarray, shape (rows,)
        Further columns of the theorem.
    other : ndarray, shape (rows,), optional
        What the value bounds (see the theorem's ``left_name``), where all parameters are known; NaN in the rows where
        it costs too much to be computed.
    """

    theorem: Theorem
    parameters: dict[str, Array]
    value: Array
    beside: dict[str, Array]
    other: Array | None

    @property
    def value_name(self) -> str:
        """Column name of the value."""
        return {"exact": "exact", "asymptotic": "asymptotic"}.get(self.theorem.kind, "bound")

    @property
    def columns(self) -> dict[str, Array]:
        """All columns by name."""
        result = {**self.parameters, self.value_name: self.value, **self.beside}
        if self.other is not None:
            result[self.theorem.left_name] = self.other
        return result

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: what the value is, and one record for each row."""
        columns = {name: self._plain(name, values) for name, values in self.columns.items()}
        return {
            "theorem": self.theorem.name,
            "kind": self.theorem.kind,
            "title": self.theorem.title,
            "column": self.value_name,
            "meaning": self.theorem.value_meaning,
            "assumptions": list(self.theorem.assumptions),
            "rows": [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)],
        }

    def to_csv(self) -> str:
        """Comma-separated values with a header; numbers in full precision."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        columns = (self._plain(name, values) for name, values in self.columns.items())
        writer.writerows(["" if value is None else repr(value) for value in row] for row in zip(*columns, strict=True))
        return text.getvalue()

    def _plain(self, name: str, values: Array) -> list[int | float | None]:
        """Whole numbers as ``int``, what was not computed as ``None``."""
        if any(p.name == name and p.is_integer for p in self.theorem.parameters):
            return [int(value) for value in values]
        return [float(value) if np.isfinite(value) else None for value in values]


def bound_table(theorem: Theorem, settings: Sequence[str]) -> BoundTable:
    """Evaluate a theorem over every combination of the values that the settings name.

    Parameters
    ----------
    theorem : Theorem
        Which.
    settings : sequence of str
        ``name=value``, ``name=v1,v2,...`` or ``name=low:high:count[:log]``; text is read as numbers, never evaluated.

    Returns
    -------
    BoundTable
        One row for each combination, the last setting varying fastest.

    Raises
    ------
    SettingError
        A setting has another form, or names an unknown parameter, or one is missing.
    AssumptionError
        A value violates an assumption of the theorem.

    Examples
    --------
    >>> from theory.catalogue import find_theorem
    >>> bound_table(find_theorem("laplace_upper_linear"), ["n=9,99", "C=3"]).value
    array([0.2 , 0.02])
    """
    lists = parse_settings(theorem, settings)
    if math.prod(len(values) for values in lists.values()) > _MOST_ROWS:
        raise SettingError("--set", " ".join(settings), f"at most {_MOST_ROWS:,} combinations")
    grid = np.meshgrid(*lists.values(), indexing="ij")
    given = {name: values.ravel() for name, values in zip(lists, grid, strict=True)}
    point = theorem.settings(given, theorem.value_names)
    # Defaults are scalars still: every column has its row.
    rows = next(iter(given.values())).size if given else 1
    parameters = {name: np.broadcast_to(values, rows) for name, values in point.items()}
    value = np.broadcast_to(call(theorem.value_evaluator, parameters), rows)
    beside = {name: np.broadcast_to(call(column, parameters), rows) for name, column in theorem.beside.items()}
    other = None
    if theorem.kind != "exact" and len(point) == len(theorem.parameters):
        other = _bounded(theorem, parameters, rows)
    if other is None:
        # What the value does not depend on is shown only where it was asked for.
        parameters = {name: v for name, v in parameters.items() if name in given or name in theorem.value_names}
    return BoundTable(theorem=theorem, parameters=parameters, value=value, beside=beside, other=other)


def solved(theorem: Theorem, settings: Sequence[str], target: str) -> str:
    """The setting at which a theorem's value reaches a target, with the other parameters as given.

    Parameters
    ----------
    theorem : Theorem
        Which.
    settings : sequence of str
        One value for each other parameter that the value depends on and that has no default.
    target : str
        ``name=value``: the parameter to solve for, and the value that the theorem's value shall have.

    Returns
    -------
    str
        ``name=...`` as for ``settings``: for a whole number the first beyond which the target is passed.

    Raises
    ------
    SettingError
        The target does not lie between the values at the ends of the parameter's range, or a setting is not one value.

    Examples
    --------
    >>> from theory.catalogue import find_theorem
    >>> solved(find_theorem("laplace_upper_linear"), ["C=3"], "n=0.01")
    'n=199'
    """
    name, _, wanted = target.partition("=")
    known = {parameter.name: parameter for parameter in theorem.parameters}
    if name not in known:
        raise unknown_name("--solve", name, known)
    (level,) = parse_values("--solve", target, wanted) if "," not in wanted and ":" not in wanted else (None,)
    given = {key: values[0] for key, values in parse_settings(theorem, settings).items() if values.size == 1}
    if level is None or len(given) < len(settings) or name in given:
        raise SettingError("--solve", target, f"one value for {name}, which is not set, and for each other parameter")
    parameter = known[name]

    def value(at: float) -> float:
        return float(theorem.evaluate(**given, **{name: at}))

    others = theorem.settings(given, parameter.depends_on)
    low, high = (float(end) for end in parameter.range_at(others))
    low, high = (low or SMALLEST) if parameter.above else low, high * (1 - 1e-15) if parameter.below else high
    ends = value(low), value(high)
    if not min(ends) <= level <= max(ends):
        allowed = f"between {min(ends):g} and {max(ends):g}, its values at the ends of {parameter.assumption}"
        raise SettingError("--solve", target, f"a value {allowed}")
    return f"{name}={_crossing(lambda at: (value(at) - level) * (ends[1] - ends[0]) >= 0, low, high, parameter):.17g}"


def _crossing(passed: Callable[[float], bool], low: float, high: float, parameter: Parameter) -> float:
    """Where a condition that holds at the upper end begins to hold: a whole number, or to all digits."""
    while not passed(low):
        middle = math.sqrt(low * high) if low > 0 and high > 4 * low else 0.5 * (low + high)
        middle = float(math.floor(middle)) if parameter.is_integer else middle
        if middle in (low, high):
            return high
        low, high = (low, middle) if passed(middle) else (middle, high)
    return low


def parse_settings(theorem: Claim, settings: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Values of each parameter that the settings name; in a generated range of a whole number they are rounded."""
    known = {parameter.name: parameter for parameter in theorem.parameters}
    found: dict[str, NDArray[np.float64]] = {}
    for text in settings:
        name, separator, spec = text.partition("=")
        name = name.strip()
        if not separator or not name:
            raise SettingError("--set", text, "name=value, name=v1,v2,... or name=low:high:count[:log]")
        if name in found:
            raise SettingError("--set", text, f"{name} only once")
        # Adding 0 turns -0 into 0.
        values = np.asarray(parse_values("--set", text, spec, most=_MOST_ROWS), dtype=np.float64) + 0.0
        if ":" in spec and name in known and known[name].is_integer:
            if not (values[0].is_integer() and values[-1].is_integer()):
                raise SettingError("--set", text, f"whole numbers as ends of a range of {name}")
            values = np.unique(np.rint(values))
        found[name] = values
    return found


def _bounded(theorem: Theorem, parameters: dict[str, Array], rows: int) -> Array | None:
    """What the value bounds, in the rows where it is quick to compute; ``None`` where it is in none."""
    reach = np.ones(rows, dtype=bool)
    for name, limit in theorem.hunted_up_to.items():
        reach &= parameters[name] <= limit
    if not reach.any():
        return None
    found = np.full(rows, np.nan)
    found[reach] = theorem.bounded({name: values[reach] for name, values in parameters.items()})
    return found
