r"""Mean gate of a class as a curve: over its visits, and over the steps of the stream.

Visit :math:`n` of a class comes at a random step; after :math:`N` steps the number of visits is Binomial(:math:`N`,
:math:`p_x`), so :math:`E\alpha(N)` is the binomial average of :math:`E\alpha_n`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.checks import MOST_STEPS
from theory.gating.cell import GateCell, logit_spread, mean_logit
from theory.gating.mean_gate import mean_gate
from theory.numerics.special import binomial_law
from theory.transitions.crossing import geometric_integers

if TYPE_CHECKING:
    from scipy.interpolate import PchipInterpolator

Array = NDArray[np.float64]

LARGEST_VISITS = 10**15
LARGEST_STEPS = MOST_STEPS
"""Steps beyond which a class's boundary is not looked for."""
_GRID_RATIO = 1.15
_LARGEST_RISE = 0.04


@dataclass(frozen=True, eq=False)
class GateCurve:
    r"""Mean gate of one class against its visits.

    The value at a visit is computed when asked for; :math:`E\alpha(N)` uses a monotone interpolation in
    :math:`\log(1 + n)` between nodes that lie at most 0.04 apart in the gate (or at neighbouring integers).

    Parameters
    ----------
    cells : sequence of (float, GateCell)
        Gate cells of the class, with the probability that a prompt is of the cell; the probabilities sum to one.
    """

    cells: Sequence[tuple[float, GateCell]]

    def at_visits(self, visits: int) -> float:
        r""":math:`E\alpha_n` after :math:`n` visits of the class."""
        return sum(weight * mean_gate(cell, visits) for weight, cell in self.cells)

    @cached_property
    def nodes(self) -> tuple[NDArray[np.int64], Array]:
        """Numbers of visits, from 0 to where the gate is decided, and the mean gate there."""
        visits = np.concatenate([[0], geometric_integers(1, self._last_open_visit(), _GRID_RATIO)])
        gate = {int(n): self.at_visits(int(n)) for n in visits}
        while True:
            visits = np.array(sorted(gate))
            values = np.array([gate[n] for n in visits.tolist()])
            steep = (np.abs(np.diff(values)) > _LARGEST_RISE) & (np.diff(visits) > 1)
            if not steep.any():
                return visits, values
            for low, high in zip(visits[:-1][steep].tolist(), visits[1:][steep].tolist(), strict=True):
                gate[(low + high) // 2] = self.at_visits((low + high) // 2)

    def _last_open_visit(self) -> int:
        """Visits after which the gate of every cell is decided, with a margin."""
        grid = geometric_integers(1, LARGEST_VISITS, 1.3)
        is_open = np.zeros(grid.size, dtype=bool)
        for _, cell in self.cells:
            logit = mean_logit(cell, grid)
            is_open |= np.abs(logit) <= 9 * logit_spread(cell, grid) + 40
            # A transition may be narrower than the grid: then its two sides are decided, but not alike.
            is_open[1:] |= np.sign(logit[1:]) != np.sign(logit[:-1])
        last = np.flatnonzero(is_open)
        return int(grid[min(last[-1] + 1, grid.size - 1)]) if last.size else 2

    @cached_property
    def _interpolation(self) -> PchipInterpolator:
        from scipy.interpolate import PchipInterpolator

        visits, gate = self.nodes
        return PchipInterpolator(np.log1p(visits.astype(np.float64)), gate)

    def interpolated(self, visits: ArrayLike) -> Array:
        """Mean gate after numbers of visits of any shape, between the nodes; beyond the last node as there."""
        capped = np.minimum(np.asarray(visits, dtype=np.float64), float(self.nodes[0][-1]))
        return np.asarray(self._interpolation(np.log1p(capped)), dtype=np.float64)

    def at_steps(self, steps: int, class_probability: float) -> float:
        r""":math:`E\alpha(N) = \sum_n P(\mathrm{Bin}(N, p_x) = n)\, E\alpha_n`."""
        visits, weights = binomial_law(steps, class_probability)
        return float(weights @ self.interpolated(visits))


@dataclass(frozen=True, eq=False)
class GroupCurve:
    """Mean gate over a group of classes.

    Parameters
    ----------
    parts : sequence of (float, GateCurve)
        Curves of the kinds of classes in the group, with the share of classes of each kind; the shares sum to one.
    """

    parts: Sequence[tuple[float, GateCurve]]

    def at_visits(self, visits: int) -> float:
        """Mean gate after n visits of each class, exact or as each curve is."""
        return sum(share * curve.at_visits(visits) for share, curve in self.parts)

    def interpolated(self, visits: ArrayLike) -> Array:
        """Mean gate after numbers of visits of any shape, between the nodes; beyond the last node as there."""
        visits = np.asarray(visits, dtype=np.float64)
        total = np.zeros(visits.shape)
        for share, curve in self.parts:
            total += share * curve.interpolated(visits)
        return total

    def at_steps(self, steps: int, class_probability: float) -> float:
        """Mean gate after N steps, for classes of the given probability."""
        return sum(share * curve.at_steps(steps, class_probability) for share, curve in self.parts)

    @property
    def nodes(self) -> tuple[NDArray[np.int64], Array]:
        """Numbers of visits at which some curve has a node, from 1 on, and the mean gate there, interpolated."""
        visits, gate = self.nodes_from_prior
        return visits[1:], gate[1:]

    @cached_property
    def nodes_from_prior(self) -> tuple[NDArray[np.int64], Array]:
        """The same from 0 visits on, where the gate is its prior."""
        visits = np.unique(np.concatenate([curve.nodes[0] for _, curve in self.parts]))
        gate = np.zeros(visits.size)
        for share, curve in self.parts:
            nodes, values = curve.nodes
            gate += share * np.interp(np.log1p(visits), np.log1p(nodes), values)
        return visits, gate
