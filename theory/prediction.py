"""What a prediction holds: exact risks, phases and boundaries of every group or class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.checks import step_numbers
from theory.entries import entries_to_dict, find_entry
from theory.gating.curve import GroupCurve
from theory.learned.gate_in_steps import LearnedGroupCurve
from theory.setting import GatedPredictor, TaskDistribution
from theory.single_runs.band import Band, SingleRunBands
from theory.single_runs.bracket import Bracket

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class VisitBoundary:
    """Boundaries in visits of one class; ``None`` where there is no crossing.

    In-context learning *emerges* where the mean gate first falls below 1/2 from a prior that favours :math:`g` (only
    ``sharp`` and ``rigorous``: it is a matter of few visits), and *vanishes* at its last rise through 1/2.

    Parameters
    ----------
    instantaneous : float or None
        Where the in-weight risk falls through the in-context risk.
    asymptotic : float or None
        Closed form for many visits, from the expected log-odds.
    sharp : float or None
        Where the mean gate crosses 1/2.
    rigorous : Bracket or None
        Between which visits the boundary of a single run lies, with a stated probability; ``None`` also where no bound
        is known.
    """

    instantaneous: float | None = None
    asymptotic: float | None = None
    sharp: float | None
    rigorous: Bracket | None = None

    def to_dict(self, confidence: float) -> dict[str, Any]:
        """Plain numbers, lists and ``None``."""
        return {
            "instantaneous": self.instantaneous,
            "asymptotic": self.asymptotic,
            "sharp": self.sharp,
            "rigorous": ends(self.rigorous),
            "confidence": confidence,
        }


def ends(bracket: Bracket | Band | None) -> list[float] | None:
    """Lower and upper end of a bracket or band as plain numbers."""
    return None if bracket is None else [bracket.lower, bracket.upper]


@dataclass(frozen=True, kw_only=True)
class CellPrediction:
    """One of the two gate cells of a class with a gate per query and relevance; fields as in ClassPrediction."""

    probability: float
    in_context_risk: float
    vanish_visits: VisitBoundary


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassPrediction:
    r"""What is predicted for a class, or for a group of equally frequent classes.

    Parameters
    ----------
    name : str
        Name of the class or group.
    num_classes : int
        How many classes it stands for.
    class_probability : float
        :math:`p_x` of one class.
    bayes_risk : float
        :math:`H_x` in nats.
    in_context_risk : float
        :math:`r_h` in nats; the mean over the group's classes.
    phase : {"in-weight", "transient", "persistent"}
        Answered from weights from the first visit on; in context at first and in weights at last; in context at last.
    emerge_visits : VisitBoundary
        Where in-context learning emerges, in visits of one class; ``None`` also where it is there from the start.
    emerge_steps : float or None
        Where :math:`E\alpha(N)` first falls below 1/2, in steps; where attention learns its temperature, where the last
        interval below 1/2 begins (``theory.transitions.window``).
    rigorous_emerge_steps : Bracket or None
        Between which steps the gate of a single class's run first falls below 1/2.
    vanish_visits : VisitBoundary
        Boundaries in visits of one class.
    vanish_steps : float or None
        Where :math:`E\alpha(N)`, mean over the group's classes, last rises through 1/2, in steps.
    confidence : float
        Probability with which a single run's boundary lies in the rigorous brackets.
    rigorous_steps : Bracket or None
        Between which steps the boundary of a single class's run lies; ``None`` also where no bound is known.
    sharp_is_exact : bool
        Whether the mean gate is exact (to 1e-9) rather than a named approximation; see ``theory.gating.mean_gate``.
    cells : dict
        For a gate per query and relevance: predictions of the cells ``relevant`` and ``irrelevant``.
    curve : GroupCurve or LearnedGroupCurve
        Mean gate of the group's classes, over visits and steps; over steps only where attention learns.
    bands : SingleRunBands or None
        Bands of single runs, computed when asked for; ``None`` where attention learns.
    """

    name: str
    num_classes: int
    class_probability: float
    bayes_risk: float
    in_context_risk: float
    phase: str
    emerge_visits: VisitBoundary
    emerge_steps: float | None
    rigorous_emerge_steps: Bracket | None
    vanish_visits: VisitBoundary
    vanish_steps: float | None
    confidence: float
    rigorous_steps: Bracket | None
    sharp_is_exact: bool
    cells: dict[str, CellPrediction]
    curve: GroupCurve | LearnedGroupCurve
    bands: SingleRunBands | None = None

    @property
    def band_steps(self) -> Band | None:
        """Band that holds the share ``confidence`` of single runs' boundaries, in steps; computed when first asked for.

        Sharp, not rigorous; for a run of one class of the group. ``None`` where too many runs have no boundary,
        and where no law of a single run is known (a gate per query and relevance, learned attention).
        """
        return None if self.bands is None else self.bands.vanish

    @property
    def band_emerge_steps(self) -> Band | None:
        """The same for where a single run's gate first falls below 1/2 from a prior that favours g."""
        return None if self.bands is None else self.bands.emerge

    def mean_gate(self, steps: ArrayLike) -> Array:
        r"""Predicted :math:`E\alpha(N)`, mean over the group's classes.

        Parameters
        ----------
        steps : array_like of int, shape (k,)
            Numbers of steps :math:`N \ge 0`.

        Returns
        -------
        ndarray, shape (k,)
        """
        numbers = step_numbers("steps", steps, minimum=0)
        return np.array([self.curve.at_steps(int(n), self.class_probability) for n in numbers])

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings and ``None`` under the names of the JSON contract."""
        result: dict[str, Any] = {
            "num_classes": self.num_classes,
            "class_probability": self.class_probability,
            "bayes_risk": self.bayes_risk,
            "in_context_risk": self.in_context_risk,
            "phase": self.phase,
            "emerge_visits": self.emerge_visits.to_dict(self.confidence),
            "emerge_steps": {
                "sharp": self.emerge_steps,
                "band": ends(self.band_emerge_steps),
                "rigorous": ends(self.rigorous_emerge_steps),
                "confidence": self.confidence,
            },
            "vanish_visits": self.vanish_visits.to_dict(self.confidence),
            "vanish_steps": {
                "sharp": self.vanish_steps,
                "band": ends(self.band_steps),
                "rigorous": ends(self.rigorous_steps),
                "confidence": self.confidence,
            },
            "sharp_is_exact": self.sharp_is_exact,
        }
        if self.cells:
            result["cells"] = {
                name: {
                    "probability": cell.probability,
                    "in_context_risk": cell.in_context_risk,
                    "vanish_visits": cell.vanish_visits.to_dict(self.confidence),
                }
                for name, cell in self.cells.items()
            }
        return result


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """Predictions for all groups of a two-level task, or all classes of another one.

    Parameters
    ----------
    task, model : TaskDistribution, GatedPredictor
        What was asked.
    entries : tuple of ClassPrediction
        One for each group (``high``, ``low``) or class.
    """

    task: TaskDistribution
    model: GatedPredictor
    entries: tuple[ClassPrediction, ...]

    def mean_gate(self, steps: ArrayLike) -> Array:
        r"""Predicted mean gate of the whole distribution, :math:`\sum_x p_x\, E\alpha_x(N)`, for a random query.

        Parameters
        ----------
        steps : array_like of int, shape (k,)
            Numbers of steps :math:`N \ge 0`.

        Returns
        -------
        ndarray, shape (k,)
            In [0, 1].

        Examples
        --------
        >>> from theory import TaskDistribution, predict
        >>> prediction = predict(TaskDistribution(num_high=2, num_low=8, p_high=0.9, context_length=4))
        >>> high, low = (entry.mean_gate([500]) for entry in prediction.entries)
        >>> bool(np.isclose(prediction.mean_gate([500]), 0.9 * high + 0.1 * low)[0])
        True
        """
        numbers = step_numbers("steps", steps, minimum=0)
        masses: dict[tuple[int, float], tuple[float, ClassPrediction]] = {}
        for entry in self.entries:
            # Classes that the mathematics cannot tell apart share their curve: it is averaged once.
            key = (id(entry.curve), entry.class_probability)
            mass = entry.num_classes * entry.class_probability
            masses[key] = (masses.get(key, (0.0, entry))[0] + mass, entry)
        total = np.zeros(numbers.shape)
        for mass, entry in masses.values():
            total += mass * entry.mean_gate(numbers)
        return np.clip(total, 0.0, 1.0)

    def in_context_share(self, steps: ArrayLike) -> Array:
        r"""Share of the query mass that is answered in context, :math:`\sum_x p_x\,(1 - E\alpha_x(N))`.

        This is the *soft* share: the expected weight of the in-context predictor in the answer to a random query. (The
        probability that its weight is above 1/2 is another number, wherever single gates are undecided.)

        Parameters
        ----------
        steps : array_like of int, shape (k,)
            Numbers of steps :math:`N \ge 0`.

        Returns
        -------
        ndarray, shape (k,)
            In [0, 1].
        """
        return 1.0 - self.mean_gate(steps)

    def __getitem__(self, name: str) -> ClassPrediction:
        return find_entry(self.entries, name)

    def to_dict(self) -> dict[str, Any]:
        """The JSON contract: ``groups`` by name for a two-level task, a list ``classes`` for another one."""
        from theory.setting_file import to_dict

        return {**entries_to_dict(self.task, self.entries), "setting": to_dict(self.task, self.model)}
