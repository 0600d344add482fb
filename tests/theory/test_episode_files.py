"""Episode distributions as files: there and back, arrays, counts, overrides, commands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import theory.cli
from tests.simulate.test_statistics import TASKS
from tests.theory.test_episode_setting import LITERATURE, PLAIN, made, row
from theory.errors import SettingError
from theory.setting import (
    ArrayInputs,
    BayesGate,
    ClassLaw,
    EpisodeDistribution,
    FiniteSample,
    GatedPredictor,
    GaussianInputs,
    LabelRule,
    SphereInputs,
    Stream,
    TabularInputs,
    episodes_of,
)
from theory.setting_file import assemble, load, read, to_dict, to_toml

# Files.

EVERYTHING = [
    made(),
    made(
        rows=(row(share=0.25, distractor_copies=1, rest="unique"), replace(PLAIN, share=0.75)),
        inputs=SphereInputs(dimension=7, input_noise=0.3),
        labels=LabelRule(relabel="pool", pool_size=5, label_noise=0.1, label_noise_kind="symmetric"),
        sampling=FiniteSample(rows=77, coverage="forced"),
        held_out_classes=3,
    ),
    made(
        classes=ClassLaw(frequencies="counts", counts=[3, 1], class_names=['a "b"', "c.d"]),
        rows=(row(name="ünï köd"),),
        inputs=GaussianInputs(dimension=2, rescale=False),
        labels=LabelRule(
            label_noise_kind="matrix", noise_matrix=[[0.9, 0.1], [0.25, 0.75]], context_noise_matrix=np.eye(2)
        ),
    ),
    episodes_of(TASKS["shared, symmetric"]),
]


@pytest.mark.parametrize("number", range(len(EVERYTHING)))
def test_files_there_and_back(tmp_path: Path, number: int) -> None:
    model = GatedPredictor(gate=BayesGate(prior_in_weight=0.2))
    path = tmp_path / "episodes.toml"
    path.write_text(to_toml(EVERYTHING[number], model), encoding="utf-8")
    assert load(path) == (EVERYTHING[number], model)
    assert assemble(to_dict(EVERYTHING[number], model)) == (EVERYTHING[number], model)


def test_an_array_is_named_by_its_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "vectors.npz", embeddings=np.eye(6), classes=np.arange(6))
    path = tmp_path / "episodes.toml"
    text = '[episodes.classes]\nfrequencies = "uniform"\nnum_classes = 6\n[[episodes.rows]]\nname = "a"\nshare = 1\n'
    path.write_text(text + 'matches = "iid"\n[episodes.inputs]\nkind = "array"\nfile = "vectors.npz"\n')
    episodes, model = load(path)
    assert episodes.inputs == ArrayInputs(embeddings=np.eye(6), classes=np.arange(6))  # type: ignore[union-attr]
    again = tmp_path / "elsewhere" / "again.toml"
    again.parent.mkdir()
    again.write_text(to_toml(episodes, model))
    assert load(again) == (episodes, model)
    with pytest.raises(SettingError, match=r"inputs\.file is missing: expected a file, since settings can only name"):
        to_toml(made(inputs=ArrayInputs(embeddings=np.eye(6), classes=np.arange(6))), model)


class Explosive:
    def __reduce__(self) -> Any:
        return print, ("owned",)


@pytest.mark.parametrize("content", ["missing", "text", "pickle", "one array", "broken zip", "objects"])
def test_bad_array_files_are_refused(tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "vectors.npz"
    if content == "text":
        path.write_text("not an archive")
    elif content == "broken zip":
        path.write_bytes(b"PK\x03\x04 broken")
    elif content == "pickle":
        np.save(tmp_path / "x.npy", np.array([Explosive()], dtype=object), allow_pickle=True)
        (tmp_path / "x.npy").rename(path)
    elif content == "one array":
        np.savez(path, embeddings=np.eye(2))
    elif content == "objects":
        np.savez(path, embeddings=np.array([[Explosive()]], dtype=object), classes=np.array([0]))
    with pytest.raises(SettingError) as caught:
        ArrayInputs.from_file(path)
    assert caught.value.field.startswith("episodes.inputs.file")
    assert len(str(caught.value)) < 500
    assert capsys.readouterr().out == ""


ROWS_TEXT = '[[episodes.rows]]\nname = "a"\nshare = 1\nmatches = "iid"\n'
CLASSES_TEXT = '[episodes.classes]\nfrequencies = "uniform"\nnum_classes = 6\n'


@pytest.mark.parametrize(
    ("text", "field", "allowed"),
    [
        ("[episodes]\n" + ROWS_TEXT, "episodes.classes.num_high", "needs num_high"),
        (CLASSES_TEXT, "episodes.rows", "at least one table [[episodes.rows]]"),
        (CLASSES_TEXT + "[task]\n", "section", "either [task] or [episodes]"),
        ("episodes = 3", "episodes", "a table of settings"),
        ("[episodes]\nclasses = 3\n" + ROWS_TEXT, "episodes.classes", "a table of settings"),
        ("[episodes]\nrows = 3\n" + CLASSES_TEXT, "episodes.rows", "at least one table"),
        ("[episodes]\nrows = [3]\n" + CLASSES_TEXT, "episodes.rows", "tables [[episodes.rows]]"),
        ("[episodes]\nrows = []\n" + CLASSES_TEXT, "episodes.rows", "at least one table"),
        (CLASSES_TEXT + "[[episodes.rows]]\nshare = 1\n", "episodes.rows.name", "a value"),
        (CLASSES_TEXT + '[[episodes.rows]]\nname = "a"\n', "episodes.rows.a.share", "a value"),
        (CLASSES_TEXT + ROWS_TEXT + "copy = 3\n", "episodes.rows.a key", "did you mean 'copies'"),
        (CLASSES_TEXT + ROWS_TEXT + "[episodes.lables]\n", "episodes key", "did you mean 'labels'"),
        (CLASSES_TEXT + ROWS_TEXT + "[episodes.labels]\nnoise = 3\n", "episodes.labels key", "label_noise"),
        (CLASSES_TEXT + ROWS_TEXT + "[episodes.inputs]\nkind = 'ball'\n", "episodes.inputs.kind", "one of tabular"),
        (CLASSES_TEXT + ROWS_TEXT + "[episodes.inputs]\nkind = 3\n", "episodes.inputs.kind", "one of tabular"),
        (
            CLASSES_TEXT + ROWS_TEXT + "[episodes.inputs]\ndimension = 3\n",
            "episodes.inputs key",
            "kind 'sphere' has it",
        ),
        (
            CLASSES_TEXT + ROWS_TEXT + "[episodes.inputs]\nkind = 'array'\n",
            "episodes.inputs.file",
            "the path of an .npz file",
        ),
        (
            CLASSES_TEXT + ROWS_TEXT + "[episodes.inputs]\nkind = 'array'\nfile = 'nowhere.npz'\n",
            "episodes.inputs.file",
            "a readable .npz file",
        ),
        (
            CLASSES_TEXT + ROWS_TEXT + "[episodes.inputs]\nkind = 'array'\nembeddings = [[1]]\n",
            "episodes.inputs key",
            "one of kind, file",
        ),
        (CLASSES_TEXT + ROWS_TEXT + "[episodes.sampling]\nrows = 5\n", "episodes.sampling key", "kind 'finite' has it"),
        (CLASSES_TEXT.replace("6", "1") + ROWS_TEXT, "episodes.classes.num_classes", "at least 2"),
        ("[episodes.classes]\nnum_clases = 6\n" + ROWS_TEXT, "episodes.classes key", "did you mean 'num_classes'"),
        ("[episodes.classes]\ncounts_file = 3\n" + ROWS_TEXT, "counts_file", "the path of a CSV file"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str, field: str, allowed: str) -> None:
    path = tmp_path / "episodes.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingError) as caught:
        load(path)
    assert caught.value.field == field
    assert allowed in caught.value.allowed


def test_counts_become_the_classes(tmp_path: Path) -> None:
    counts = tmp_path / "counts.csv"
    counts.write_text("class,count\n" + "".join(f"w{i},{i + 1}\n" for i in range(9)), encoding="utf-8")
    path = tmp_path / "episodes.toml"
    path.write_text('[episodes.classes]\ncounts_file = "counts.csv"\n' + ROWS_TEXT, encoding="utf-8")
    episodes, _ = load(path)
    assert episodes.name_of(8) == "w8"
    assert episodes.total_classes == 9
    again, _ = load("chan2022", counts=counts)
    assert (again.total_classes, again.name_of(0), again.name_of(9)) == (19, "w0", "9")
    named, _ = load("chan2022", overrides=[f"episodes.classes.counts_file={counts}"])
    assert named == again
    with pytest.raises(SettingError, match="the counts replace the frequencies"):
        load("chan2022", counts=counts, overrides=["episodes.classes.zipf_exponent=2"])


def test_overrides_reach_every_place() -> None:
    episodes, model = load(
        "chan2022",
        overrides=[
            "episodes.context_length=10",
            "episodes.held_out_classes=4",
            "episodes.classes.num_classes=50",
            "episodes.classes.frequencies=uniform",
            "episodes.rows.bursty.copies=4",
            "episodes.rows.bursty.share=0.75",
            "episodes.rows.plain.share=0.25",
            "episodes.inputs.dimension=5",
            "episodes.inputs.kind=sphere",
            "episodes.labels.label_noise=0.1",
            "episodes.sampling.kind=finite",
            "episodes.sampling.rows=99",
            "model.gate.prior_in_weight=0.3",
        ],
    )
    assert isinstance(episodes, EpisodeDistribution)
    assert episodes.classes == ClassLaw(frequencies="uniform", num_classes=50)
    assert (episodes.context_length, episodes.held_out_classes) == (10, 4)
    assert [(kind.name, kind.share, kind.copies) for kind in episodes.rows] == [
        ("bursty", 0.75, 4),
        ("plain", 0.25, None),
    ]
    assert episodes.inputs == SphereInputs(dimension=5)
    assert (episodes.labels, episodes.sampling) == (LabelRule(label_noise=0.1), FiniteSample(rows=99))
    assert model.gate == BayesGate(prior_in_weight=0.3)


def test_a_new_kind_keeps_what_it_shares() -> None:
    episodes, _ = load("reddy2023", overrides=["episodes.inputs.kind=sphere"])
    assert isinstance(episodes, EpisodeDistribution)
    assert episodes.inputs == SphereInputs(dimension=63, input_noise=0.1)
    episodes, _ = load("chan2024", overrides=["episodes.sampling.kind=stream", "episodes.inputs.kind=tabular"])
    assert isinstance(episodes, EpisodeDistribution)
    assert (episodes.sampling, episodes.inputs) == (Stream(), TabularInputs())


@pytest.mark.parametrize(
    ("source", "override", "allowed"),
    [
        ("chan2022", "label_noise=0.1", "a setting with its place: 'episodes.labels.label_noise'"),
        ("chan2022", "context_length=3", "'episodes.context_length'"),
        ("chan2022", "p_relevant=3", "one of episodes.context_length"),
        ("chan2022", "episodes.labels.label_nois=1", "did you mean 'episodes.labels.label_noise'?"),
        ("chan2022", "episodes.rows.burst.share=1", "did you mean 'bursty'?"),
        ("chan2022", "episodes.rows.bursty=1", "one of"),
        ("chan2022", "episodes.rows.NAME.share=1", "one of bursty, plain"),
        ("chan2022", "episodes=1", "one of episodes.context_length"),
        ("chan2022", "episodes.classes=1", "one of"),
        ("chan2022", "episodes.inputs.embeddings=1", "one of"),
        ("chan2022", "model.gate.prior=1", ""),
        ("paper", "episodes.labels.label_noise=0.1", "these settings have no [episodes]"),
    ],
)
def test_bad_overrides_are_refused(source: str, override: str, allowed: str) -> None:
    with pytest.raises(SettingError) as caught:
        load(source, overrides=[override])
    assert allowed in caught.value.allowed


def test_reading_twice_gives_settings_that_share_nothing() -> None:
    first, second = read("chan2022"), read("chan2022", overrides=["episodes.rows.bursty.share=0.5"])
    assert first["episodes"]["rows"][0]["share"] == 0.9
    assert second["episodes"]["rows"][0]["share"] == 0.5


def test_the_command_prints_episodes_and_says_what_it_cannot_predict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert theory.cli.main(["setting", "reddy2023", "--set", "episodes.labels.label_noise=0.1"]) == 0
    path = tmp_path / "again.toml"
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    assert load(path) == load("reddy2023", overrides=["episodes.labels.label_noise=0.1"])
    for command in (["predict"], ["diagram", "--x", "steps=1:10:2", "--y", "p_high=0.1:0.2:2", "--out", "x.csv"]):
        assert theory.cli.main([command[0], "chan2022", *command[1:]]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("theory: episodes.rows = 'bursty' with distractor_copies = 3 has no theory")
    assert theory.cli.main(["presets"]) == 0
    listed = capsys.readouterr().out
    assert all(f"\n{name} " in f"\n{listed}" for name in LITERATURE)
