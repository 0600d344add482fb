"""What a simulation leaves: mean gates, boundaries, losses and regret of every group or class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulate.boundary import SimulatedBoundary
from simulate.curves import GateCurve
from simulate.episodes.stored_rows import SampleShares
from theory.entries import entries_to_dict, find_entry
from theory.setting import AnyTask, GatedPredictor

CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class MeanLosses:
    """Mean losses in nats at a group's or class's visits in the last tenth of the steps; ``None`` without a visit."""

    in_weight: float | None
    in_context: float | None
    gated: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupResult:
    """What was simulated for a group of classes, or for one class.

    Parameters
    ----------
    name : str
        Name of the group or class.
    num_classes : int
        Number of classes in it.
    class_probability : float
        Probability of one of its classes (the mean of them).
    boundary : SimulatedBoundary
        Where the mean gate last rises through 1/2, in steps.
    gate_mean : float
        Mean gate over the last tenth of the steps.
    loss : MeanLosses
        Mean losses over the last tenth.
    curve : GateCurve
        Mean gate at the checkpoints.
    """

    name: str
    num_classes: int
    class_probability: float
    boundary: SimulatedBoundary
    gate_mean: float
    loss: MeanLosses
    curve: GateCurve

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings and ``None`` under the names of the JSON contract."""
        interval = self.boundary.interval
        return {
            "num_classes": self.num_classes,
            "class_probability": self.class_probability,
            "crossing_steps": self.boundary.steps,
            "crossing_interval": None if interval is None else list(interval),
            "gate_mean": self.gate_mean,
            "loss": vars(self.loss).copy(),
        }


@dataclass(frozen=True, kw_only=True)
class WorstRegret:
    """Largest regret of the gate over all gate cells and replicates, against either predictor, with its bound.

    The bounds are those that depend on visits alone: of Bayes gates, of Hedge gates up to the rate 1 (with a falling
    rate too), of fixed share, and of the universal mixture while its nodes suffice; ``None`` for others, whose regret
    depends on the losses (:func:`simulate.regret_table` knows their bounds).
    """

    in_weight: float
    in_weight_bound: float | None
    in_context: float
    in_context_bound: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """What an engine finds for one setting: results of groups or classes, of strata, and the largest regret."""

    entries: tuple[GroupResult, ...]
    strata: tuple[GroupResult, ...]
    regret: WorstRegret
    samples: tuple[SampleShares, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """A simulation's result.

    Parameters
    ----------
    task, model : TaskDistribution or EpisodeDistribution, GatedPredictor
        What was simulated.
    steps, replicates, seed : int
        How.
    engine : str
        Which engine simulated: ``scan`` or ``step``.
    entries : tuple of GroupResult
        One for each group of a two-level task, or for each class of another one.
    strata : tuple of GroupResult
        For a task without groups: classes of similar frequency, from the most frequent on; else the groups again.
    regret : WorstRegret
        Largest regret of the gate, which never exceeds its bound.
    samples : tuple of SampleShares
        Realised shares of every replicate's finite sample; empty for a stream.
    seconds : float
        Wall-clock time of the simulation.
    """

    task: AnyTask
    model: GatedPredictor
    steps: int
    replicates: int
    seed: int
    engine: str
    entries: tuple[GroupResult, ...]
    strata: tuple[GroupResult, ...]
    regret: WorstRegret
    samples: tuple[SampleShares, ...]
    seconds: float

    def __getitem__(self, name: str) -> GroupResult:
        return find_entry(self.entries, name)

    def to_dict(self) -> dict[str, Any]:
        """The JSON contract: ``groups`` by name for a two-level task, a list ``classes`` for another one."""
        from theory.setting_file import to_dict

        return {
            **entries_to_dict(self.task, self.entries),
            "steps": self.steps,
            "replicates": self.replicates,
            "seed": self.seed,
            "engine": self.engine,
            "crossing_confidence": CONFIDENCE,
            "steps_per_second": self.steps * self.replicates / self.seconds,
            "regret": vars(self.regret).copy(),
            **self._sample_shares(),
            "setting": to_dict(self.task, self.model),
        }

    def _sample_shares(self) -> dict[str, Any]:
        if not self.samples:
            return {}
        return {"sample_shares": [shares.to_dict() for shares in self.samples]}
