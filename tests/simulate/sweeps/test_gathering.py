"""Gathering: every number of every cell in its place, and nothing where there is nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.sweeps.gathering import axis_labels, gather
from simulate.sweeps.grid import Grid
from simulate.sweeps.grid_axes import grid_axis
from simulate.sweeps.measures import measure
from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.tables import Table, quantity
from theory.errors import SettingError
from theory.setting_file import read


def grid(axes: Mapping[str, Any], **changes: Any) -> Grid:
    made = tuple(grid_axis(name, values) for name, values in axes.items())
    return Grid(**{"setting": read("transient"), "axes": made, "steps": 100, "replicates": 2, **changes})


TWO_AXES = {"label_noise": [0.0, 0.1], "relevant_examples": [1, 2, 4]}


def gathered(of: Grid, tables: Mapping[tuple[int, ...], Table]) -> SweepTable:
    places = {cell.configuration.key: cell.index for cell in of.cells}
    return gather(of, lambda configuration: tables.get(places[configuration.key]))


def table(
    labels: list[Any], values: list[Any], name: str = "gate_mean", dimension: str = "class", unit: str = ""
) -> Table:
    return Table(coordinates={dimension: np.array(labels)}, quantities={name: quantity([dimension], values, unit, "")})


# Every number in its place.


@pytest.mark.parametrize(
    ("name", "options"),
    [("run", {"curve_points": 7}), ("evaluate", {"prompts": 3}), ("trace", {"prompts": 3, "checkpoints": 3})],
)
def test_every_cell_is_in_its_place(name: str, options: Any) -> None:
    of = grid(TWO_AXES, measure=name, options=options)
    tables = {cell.index: measure(cell.configuration) for cell in of.cells}
    result = gathered(of, tables)
    assert (result.shape, result.axes) == ((2, 3), ("label_noise", "relevant_examples"))
    assert result.complete.all()
    for index, one in tables.items():
        for key, found in one.quantities.items():
            assert result.values(key)[index].tolist() == found.masked.tolist()
            assert result.inner_dimensions(key) == found.dimensions
            assert (result.quantities[key].unit, result.quantities[key].meaning) == (found.unit, found.meaning)


def test_values_at_labels() -> None:
    of = grid(TWO_AXES)
    tables = {cell.index: table(["high", "low"], [10.0 * cell.index[0] + cell.index[1], None]) for cell in of.cells}
    result = gathered(of, tables)
    assert result.values("gate_mean", **{"class": "high"}).tolist() == [[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]]
    assert result.values("gate_mean", **{"class": "low"}).mask.all()
    assert result.values("gate_mean", label_noise=0.1, **{"class": "high"}).tolist() == [10.0, 11.0, 12.0]
    assert result.values("gate_mean", label_noise=0.1, relevant_examples=2, **{"class": "high"}).tolist() == 11.0
    assert result.values("gate_mean").shape == (2, 3, 2)


def test_what_is_given_out_is_a_copy() -> None:
    of = grid({"label_noise": [0.1]})
    result = gathered(of, {(0,): table(["high"], [0.5])})
    result.values("gate_mean")[...] = 7.0
    assert result.values("gate_mean").tolist() == [[0.5]]


def test_a_grid_of_one_cell() -> None:
    of = grid({})
    single = Table(coordinates={}, quantities={"regret": quantity([], 1.5, "nats", "")})
    result = gathered(of, {(): single})
    assert (result.shape, result.values("regret").tolist(), bool(result.complete)) == ((), 1.5, True)


# What is not there.


def test_cells_that_were_not_computed_are_missing() -> None:
    of = grid(TWO_AXES)
    result = gathered(of, {(0, 1): table(["high", "low"], [0.25, 0.75])})
    assert result.complete.tolist() == [[False, True, False], [False, False, False]]
    assert result.possible.all()
    assert result.values("gate_mean", **{"class": "low"}).tolist() == [[None, 0.75, None], [None, None, None]]


def test_points_that_are_no_settings_are_told_from_cells_that_wait() -> None:
    of = grid({"relevant_examples": [8, 9]}, skip_impossible=True)
    result = gathered(of, {})
    assert (result.possible.tolist(), result.complete.tolist()) == ([True, False], [False, False])


def test_nothing_was_computed() -> None:
    result = gathered(grid(TWO_AXES), {})
    assert (dict(result.quantities), result.coordinates["relevant_examples"].tolist()) == ({}, [1, 2, 4])


# Cells of different classes.


def test_other_classes_are_joined() -> None:
    of = grid({"label_noise": [0.0, 0.1]})
    result = gathered(of, {(0,): table(["b", "a"], [1.0, 2.0]), (1,): table(["c", "a"], [3.0, 4.0])})
    assert result.coordinates["class"].tolist() == ["b", "a", "c"]
    assert result.values("gate_mean").tolist() == [[1.0, 2.0, None], [None, 4.0, 3.0]]


def test_other_checkpoints_are_joined_in_their_order() -> None:
    of = grid({"label_noise": [0.0, 0.1]})
    one, other = table([1, 10], [0.1, 0.2], dimension="checkpoint"), table([1, 5], [0.3, 0.4], dimension="checkpoint")
    result = gathered(of, {(0,): one, (1,): other})
    assert result.coordinates["checkpoint"].tolist() == [1, 5, 10]
    assert result.values("gate_mean").tolist() == [[0.1, None, 0.2], [0.3, 0.4, None]]


def test_an_axis_of_class_numbers() -> None:
    setting = {"task": {"frequencies": "zipf", "zipf_exponent": 1.0, "num_classes": 3, "context_length": 2}}
    of = grid({"num_classes": [3, 2]}, setting=setting)
    tables = {cell.index: measure(cell.configuration) for cell in of.cells}
    result = gathered(of, tables)
    found = result.values("class_probability")
    assert found.tolist()[1] == [2 / 3, 1 / 3, None]
    assert found[0].tolist() == pytest.approx([6 / 11, 3 / 11, 2 / 11], rel=1e-12)


classes = st.lists(st.sampled_from("abcd"), min_size=1, max_size=4, unique=True)


@st.composite
def cell_tables(draw: Callable[..., Any]) -> Table:
    labels, points = draw(classes), draw(st.lists(st.sampled_from([1, 2, 5, 9]), min_size=1, unique=True))
    values = draw(
        st.lists(
            st.one_of(st.none(), st.floats(0, 1)),
            min_size=len(labels) * len(points),
            max_size=len(labels) * len(points),
        )
    )
    mask = np.array([value is None for value in values]).reshape(len(labels), -1)
    numbers = np.array([value or 0.0 for value in values]).reshape(mask.shape)
    found = {"curve": quantity(["class", "checkpoint"], np.ma.MaskedArray(numbers, mask=mask), "", "")}
    if draw(st.booleans()):
        found["single"] = quantity([], draw(st.integers(0, 9)), "", "")
    return Table(coordinates={"class": np.array(labels), "checkpoint": np.array(points)}, quantities=found)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.tuples(st.integers(0, 1), st.integers(0, 2)), cell_tables()))
def test_gathering_against_a_dictionary(tables: dict[tuple[int, ...], Table]) -> None:
    result = gathered(grid(TWO_AXES), tables)
    expected: dict[Any, Any] = {}
    for index, one in tables.items():
        for i, label in enumerate(one.coordinates["class"].tolist()):
            for j, point in enumerate(one.coordinates["checkpoint"].tolist()):
                expected[*index, label, point] = one.quantities["curve"].masked[i, j].tolist()
    if not tables:
        assert not result.quantities
        return
    curve = result.values("curve")
    for place in np.ndindex(curve.shape):
        label, point = result.coordinates["class"][place[2]], result.coordinates["checkpoint"][place[3]]
        assert curve[place].tolist() == expected.get((*place[:2], str(label), int(point)))
    singles = {
        index: one.quantities["single"].values.tolist() for index, one in tables.items() if "single" in one.quantities
    }
    if singles:
        found = result.values("single")
        assert {place: found[place] for place in np.ndindex(2, 3) if found[place] is not np.ma.masked} == singles


def test_unlike_cells_are_refused() -> None:
    of = grid({"label_noise": [0.0, 0.1]})
    first = table(["a"], [1.0])
    for other in (
        table(["a"], [1]),
        table(["a"], [1.0], unit="steps"),
        table(["a"], [1.0], dimension="stratum"),
    ):
        with pytest.raises(ValueError, match="'gate_mean' is not alike"):
            gathered(of, {(0,): first, (1,): other})
    with pytest.raises(ValueError, match="text in one cell"):
        gathered(of, {(0,): first, (1,): table([1], [1.0])})


# Axes.


@pytest.mark.parametrize(
    ("values", "kind", "labels"),
    [
        ([3, 1], "i", [3, 1]),
        ([3, 0.5], "f", [3.0, 0.5]),
        ([True, False], "U", ["true", "false"]),
        (["x", 2], "U", ["x", "2"]),
        ([1, True], "U", ["1", "true"]),
        ([1, "1"], "U", ["1", '"1"']),
        ([2**53 + 1, 0.5], "U", ["9007199254740993", "0.5"]),
        ([2**63, 1], "U", ["9223372036854775808", "1"]),
    ],
)
def test_labels_of_axes(values: Any, kind: str, labels: Any) -> None:
    found = axis_labels(values)
    assert (found.dtype.kind, found.tolist()) == (kind, labels)


@pytest.mark.parametrize("name", ["class", "gate_mean", "gate_mean_missing", "complete", "dimensions"])
def test_an_axis_with_the_name_of_something_else_is_told_apart(name: str) -> None:
    cases = {"cases": {"few": {"num_low": 5}, "many": {"num_low": 50}}}
    of = grid({name: cases, f"axis.{name}": {"cases": {"one": {"label_noise": 0.0}}}})
    result = gathered(of, {(0, 0): table(["high"], [0.5])})
    assert result.axes == (f"axis.axis.{name}", f"axis.{name}")
    assert result.values("gate_mean", **{f"axis.axis.{name}": "few"}).tolist() == [[0.5]]


# Bad questions.


def test_unknown_names_are_named() -> None:
    result = gathered(grid(TWO_AXES), {(0, 0): table(["high", "low"], [0.5, 0.7])})
    for name, at, message in (
        ("gate_man", {}, "did you mean 'gate_mean'"),
        ("gate_mean", {"clas": "low"}, "did you mean 'class'"),
        ("gate_mean", {"class": "lo"}, "did you mean 'low'"),
        ("gate_mean", {"class": 0}, "one of high, low"),
        ("gate_mean", {"relevant_examples": 3}, "one of 1, 2, 4"),
        ("gate_mean", {"relevant_examples": True}, "one of 1, 2, 4"),
        ("gate_mean", {"relevant_examples": None}, "one of 1, 2, 4"),
        ("gate_mean", {"relevant_examples": np.array([1, 2])}, "one of 1, 2, 4"),
        ("gate_mean", {"label_noise": "0.1"}, "one of 0.0, 0.1"),
    ):
        with pytest.raises(SettingError, match=message):
            result.values(name, **at)


def test_a_result_is_checked() -> None:
    valid: dict[str, Any] = {
        "axes": ("x",),
        "coordinates": {"x": np.array([1, 2])},
        "quantities": {"one": quantity(["x"], [1.0, 2.0], "", "")},
        "complete": np.ones(2, dtype=bool),
        "possible": np.ones(2, dtype=bool),
        "description": {},
    }
    SweepTable(**valid)
    other = {"x": np.array([1, 2]), "y": np.array([1, 2])}
    for changes, message in (
        ({"complete": np.ones(3, dtype=bool)}, "'complete'"),
        ({"possible": np.ones(2)}, "'possible'"),
        (
            {
                "coordinates": {"x": np.array([1, 1])},
            },
            "labels of 'x'",
        ),
        ({"quantities": {"one": quantity(["x"], [1.0], "", "")}}, "1 values along 'x'"),
        ({"coordinates": other, "quantities": {"one": quantity(["y"], [1.0, 2.0], "", "")}}, "begin with the axes"),
    ):
        with pytest.raises(ValueError, match=message):
            SweepTable(**{**valid, **changes})


def test_how_it_was_computed_goes_along() -> None:
    of = grid(TWO_AXES, options={"curve_points": 5}, seed=3)
    told = gathered(of, {}).description
    assert (told["measure"], told["steps"], told["replicates"], told["seed"]) == ("run", 100, 2, 3)
    assert '"num_high"' in str(told["setting"])
