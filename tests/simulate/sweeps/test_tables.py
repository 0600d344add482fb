"""Tables: what they hold, what they refuse, and that taking them apart loses nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.sweeps.tables import Quantity, Table, distinct, quantity

Arrays = dict[str, Any]


def small_table() -> Table:
    return Table(
        coordinates={"class": np.array(["high", "low"]), "checkpoint": np.array([1, 10, 100])},
        quantities={
            "members": quantity(["class"], [5, 95], "", "number of classes"),
            "crossing_steps": quantity(["class"], [149.8, None], "steps", "where it crosses"),
            "gate": quantity(["class", "checkpoint"], np.linspace(0, 1, 6).reshape(2, 3), "", "gate"),
            "regret": quantity([], -0.25, "nats", "regret"),
        },
    )


def same(first: Table, second: Table) -> bool:
    one, other = first.to_arrays(), second.to_arrays()
    return list(one) == list(other) and all(
        a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        for a, b in zip(one.values(), other.values(), strict=True)
    )


# Quantities.


@pytest.mark.parametrize(
    ("dimensions", "values", "kind", "expected", "missing"),
    [
        (["x"], [1, None, 3], "i", [1, 0, 3], [False, True, False]),
        (["x"], [1.5, None], "f", [1.5, 0.0], [False, True]),
        (["x"], [None, None], "f", [0.0, 0.0], [True, True]),
        (["x"], [True, False], "b", [True, False], None),
        ([], 2.5, "f", 2.5, None),
        ([], None, "f", 0.0, True),
        ([], float("inf"), "f", float("inf"), None),
        (["x"], np.array([1, 2], dtype=np.int32), "i", [1, 2], None),
        (["x"], np.array([1, 2], dtype=np.float32), "f", [1.0, 2.0], None),
        (["x"], np.ma.MaskedArray([1.0, np.nan], mask=[False, True]), "f", [1.0, 0.0], [False, True]),
        (["x"], np.ma.MaskedArray([1.0, 7.0]), "f", [1.0, 7.0], None),
    ],
)
def test_numbers_of_all_kinds(dimensions: Any, values: Any, kind: str, expected: Any, missing: Any) -> None:
    found = quantity(dimensions, values, "steps", "meaning")
    assert found.values.dtype.kind == kind
    assert found.values.dtype.itemsize == (1 if kind == "b" else 8)
    assert found.values.tolist() == expected
    assert (None if found.missing is None else found.missing.tolist()) == missing
    assert np.ma.getmaskarray(found.masked).tolist() == (
        np.zeros(found.values.shape, bool).tolist() if missing is None else missing
    )


@pytest.mark.parametrize(
    "values", [[float("nan"), 1.0], ["a", "b"], [1j, 2.0], [[1.0, 2.0]], 1.0, [[1, 2], [3]], np.array([None, "a"])]
)
def test_what_is_no_list_of_numbers_is_refused(values: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - NumPy's own words for a ragged list
        quantity(["x"], values, "", "")


def made(**changes: Any) -> Quantity:
    valid = {"dimensions": ("x",), "values": np.array([1.0, 0.0]), "missing": np.array([False, True])}
    return Quantity(**{**valid, "unit": "", "meaning": "", **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": np.array([1.0, 2.0])}, "missing value is not 0"),
        ({"values": np.array([np.nan, 0.0])}, "not a number"),
        ({"values": np.array([1.0, 0.0], dtype=np.float32)}, "float32"),
        ({"values": np.array([1.0, 0.0], dtype=object)}, "object"),
        ({"missing": np.array([False])}, "shape"),
        ({"missing": np.array([0, 1])}, "booleans"),
        ({"dimensions": ("x", "y")}, "dimensions"),
        ({"dimensions": ("x", "x"), "values": np.zeros((2, 2)), "missing": None}, "dimensions"),
    ],
)
def test_a_quantity_is_checked(changes: dict[str, Any], message: str) -> None:
    made()
    with pytest.raises(ValueError, match=message):
        made(**changes)


def test_the_masked_array_is_a_copy() -> None:
    found = quantity(["x"], [1.0, None], "", "")
    found.masked[0] = 7.0
    assert found.values.tolist() == [1.0, 0.0]


# Tables.


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["a", "a"]),
        np.array([1, 1]),
        np.array([0.5, np.nan]),
        np.array([0.5, np.inf]),
        np.array([[1, 2]]),
        np.array([True, False]),
        np.array(["a", "b"], dtype=object),
        np.array([], dtype=np.int64),
        np.array(1),
        np.array([1, 2], dtype=np.int32),
    ],
)
def test_labels_have_to_tell_places_apart(labels: Any) -> None:
    with pytest.raises(ValueError, match="labels of 'x'"):
        Table(coordinates={"x": labels}, quantities={})


def test_quantities_have_to_fit_their_labels() -> None:
    one = quantity(["x"], [1.0, 2.0], "", "")
    with pytest.raises(ValueError, match="no labels"):
        Table(coordinates={}, quantities={"one": one})
    with pytest.raises(ValueError, match="2 values along 'x', not 3"):
        Table(coordinates={"x": np.arange(3)}, quantities={"one": one})


labels_of_axes = st.one_of(
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5),
        min_size=1,
        max_size=4,
        unique=True,
    ).map(np.array),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=4, unique=True).map(
        lambda x: np.array(x, dtype=np.int64)
    ),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=4, unique=True).map(np.array),
)
numbers = st.one_of(st.none(), st.floats(allow_nan=False))


@st.composite
def tables(draw: Callable[..., Any]) -> Table:
    coordinates = draw(st.dictionaries(st.sampled_from(["class", "base", "é"]), labels_of_axes, max_size=3))
    quantities = {}
    for name in draw(st.lists(st.sampled_from(["gate", "loss", "ß"]), unique=True)):
        dimensions = draw(st.permutations(list(coordinates)))[: draw(st.integers(0, 3))]
        shape = tuple(coordinates[dimension].size for dimension in dimensions)
        values = draw(st.lists(numbers, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
        mask = np.array([value is None for value in values]).reshape(shape)
        filled = np.array([0.0 if value is None else value for value in values]).reshape(shape)
        quantities[name] = quantity(dimensions, np.ma.MaskedArray(filled, mask=mask), draw(st.text(max_size=3)), "é\n")
    return Table(coordinates=coordinates, quantities=quantities)


@settings(max_examples=60, deadline=None)
@given(tables())
def test_taking_apart_loses_nothing(table: Table) -> None:
    arrays = table.to_arrays()
    assert all(array.dtype.kind in "Ufib" for array in arrays.values())
    assert same(Table.from_arrays(arrays), table)


@pytest.mark.parametrize("name", list(small_table().to_arrays()))
def test_an_array_that_is_lacking_or_altered_is_noticed(name: str) -> None:
    arrays = small_table().to_arrays()
    without = {key: array for key, array in arrays.items() if key != name}
    with pytest.raises(ValueError, match="no table"):
        Table.from_arrays(without)
    for altered in (arrays[name].astype(object), np.zeros((9, 9, 9)), None, "text"):
        with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
            Table.from_arrays({**arrays, name: altered})


def test_an_array_of_nothing_is_noticed() -> None:
    with pytest.raises(ValueError, match=r"'values\.more'"):
        Table.from_arrays({**small_table().to_arrays(), "values.more": np.zeros(2)})


@pytest.mark.parametrize(
    "description",
    [
        "",
        "[]",
        "{}",
        "null",
        "[" * 100_000,
        json.dumps({"format": 2, "dimensions": [], "quantities": {}}),
        json.dumps({"format": 1, "dimensions": 3, "quantities": {}}),
        json.dumps({"format": 1, "dimensions": [3], "quantities": {}}),
        json.dumps({"format": 1, "dimensions": [], "quantities": ["x"]}),
        json.dumps({"format": 1, "dimensions": [], "quantities": {"x": {"dimensions": [], "unit": 1, "meaning": ""}}}),
    ],
)
def test_a_description_of_another_kind_is_refused(description: str) -> None:
    arrays = {"description": np.array(description), "values.x": np.array(1.0)}
    with pytest.raises(ValueError):  # noqa: PT011 - JSON's own words, or ours
        Table.from_arrays(arrays)


def test_names_that_come_twice_are_numbered() -> None:
    assert distinct(["a", "a (2)", "a", "b", "a"]) == ["a", "a (2)", "a (3)", "b", "a (4)"]
