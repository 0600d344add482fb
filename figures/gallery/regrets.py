"""Regret of every kind of gate beside the bound that holds on every sequence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from figures.recipe import Recipe, Results, canvas
from figures.style import HALO, PREDICTED, SIMULATED, TWO_COLUMNS
from figures.workbench import Workbench
from simulate.sweeps.tables import Table, quantity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from simulate.regrets.rows import RegretRow

Array = NDArray[np.float64]

GATES = {
    "bayes": "Bayes",
    "hedge": "Hedge",
    "decreasing-hedge": "decreasing Hedge",
    "adahedge": "AdaHedge",
    "fixed-share": "fixed share",
    "universal-mixture": "universal mixture",
    "exponentiated-gradient": "exponentiated gradient",
    "projected-gradient": "projected gradient",
    "logistic": "logistic (no bound)",
}
STRONGER = {
    "fixed-share": "up to 3 switches",
    "universal-mixture": "best constant gate",
    "exponentiated-gradient": "best constant gate",
    "projected-gradient": "best constant gate",
}
"""Gates that are held against more than the better predictor."""
SEQUENCES = (
    "one-sided",
    "i.i.d.",
    "late switch",
    "frequent switches",
    "alternating",
    "rare shocks",
    "stream of the model",
)
COMPARATORS = ("better predictor", "stronger comparator")
QUICK = {"visits": 512, "repetitions": 8, "steps": 5_000}
FULL = {"visits": 4096, "repetitions": 40, "steps": 20_000}
"""Length of the sequences, repetitions of what is random, and steps of the simulated learners."""
_REPEATED = "i.i.d."
_LINEAR = 1.0
"""Nats up to which the axis is linear on both sides of 0; beyond it is logarithmic."""
_MARKERS = {"better predictor": ("o", SIMULATED, 0.2), "stronger comparator": ("D", HALO, -0.2)}


def results(workbench: Workbench, quick: bool) -> Results:
    """Regrets and bounds of every gate on every sequence."""
    settings = {**(QUICK if quick else FULL), "version": 2}
    return {"regrets": workbench.table("regrets", settings, regrets)}


def regrets(visits: int, repetitions: int, steps: int, version: int) -> Table:  # noqa: ARG001 (part of the key)
    """After all visits of a sequence: the gate's loss beyond that of its comparators, and the bounds."""
    shape = len(GATES), len(SEQUENCES), len(COMPARATORS)
    filled = {name: np.ma.MaskedArray(np.zeros(shape), mask=True) for name in _MEANINGS}
    for i, kind in enumerate(GATES):
        for j, sequence in enumerate(SEQUENCES):
            for comparator, numbers in _on_sequence(kind, sequence, visits, repetitions, steps).items():
                for name, value in numbers.items():
                    filled[name][i, j, COMPARATORS.index(comparator)] = value
    dimensions = ("gate", "sequence", "comparator")
    coordinates = zip(dimensions, (list(GATES), SEQUENCES, COMPARATORS), strict=True)
    return Table(
        coordinates={name: np.array(labels) for name, labels in coordinates},
        quantities={
            **{name: quantity(dimensions, filled[name], "nats", meaning) for name, meaning in _MEANINGS.items()},
            "visits": quantity([], visits, "visits", "length of the sequences, but for the stream of the model"),
        },
    )


_MEANINGS = {
    "regret": "loss of the gated predictor beyond the comparator's, mean over the repetitions",
    "regret_low": "smallest regret of a repetition",
    "regret_high": "largest regret of a repetition",
    "bound": "what the regret is at most on every sequence like this one, mean over the repetitions",
}


def gains(sequence: str, visits: int, repetition: int) -> Array:
    """By how much the in-weight predictor's log probability of the label is larger, visit by visit; nats."""
    i = np.arange(visits)
    if sequence == _REPEATED:
        from simulate.streams import stream

        return np.where(stream(17, repetition, "label").random(visits) < 0.7, 1.0, -1.0)
    return {
        "one-sided": np.ones(visits),
        "late switch": np.where(i < 3 * visits // 4, -1.0, 1.0),
        "frequent switches": np.where(i // 32 % 2, 1.0, -1.0),
        "alternating": np.where(i % 2, 1.0, -1.0),
        "rare shocks": np.where(i % 64 == 63, 20.0, -0.3),
    }[sequence]


def _on_sequence(kind: str, sequence: str, visits: int, repetitions: int, steps: int) -> Mapping[str, dict[str, float]]:
    if sequence == SEQUENCES[-1]:
        return {} if kind == "logistic" else _summary([_in_streams(kind, steps, repetitions)])
    number = repetitions if sequence == _REPEATED else 1
    return _summary([_rows(kind, gains(sequence, visits, repetition)) for repetition in range(number)])


def _rows(kind: str, own: Array) -> dict[str, tuple[float, float | None]]:
    from simulate.regrets.rows import rows_of, trajectory

    if kind == "logistic":
        return {COMPARATORS[0]: (_logistic_regret(own), None)}
    return _by_comparator(rows_of(_gate(kind), trajectory(_gate(kind), own)))


def _by_comparator(rows: Iterable[RegretRow]) -> dict[str, tuple[float, float | None]]:
    """Regret and bound against the better predictor, and where the bound is nearest to another comparator."""
    each: list[RegretRow] = []
    others: list[RegretRow] = []
    for row in rows:
        (each if row.comparator in ("in-weight", "in-context") else others).append(row)
    better = max(each, key=lambda row: row.regret)
    found: dict[str, tuple[float, float | None]] = {COMPARATORS[0]: (better.regret, better.bound)}
    if others:
        nearest = min(others, key=lambda row: row.slack)
        found[COMPARATORS[1]] = nearest.regret, nearest.bound
    return found


def _summary(repeated: list[dict[str, tuple[float, float | None]]]) -> dict[str, dict[str, float]]:
    found = {}
    for comparator in repeated[0]:
        regret = [rows[comparator][0] for rows in repeated]
        bounds = [bound for rows in repeated if (bound := rows[comparator][1]) is not None]
        numbers = {"regret": float(np.mean(regret)), "regret_low": min(regret), "regret_high": max(regret)}
        found[comparator] = numbers | ({"bound": float(np.mean(bounds))} if bounds else {})
    return found


def _in_streams(kind: str, steps: int, replicates: int) -> dict[str, tuple[float, float | None]]:
    """Of all gate cells and replicates of a simulation those that come nearest to their bounds."""
    from simulate.regrets.running import run_regrets
    from theory.setting import GatedPredictor, TaskDistribution

    task = TaskDistribution(num_high=5, num_low=5, p_high=0.9, context_length=8, relevant_examples=4, label_noise=0.05)
    return _by_comparator(run_regrets(task, GatedPredictor(gate=_gate(kind)), steps, replicates, seed=3))


def _gate(kind: str) -> Any:
    """A gate of each kind with its own defaults."""
    import theory.setting as parts

    own = (part for name, part in vars(parts).items() if name.endswith("Gate"))
    return next(part for part in own if getattr(part, "kind", None) == kind)()


def _logistic_regret(own: Array) -> float:
    """Regret against the better predictor of a gate that has neither cells nor a bound."""
    from simulate.blocks import PromptBlock
    from simulate.implementations import gate_state
    from simulate.lanes import Lanes
    from theory.setting import GatedPredictor, TaskDistribution

    task = TaskDistribution(num_high=1, num_low=1, p_high=0.5)
    state = gate_state(_gate("logistic"), Lanes((task,), (GatedPredictor(gate=_gate("logistic")),), 1))
    nothing = np.zeros((own.size, 1), dtype=np.intp)
    losses = np.maximum(-own, 0.0), np.maximum(own, 0.0)
    path = state.advance(
        PromptBlock(nothing, nothing, nothing, nothing, nothing), -losses[0][:, None], -losses[1][:, None]
    )
    if path.log_predicted is None:
        raise ValueError("the logistic gate does not tell what it predicted")
    # Losses are relative to the better predictor of every visit.
    return float(-path.log_predicted.sum() - min(loss.sum() for loss in losses))


def draw(results: Results) -> Figure:
    """A panel for each kind of gate."""
    table = results["regrets"]
    figure, axes = canvas(TWO_COLUMNS, 6.4, 3, 3, sharex=True, sharey=True)
    for axis, kind in zip(axes.flat, GATES, strict=True):
        draw_panel(axis, table, kind)
    visits = int(table.quantities["visits"].values)
    axes[-1, 1].set_xlabel(
        f"regret of the gate after {visits:,} visits, nats (linear between $-$1 and 1, logarithmic beyond)"
    )
    _legend(figure, axes[1, 1])
    return figure


def draw_panel(axis: Axes, table: Any, kind: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Regrets and bounds of one kind of gate; artists by sequence and comparator."""
    gate = table.coordinates["gate"].tolist().index(kind)
    found = {}
    for j, sequence in enumerate(table.coordinates["sequence"].tolist()):
        for c, comparator in enumerate(table.coordinates["comparator"].tolist()):
            numbers = {name: table.quantities[name].masked[gate, j, c] for name in _MEANINGS}
            if numbers["regret"] is not np.ma.masked:
                shift = _MARKERS[comparator][2] if kind in STRONGER else 0.0
                found[sequence, comparator] = draw_regret(axis, -j + shift, comparator, numbers)
    _scale(axis, table)
    axis.set_yticks(-np.arange(len(SEQUENCES)), SEQUENCES)
    axis.tick_params(axis="y", length=0)
    for benign_or_real in (-1.5, -5.5):
        axis.axhline(benign_or_real, color="0.85", linewidth=0.6, zorder=0)
    axis.set_title(GATES[kind])
    if kind == "logistic":
        axis.text(0, 1 - len(SEQUENCES), "no cells: not measured", fontsize=7, ha="center", va="center", color="0.35",
                  bbox={"color": HALO, "pad": 0.5})  # fmt: skip
    if kind in STRONGER:
        axis.text(0.02, 0.02, f"diamonds: {STRONGER[kind]}", transform=axis.transAxes, fontsize=7, va="bottom",
                  bbox={"color": HALO, "pad": 0.5})  # fmt: skip
    return found


def _scale(axis: Axes, table: Any) -> None:
    """An axis for losses and gains: 0 is where the gate is as good as its comparator."""
    least, most = float(table.quantities["regret_low"].masked.min()), float(table.quantities["bound"].masked.max())
    axis.set_xscale("symlog", linthresh=_LINEAR, linscale=0.8)
    axis.set(xlim=(1.6 * min(least, -100), 1.6 * max(most, 100)), ylim=(-len(SEQUENCES) - 0.3, 0.6))
    labelled = (-100, -1, 0, 1, 10, 100)
    axis.set_xticks(labelled, [f"{value}".replace("-", "\N{MINUS SIGN}") for value in labelled], fontsize=7.5)
    axis.set_xticks([-10], minor=True)
    axis.axvline(0, color="0.6", linewidth=0.7, zorder=0)


def draw_regret(axis: Axes, height: float, comparator: str, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """A regret, its range, its bound, and the slack between them."""
    marker, face, _ = _MARKERS[comparator]
    regret = float(numbers["regret"])
    found: dict[str, Any] = {}
    if numbers["bound"] is not np.ma.masked:
        bound = float(numbers["bound"])
        found["slack"] = axis.hlines(height, regret, bound, color="0.75", linewidth=1.0, zorder=1, label="slack")
        (found["bound"],) = axis.plot(
            bound, height, marker="|", color=PREDICTED, markersize=6, markeredgewidth=1.2, linestyle="none", zorder=5,
            label="bound on every sequence" if comparator == COMPARATORS[0] else None,
        )  # fmt: skip
    low, high = (float(numbers[f"regret_{end}"]) for end in ("low", "high"))
    if high > low:
        found["range"] = axis.hlines(
            height, low, high, color=SIMULATED, linewidth=1.6, zorder=2, label="i.i.d.: range over repetitions"
        )
    (found["regret"],) = axis.plot(
        regret, height, marker=marker, color=SIMULATED, markersize=3.2, linestyle="none",
        markerfacecolor=face, markeredgewidth=0.8, zorder=4, label=f"simulated regret against the {comparator}",
    )  # fmt: skip
    return found


def _legend(figure: Figure, axis: Axes) -> None:
    handles: dict[str, Any] = dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=2, fontsize=7.5)


RECIPE = Recipe(
    meaning="Regret of every kind of gate on benign and adversarial sequences, beside its bound",
    results=results,
    draw=draw,
    reading=(
        "Each row is a sequence of losses, two benign, four adversarial and one simulated; at every visit one "
        "predictor loses 1 nat more than the other. One-sided: always h. I.i.d.: h with probability 0.7; the red "
        "stretch is the range over repetitions, the marker their mean. Late switch: g for three quarters, then h. "
        "Frequent switches: every 32 visits. Alternating: every visit. Rare shocks: h loses 20 nats more every 64th "
        "visit, else g 0.3 more. Stream of the model: learners in simulated streams of 5,000 steps (20,000 in full "
        "results); of all their gate cells the one that comes nearest to its bound. Red: simulated regret of the "
        "gate, with its default settings, after all visits: circles against the better predictor, diamonds against "
        "the stronger comparator named in the panel. Left of 0 the gate is better than its comparator. Black bars: the "
        "bound that holds on every sequence (for gradient gates and AdaHedge it depends on the sequence); grey: the "
        "slack. The logistic gate has no bound on every sequence, and no cells, so that its last row is empty."
    ),
)
