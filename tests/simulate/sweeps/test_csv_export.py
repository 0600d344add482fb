"""CSV exports, read back: the same numbers and names, blanks where nothing is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import netcdf_file

from simulate.sweeps.exporting import export_csv, export_netcdf
from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.tables import quantity
from tests.simulate.sweeps.results import EXPORTS, result_of, rows_of, text_of


def test_a_row_for_each_cell_and_class(tmp_path: Path) -> None:
    result = result_of()
    assert export_csv(result, tmp_path / "x.csv") == [tmp_path / "x.csv", tmp_path / "x-checkpoint.csv"]
    rows = rows_of(tmp_path / "x.csv")
    assert list(rows[0]) == ["model.gate.kind", "p_high", "class", "gate_mean", "members", "regret", "rising"]
    high, low = result.coordinates["class"].tolist()
    assert [list(row.values()) for row in rows] == [
        ["bayes", "0.5", high, "0.1", "5", "1.5", "True"],
        ["bayes", "0.5", low, "0.2", "95", "1.5", "True"],
        # The computed cell without the second class has no row of it; the cell that waits has blank ones.
        ["bayes", "0.9", high, repr(1 / 3), "5", "-0.0", "False"],
        ["adahedge", "0.5", high, "5e-324", "5", "2.5", "True"],
        ["adahedge", "0.5", low, "inf", str(2**40), "2.5", "True"],
        ["adahedge", "0.9", high, "", "", "", "False"],
        ["adahedge", "0.9", low, "", "", "", "False"],
    ]


@pytest.mark.parametrize("name", ["\r", "a\rb", 'a "b"', "a,b", " a ", "\n"])
def test_names_that_have_to_be_quoted(name: str, tmp_path: Path) -> None:
    labels = {**result_of().coordinates, "class": np.array([name, "x"])}
    export_csv(result_of(coordinates=labels), tmp_path / "x.csv")
    assert {row["class"] for row in rows_of(tmp_path / "x.csv")} == {name, "x"}


def test_curves_have_a_file_of_their_own(tmp_path: Path) -> None:
    export_csv(result_of(), tmp_path / "x.csv")
    rows = rows_of(tmp_path / "x-checkpoint.csv")
    assert [list(row.values()) for row in rows[:3]] == [
        ["bayes", "0.5", "1", "0.0"],
        ["bayes", "0.5", "10", "1.0"],
        ["bayes", "0.5", str(10**15), "2.0"],
    ]
    assert [row["curve"] for row in rows[9:]] == ["", "", ""]


def test_a_point_that_is_no_setting_has_no_row(tmp_path: Path) -> None:
    result = result_of(possible=np.array([[True, True], [True, False]]))
    export_csv(result, tmp_path / "x.csv")
    assert len(rows_of(tmp_path / "x.csv")) == 5


def test_single_numbers_alone_have_a_row_for_each_cell(tmp_path: Path) -> None:
    whole = result_of()
    alone = result_of(quantities={"regret": whole.quantities["regret"]})
    assert export_csv(alone, tmp_path / "x.csv") == [tmp_path / "x.csv"]
    assert [row["regret"] for row in rows_of(tmp_path / "x.csv")] == ["1.5", "-0.0", "2.5", ""]


def test_nothing_was_computed_yet(tmp_path: Path) -> None:
    empty = result_of(quantities={}, complete=np.zeros((2, 2), dtype=bool))
    export_csv(empty, tmp_path / "x.csv")
    assert [list(row.values()) for row in rows_of(tmp_path / "x.csv")] == [
        [kind, p] for kind in ("bayes", "adahedge") for p in ("0.5", "0.9")
    ]


def test_a_grid_of_one_cell(tmp_path: Path) -> None:
    one = SweepTable(
        axes=(),
        coordinates={"class": np.array(["high", "low"])},
        quantities={"gate": quantity(["class"], [0.5, 1.0], "", ""), "regret": quantity([], 0.25, "nats", "")},
        complete=np.ones((), dtype=bool),
        possible=np.ones((), dtype=bool),
        description={},
    )
    for suffix, export in EXPORTS.items():
        export(one, tmp_path / f"x{suffix}")
    expected = [{"class": "high", "gate": "0.5", "regret": "0.25"}, {"class": "low", "gate": "1.0", "regret": "0.25"}]
    assert rows_of(tmp_path / "x.csv") == expected
    with np.load(tmp_path / "x.npz", allow_pickle=False) as arrays:
        assert arrays["regret"].shape == ()
    with netcdf_file(tmp_path / "x.nc", mmap=False) as file:
        assert file.variables["regret"][...].tolist() == 0.25


finite_or_not = st.one_of(st.none(), st.floats(allow_nan=False))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(finite_or_not, min_size=6, max_size=6),
    st.lists(
        st.text(st.characters(codec="utf-8"), max_size=4),
        min_size=3,
        max_size=3,
        unique_by=lambda name: name.rstrip("\0"),
    ),
)
def test_every_float_and_every_name_is_read_back(tmp_path: Path, values: list[Any], names: list[str]) -> None:
    names = [name.rstrip("\0") for name in names]
    result = SweepTable(
        axes=("x",),
        coordinates={"x": np.array([0.1, 0.30000000000000004]), "class": np.array(names)},
        quantities={"one": quantity(["x", "class"], [values[:3], values[3:]], "", "")},
        complete=np.ones(2, dtype=bool),
        possible=np.ones(2, dtype=bool),
        description={},
    )
    export_csv(result, tmp_path / "x.csv")
    rows = rows_of(tmp_path / "x.csv")
    places = [(x, name) for x in (0.1, 0.30000000000000004) for name in names]
    there = {place: value for place, value in zip(places, values, strict=True) if value is not None}
    found = {(float(row["x"]), row["class"]): float(row["one"]) for row in rows}
    assert {key: value.hex() for key, value in found.items()} == {
        key: float(value).hex() for key, value in there.items()
    }
    # Sixteen digits, as many programs write, would not do.
    assert float(f"{0.30000000000000004:.16g}") != 0.30000000000000004
    check_netcdf_against(result, tmp_path)


def check_netcdf_against(result: SweepTable, folder: Path) -> None:
    export_netcdf(result, folder / "x.nc")
    with netcdf_file(folder / "x.nc", mmap=False, maskandscale=True) as file:
        assert text_of(file.variables["class"]) == result.coordinates["class"].tolist()
        found = np.ma.MaskedArray(file.variables["one"][...])
        assert found.tolist() == result.values("one").tolist()
