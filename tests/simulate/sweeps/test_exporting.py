"""Exports, read back by others' readers: the same numbers, blanks where nothing is, the same bytes each time."""

from __future__ import annotations

import csv
import json
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import netcdf_file

from simulate.sweeps.exporting import export_csv, export_netcdf, export_npz
from simulate.sweeps.gathering import gather
from simulate.sweeps.grid_file import grid_of
from simulate.sweeps.measures import measure
from simulate.sweeps.netcdf_export import plain_names
from simulate.sweeps.sweep_table import SweepTable
from simulate.sweeps.tables import quantity
from theory.errors import OutputError

EXPORTS: dict[str, Callable[..., list[Path]]] = {".csv": export_csv, ".npz": export_npz, ".nc": export_netcdf}
every_export = pytest.mark.parametrize("suffix", list(EXPORTS))


def result_of(**changes: Any) -> SweepTable:
    """A grid of 2 x 2 cells, the last of which was not computed; class "low" is lacking in one cell."""
    gate = [[[0.1, 0.2], [1 / 3, None]], [[5e-324, math.inf], [None, None]]]
    curve = np.ma.MaskedArray(np.arange(12.0).reshape(2, 2, 3), mask=np.arange(12).reshape(2, 2, 3) > 8)
    members = [[[5, 95], [5, None]], [[5, 2**40], [None, None]]]
    axes = ("model.gate.kind", "p_high")
    valid: dict[str, Any] = {
        "axes": axes,
        "coordinates": {
            "model.gate.kind": np.array(["bayes", "adahedge"]),
            "p_high": np.array([0.5, 0.9]),
            "class": np.array(["hïgh", 'l"o,w\nx']),
            "checkpoint": np.array([1, 10, 10**15]),
        },
        "quantities": {
            "gate_mean": quantity([*axes, "class"], gate, "", "mean gate"),
            "members": quantity([*axes, "class"], members, "", "classes"),
            "regret": quantity(axes, [[1.5, -0.0], [2.5, None]], "nats", "largest regret"),
            "curve": quantity([*axes, "checkpoint"], curve, "", "gate over steps"),
            "rising": quantity(axes, np.array([[True, False], [True, False]]), "", "whether it rises"),
        },
        "complete": np.array([[True, True], [True, False]]),
        "possible": np.ones((2, 2), dtype=bool),
        "description": {"measure": "run", "steps": 100, "seed": 2**70, "setting": '{"a": "é"}'},
    }
    return SweepTable(**{**valid, **changes})


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


# CSV.


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


# npz.


def test_an_npz_file_explains_itself(tmp_path: Path) -> None:
    result = result_of()
    assert export_npz(result, tmp_path / "x.npz") == [tmp_path / "x.npz"]
    with np.load(tmp_path / "x.npz", allow_pickle=False) as file:
        arrays = dict(file)
    told = json.loads(str(arrays["dimensions"]))
    assert told["axes"] == ["model.gate.kind", "p_high"]
    assert told["description"]["seed"] == 2**70
    for name, one in told["quantities"].items():
        shape = tuple(arrays[dimension].size for dimension in one["dimensions"])
        missing = arrays.get(f"{name}_missing", np.zeros(shape, dtype=bool))
        assert arrays[name].shape == shape
        assert np.ma.MaskedArray(arrays[name], mask=missing).tolist() == result.values(name).tolist()
    assert told["quantities"]["regret"] == {
        "dimensions": ["model.gate.kind", "p_high"],
        "unit": "nats",
        "meaning": "largest regret",
    }
    assert "rising_missing" not in arrays
    assert (arrays["complete"].tolist(), arrays["possible"].all()) == ([[True, True], [True, False]], True)


def test_an_npz_file_has_no_time_of_its_own(tmp_path: Path) -> None:
    export_npz(result_of(), tmp_path / "x.npz")
    with zipfile.ZipFile(tmp_path / "x.npz") as file:
        assert {member.date_time for member in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_one_name_for_two_things_is_refused(tmp_path: Path) -> None:
    axes = ("model.gate.kind", "p_high")
    one = quantity(axes, [[None, 1.0], [1.0, 1.0]], "", "")
    with pytest.raises(OutputError, match="'one_missing' stands for two things"):
        export_npz(result_of(quantities={"one": one, "one_missing": one}), tmp_path / "x.npz")
    assert not list(tmp_path.iterdir())


# netCDF.


def text_of(variable: Any) -> list[str]:
    return [row.tobytes().rstrip(b"\0").decode() for row in np.asarray(variable[...])]


def test_a_netcdf_file_holds_everything(tmp_path: Path) -> None:
    result = result_of()
    assert export_netcdf(result, tmp_path / "x.nc") == [tmp_path / "x.nc"]
    assert (tmp_path / "x.nc").read_bytes()[:4] == b"CDF\x02"
    with netcdf_file(tmp_path / "x.nc", mmap=False, maskandscale=True) as file:
        assert file.variables["gate_mean"].dimensions == ("model_gate_kind", "p_high", "class")
        for name in result.quantities:
            assert np.ma.MaskedArray(file.variables[name][...]).tolist() == result.values(name).tolist()
        assert text_of(file.variables["class"]) == result.coordinates["class"].tolist()
        assert text_of(file.variables["model_gate_kind"]) == ["bayes", "adahedge"]
        assert file.variables["checkpoint"][...].tolist() == [1, 10, 10**15]
        assert file.variables["p_high"][...].tolist() == [0.5, 0.9]
        assert file.variables["complete"][...].tolist() == [[1, 1], [1, 0]]


def test_netcdf_attributes(tmp_path: Path) -> None:
    export_netcdf(result_of(), tmp_path / "x.nc")
    with netcdf_file(tmp_path / "x.nc", mmap=False) as file:
        told = {name: variable._attributes for name, variable in file.variables.items()}
        assert (file.measure, int(file.steps), file.seed) == (b"run", 100, str(2**70).encode())
        assert json.loads(file.setting.decode()) == {"a": "é"}
    assert told["regret"] == {"long_name": b"largest regret", "units": b"nats", "_FillValue": 9.969209968386869e36}
    assert told["rising"] == {"long_name": b"whether it rises"}
    assert told["model_gate_kind"]["setting"] == b"model.gate.kind"
    assert told["class"] == {"long_name": b"class", "_Encoding": b"utf-8"}
    assert told["checkpoint"]["units"] == b"steps"


def test_whole_numbers_stay_whole_where_the_format_has_them(tmp_path: Path) -> None:
    axes = ("model.gate.kind", "p_high")
    small = quantity(axes, [[1, None], [2**31 - 2, -3]], "", "")
    large = quantity(axes, [[1, 2], [2**53, -3]], "", "")
    export_netcdf(result_of(quantities={"small": small, "large": large}), tmp_path / "x.nc")
    with netcdf_file(tmp_path / "x.nc", mmap=False, maskandscale=True) as file:
        found = {name: file.variables[name][...] for name in ("small", "large")}
    assert (found["small"].dtype.kind, found["large"].dtype.kind) == ("i", "f")
    assert (found["small"].tolist(), found["large"].tolist()) == ([[1, None], [2**31 - 2, -3]], [[1, 2], [2**53, -3]])


def test_a_value_that_is_the_fill_value_is_not_lost(tmp_path: Path) -> None:
    fill = 9.969209968386869e36
    values = [[fill, None], [np.nextafter(fill, 0), 1.0]]
    result = result_of(quantities={"one": quantity(("model.gate.kind", "p_high"), values, "", "")})
    export_netcdf(result, tmp_path / "x.nc")
    with netcdf_file(tmp_path / "x.nc", mmap=False, maskandscale=True) as file:
        assert file.variables["one"][...].tolist() == values


@pytest.mark.parametrize(
    ("names", "plain"),
    [
        (["a.b", "a_b", "a b"], ["a_b", "a_b_2", "a_b_3"]),
        (["episodes.rows.bürsty.share"], ["episodes_rows_b_rsty_share"]),
        (["1st", "_x", ""], ["axis_1st", "axis__x", "axis_"]),
        (["a.b", "a_b_2", "a_b"], ["a_b", "a_b_2", "a_b_3"]),
    ],
)
def test_plain_names(names: list[str], plain: list[str]) -> None:
    assert list(plain_names(names).values()) == plain


# All of them.


@every_export
def test_the_same_result_gives_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        EXPORTS[suffix](result_of(), tmp_path / folder / f"x{suffix}")
    first, second = (sorted((tmp_path / folder).iterdir()) for folder in ("one", "other"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    changed = quantity(
        ["model.gate.kind", "p_high"], [[1.5, -0.0], [2.5000000000000004, None]], "nats", "largest regret"
    )
    EXPORTS[suffix](result_of(quantities={**result_of().quantities, "regret": changed}), first[-1])
    assert first[-1].read_bytes() != second[-1].read_bytes()


@every_export
def test_a_file_is_whole_or_not_there(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / f"x{suffix}"
    target.write_text("what was there before")
    with pytest.raises(OutputError, match="nowhere"):
        EXPORTS[suffix](result_of(), tmp_path / "nowhere" / f"x{suffix}")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    # The disk is full when the finished file is to get its name.
    monkeypatch.setattr("theory.command.os.replace", full)
    with pytest.raises(OutputError, match="No space left"):
        EXPORTS[suffix](result_of(), target)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["what was there before"]


@pytest.mark.parametrize("name", ["run", "evaluate", "trace"])
def test_a_sweep_that_was_simulated(name: str, tmp_path: Path) -> None:
    options = {"run": {"curve_points": 5}, "evaluate": {"prompts": 3}, "trace": {"prompts": 3, "checkpoints": 2}}[name]
    sweep = {"base": "transient", "steps": 60, "replicates": 2, "measure": name, "options": options}
    grid = grid_of({"sweep": sweep, "axes": {"label_noise": [0.0, 0.1], "model.gate.kind": ["bayes", "logistic"]}})
    result = gather(grid, measure)
    written = [path for suffix, export in EXPORTS.items() for path in export(result, tmp_path / f"x{suffix}")]
    names = {
        "run": ["x.csv", "x-stratum-checkpoint.csv"],
        "evaluate": ["x.csv"],
        "trace": ["x.csv", "x-class-checkpoint.csv"],
    }[name]
    assert [path.name for path in written] == [*names, "x.npz", "x.nc"]
    with (
        np.load(tmp_path / "x.npz", allow_pickle=False) as arrays,
        netcdf_file(tmp_path / "x.nc", mmap=False, maskandscale=True) as file,
    ):
        for key in result.quantities:
            expected = result.values(key).tolist()
            assert np.ma.MaskedArray(file.variables[key][...]).tolist() == expected
            assert np.ma.MaskedArray(arrays[key], mask=arrays.get(f"{key}_missing", False)).tolist() == expected
    rows = [row for path in written[: len(names)] for row in rows_of(path)]
    for key in result.quantities:
        told = [float(row[key]) for row in rows if row.get(key)]
        assert set(told) == set(result.values(key).compressed().tolist())
