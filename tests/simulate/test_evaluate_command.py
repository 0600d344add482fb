"""The commands ``evaluate`` and ``trace``: what they print and write, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import simulate
import simulate.cli
from simulate.evaluation.trace_file import load_trace
from theory.setting_file import load


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = simulate.cli.main([*arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


SMALL = ("paper", "--steps", "30", "--replicates", "2", "--prompts", "3", "--set", "num_low=5")


def test_evaluate_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "evaluate", *SMALL)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) == 10
    assert lines[0].split("  ")[0] == "labels, context, class"
    assert lines[1].startswith("in-base, relevant, high ")
    assert lines[-1] == "2 replicates of 30 steps, 3 questions in each cell, seed 0"


def test_evaluate_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    task, model = load("paper", overrides=["num_low=5"])
    _, out, _ = run(capsys, "evaluate", *SMALL, "--json")
    expected = simulate.evaluate(task, model, steps=30, replicates=2, prompts=3).to_dict()
    assert json.loads(out) == json.loads(json.dumps(expected))


def test_trace_prints_and_writes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = tmp_path / "trace.npz"
    code, out, err = run(capsys, "trace", *SMALL, "--points", "3", "--out", str(target))
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == f"wrote {target}"
    assert "out-of-base, irrelevant, low" in out
    assert load_trace(target).steps.tolist() == [10, 17, 30]
    code, out, _ = run(capsys, "trace", *SMALL, "--points", "3", "--json")
    assert (code, json.loads(out)) == (0, load_trace(target).to_dict())


@pytest.mark.parametrize("command", ["evaluate", "trace"])
def test_who_is_not_asked_is_told(capsys: pytest.CaptureFixture[str], command: str) -> None:
    code, out, err = run(capsys, command, *SMALL, "--set", "num_high=1")
    assert (code, err) == (0, "")
    told = [line for line in out.splitlines() if "not asked" in line]
    assert told == [
        "out-of-base, high: not asked, since it has a single label, which has no other one of its group to move to"
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("evaluate", "paper", "--steps", "x"), "--steps = 'x' is not allowed"),
        (("evaluate", "paper", "--steps", "0"), "--steps = 0 is not allowed"),
        (("evaluate", "paper", "--prompts", "nan"), "--prompts = 'nan' is not allowed"),
        (("evaluate", "paper", "--replicates", "-1"), "--replicates = -1 is not allowed"),
        (("trace", "paper", "--points", "0"), "--points = 0 is not allowed"),
        (("trace", "paper", "--out", "missing/trace.npz"), "there is no folder 'missing'"),
        (("trace", "nothing"), "'nothing'"),
    ],
)
def test_bad_commands_say_what_is_wrong(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1
