"""Exports, read back by others' readers: the same numbers, the same bytes each time, whole files or none."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from scipy.io import netcdf_file

from simulate.sweeps.exporting import export_netcdf, export_npz
from simulate.sweeps.gathering import gather
from simulate.sweeps.grid_file import grid_of
from simulate.sweeps.measures import measure
from simulate.sweeps.netcdf_export import plain_names
from simulate.sweeps.tables import quantity
from tests.simulate.sweeps.results import EXPORTS, result_of, rows_of, text_of
from theory.errors import OutputError

every_export = pytest.mark.parametrize("suffix", list(EXPORTS))


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


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, -(2**63)])
def test_whole_numbers_are_never_rounded(number: int, tmp_path: Path) -> None:
    large = quantity(("model.gate.kind", "p_high"), [[1, 2], [number, 3]], "", "")
    with pytest.raises(OutputError, match=r"beyond 2\^53"):
        export_netcdf(result_of(quantities={"large": large}), tmp_path / "x.nc")
    assert not list(tmp_path.iterdir())


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
