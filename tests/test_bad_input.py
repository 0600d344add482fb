"""Bad input to any command: exit code 2, one clear line on standard error, nothing on standard output or on disk."""

from __future__ import annotations

import ast
import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

import figures.cli
import simulate.cli
import theory.cli
from simulate.comparison import parse_axis
from simulate.simulation import run
from theory.errors import SettingError
from theory.setting_file import load

Main = Callable[[list[str]], int]
ROOT = Path(__file__).resolve().parents[1]
COMMANDS: dict[str, tuple[Main, tuple[str, ...], tuple[str, ...]]] = {
    "theory": (theory.cli.main, ("predict",), ("--json",)),
    "simulate": (simulate.cli.main, ("run",), ("--steps", "50", "--replicates", "1", "--json")),
    "figures": (figures.cli.main, ("overlay",), ("--steps", "50", "--replicates", "1", "--json")),
}
RUNS = ("simulate", "figures")
OWNED = "__import__('os').mkdir('owned')"

each_command = pytest.mark.parametrize("command", COMMANDS)
each_run = pytest.mark.parametrize("command", RUNS)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def tree() -> dict[str, bytes | None]:
    """Everything in the working folder: files with their content, folders with ``None``."""
    found = sorted(Path().rglob("*"))
    return {str(path): path.read_bytes() if path.is_file() else None for path in found}


def refused(capsys: pytest.CaptureFixture[str], command: str, *argv: str) -> str:
    """The line of a command that refuses its input, leaves nothing, and says nothing else."""
    main, verb, usual = COMMANDS[command]
    before = tree()
    capsys.readouterr()
    code = main([*verb, *usual, *argv])
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.endswith("\n")
    assert len(captured.err.splitlines()) == 1
    assert captured.err.startswith(f"{command}: ")
    assert "Traceback" not in captured.err
    assert tree() == before
    return captured.err.removeprefix(f"{command}: ").rstrip("\n")


def refusal(field: str, allowed: str) -> re.Pattern[str]:
    """Pattern of a line that names the field, shows the value, and says what is allowed."""
    return re.compile(rf"{re.escape(field)} (?:= .* is not allowed|is missing): expected .*{re.escape(allowed)}")


# Settings: the same refusals from all three commands.

BAD_SETTINGS = [
    (
        "model.in_context.kind=learned-attention",
        "model.in_context.learning_rate",
        "kind = 'learned-attention' has no default for it",
    ),
    (
        "model.in_context.learning_rate=-1; model.in_context.kind=learned-attention",
        "model.in_context.learning_rate",
        "a number of at least 0 and at most 1000",
    ),
    ("model.in_context.learning_rate=0.1", "model.in_context key", "one of kind, odds, floor"),
    ("model.in_context.kind=learned", "model.in_context.kind", "one of attention, learned-attention"),
    ("label_noise=nan", "label_noise", "a number of at least 0 and at most 1"),
    ("label_noise=inf", "label_noise", "a number of at least 0 and at most 1"),
    ("label_noise=-0.1", "label_noise", "a number of at least 0 and at most 1"),
    ("label_noise=1.5", "label_noise", "a number of at least 0 and at most 1"),
    ("label_noise=true", "label_noise", "a number of at least 0 and at most 1"),
    ("label_noise=True", "label_noise", "a number of at least 0 and at most 1"),
    ("label_noise='0.1'", "label_noise", "a number of at least 0 and at most 1"),
    ("label_noise=some", "label_noise", "a number of at least 0 and at most 1"),
    ("label_noise=", "label_noise", "a number of at least 0 and at most 1"),
    ("label_noise=0,1", "label_noise", "a number of at least 0 and at most 1"),
    ("label_noise=[0.1]", "label_noise", "a number of at least 0 and at most 1"),
    ("label_noise={a = 1}", "label_noise", "a number of at least 0 and at most 1"),
    ("label_noise=1979-05-27", "label_noise", "a number of at least 0 and at most 1"),
    (f"label_noise={OWNED}", "label_noise", "a number of at least 0 and at most 1"),
    ("label_noise=" + "9" * 400, "label_noise", "a number of at least 0 and at most 1"),
    ("label_noise=0.1\nnum_high=3", "label_noise", "a number of at least 0 and at most 1"),
    ("context_label_noise=2", "context_label_noise", "a number of at least 0 and at most 1"),
    ("label_noise_kind=cyclical", "label_noise_kind", "one of cyclic, symmetric (did you mean 'cyclic'?)"),
    ("p_relevant=1.1", "p_relevant", "a number of at least 0 and at most 1"),
    ("p_high=0", "p_high", "a number above 0 and below 1"),
    ("p_high=1", "p_high", "a number above 0 and below 1"),
    ("num_labels=1", "num_labels", "a whole number of at least 2"),
    ("num_labels=10.0", "num_labels", "a whole number of at least 2"),
    ("num_labels=101", "num_labels", "at most the number of classes"),
    ("num_high=0", "num_high", "a whole number of at least 1"),
    ("num_high=2.5", "num_high", "a whole number of at least 1"),
    ("num_high=2.0", "num_high", "a whole number of at least 1"),
    ("num_high=true", "num_high", "a whole number of at least 1"),
    ("num_high=two", "num_high", "a whole number of at least 1"),
    ("num_low=-1", "num_low", "a whole number of at least 1"),
    ("context_length=0", "context_length", "a whole number of at least 1"),
    ("relevant_examples=0", "relevant_examples", "a whole number of at least 1"),
    ("relevant_examples=2", "relevant_examples", "at most context_length = 1"),
    ("num_classes=4", "num_classes", "frequencies = 'two-level' has no such setting"),
    ("zipf_exponent=1", "zipf_exponent", "frequencies = 'two-level' has no such setting"),
    ("weights=[0.5, 0.5]", "weights", "frequencies = 'two-level' has no such setting"),
    ("class_names=['a']", "class_names", "frequencies = 'two-level' has no such setting"),
    ("frequencies=zip", "frequencies", "did you mean 'zipf'?"),
    ("frequencies=3", "frequencies", "one of two-level, zipf, uniform, weights, counts"),
    ("frequencies=uniform", "num_classes", "frequencies = 'uniform' needs num_classes"),
    ("frequencies=uniform; num_classes=1", "num_classes", "a whole number of at least 2"),
    ("frequencies=uniform; num_classes=0", "num_classes", "a whole number of at least 2"),
    ("frequencies=uniform; num_classes=4; p_high=0.5", "p_high", "frequencies = 'uniform' has no such setting"),
    ("frequencies=zipf; num_classes=4; zipf_exponent=-1", "zipf_exponent", "a finite number of at least 0"),
    ("frequencies=zipf; num_classes=4; zipf_exponent=inf", "zipf_exponent", "a finite number of at least 0"),
    ("frequencies=weights; weights=[0.5,0.6]", "weights", "numbers that sum to one (these sum to 1.1)"),
    ("frequencies=weights; weights=[1.5,-0.5]", "weights[1]", "a finite number of at least 0"),
    ("frequencies=weights; weights=[nan,1.0]", "weights[0]", "a finite number of at least 0"),
    ("frequencies=weights; weights=[true,false]", "weights[0]", "a finite number of at least 0"),
    ("frequencies=weights; weights=['1','0']", "weights[0]", "a finite number of at least 0"),
    ("frequencies=weights; weights=[1.0]", "weights", "at least two classes"),
    ("frequencies=weights; weights=0.5", "weights", "a list with one entry for each class"),
    ("frequencies=counts; counts=[1,-1]", "counts[1]", "a whole number of at least 0"),
    ("frequencies=counts; counts=[1,1.5]", "counts[1]", "a whole number of at least 0"),
    ("frequencies=counts; counts=[]", "counts", "at least two classes"),
    ("frequencies=counts; counts=[1,2]; class_names=['a']", "class_names", "as many names as counts (2)"),
    ("counts_file=nowhere.csv", "counts_file", "a readable file"),
    ("label_noize=0.1", "setting", "did you mean 'label_noise'?"),
    ("task.label_noize=0.1", "setting", "did you mean 'label_noise'?"),
    ("zzz=0.1", "setting", "one of frequencies, num_high"),
    (f"{OWNED}=0.1", "setting", "one of frequencies, num_high"),
    ("model.gate=3", "setting", "model.gate.per"),
    ("model.gat.per=query", "setting", "did you mean 'model.gate.per'?"),
    ("model.gate.prior_in_wieght=0.5", "model.gate key", "did you mean 'prior_in_weight'?"),
    ("model.gate.rate=0.5", "model.gate key", "one of kind, prior_in_weight, per"),
    ("model.gate.kind=hedge; model.gate.rate=0", "model.gate.rate", "at least 0.001 and at most 100"),
    ("model.gate.kind=hedge; model.gate.rate=fast", "model.gate.rate", "a number"),
    ("model.gate.kind=baies", "model.gate.kind", "did you mean 'bayes'?"),
    ("model.gate.per=querry", "model.gate.per", "did you mean 'query'?"),
    ("model.gate.prior_in_weight=0", "model.gate.prior_in_weight", "a number above 0 and below 1"),
    ("model.gate.prior_in_weight=1", "model.gate.prior_in_weight", "a number above 0 and below 1"),
    ("model.gate.prior_in_weight=nan", "model.gate.prior_in_weight", "a number above 0 and below 1"),
    ("model.in_context.odds=0.5", "model.in_context.odds", "a number of at least 1 and at most 1e+100"),
    ("model.in_context.odds=inf", "model.in_context.odds", "a number of at least 1 and at most 1e+100"),
    ("model.in_context.odds=true", "model.in_context.odds", "a number of at least 1 and at most 1e+100"),
    ("model.in_context.floor=-1e-4", "model.in_context.floor", "a number of at least 0 and below 1"),
    ("model.in_context.floor=1", "model.in_context.floor", "a number of at least 0 and below 1"),
    ("model.in_context.floor=0.1", "model.in_context.floor", "less than 1/C = 0.1"),
    ("model.in_context.floor=0.5", "model.in_context.floor", "less than 1/C = 0.1"),
    ("model.in_context.floor=0", "model.in_context.floor", "a positive floor"),
    ("model.in_context.floor=0; p_relevant=1; label_noise=0.1", "model.in_context.floor", "a positive floor"),
    ("model.in_weight.pseudo_count=0", "model.in_weight.pseudo_count", "a number of at least 1e-100"),
    ("model.in_weight.pseudo_count=inf", "model.in_weight.pseudo_count", "a number of at least 1e-100"),
    ("model.in_weight.pseudo_count=" + "9" * 400, "model.in_weight.pseudo_count", "a number of at least 1e-100"),
    ("label_noise", "--set", "key=value, such as label_noise=0.1"),
    ("label_noise:0.1", "--set", "key=value, such as label_noise=0.1"),
    ("=0.1", "--set", "key=value, such as label_noise=0.1"),
    ("p_high=0.5; label_noise", "--set", "key=value, such as label_noise=0.1"),
]


@each_command
@pytest.mark.parametrize(("overrides", "field", "allowed"), BAD_SETTINGS, ids=[bad[0][:50] for bad in BAD_SETTINGS])
def test_bad_settings(
    capsys: pytest.CaptureFixture[str], command: str, overrides: str, field: str, allowed: str
) -> None:
    line = refused(capsys, command, "paper", "--set", *overrides.split("; "))
    assert refusal(field, allowed).match(line)


@each_command
@pytest.mark.parametrize("digits", [5000, 100_000])
def test_a_number_longer_than_python_reads(capsys: pytest.CaptureFixture[str], command: str, digits: int) -> None:
    line = refused(capsys, command, "paper", "--set", "label_noise=" + "9" * digits)
    assert "label_noise" in line
    assert len(line) < 300


@each_command
def test_a_list_deeper_than_python_reads(capsys: pytest.CaptureFixture[str], command: str) -> None:
    line = refused(capsys, command, "paper", "--set", "weights=" + "[" * 5000)
    assert "weights" in line
    assert len(line) < 300


# The file that names the setting.

BAD_FILES = {
    "broken.toml": (b"[task\n", "task file", "valid TOML"),
    "latin.toml": ("[task]\n# Größe\n".encode("latin-1"), "task file", "a UTF-8 text file"),
    "binary.toml": (bytes(range(256)), "task file", "a UTF-8 text file"),
    "zeros.toml": (b"\0" * 10, "task file", "valid TOML"),
    "evaluate.toml": (f"[task]\nlabel_noise = {OWNED}\n".encode(), "task file", "valid TOML"),
    "section.toml": (b"[taks]\nnum_high = 5\n", "section", "did you mean 'task'?"),
    "no_table.toml": (b"task = 5\n", "task", "a table of settings"),
    "key.toml": (b"[task]\nlabel_noize = 0.1\n", "task key", "did you mean 'label_noise'?"),
    "part.toml": (b"[task]\n[model.gates]\nper = 'query'\n", "model part", "did you mean 'gate'?"),
    "nan.toml": (b"[task]\nnum_high = 5\nnum_low = 5\np_high = nan\n", "p_high", "a number above 0 and below 1"),
    "inf.toml": (b"[task]\nnum_high = 5\nnum_low = 5\np_high = inf\n", "p_high", "a number above 0 and below 1"),
    "bool.toml": (b"[task]\nnum_high = true\nnum_low = 5\np_high = 0.5\n", "num_high", "a whole number"),
    "counts.toml": (b"[task]\ncounts_file = 'nowhere.csv'\n", "counts_file", "a readable file"),
    "sum.toml": (b"[task]\nfrequencies = 'weights'\nweights = [0.5, 0.4]\n", "weights", "sum to one"),
    "code.py": (b"import os\nos.mkdir('owned')\n", "task file", "valid TOML"),
}


@each_command
@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files(capsys: pytest.CaptureFixture[str], command: str, name: str) -> None:
    content, field, allowed = BAD_FILES[name]
    Path(name).write_bytes(content)
    assert refusal(field, allowed).match(refused(capsys, command, name))


@each_command
@pytest.mark.parametrize(
    ("task", "field", "allowed"),
    [
        ("papr", "task", "did you mean 'paper'?"),
        ("Transient", "task", "did you mean 'transient'?"),
        ("zzz", "task", "the path of a TOML file"),
        (OWNED, "task", "the path of a TOML file"),
        ("nowhere.toml", "task file", "a readable file (No such file or directory)"),
        ("nowhere/task.toml", "task file", "a readable file (No such file or directory)"),
        (".", "task file", "a readable file (Is a directory)"),
        ("", "task file", "a readable file"),
        ("x" * 300, "task", ""),
        ("x" * 300 + ".toml", "task file", "a readable file (File name too long)"),
    ],
    ids=lambda value: value[:30],
)
def test_no_such_setting(capsys: pytest.CaptureFixture[str], command: str, task: str, field: str, allowed: str) -> None:
    line = refused(capsys, command, task)
    assert refusal(field, allowed).match(line) or (not allowed and line.startswith(field))
    assert len(line) < 400


@each_command
def test_an_empty_file(capsys: pytest.CaptureFixture[str], command: str) -> None:
    Path("empty.toml").touch()
    line = refused(capsys, command, "empty.toml")
    assert re.match(r"(num_high|num_low|p_high) is missing: .* needs num_high, num_low, p_high", line)


# Class counts.

BAD_COUNTS = {
    "empty": (b"", "counts_file", "the columns class,count"),
    "no_class": (b"name,count\na,3\nb,1\n", "counts_file", "no 'class' in its header"),
    "no_count": (b"class,number\na,3\nb,1\n", "counts_file", "no 'count' in its header"),
    "no_header": (b"a,3\nb,1\n", "counts_file", "the columns class,count"),
    "only_header": (b"class,count\n", "counts_file", "at least two classes"),
    "one_class": (b"class,count\na,3\n", "counts", "at least two classes"),
    "one_that_occurs": (b"class,count\na,3\nb,0\n", "counts", "at least two classes"),
    "negative": (b"class,count\na,3\nb,-1\n", "negative.csv line 3, count", "a whole number of at least 0"),
    "float": (b"class,count\na,3\nb,1.5\n", "float.csv line 3, count", "a whole number of at least 0"),
    "exponent": (b"class,count\na,3\nb,1e3\n", "exponent.csv line 3, count", "a whole number of at least 0"),
    "nan": (b"class,count\na,nan\nb,1\n", "nan.csv line 2, count", "a whole number of at least 0"),
    "word": (b"class,count\na,many\nb,1\n", "word.csv line 2, count", "a whole number of at least 0"),
    "blank": (b"class,count\na,\nb,1\n", "blank.csv line 2, count", "a whole number of at least 0"),
    "short_row": (b"class,count\na\nb,1\n", "short_row.csv line 2", "a class and a count"),
    "duplicate": (b"class,count\na,3\nb,1\na,2\n", "duplicate.csv line 4, class", "a class that is not listed before"),
    "latin": ("class,count\nGröße,3\nb,1\n".encode("latin-1"), "counts_file", "a UTF-8 text file"),
    "utf16": ("class,count\na,3\nb,1\n".encode("utf-16"), "counts_file", "a UTF-8 text file"),
    "code": (f"class,count\na,{OWNED}\nb,1\n".encode(), "code.csv line 2, count", "a whole number of at least 0"),
    "too_many_digits": (b"class,count\na," + b"9" * 5000 + b"\nb,1\n", "too_many_digits.csv line 2, count", ""),
    "too_large": (b"class,count\na," + b"9" * 400 + b"\nb,1\n", "too_large.csv line 2, count", ""),
}


@each_command
@pytest.mark.parametrize("name", BAD_COUNTS)
def test_bad_counts(capsys: pytest.CaptureFixture[str], command: str, name: str) -> None:
    content, field, allowed = BAD_COUNTS[name]
    Path(f"{name}.csv").write_bytes(content)
    line = refused(capsys, command, "paper", "--counts", f"{name}.csv")
    # A count that is read but too large to compute with may also be refused by the task.
    assert refusal(field, allowed).match(line) or (
        name == "too_large" and re.match(r"counts(\[0\])? = .* expected", line)
    )
    assert len(line) < 400


@each_command
@pytest.mark.parametrize("name", ["missing.csv", "missing/counts.csv", ".", ""])
def test_counts_that_cannot_be_read(capsys: pytest.CaptureFixture[str], command: str, name: str) -> None:
    line = refused(capsys, command, "paper", "--counts", name)
    assert refusal("counts_file", "a readable file").match(line)


# Steps, replicates and seeds.


@each_run
@pytest.mark.parametrize(
    ("option", "value", "least"),
    [
        (option, value, least)
        for option, least in (("--steps", 1), ("--replicates", 1), ("--seed", 0))
        for value in (
            "-1",
            "1.5",
            "nan",
            "inf",
            "-inf",
            "many",
            "",
            "true",
            "True",
            "None",
            "[1]",
            "1,000",
            "2**3",
            OWNED,
        )
    ]
    + [("--steps", "0", 1), ("--replicates", "0", 1), ("--steps", "0.0", 1), ("--seed", "0.5", 0)],
)
def test_bad_numbers_of_a_run(
    capsys: pytest.CaptureFixture[str], command: str, option: str, value: str, least: int
) -> None:
    line = refused(capsys, command, "paper", f"{option}={value}")
    assert refusal(option, f"a whole number of at least {least}").match(line)


@pytest.mark.parametrize("field", ["steps", "replicates", "seed"])
@pytest.mark.parametrize("value", [-1, 1.5, 2.0, True, "3", None, float("nan")])
def test_bad_numbers_of_a_run_in_python(field: str, value: object) -> None:
    task, model = load("paper")
    values: dict[str, Any] = {"steps": 10, "replicates": 1, "seed": 0, field: value}
    with pytest.raises(SettingError, match=rf"^{field} (= .*|is missing:) expected a whole number of at least [01]"):
        run(task, model, **values)


# What to vary.

BAD_AXES = [
    ("", "--vary", "key=low:high:count[:log] or key=v1,v2,..."),
    ("label_noise", "--vary", "key=low:high:count[:log] or key=v1,v2,..."),
    ("=0.1:0.2:3", "--vary", "key=low:high:count[:log] or key=v1,v2,..."),
    ("label_noise=", "--vary", "numbers as values, not ''"),
    ("label_noise=some", "--vary", "numbers as values, not 'some'"),
    ("label_noise=0.1,", "--vary", "numbers as values, not ''"),
    ("label_noise=0.1,true", "--vary", "numbers as values, not 'true'"),
    ("label_noise=0.1", "--vary", "at least two different values"),
    ("label_noise=0.1,0.1", "--vary", "at least two different values"),
    ("label_noise=nan,0.1", "--vary", "finite values"),
    ("label_noise=0.1,inf", "--vary", "finite values"),
    ("label_noise=0.1:nan:3", "--vary", "finite values"),
    ("label_noise=-inf:0.1:3", "--vary", "finite values"),
    ("label_noise=0.1:0.2", "--vary", "key=low:high:count or key=low:high:count:log"),
    ("label_noise=0.1:0.2:3:lin", "--vary", "key=low:high:count or key=low:high:count:log"),
    ("label_noise=0.1:0.2:3:log:4", "--vary", "key=low:high:count or key=low:high:count:log"),
    ("label_noise=:0.2:3", "--vary", "numbers as values, not ''"),
    ("label_noise=a:b:3", "--vary", "numbers as values, not 'a'"),
    ("label_noise=0.2:0.1:3", "--vary", "low < high"),
    ("label_noise=0.1:0.1:3", "--vary", "low < high"),
    ("label_noise=0:0.1:3:log", "--vary", "both positive for a logarithmic axis"),
    ("label_noise=-1:0.1:3:log", "--vary", "both positive for a logarithmic axis"),
    ("label_noise=0.1:0.2:1", "--vary count", "a whole number of at least 2"),
    ("label_noise=0.1:0.2:0", "--vary count", "a whole number of at least 2"),
    ("label_noise=0.1:0.2:-3", "--vary count", "a whole number of at least 2"),
    ("label_noise=0.1:0.2:2.5", "--vary count", "a whole number of at least 2"),
    ("label_noise=0.1:0.2:nan", "--vary count", "a whole number of at least 2"),
    ("label_noise=0.1:0.2:true", "--vary count", "a whole number of at least 2"),
    ("label_noise=0.1:0.2:many", "--vary count", "a whole number of at least 2"),
    ("label_noise=0.1:0.2:", "--vary count", "a whole number of at least 2"),
    (f"label_noise={OWNED},0.1", "--vary", "numbers as values"),
    (f"label_noise=0.1:0.2:{OWNED}", "--vary count", "a whole number of at least 2"),
]


@pytest.mark.parametrize(("axis", "field", "allowed"), BAD_AXES)
def test_bad_axes(capsys: pytest.CaptureFixture[str], axis: str, field: str, allowed: str) -> None:
    assert refusal(field, allowed).match(refused(capsys, "figures", "paper", f"--vary={axis}"))
    with pytest.raises(SettingError, match=refusal(field, allowed)):
        parse_axis(axis)


@pytest.mark.parametrize(
    ("axis", "field", "allowed"),
    [
        ("label_noize=0.1:0.2:2", "setting", "did you mean 'label_noise'?"),
        ("label_noise=0.1,1.5", "label_noise", "a number of at least 0 and at most 1"),
        ("label_noise=-0.1,0.1", "label_noise", "a number of at least 0 and at most 1"),
        ("num_classes=3,4", "num_classes", "frequencies = 'two-level' has no such setting"),
        ("weights=1,2", "weights", "frequencies = 'two-level' has no such setting"),
        ("frequencies=1,2", "frequencies", "one of two-level, zipf"),
        ("label_noise_kind=1,2", "label_noise_kind", "one of cyclic, symmetric"),
        ("counts_file=1,2", "counts_file", "a readable file"),
        ("num_high=0,3", "num_high", "a whole number of at least 1"),
        ("relevant_examples=1,2", "relevant_examples", "at most context_length = 1"),
        ("model.gate=1,2", "setting", "model.gate.per"),
        ("model.gate.per=1,2", "model.gate.per", "one of query, query-and-relevance"),
        ("model.gate.kind=1,2", "model.gate.kind", "one of bayes"),
        ("model.gat.prior_in_weight=0.1,0.2", "setting", "did you mean 'model.gate.prior_in_weight'?"),
        ("model.gate.prior_in_weight=0.5,1", "model.gate.prior_in_weight", "a number above 0 and below 1"),
        ("model.in_context.odds=0.5:2:3:log", "model.in_context.odds", "a number of at least 1"),
        ("model.in_context.floor=0.05,0.1", "model.in_context.floor", "less than 1/C = 0.1"),
        ("model.in_context.floor=0,0.05", "model.in_context.floor", "a positive floor"),
        (f"{OWNED}=1,2", "setting", "one of frequencies, num_high"),
    ],
)
def test_axes_that_leave_what_is_allowed(
    capsys: pytest.CaptureFixture[str], axis: str, field: str, allowed: str
) -> None:
    assert refusal(field, allowed).match(refused(capsys, "figures", "paper", "--vary", axis))


@pytest.mark.parametrize("axis", ["num_high=1.4,3", "num_low=2,3.25"])
def test_listed_values_are_not_rounded_in_silence(capsys: pytest.CaptureFixture[str], axis: str) -> None:
    line = refused(capsys, "figures", "paper", "--vary", axis)
    assert re.match(rf"(--vary|{axis.partition('=')[0]}) = .* expected .*whole", line)


@pytest.mark.parametrize(
    "axis", ["num_high=-1e308:1e308:3", "num_high=1e-300:1e300:3:log", "label_noise=-1e308:1e308:3"]
)
def test_ranges_too_wide_for_floats(capsys: pytest.CaptureFixture[str], axis: str) -> None:
    line = refused(capsys, "figures", "paper", "--vary", axis)
    assert re.match(rf"(--vary|{axis.partition('=')[0]}) = .* is not allowed: expected", line)


# Where the output goes.


@pytest.fixture
def _occupied() -> None:
    Path("folder").mkdir()
    Path("folder", "kept.txt").write_text("kept", encoding="utf-8")
    Path("file").write_text("kept", encoding="utf-8")


@pytest.mark.usefixtures("_occupied")
@pytest.mark.parametrize(
    ("command", "target", "reason"),
    [
        ("simulate", "folder", "it is a folder"),
        ("simulate", ".", "it is a folder"),
        ("simulate", "", "it is a folder"),
        ("simulate", "missing/run.npz", "there is no folder 'missing'"),
        ("simulate", "file/run.npz", "there is no folder 'file'"),
        ("simulate", "x" * 300, "File name too long"),
        ("figures", "file", ""),
        ("figures", "file/inside", "Not a directory"),
        ("figures", "x" * 300, "File name too long"),
    ],
    ids=lambda value: value[:30],
)
def test_outputs_that_cannot_be_written(
    capsys: pytest.CaptureFixture[str], command: str, target: str, reason: str
) -> None:
    line = refused(capsys, command, "paper", "--out", target)
    assert line.startswith("cannot write ")
    assert (target or ".") in line
    assert reason in line


@pytest.mark.parametrize("name", ["overlay.png", "overlay.pdf", "boundaries.csv", "field.csv"])
def test_one_output_of_several_that_cannot_be_written(capsys: pytest.CaptureFixture[str], name: str) -> None:
    Path("results", name).mkdir(parents=True)
    line = refused(capsys, "figures", "paper", "--out", "results")
    assert line.startswith(f"cannot write 'results/{name}': ")


@each_run
@pytest.mark.parametrize(
    "bad",
    [
        ["paper", "--set", "label_noise=2"],
        ["paper", "--set", "model.in_context.floor=0"],
        ["paper", "--set", "model.in_context.floor=0.1"],
        ["paper", "--steps", "0"],
        ["paper", "--replicates", "0.5"],
        ["papr"],
        ["paper", "--counts", "nowhere.csv"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("existing", [True, False], ids=["existing", "new"])
def test_bad_input_leaves_outputs_as_they_are(
    capsys: pytest.CaptureFixture[str], command: str, bad: list[str], existing: bool
) -> None:
    target = Path("run.npz") if command == "simulate" else Path("results")
    if existing and command == "simulate":
        target.write_bytes(b"old")
    elif existing:
        target.mkdir()
        (target / "overlay.png").write_bytes(b"old")
    assert "is not allowed" in refused(capsys, command, *bad, "--out", str(target))


# Nothing is evaluated, nothing is unpickled.


class Bait:
    """What would make a folder if somebody read it with pickle."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, ("owned",)


@each_command
@pytest.mark.parametrize("protocol", [0, 5])
@pytest.mark.parametrize("name", ["bait.toml", "bait.pkl", "bait.npz"])
def test_no_pickle_is_read(capsys: pytest.CaptureFixture[str], command: str, name: str, protocol: int) -> None:
    Path(name).write_bytes(pickle.dumps(Bait(), protocol=protocol))
    assert refusal("task file", "").match(refused(capsys, command, name))
    assert refusal("counts_file", "").match(refused(capsys, command, "paper", "--counts", name))
    assert not Path("owned").exists()


@each_command
@pytest.mark.parametrize(
    "expression",
    [
        OWNED,
        f"({OWNED})",
        f"[{OWNED}]",
        f"f'{{{OWNED}}}'",
        "open('owned', 'w')",
        "exec('import os')",
        "${HOME}",
        "`id`",
    ],
)
@pytest.mark.parametrize("key", ["label_noise", "num_high", "frequencies", "model.gate.per", "model.in_weight.kind"])
def test_no_value_is_evaluated(capsys: pytest.CaptureFixture[str], command: str, key: str, expression: str) -> None:
    line = refused(capsys, command, "paper", "--set", f"{key}={expression}")
    assert re.match(rf"{re.escape(key)} = .* is not allowed: expected", line)
    assert not Path("owned").exists()


FORBIDDEN_MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "joblib", "cloudpickle", "code", "runpy"}
FORBIDDEN_NAMES = {"eval", "exec", "compile", "__import__", "sympify", "parse_expr", "lambdify"}


@pytest.mark.parametrize(
    "path",
    sorted(path for package in ("theory", "simulate", "figures") for path in (ROOT / package).rglob("*.py")),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_source_file_evaluates_or_unpickles(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not {alias.name.split(".")[0] for alias in node.names} & FORBIDDEN_MODULES
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in FORBIDDEN_MODULES
            assert not {alias.name for alias in node.names} & FORBIDDEN_NAMES
        elif isinstance(node, ast.Name):
            assert node.id not in FORBIDDEN_NAMES
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert isinstance(node.value, ast.Constant)
            assert node.value.value is False


# Usage: what argparse refuses.


@pytest.mark.parametrize(
    ("command", "argv", "words"),
    [
        ("theory", [], "required: COMMAND"),
        ("theory", ["predict"], "required: TASK.toml|PRESET"),
        ("theory", ["predikt", "paper"], "invalid choice: 'predikt'"),
        ("theory", ["predict", "paper", "--jsn"], "unrecognized arguments: --jsn"),
        ("theory", ["predict", "paper", "--set"], "argument --set: expected at least one argument"),
        ("theory", ["predict", "paper", "--counts"], "argument --counts: expected one argument"),
        ("theory", ["predict", "paper", "transient"], "unrecognized arguments: transient"),
        ("simulate", [], "required: COMMAND"),
        ("simulate", ["run"], "required: TASK.toml|PRESET"),
        ("simulate", ["run", "paper", "--steps"], "argument --steps: expected one argument"),
        ("figures", [], "required: COMMAND"),
        ("figures", ["overlay"], "required: TASK.toml|PRESET"),
        ("figures", ["overlay", "paper", "--vary"], "argument --vary: expected one argument"),
    ],
)
def test_usage(capsys: pytest.CaptureFixture[str], command: str, argv: list[str], words: str) -> None:
    with pytest.raises(SystemExit) as exit_of:
        COMMANDS[command][0](argv)
    captured = capsys.readouterr()
    assert exit_of.value.code == 2
    assert captured.out == ""
    last = captured.err.splitlines()[-1]
    assert last.startswith(f"{command}")
    assert words in last
    assert tree() == {}


# Extreme values that the ranges allow: an answer in numbers that JSON knows, or a clear refusal.


@pytest.mark.parametrize("command", ["theory", "simulate"])
@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ("p_high=1e-15", "p_high"),
        ("p_high=1e-310", "p_high"),
        ("p_high=0.99999999999999", "p_high"),
        ("frequencies=weights weights=[1e-16,1.0]", "weights"),
        ("frequencies=weights weights=[1e-300,1.0]", "weights"),
        ("frequencies=zipf num_classes=5 zipf_exponent=30", "zipf_exponent"),
        ("frequencies=zipf num_classes=5 zipf_exponent=1000", "zipf_exponent"),
        ("frequencies=counts counts=[1,100000000000000000000]", "counts"),
        ("label_noise=1e-310", "label_noise"),
        ("label_noise=1e-16", "label_noise"),
        ("label_noise=0.9999999999999999", "label_noise"),
        ("p_relevant=1e-320", "p_relevant"),
        ("model.in_weight.pseudo_count=1e-320", "model.in_weight.pseudo_count"),
        ("model.in_weight.pseudo_count=1e-300", "model.in_weight.pseudo_count"),
        ("model.in_weight.pseudo_count=1e15", "model.in_weight.pseudo_count"),
        ("model.in_weight.pseudo_count=1e308", "model.in_weight.pseudo_count"),
        ("model.in_context.odds=1e100", "model.in_context.odds"),
        ("model.in_context.floor=1e-320", "model.in_context.floor"),
        ("model.in_context.floor=0 p_relevant=1", "model.in_context.floor"),
        ("model.gate.prior_in_weight=1e-320", "model.gate.prior_in_weight"),
        ("model.gate.prior_in_weight=0.9999999999999999", "model.gate.prior_in_weight"),
    ],
)
def test_extreme_values(capsys: pytest.CaptureFixture[str], command: str, overrides: str, field: str) -> None:
    main, verb, usual = COMMANDS[command]
    code = main([*verb, "paper", *usual, "--set", *overrides.split(" ")])
    captured = capsys.readouterr()
    if code == 0:
        assert captured.err == ""
        answer = json.loads(captured.out, parse_constant=_refuse_token)
        assert "groups" in answer or "classes" in answer
    else:
        assert (code, captured.out) == (2, "")
        assert re.match(rf"{command}: {re.escape(field)}(\[\d+\])? = .* is not allowed: expected .*\n$", captured.err)


def _refuse_token(token: str) -> NoReturn:
    raise AssertionError(f"{token} is not JSON")


# The same input gives the same message, whatever the order in which Python hashes strings.


@pytest.mark.parametrize("made", ["TaskDistribution()", "TaskDistribution(frequencies='zipf', weights=[1], p_high=2)"])
def test_the_message_does_not_depend_on_hashing(made: str) -> None:
    code = f"import theory\ntry:\n    theory.{made}\nexcept theory.SettingError as error:\n    print(error)"
    messages = set()
    for seed in "0123":
        done = subprocess.run(  # noqa: S603 (our own interpreter and code)
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        messages.add(done.stdout)
    assert len(messages) == 1
    assert ": expected" in messages.pop()
