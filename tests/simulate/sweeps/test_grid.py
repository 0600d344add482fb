"""Grids: axes in every spelling, cells in order, seeds, names, and mistakes that are told apart."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.sweeps.configuration import Configuration, canonical
from simulate.sweeps.grid import Grid
from simulate.sweeps.grid_axes import grid_axis, whole_settings
from simulate.sweeps.grid_file import grid_of, read_grid
from simulate.sweeps.shards import shard_of
from theory.errors import SettingError
from theory.setting_file import assemble, load, read, to_dict

AXES = {"label_noise": [0.0, 0.1], "relevant_examples": [1, 2, 4]}


def grid(axes: Any = None, **sweep: Any) -> Grid:
    return grid_of({"sweep": {"base": "transient", "steps": 500, "replicates": 2, **sweep}, "axes": axes or AXES})


# Axes.


@pytest.mark.parametrize(
    ("name", "spelling", "values"),
    [
        ("label_noise", [0.3, 0.1], (0.3, 0.1)),
        ("label_noise", "0:0.2:3", (0.0, 0.1, 0.2)),
        ("label_noise", "0.1,0.2", (0.1, 0.2)),
        ("label_noise", {"low": 0, "high": 0.2, "count": 3}, (0.0, 0.1, 0.2)),
        ("model.in_context.odds", {"low": 1, "high": 100, "count": 3, "spacing": "log"}, (1.0, 10.0, 100.0)),
        ("relevant_examples", {"low": 1, "high": 8, "count": 4, "spacing": "log"}, (1, 2, 4, 8)),
        ("task.context_length", "1:4:7", (1, 2, 3, 4)),
        ("episodes.sampling.rows", "10,20", (10, 20)),
        ("model.gate.kind", ["bayes", "adahedge"], ("bayes", "adahedge")),
        ("p_high", [np.float64(0.5), np.int64(1)], (0.5, 1)),
        ("episodes.inputs.rescale", [True, False], (True, False)),
        ("x", [1, True], (1, True)),
    ],
)
def test_axes(name: str, spelling: Any, values: tuple[Any, ...]) -> None:
    axis = grid_axis(name, spelling)
    assert axis.values == values
    assert [type(value) for value in axis.values] == [type(value) for value in values]
    assert axis.changes == tuple(((axis.name, value),) for value in values)
    assert not axis.name.startswith("task.")


@pytest.mark.parametrize(
    ("given_", "field"),
    [
        ([], "axes.a"),
        ([0.1, 0.1], "axes.a"),
        ([float("nan")], "axes.a"),
        ([float("inf")], "axes.a"),
        ([[1]], "axes.a"),
        ([None], "axes.a"),
        (0.1, "axes.a"),
        (None, "axes.a"),
        ("0:1", "axes.a"),
        ("1:0:3", "axes.a"),
        ({"low": 0, "high": 1}, "axes.a.count"),
        ({"low": 0, "high": "1", "count": 2}, "axes.a.high"),
        ({"low": 0, "high": 1, "count": True}, "axes.a.count"),
        ({"low": 0, "high": 1, "count": 2.5}, "axes.a count"),
        ({"low": 0, "high": 1, "count": 2, "step": 3}, "axes.a key"),
        ({"low": 0, "high": 1, "count": 2, "spacing": "cubic"}, "axes.a.spacing"),
        ({"low": 0, "high": 1, "count": 2, "spacing": "log"}, "axes.a"),
        ({"cases": {}}, "axes.a.cases"),
        ({"cases": [1]}, "axes.a.cases"),
        ({"cases": {"b": {}}}, "axes.a.cases.b"),
        ({"cases": {"b": 1}}, "axes.a.cases.b"),
        ({"cases": {"b": {"c": 1}}, "low": 1}, "axes.a key"),
    ],
)
def test_bad_axes(given_: Any, field: str) -> None:
    with pytest.raises(SettingError) as caught:
        grid_axis("a", given_)
    assert caught.value.field == field


def test_whole_settings_are_those_of_the_settings() -> None:
    assert {"num_high", "rows", "nodes", "copies", "context_length", "pool_size"} <= whole_settings()
    assert not {"p_high", "odds", "label_noise", "share"} & whole_settings()


# Cells.


def test_cells_go_row_by_row_and_are_complete_settings() -> None:
    found = grid()
    assert found.shape == (2, 3)
    assert [cell.values for cell in found.cells] == list(product(*AXES.values()))
    assert [cell.index for cell in found.cells] == list(product(range(2), range(3)))
    for cell in found.cells:
        task, model = load("transient", overrides=[f"{k}={v}" for k, v in zip(AXES, cell.values, strict=True)])
        assert cell.configuration.setting == to_dict(task, model)
        assert assemble(cell.configuration.setting) == (task, model)
        assert (cell.configuration.steps, cell.configuration.replicates) == (500, 2)


def test_a_grid_without_axes_is_one_cell() -> None:
    found = grid_of({"sweep": {"base": "transient"}})
    assert found.shape == ()
    assert len(found.cells) == 1


def test_kinds_change_before_what_belongs_to_them() -> None:
    axes = {"model.gate.switch_rate": [0.01, 0.1], "model.gate.kind": ["fixed-share"]}
    rates = [cell.configuration.setting["model"]["gate"]["switch_rate"] for cell in grid(axes).cells]
    assert rates == [0.01, 0.1]


def test_cases_change_several_settings() -> None:
    cases = {"small": {"num_low": 5, "p_high": 0.5}, "large": {"num_low": 50}}
    found = grid({"world": {"cases": cases}, "label_noise": [0.0, 0.1]})
    assert found.axes[0].values == ("small", "large")
    tasks = [cell.configuration.setting["task"] for cell in found.cells]
    assert [(task["num_low"], task["p_high"]) for task in tasks] == [(5, 0.5)] * 2 + [(50, 0.9)] * 2


def test_seeds_are_independent_unless_common() -> None:
    seeds = [cell.configuration.seed for cell in grid().cells]
    assert len(set(seeds)) == len(seeds)
    assert seeds != [cell.configuration.seed for cell in grid(seed=1).cells]
    assert {cell.configuration.seed for cell in grid(seed=7, common_random_numbers=True).cells} == {7}


def test_a_seed_depends_on_the_setting_alone() -> None:
    longer = grid({"relevant_examples": [4], "label_noise": [0.1, 0.2, 0.0]}, steps=1_000, replicates=3)
    before = {canonical(cell.configuration.setting): cell.configuration.seed for cell in grid().cells}
    shared = [
        (before[canonical(cell.configuration.setting)], cell.configuration.seed)
        for cell in longer.cells
        if canonical(cell.configuration.setting) in before
    ]
    assert len(shared) == 2
    assert all(one == other for one, other in shared)


def test_impossible_points_are_named_or_skipped() -> None:
    axes = {"context_length": [2, 4], "relevant_examples": [1, 4]}
    with pytest.raises(SettingError, match=r"at the point context_length = 2, relevant_examples = 4"):
        grid(axes)
    found = grid(axes, skip_impossible=True)
    assert [cell.values for cell in found.cells] == [(2, 1), (4, 1), (4, 4)]
    with pytest.raises(SettingError, match="at least one point"):
        grid({"context_length": [2], "relevant_examples": [4]}, skip_impossible=True)


@pytest.mark.parametrize(
    ("sweep", "field"),
    [
        ({"steps": 0}, "steps"),
        ({"steps": 1.5}, "steps"),
        ({"replicates": True}, "replicates"),
        ({"replicates": 10**9}, "replicates"),
        ({"seed": -1}, "seed"),
        ({"seed": "a"}, "seed"),
        ({"measure": "guess"}, "measure"),
        ({"skip_impossible": 1}, "skip_impossible"),
        ({"common_random_numbers": "no"}, "common_random_numbers"),
        ({"sets": {}}, "sweep key"),
        ({"set": 3}, "sweep.set"),
        ({"set": {"label_nois": 3}}, "setting"),
        ({"base": 3}, "sweep.base"),
        ({"base": "transien"}, "task"),
        ({"base": "missing.toml"}, "task file"),
    ],
)
def test_bad_numbers(sweep: dict[str, Any], field: str) -> None:
    with pytest.raises(SettingError) as caught:
        grid(**sweep)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("parsed", "field"),
    [
        ({"swep": {}}, "section"),
        ({"sweep": 1}, "sweep"),
        ({"axes": [1]}, "axes"),
        ({"sweep": {"base": "transient"}, "task": {"p_high": 0.5}}, "sweep.base"),
        ({"sweep": {"base": "transient"}, "axes": {"label_noize": [0.1]}}, "setting"),
        ({"sweep": {"base": "transient"}, "axes": {"label_noise": [0.1], "task.label_noise": [0.2]}}, "axes"),
        ({"sweep": {"base": "transient"}, "axes": {"seed": list(range(2000)), "steps": list(range(2000))}}, "axes"),
    ],
)
def test_bad_files(parsed: dict[str, Any], field: str) -> None:
    with pytest.raises(SettingError) as caught:
        grid_of(parsed)
    assert caught.value.field == field


def test_files(tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text("class,count\na,3\nb,1\n")
    (tmp_path / "base.toml").write_text('[task]\ncounts_file = "counts.csv"\n')
    path = tmp_path / "grid.toml"
    path.write_text('[sweep]\nbase = "base.toml"\nset = { label_noise = 0.1 }\n[axes]\np_relevant = [0.5, 1.0]\n')
    task = read_grid(path).cells[0].configuration.setting["task"]
    assert (task["counts"], task["label_noise"], task["p_relevant"]) == ([3, 1], 0.1, 0.5)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "counts.csv").write_text("class,count\nc,1\nd,1\ne,7\n")
    other = tmp_path / "mine" / "grid.toml"
    other.write_text('[sweep]\nbase = "words"\nset = { counts_file = "counts.csv" }\n')
    assert read_grid(other).cells[0].configuration.setting["task"]["counts"] == [1, 1, 7]
    path.write_text("[sweep\n")
    with pytest.raises(SettingError, match="valid TOML"):
        read_grid(path)
    with pytest.raises(SettingError, match="grid file"):
        read_grid(tmp_path / "none.toml")


def test_the_example_is_a_grid() -> None:
    assert read_grid(Path(__file__).parents[3] / "examples" / "grid.toml").shape == (7, 4)


def test_a_grid_comes_back_from_its_own_description() -> None:
    axes = {"world": {"cases": {"a": {"num_low": 5}, "b": {"num_low": 6}}}, "label_noise": [0, 0.1]}
    found = grid(axes, measure="evaluate", options={"prompts": 30}, skip_impossible=True)
    again = Grid.from_dict(found.to_dict())
    assert again.key == found.key
    assert again.cells == found.cells


# Every way to say where a grid starts from.


def test_a_grid_starts_from_whatever_names_a_setting() -> None:
    numbers: dict[str, Any] = {"axes": {"label_noise": "0:0.1:2"}, "steps": 500}
    found = [Grid(setting=given, **numbers) for given in ("transient", load("transient"), read("transient"))]
    assert len({one.key for one in found}) == 1
    alone = Grid(setting="transient", axes=grid_axis("label_noise", "0:0.1:2"), steps=500)
    assert alone.key == found[0].key


@pytest.mark.parametrize("setting", [None, 3, ("transient", 1), [1]])
def test_what_names_no_setting(setting: Any) -> None:
    with pytest.raises(SettingError):
        Grid(setting=setting, axes={})


@pytest.mark.parametrize("axes", [None, "label_noise", [1], ({"label_noise": [1]},)])
def test_what_are_no_axes(axes: Any) -> None:
    with pytest.raises(SettingError, match="axes"):
        Grid(setting="transient", axes=axes)


def test_parts_that_do_not_fit_a_point_are_found_before_anything_runs() -> None:
    axes = {"num_low": [95, 30_000]}
    with pytest.raises(SettingError, match=r"floor.*at the point num_low = 30000"):
        grid(axes)
    assert [cell.values for cell in grid(axes, skip_impossible=True).cells] == [(95,)]
    noisy = {"model.in_context.kind": ["kernel-attention"], "num_low": [95, 30_000]}
    assert [cell.values[1] for cell in grid(noisy, skip_impossible=True).cells] == [95]


@pytest.mark.parametrize("key", ["label_noise", "task.label_noise"])
def test_a_setting_has_a_value_or_an_axis(key: str) -> None:
    with pytest.raises(SettingError, match="an axis changes"):
        grid(set={key: 0.3})


def test_a_dotted_axis_without_quotes_is_told_so() -> None:
    with pytest.raises(SettingError, match=r"in quotes, such as \"model.in_context\""):
        grid({"model": {"in_context": {"odds": [1, 2]}}})


# Names.


def one(**changes: Any) -> Configuration:
    task, model = load("transient")
    settings_ = {"measure": "run", "setting": to_dict(task, model), "steps": 10, "replicates": 1, "seed": 0, **changes}
    return Configuration(**settings_)


def test_every_part_of_a_configuration_is_in_its_name() -> None:
    other, model = load("transient", overrides=["label_noise=0.06"])
    variants = [
        one(),
        one(measure="trace"),
        one(setting=to_dict(other, model)),
        one(steps=11),
        one(replicates=2),
        one(seed=1),
        one(options={"prompts": 1}),
    ]
    assert len({variant.key for variant in variants}) == len(variants)


@given(order=st.permutations(["p_high", "num_high", "num_low", "context_length"]))
@settings(max_examples=20, deadline=None)
def test_the_order_of_keys_does_not_matter(order: list[str]) -> None:
    setting = one().setting
    shuffled = {"task": {key: setting["task"][key] for key in (*order, *setting["task"])}, "model": setting["model"]}
    assert one(setting=shuffled).key == one().key


def test_the_contents_of_files_count_not_their_place(tmp_path: Path) -> None:
    keys, seeds = [], []
    for name, scale in (("one", 1.0), ("two", 1.0), ("three", 2.0)):
        (tmp_path / name).mkdir()
        file = tmp_path / name / "inputs.npz"
        np.savez(file, embeddings=np.eye(100) * scale, classes=np.arange(100))
        base = tmp_path / name / "base.toml"
        base.write_text(
            '[episodes]\ncontext_length = 4\n[episodes.classes]\nfrequencies = "uniform"\nnum_classes = 100\n'
            '[[episodes.rows]]\nname = "plain"\nshare = 1.0\nmatches = "iid"\n'
            '[episodes.inputs]\nkind = "array"\nfile = "inputs.npz"\n'
        )
        found = grid_of({"sweep": {"base": str(base)}})
        keys.append(found.key)
        seeds.append(found.cells[0].configuration.seed)
        found.cells[0].configuration.check_files()
    assert keys[0] == keys[1] != keys[2]
    assert seeds[0] == seeds[1] != seeds[2]
    np.savez(file, embeddings=np.eye(100) * 3, classes=np.arange(100))
    with pytest.raises(SettingError, match="the contents that it had"):
        found.cells[0].configuration.check_files()


@pytest.mark.parametrize(
    "data",
    [None, 3, {}, *({**one().to_dict(), **change} for change in ({"more": 1}, {"setting": 3}, {"steps": 0}))],
)
def test_what_is_no_configuration(data: Any) -> None:
    with pytest.raises(SettingError):
        Configuration.from_dict(data)


def test_a_users_own_part_has_no_name() -> None:
    setting = replace(one(), setting={"model": {"gate": object()}})
    with pytest.raises(SettingError, match="numbers, text, lists and tables"):
        _ = setting.key


# Shards.


@given(cells=st.integers(0, 40), n=st.integers(1, 45))
@settings(max_examples=50, deadline=None)
def test_shards_share_out_all_cells(cells: int, n: int) -> None:
    every: Any = tuple(range(cells))
    parts = [shard_of(every, f"{i + 1}/{n}") for i in range(n)]
    assert sorted(cell for part in parts for cell in part) == list(every)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1/0", "1", "a/b", "1/3/5", "-1/3", "1.0/3", "", None, 3])
def test_bad_shards(shard: Any) -> None:
    with pytest.raises(SettingError, match="i/n"):
        shard_of((), shard)
