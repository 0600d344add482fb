"""The commands of the three packages: what they print, the JSON contract, files, and the shared helpers."""

from __future__ import annotations

import csv
import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

import figures.cli
import simulate.cli
import theory.cli
from theory.command import (
    check_writable,
    number,
    print_json,
    print_table,
    whole_number,
    writable_folder,
    write_atomically,
)
from theory.errors import OutputError
from theory.setting_file import load, presets

ROOT = Path(__file__).resolve().parents[2]
SHORT = ("--steps", "200", "--replicates", "2")
COUNTS = "class,count\nthe,6\nof,3\nand,1\nnever,0\n"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def strict_json(text: str) -> Any:
    """What a JSON text says, where NaN and Infinity are no numbers."""

    def refuse(token: str) -> NoReturn:
        raise AssertionError(f"{token} is not JSON")

    return json.loads(text, parse_constant=refuse)


def printed(capsys: pytest.CaptureFixture[str], main: Callable[[list[str]], int], *argv: str) -> str:
    """Standard output of a command that succeeds without a word on standard error."""
    assert main(list(argv)) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


# predict.


def check_prediction(group: dict[str, Any]) -> None:
    """Names and types of the JSON contract of one group or class."""
    assert {"class_probability", "bayes_risk", "in_context_risk", "phase", "vanish_visits", "vanish_steps"} <= set(
        group
    )
    assert set(group["vanish_visits"]) == {"instantaneous", "asymptotic", "sharp", "rigorous", "confidence"}
    assert set(group["vanish_steps"]) == {"sharp", "band", "rigorous", "confidence"}
    assert group["phase"] in {"in-weight", "transient", "persistent"}
    assert 0 <= group["class_probability"] <= 1
    assert 0 <= group["bayes_risk"] < math.inf
    assert 0 <= group["in_context_risk"] < math.inf
    for boundaries in (group["vanish_visits"], group["vanish_steps"]):
        lower, upper = boundaries["rigorous"] or (0, 1)
        assert 0 <= lower <= upper < math.inf
        for name in boundaries.keys() - {"rigorous", "band"}:
            assert boundaries[name] is None or 0 < boundaries[name] < math.inf


@pytest.mark.parametrize("preset", ["paper", "transient"])
def test_predict_json_of_groups(capsys: pytest.CaptureFixture[str], preset: str) -> None:
    answer = strict_json(printed(capsys, theory.cli.main, "predict", preset, "--json"))
    assert set(answer["groups"]) == {"high", "low"}
    for group in answer["groups"].values():
        check_prediction(group)
        assert group["phase"] == "transient"
        assert group["vanish_visits"]["sharp"] > group["vanish_visits"]["instantaneous"] > 0
    high, low = answer["groups"]["high"], answer["groups"]["low"]
    assert high["class_probability"] > low["class_probability"]
    assert high["vanish_steps"]["sharp"] < low["vanish_steps"]["sharp"]


def test_predict_json_of_the_paper_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    groups = strict_json(printed(capsys, theory.cli.main, "predict", "paper", "--json"))["groups"]
    risk = -0.9 * math.log(1 - 9e-4) - 0.1 * math.log(1e-4)
    for name, probability in (("high", 0.18), ("low", 0.02)):
        assert groups[name]["class_probability"] == pytest.approx(probability, rel=1e-14)
        assert groups[name]["bayes_risk"] == 0
        assert groups[name]["in_context_risk"] == pytest.approx(risk, rel=1e-12)


@pytest.mark.parametrize(
    ("law", "names"),
    [
        (["frequencies=uniform", "num_classes=3"], ["0", "1", "2"]),
        (["frequencies=zipf", "num_classes=3", "zipf_exponent=1"], ["0", "1", "2"]),
        (["frequencies=weights", "weights=[0.75, 0.25, 0]"], ["0", "1", "2"]),
        (["frequencies=counts", "counts=[6, 4]", "class_names=['x', 'y']"], ["x", "y"]),
    ],
)
def test_predict_json_of_classes(capsys: pytest.CaptureFixture[str], law: list[str], names: list[str]) -> None:
    answer = strict_json(printed(capsys, theory.cli.main, "predict", "paper", "--set", *law, "--json"))
    assert "groups" not in answer
    assert [entry["class"] for entry in answer["classes"]] == names
    for entry in answer["classes"]:
        check_prediction(entry)
    assert math.fsum(entry["class_probability"] for entry in answer["classes"]) == pytest.approx(1, abs=1e-14)


def test_predict_json_with_counts(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text(COUNTS, encoding="utf-8")
    answer = strict_json(printed(capsys, theory.cli.main, "predict", "paper", "--counts", "counts.csv", "--json"))
    found = [(entry["class"], entry["class_probability"]) for entry in answer["classes"]]
    assert found == [(name, pytest.approx(p)) for name, p in (("the", 0.6), ("of", 0.3), ("and", 0.1), ("never", 0))]
    assert answer["classes"][-1]["vanish_steps"]["sharp"] is None


@pytest.mark.parametrize(
    "overrides",
    [
        ["p_relevant=0"],
        ["p_relevant=1"],
        ["label_noise=1"],
        ["label_noise=1", "label_noise_kind=symmetric"],
        ["context_label_noise=1"],
        ["model.in_context.odds=1"],
        ["model.in_context.odds=1e100"],
        ["model.gate.prior_in_weight=1e-300"],
        ["model.gate.prior_in_weight=0.999999"],
        ["model.gate.per=query-and-relevance"],
        ["num_high=1", "num_low=1"],
        ["p_high=0.5"],
        ["context_length=8", "relevant_examples=8"],
    ],
    ids=" ".join,
)
def test_json_has_no_number_that_json_lacks(capsys: pytest.CaptureFixture[str], overrides: list[str]) -> None:
    predicted = strict_json(printed(capsys, theory.cli.main, "predict", "paper", "--set", *overrides, "--json"))
    for group in predicted["groups"].values():
        check_prediction(group)
    simulated = strict_json(printed(capsys, simulate.cli.main, "run", "paper", "--set", *overrides, *SHORT, "--json"))
    for group in simulated["groups"].values():
        check_run(group)


def test_predict_says_which_setting_it_used(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("predict", "paper", "--set", "label_noise=0.1", "p_high=.5", "--set", "label_noise=0.25", "--json")
    setting = strict_json(printed(capsys, theory.cli.main, *argv))["setting"]
    assert (setting["task"]["label_noise"], setting["task"]["p_high"]) == (0.25, 0.5)


def test_predict_table(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, theory.cli.main, "predict", "paper").splitlines()
    assert lines[0].split()[0] == "class"
    assert [line.split()[:3] for line in lines[1:3]] == [["high", "(5)", "0.18"], ["low", "(5)", "0.02"]]
    assert all("transient" in line for line in lines[1:3])


def test_a_long_table_is_cut_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("predict", "paper", "--set", "frequencies=uniform", "num_classes=40")
    lines = printed(capsys, theory.cli.main, *argv).splitlines()
    assert len([line for line in lines if "transient" in line]) == 25
    assert "... and 15 more rows (--json prints all)" in lines
    everything = strict_json(printed(capsys, theory.cli.main, *argv, "--json"))
    assert len(everything["classes"]) == 40


# presets and setting.


def test_presets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, theory.cli.main, "presets").splitlines()
    assert [line.split()[0] for line in lines] == list(presets())


def test_a_printed_setting_is_a_settings_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text('class,count\n"say ""hi"", \\you",3\n类🐍,1\n', encoding="utf-8")
    argv = ("zipf", "--counts", "counts.csv", "--set", "label_noise=0.25", "model.in_context.odds=7")
    text = printed(capsys, theory.cli.main, "setting", *argv)
    (tmp_path / "again.toml").write_text(text, encoding="utf-8")
    task, model = load("again.toml")
    assert (task, model) == load("zipf", counts="counts.csv", overrides=argv[4:])
    assert task.class_names == ('say "hi", \\you', "类🐍")
    assert printed(capsys, theory.cli.main, "setting", "again.toml") == text


# run.


def check_run(group: dict[str, Any]) -> None:
    """Names and types of the JSON contract of one group or class."""
    assert {"crossing_steps", "crossing_interval", "gate_mean", "loss"} <= set(group)
    assert set(group["loss"]) == {"in_weight", "in_context", "gated"}
    assert 0 <= group["gate_mean"] <= 1
    assert group["crossing_steps"] is None or group["crossing_steps"] > 0
    assert group["crossing_interval"] is None or len(group["crossing_interval"]) == 2
    for loss in group["loss"].values():
        assert loss is None or 0 <= loss < math.inf


def test_run_json_of_groups(capsys: pytest.CaptureFixture[str]) -> None:
    answer = strict_json(printed(capsys, simulate.cli.main, "run", "paper", *SHORT, "--seed", "7", "--json"))
    assert set(answer["groups"]) == {"high", "low"}
    for group in answer["groups"].values():
        check_run(group)
    assert answer["seed"] == 7
    assert answer["steps_per_second"] > 0
    assert (answer["steps"], answer["replicates"]) == (200, 2)
    high = answer["groups"]["high"]
    low_end, high_end = high["crossing_interval"]
    assert 0 < low_end <= high_end <= 200
    assert 0 < high["crossing_steps"] <= 200


def test_run_of_one_replicate_has_no_interval(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("run", "paper", "--steps", "200", "--replicates", "1", "--json")
    groups = strict_json(printed(capsys, simulate.cli.main, *argv))["groups"]
    assert groups["high"]["crossing_steps"] is not None
    assert [group["crossing_interval"] for group in groups.values()] == [None, None]


def test_run_of_one_step(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("run", "paper", "--steps", "1", "--replicates", "1", "--json")
    for group in strict_json(printed(capsys, simulate.cli.main, *argv))["groups"].values():
        check_run(group)


def test_run_json_of_classes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text(COUNTS, encoding="utf-8")
    argv = ("run", "paper", "--counts", "counts.csv", *SHORT, "--json")
    answer = strict_json(printed(capsys, simulate.cli.main, *argv))
    assert "groups" not in answer
    assert [entry["class"] for entry in answer["classes"]] == ["the", "of", "and", "never"]
    for entry in answer["classes"]:
        check_run(entry)
    assert set(answer["classes"][-1]["loss"].values()) == {None}


def test_the_seed_alone_decides_the_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    def groups(seed: str) -> Any:
        return strict_json(printed(capsys, simulate.cli.main, "run", "paper", *SHORT, "--seed", seed, "--json"))[
            "groups"
        ]

    assert groups("3") == groups("3")
    assert groups("3") != groups("4")


@pytest.mark.parametrize("seed", ["0", "12345678901234567890", "9007199254740993"])
def test_any_whole_number_is_a_seed(capsys: pytest.CaptureFixture[str], seed: str) -> None:
    answer = strict_json(printed(capsys, simulate.cli.main, "run", "paper", *SHORT, "--seed", seed, "--json"))
    assert answer["seed"] == int(seed)


@pytest.mark.parametrize("steps", ["200", "2e2", "200.0", "2_00"])
def test_steps_in_several_spellings(capsys: pytest.CaptureFixture[str], steps: str) -> None:
    argv = ("run", "paper", "--steps", steps, "--replicates", "1", "--json")
    assert strict_json(printed(capsys, simulate.cli.main, *argv))["steps"] == 200


def test_run_table(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, simulate.cli.main, "run", "paper", *SHORT, "--seed", "5").splitlines()
    assert lines[0].split()[0] == "class"
    assert [line.split()[:2] for line in lines[1:3]] == [["high", "(5)"], ["low", "(5)"]]
    assert re.match(r"2 replicates of 200 steps, seed 5; [\d,]+ steps per second", lines[3])


def test_run_writes_a_file_without_pickle(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    argv = ("run", "paper", *SHORT, "--seed", "7", "--json", "--out", "result.npz")
    answer = strict_json(printed(capsys, simulate.cli.main, *argv))
    assert [path.name for path in tmp_path.iterdir()] == ["result.npz"]
    with np.load(tmp_path / "result.npz", allow_pickle=False) as arrays:
        stored = {name: arrays[name] for name in arrays.files}
    assert not any(array.dtype.hasobject for array in stored.values())
    assert strict_json(str(stored["summary"])) == answer
    assert stored["names"].tolist() == ["high", "low"]
    for i in range(2):
        assert stored[f"curve_{i}_steps"].shape == stored[f"curve_{i}_mean"].shape
        assert stored[f"curve_{i}_steps"][-1] == 200
        assert stored[f"curve_{i}_standard_error"].min() >= 0


def test_run_replaces_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "result.npz").write_text("old", encoding="utf-8")
    assert "200 steps" in printed(capsys, simulate.cli.main, "run", "paper", *SHORT, "--out", "result.npz")
    with np.load(tmp_path / "result.npz", allow_pickle=False) as arrays:
        assert "summary" in arrays.files


# overlay.


def test_overlay_writes_its_files_and_says_how_well_it_agrees(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    argv = ("overlay", "paper", "--vary", "label_noise=0.01:0.2:2", *SHORT, "--seed", "3", "--out", "a/b", "--json")
    answer = strict_json(printed(capsys, figures.cli.main, *argv))
    assert (answer["parameter"], answer["steps"], answer["replicates"], answer["seed"]) == ("label_noise", 200, 2, 3)
    rows = answer["boundaries"]
    assert [(row["label_noise"], row["class"]) for row in rows] == [
        (0.01, "high"),
        (0.01, "low"),
        (0.2, "high"),
        (0.2, "low"),
    ]
    folder = tmp_path / "a" / "b"
    pictures = {"overlay.png", "overlay.pdf", "overlay.svg"}
    assert {path.name for path in folder.iterdir()} == {*pictures, "boundaries.csv", "field.csv"}
    assert {Path(path).name for path in answer["files"]} == {path.name for path in folder.iterdir()}
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (folder / "overlay.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert (folder / "overlay.pdf").read_bytes().startswith(b"%PDF-")
    with (folder / "boundaries.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [(float(row["label_noise"]), row["class"]) for row in table] == [
        (row["label_noise"], row["class"]) for row in rows
    ]
    with (folder / "field.csv").open(newline="", encoding="utf-8") as file:
        field = list(csv.DictReader(file))
    assert {row["group"] for row in field} == {"high", "low"}
    assert all(0 <= float(row["gate_mean"]) <= 1 for row in field)


# Help, versions and real processes.


@pytest.mark.parametrize(
    ("main", "argv", "words"),
    [
        (theory.cli.main, [], ["predict", "presets", "setting"]),
        (theory.cli.main, ["predict"], ["TASK.toml|PRESET", "--counts", "FILE.csv", "--set", "--json"]),
        (theory.cli.main, ["presets"], ["usage"]),
        (theory.cli.main, ["setting"], ["--counts", "--set"]),
        (simulate.cli.main, [], ["run"]),
        (
            simulate.cli.main,
            ["run"],
            ["--counts", "--set", "--steps", "--replicates", "--seed", "--json", "--out", "FILE.npz"],
        ),
        (figures.cli.main, [], ["overlay"]),
        (
            figures.cli.main,
            ["overlay"],
            ["--counts", "--set", "--vary", "--steps", "--replicates", "--seed", "--out", "DIR"],
        ),
    ],
)
def test_help(
    capsys: pytest.CaptureFixture[str], main: Callable[[list[str]], int], argv: list[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit) as exit_of:
        main([*argv, "--help"])
    captured = capsys.readouterr()
    assert exit_of.value.code == 0
    assert captured.err == ""
    assert captured.out.startswith("usage: ")
    assert [word for word in words if word not in captured.out] == []


@pytest.mark.parametrize("main", [theory.cli.main, simulate.cli.main, figures.cli.main])
def test_version(capsys: pytest.CaptureFixture[str], main: Callable[[list[str]], int]) -> None:
    with pytest.raises(SystemExit) as exit_of:
        main(["--version"])
    assert exit_of.value.code == 0
    assert re.fullmatch(r"\d+\.\d+\S*\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("package", "argv"),
    [("theory", ["predict", "paper", "--json"]), ("simulate", ["run", "paper", *SHORT, "--json"])],
)
def test_python_m(package: str, argv: list[str]) -> None:
    done = subprocess.run(  # noqa: S603 (our own interpreter and arguments)
        [sys.executable, "-m", package, *argv], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert set(strict_json(done.stdout)["groups"]) == {"high", "low"}


@pytest.mark.parametrize(
    ("package", "argv"),
    [
        ("theory", ["predict", "papr"]),
        ("simulate", ["run", "papr", "--json"]),
        ("figures", ["overlay", "papr", "--json"]),
    ],
)
def test_python_m_with_bad_input(package: str, argv: list[str]) -> None:
    done = subprocess.run(  # noqa: S603 (our own interpreter and arguments)
        [sys.executable, "-m", package, *argv], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{package}: task = 'papr' is not allowed: expected one of chan2022")
    assert len(done.stderr.splitlines()) == 1


def test_a_reader_that_goes_away_is_no_error() -> None:
    code = "import sys, theory.cli; sys.exit(theory.cli.main(sys.argv[1:]))"
    overrides = ("frequencies=uniform", "num_classes=1000")
    command = [sys.executable, "-c", code, "predict", "paper", "--json", "--set", *overrides]
    with subprocess.Popen(  # noqa: S603 (our own interpreter and arguments)
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.read(1)
        process.stdout.close()
        errors = process.stderr.read()
    assert first == "{"
    assert errors == ""
    assert process.returncode == 0


# Shared helpers.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7),
        ("1e6", 10**6),
        ("1_000", 1000),
        ("-3", -3),
        ("2.0", 2),
        (5, 5),
        ("2.5", "2.5"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("many", "many"),
        ("", ""),
        ("12345678901234567890", 12345678901234567890),
        (str(2**53 + 1), 2**53 + 1),
    ],
)
def test_whole_number(text: object, expected: object) -> None:
    found = whole_number(text)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0, "0"),
        (0.0, "0"),
        (0.5, "0.5"),
        (0.123456, "0.1235"),
        (12.3456, "12.35"),
        (999.94, "999.9"),
        (1000.4, "1,000"),
        (1234567.8, "1,234,568"),
        (1e-3, "0.001"),
        (1.234567e-5, "1.235e-05"),
        (-0.25, "-0.25"),
        (1.5e15, "1.500e+15"),
    ],
)
def test_number(value: float | None, text: str) -> None:
    assert number(value) == text


def test_print_json_refuses_what_json_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    for value in (math.nan, math.inf, -math.inf):
        with pytest.raises(ValueError, match="not JSON compliant"):
            print_json({"value": value})
    assert capsys.readouterr().out == ""
    print_json({"value": None, "text": "类"})
    assert strict_json(capsys.readouterr().out) == {"value": None, "text": "类"}


def test_print_table_aligns(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "x"), [("a", "1"), ("longer name", "1,000")])
    assert capsys.readouterr().out.splitlines() == ["name             x", "a                1", "longer name  1,000"]


def test_write_atomically_writes_all(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    target.write_text("old", encoding="utf-8")
    seen: list[Path] = []

    def write(temporary: Path) -> None:
        seen.append(temporary)
        temporary.write_text("new", encoding="utf-8")
        assert target.read_text(encoding="utf-8") == "old"

    write_atomically(target, write)
    assert target.read_text(encoding="utf-8") == "new"
    assert seen[0].parent == tmp_path
    assert seen[0].suffix == ".txt"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("stop"), KeyboardInterrupt()])
def test_write_atomically_writes_nothing_when_it_fails(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "file.txt"
    target.write_text("old", encoding="utf-8")

    def write(temporary: Path) -> None:
        temporary.write_text("half", encoding="utf-8")
        raise error

    expected = OutputError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected) as caught:
        write_atomically(target, write)
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]
    if isinstance(error, OSError):
        assert str(caught.value) == f"cannot write {str(target)!r}: No space left on device"


def test_check_writable_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "new.npz")
    check_writable("relative.npz")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "old.npz").write_text("old", encoding="utf-8")
    check_writable(tmp_path / "old.npz")
    assert (tmp_path / "old.npz").read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (".", "it is a folder"),
        ("", "it is a folder"),
        ("folder", "it is a folder"),
        ("missing/file.npz", "there is no folder"),
        ("file/file.npz", "there is no folder"),
        ("x" * 300, "File name too long"),
    ],
)
def test_check_writable_refuses(tmp_path: Path, target: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=rf"^cannot write .*{reason}"):
        check_writable(target)
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "file"}


def test_writable_folder(tmp_path: Path) -> None:
    assert writable_folder("a/b/c") == Path("a/b/c")
    assert (tmp_path / "a" / "b" / "c").is_dir()
    assert writable_folder(tmp_path) == tmp_path
    (tmp_path / "file").touch()
    for target in ("file", "file/inside", "x" * 300):
        with pytest.raises(OutputError, match=rf"^cannot write '{target}'"):
            writable_folder(target)
