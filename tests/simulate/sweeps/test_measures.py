"""What a cell holds, against what the simulation itself says."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import simulate
from simulate.checkpoints import checkpoints
from simulate.run_result import MeanLosses
from simulate.sweeps.configuration import Configuration
from simulate.sweeps.measures import MEASURES, measure, measure_options
from simulate.sweeps.run_table import kept_checkpoints, table_of_run
from simulate.sweeps.tables import Table
from theory.errors import SettingError
from theory.setting_file import assemble

TWO_LEVEL = {
    "num_high": 2,
    "num_low": 3,
    "p_high": 0.8,
    "context_length": 3,
    "relevant_examples": 1,
    "label_noise": 0.1,
}
NAMED = {
    "frequencies": "counts",
    "counts": [9, 5, 0, 1],
    "class_names": ["cat", "dog", "owl", "a, b"],
    "context_length": 2,
}
ROWS = [{"name": "bursty", "share": 1.0, "matches": "exact", "copies": 1}]
HELD_OUT = {
    "classes": {"frequencies": "zipf", "zipf_exponent": 1.0, "num_classes": 4},
    "rows": ROWS,
    "context_length": 2,
    "held_out_classes": 2,
}


def configuration(name: str, setting: Any, **changes: Any) -> Configuration:
    numbers = {"steps": 400, "replicates": 3, "seed": 5, **changes}
    return Configuration(measure=name, setting=setting, **numbers)


def masked(table: Table, name: str) -> Any:
    return table.quantities[name].masked.tolist()


# Options.


def test_every_measure_has_its_defaults() -> None:
    assert {name: measure_options(name, {}) for name in MEASURES} == {
        "run": {"curve_points": 200, "engine": None},
        "evaluate": {"prompts": 1000},
        "trace": {"prompts": 200, "checkpoints": 40},
    }


@pytest.mark.parametrize(
    ("name", "given", "field"),
    [
        ("runs", {}, "measure"),
        (3, {}, "measure"),
        ("run", {"prompts": 3}, "option of run"),
        ("evaluate", {"checkpoints": 3}, "option of evaluate"),
        ("run", {3: 3}, "option of run"),
        ("run", None, "options"),
        ("run", [], "options"),
        ("run", {"curve_points": 1}, "options.curve_points"),
        ("run", {"curve_points": -1}, "options.curve_points"),
        ("run", {"curve_points": 10_001}, "options.curve_points"),
        ("run", {"curve_points": 2.0}, "options.curve_points"),
        ("run", {"curve_points": True}, "options.curve_points"),
        ("run", {"engine": "fast"}, "options.engine"),
        ("run", {"engine": 1}, "options.engine"),
        ("evaluate", {"prompts": 0}, "options.prompts"),
        ("evaluate", {"prompts": math.nan}, "options.prompts"),
        ("evaluate", {"prompts": None}, "options.prompts"),
        ("trace", {"checkpoints": 0}, "options.checkpoints"),
        ("trace", {"checkpoints": [1, 2]}, "options.checkpoints"),
    ],
)
def test_bad_options_are_named(name: Any, given: Any, field: str) -> None:
    with pytest.raises(SettingError) as raised:
        measure_options(name, given)
    assert raised.value.field == field


def test_a_configuration_with_a_bad_option_is_not_simulated() -> None:
    with pytest.raises(SettingError, match="prompt"):
        measure(configuration("evaluate", {"task": TWO_LEVEL}, options={"prompt": 3}))


# Runs.


@pytest.mark.parametrize("replicates", [1, 3])
@pytest.mark.parametrize("engine", ["scan", "step"])
@pytest.mark.parametrize("task", [TWO_LEVEL, NAMED], ids=["two-level", "named"])
def test_a_run_holds_what_the_simulation_says(task: dict[str, Any], engine: Any, replicates: int) -> None:
    wanted = configuration("run", {"task": task}, replicates=replicates, options={"engine": engine})
    table = measure(wanted)
    run = simulate.run(*assemble(wanted.setting), steps=400, replicates=replicates, seed=5, engine=engine)
    told = run.to_dict()
    entries = list(told["groups"].values()) if run.task.grouped else told["classes"]
    assert table.coordinates["class"].tolist() == [entry.name for entry in run.entries]
    assert masked(table, "members") == [entry["num_classes"] for entry in entries]
    for name in ("class_probability", "crossing_steps", "gate_mean"):
        assert masked(table, name) == [entry[name] for entry in entries]
    intervals = [entry["crossing_interval"] or [None, None] for entry in entries]
    assert [masked(table, "crossing_low"), masked(table, "crossing_high")] == [
        list(end) for end in zip(*intervals, strict=True)
    ]
    for part in ("in_weight", "in_context", "gated"):
        assert masked(table, f"loss_{part}") == [entry["loss"][part] for entry in entries]
    assert {name: masked(table, f"regret_{name}") for name in told["regret"]} == told["regret"]


def test_what_is_not_there_is_missing() -> None:
    table = measure(configuration("run", {"task": NAMED}, steps=5, replicates=1))
    # The owl never comes: no loss of it, no crossing; one replicate has no interval and no standard error.
    owl = table.coordinates["class"].tolist().index("owl")
    assert masked(table, "loss_gated")[owl] is None
    assert masked(table, "crossing_high") == [None] * 4
    assert table.quantities["gate_standard_error"].missing is not None
    assert table.quantities["gate_standard_error"].missing.all()


def test_strata_of_a_two_level_task_are_its_groups() -> None:
    table = measure(configuration("run", {"task": TWO_LEVEL}))
    assert table.coordinates["stratum"].tolist() == ["high", "low"]
    assert not any(name.startswith("stratum") for name in table.quantities)


def test_strata_of_another_task_are_numbered_and_described() -> None:
    table = measure(configuration("run", {"task": NAMED}))
    assert table.coordinates["stratum"].tolist() == ["1", "2", "3"]
    assert masked(table, "stratum_members") == [1, 1, 1]
    assert masked(table, "stratum_class_probability") == pytest.approx([9 / 15, 5 / 15, 1 / 15], rel=1e-12)


@pytest.mark.parametrize("task", [TWO_LEVEL, NAMED], ids=["two-level", "named"])
def test_curves_are_exact_at_their_checkpoints(task: dict[str, Any]) -> None:
    wanted = configuration("run", {"task": task}, steps=20_000, options={"curve_points": 40})
    table = measure(wanted)
    run = simulate.run(*assemble(wanted.setting), steps=20_000, replicates=3, seed=5)
    kept = table.coordinates["checkpoint"].tolist()
    all_points = checkpoints(20_000).tolist()
    assert (kept[0], kept[-1], len(kept) <= 40, set(kept) <= set(all_points)) == (1, 20_000, True, True)
    for row, stratum in enumerate(run.strata):
        place = [stratum.curve.steps.tolist().index(steps) for steps in kept]
        assert table.quantities["gate"].values[row].tolist() == stratum.curve.mean[place].tolist()
        assert stratum.curve.standard_error is not None
        assert (
            table.quantities["gate_standard_error"].values[row].tolist() == stratum.curve.standard_error[place].tolist()
        )


@pytest.mark.parametrize("steps", [1, 2, 3, 50, 10**6, 10**12])
@pytest.mark.parametrize("number", [2, 3, 200, 10_000])
def test_kept_checkpoints_are_evenly_spaced_in_the_logarithm(steps: int, number: int) -> None:
    points = checkpoints(steps)
    kept = kept_checkpoints(points, number)
    assert (points[kept[0]], points[kept[-1]]) == (1, steps)
    assert (np.diff(kept) > 0).all()
    assert kept.size <= min(number, points.size)
    # No gap is wider than the wishes' own, half a gap of the checkpoints at either end included.
    logs = np.log(points)
    if steps > 1:
        widest = logs[-1] / (number - 1) + np.diff(logs).max()
        assert np.diff(logs[kept]).max() <= widest * (1 + 1e-9)


def test_no_curves_where_none_are_wanted() -> None:
    for task in (TWO_LEVEL, NAMED):
        table = measure(configuration("run", {"task": task}, options={"curve_points": 0}))
        assert list(table.coordinates) == ["class"]


def test_a_gate_without_cells_and_classes_that_are_held_out() -> None:
    setting = {"episodes": HELD_OUT, "model": {"gate": {"kind": "logistic"}}}
    table = measure(configuration("run", setting, steps=100))
    # Two held-out classes never come; all six are there by name.
    assert table.coordinates["class"].tolist() == ["0", "1", "2", "3", "4", "5"]
    assert [value is None for value in masked(table, "loss_in_weight")][4:] == [True, True]


def test_two_classes_of_one_name_are_told_apart() -> None:
    named = {"frequencies": "counts", "counts": [3, 2], "class_names": ["2", "x"]}
    setting = {"episodes": {"classes": named, "rows": ROWS, "context_length": 2, "held_out_classes": 1}}
    table = measure(configuration("run", setting, steps=20))
    assert table.coordinates["class"].tolist() == ["2", "x", "2 (2)"]


def test_a_loss_without_end_stays_infinite() -> None:
    run = simulate.run(*assemble({"task": TWO_LEVEL}), steps=100, replicates=2)
    # A user's own predictor may exclude what happens.
    endless = MeanLosses(in_weight=0.5, in_context=math.inf, gated=None)
    table = table_of_run(replace(run, entries=tuple(replace(entry, loss=endless) for entry in run.entries)), 0)
    assert masked(table, "loss_in_context") == [math.inf, math.inf]
    assert masked(table, "loss_gated") == [None, None]
    assert Table.from_arrays(table.to_arrays()).quantities["loss_in_context"].missing is None


# Evaluations and traces.


def of_questions(table: Table, name: str, cell: dict[str, Any]) -> Any:
    place = tuple(
        table.coordinates[d].tolist().index(cell[k])
        for d, k in (("base", "base"), ("context", "context"), ("class", "group"))
    )
    return table.quantities[name].masked[place].tolist()


def check_answers(table: Table, cells: list[dict[str, Any]]) -> None:
    for cell in cells:
        for measured in ("error", "cross_entropy"):
            for part, values in cell[measured].items():
                assert of_questions(table, f"{measured}_{part}", cell) == values["mean"]
                assert of_questions(table, f"{measured}_{part}_standard_error", cell) == values["standard_error"]
        for name in ("gate", "in_context_share"):
            assert of_questions(table, name, cell) == cell[name]["mean"]
            assert of_questions(table, f"{name}_standard_error", cell) == cell[name]["standard_error"]


@pytest.mark.parametrize("replicates", [1, 3])
def test_an_evaluation_holds_what_was_answered(replicates: int) -> None:
    wanted = configuration("evaluate", {"task": TWO_LEVEL}, replicates=replicates, options={"prompts": 7})
    table = measure(wanted)
    found = simulate.evaluate(*assemble(wanted.setting), steps=400, replicates=replicates, seed=5, prompts=7)
    assert table.quantities["gate"].values.shape == (2, 2, 2)
    missing = table.quantities["gate_standard_error"].missing
    assert (missing is not None and bool(missing.all())) == (replicates == 1)
    check_answers(table, found.to_dict()["cells"])


def test_a_trace_holds_answers_and_losses_along_the_training() -> None:
    wanted = configuration("trace", {"episodes": HELD_OUT}, options={"prompts": 7, "checkpoints": 4})
    table = measure(wanted)
    found = simulate.trace(*assemble(wanted.setting), steps=400, replicates=3, seed=5, prompts=7, checkpoints=4)
    told = found.to_dict()
    assert table.coordinates["checkpoint"].tolist() == told["steps"]
    assert table.coordinates["class"].tolist() == ["high", "low", "held-out"]
    check_answers(table, told["cells"])
    for row, losses in enumerate(told["training"]):
        for part, values in losses["loss"].items():
            assert masked(table, f"training_loss_{part}")[row] == values["mean"]
            assert masked(table, f"training_loss_{part}_standard_error")[row] == values["standard_error"]
    assert masked(table, "training_loss_gated")[2] == [None] * 4


def test_questions_that_cannot_be_asked_are_missing() -> None:
    uniform = {"frequencies": "uniform", "num_classes": 4}
    # Where every episode is relabelled anew, there is nothing that labels could be moved away from.
    episodes = {"classes": uniform, "rows": ROWS, "context_length": 2, "labels": {"relabel": "permutation"}}
    table = measure(configuration("evaluate", {"episodes": episodes}, options={"prompts": 5}))
    missing = table.quantities["gate"].missing
    assert missing is not None
    assert missing.tolist() == [[[False], [False]], [[True], [True]]]


# The same configuration, the same bytes.


@pytest.mark.parametrize("name", list(MEASURES))
def test_equal_configurations_give_equal_bytes(name: str) -> None:
    options = {"run": {}, "evaluate": {"prompts": 5}, "trace": {"prompts": 5, "checkpoints": 3}}[name]

    def content(seed: int) -> list[tuple[str, bytes]]:
        arrays = measure(configuration(name, {"task": TWO_LEVEL}, seed=seed, options=options)).to_arrays()
        return [(key, array.tobytes()) for key, array in arrays.items()]

    assert content(5) == content(5)
    assert content(5) != content(6)


def test_the_time_it_took_is_no_part_of_a_table() -> None:
    task, model = assemble({"task": TWO_LEVEL})
    first, second = (simulate.run(task, model, steps=100, replicates=2) for _ in range(2))
    assert first.seconds != second.seconds
    one, other = table_of_run(first, 20).to_arrays(), table_of_run(second, 20).to_arrays()
    assert {name: array.tobytes() for name, array in one.items()} == {
        name: array.tobytes() for name, array in other.items()
    }
