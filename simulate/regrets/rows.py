"""Rows of a regret table, and the table for given losses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulate.blocks import PromptBlock
from simulate.implementations import gate_state
from simulate.lanes import Lanes
from simulate.regrets.bounds import Comparison, comparisons
from simulate.regrets.visits import CellVisits
from theory.errors import SettingError
from theory.setting import GatedPredictor, TaskDistribution

Array = NDArray[np.float64]

LARGEST_LOSS = 1e100
"""Losses in nats whose squares still add up in double precision."""
_BLOCK = 1 << 14


@dataclass(frozen=True, kw_only=True)
class RegretRow:
    """A gate's regret where it comes nearest to its bound.

    Parameters
    ----------
    gate : str
        Kind of the gate.
    comparator : str
        What it is held against.
    regret : float
        The gate's loss minus the comparator's, in nats.
    bound : float
        What the regret is at most on every trajectory with the same visits, in nats.
    visits : int
        Visits of the cell after which this is so.
    theorem : str
        Name of the theorem behind the bound; those that the catalogue lacks are in :mod:`simulate.regrets.bounds`.
    """

    gate: str
    comparator: str
    regret: float
    bound: float
    visits: int
    theorem: str

    @property
    def slack(self) -> float:
        """What the bound leaves, in nats; at least 0, but for rounding."""
        return self.bound - self.regret

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings, the slack among them."""
        return {**vars(self), "slack": self.slack}


def regret_table(gate: Any, in_weight_losses: ArrayLike, in_context_losses: ArrayLike) -> tuple[RegretRow, ...]:
    r"""Regrets of a gate on given losses, each where it comes nearest to the bound that holds on every trajectory.

    Regret is the gate's cumulative loss :math:`-\sum\log[\alpha_i e^{-g_i} + (1-\alpha_i)e^{-h_i}]` minus that of a
    comparator: either predictor, the best constant gate, or the best gate with a few switches, whichever the gate has a
    bound for. It is compared after 1, 2, 4, ... visits and after all of them; every row shows the least slack.

    Parameters
    ----------
    gate : BayesGate or another gate with cells
        Settings of the gate; all visits are of one cell.
    in_weight_losses, in_context_losses : array_like, shape (visits,)
        Losses :math:`g_i, h_i \ge 0` of the two predictors, visit by visit, in nats.

    Returns
    -------
    tuple of RegretRow
        One for each comparator.

    Raises
    ------
    SettingError
        The losses are not two lists of equally many finite numbers of at least 0, or the gate has no bound.

    Notes
    -----
    Where regrets and bounds come from: :mod:`simulate.regrets.bounds`. Regrets are right to about 1e-15 times the sum
    of the losses' differences.

    Examples
    --------
    >>> from theory.setting import BayesGate
    >>> for row in regret_table(BayesGate(), [1.0, 1.0, 1.0], [3.0, 3.0, 3.0]):
    ...     print(row.comparator, round(row.regret, 4), "<=", round(row.bound, 4))
    in-weight 0.6907 <= 0.6931
    in-context -1.4338 <= 0.6931
    """
    losses = [_checked("in_weight_losses", in_weight_losses), _checked("in_context_losses", in_context_losses)]
    if losses[0].size != losses[1].size:
        raise SettingError("in_context_losses", f"{losses[1].size} losses", f"{losses[0].size}, as of the other one")
    visits = trajectory(gate, losses[1] - losses[0])
    ends = sorted({min(1 << power, visits.count) for power in range(visits.count.bit_length() + 1)})
    rows = (row for end in ends for row in rows_of(gate, visits.first(end)))
    return nearest_to_their_bounds(rows)


def trajectory(gate: Any, gains: Array) -> CellVisits:
    r"""Let a gate learn from a sequence of :math:`\log g(y) - \log h(y)`, all in one cell."""
    if not hasattr(gate, "per") or comparisons.dispatch(type(gate)) is comparisons.dispatch(object):
        raise SettingError("gate", gate, "a gate with cells and a regret bound")
    task = TaskDistribution(num_high=1, num_low=1, p_high=0.5)
    state = gate_state(gate, Lanes((task,), (GatedPredictor(gate=replace(gate, per="shared")),), 1))
    in_weight, in_context = np.minimum(gains, 0.0)[:, None], np.minimum(-gains, 0.0)[:, None]
    shortfalls = []
    for start in range(0, gains.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        nothing = np.zeros(in_weight[part].shape, dtype=np.intp)
        block = PromptBlock(nothing, nothing, nothing, nothing, nothing)
        path = state.advance(block, in_weight[part], in_context[part])
        shortfalls.append(-path.log_predicted[:, 0])
    return CellVisits(gains=gains, shortfalls=np.concatenate(shortfalls))


def rows_of(gate: Any, visits: CellVisits) -> list[RegretRow]:
    """Rows for the whole of one cell's visits."""
    return [_row(gate, visits.count, comparison) for comparison in comparisons(gate, visits)]


def nearest_to_their_bounds(rows: Iterable[RegretRow]) -> tuple[RegretRow, ...]:
    """Of the rows of each comparator the one with the least slack."""
    least: dict[str, RegretRow] = {}
    for row in rows:
        if row.comparator not in least or row.slack < least[row.comparator].slack:
            least[row.comparator] = row
    return tuple(least.values())


def _row(gate: Any, visits: int, comparison: Comparison) -> RegretRow:
    return RegretRow(gate=gate.kind, visits=visits, **vars(comparison))


def _checked(field: str, losses: ArrayLike) -> Array:
    allowed = f"a list of at least one number from 0 to {LARGEST_LOSS:g}"
    try:
        given = np.asarray(losses)
    except ValueError as error:
        raise SettingError(field, losses, allowed) from error
    if given.ndim != 1 or given.size == 0 or given.dtype.kind not in "fiu":
        raise SettingError(field, losses, allowed)
    values = given.astype(np.float64)
    wrong = ~((values >= 0) & (values <= LARGEST_LOSS))
    if wrong.any():
        place = int(np.argmax(wrong))
        raise SettingError(
            f"{field}[{place}]", float(values[place]), f"a number of at least 0 and at most {LARGEST_LOSS:g}"
        )
    return values
