"""Tasks and models in words: every part has words of its own, and what changes is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

import theory
from figures.report.parts_in_words import model_sentences
from figures.report.task_in_words import task_sentences
from theory.setting_file import PARTS, load, presets


@pytest.mark.parametrize("role", PARTS)
def test_every_part_has_words_of_its_own(role: str) -> None:
    needed = {"learned-attention": {"learning_rate": 0.1}}
    said = []
    for kind, part in PARTS[role].items():
        model = theory.GatedPredictor(**{role: part(**needed.get(kind, {}))})
        said.append(" ".join(model_sentences(model)))
        assert "a part of the kind" not in said[-1]
    assert len(set(said)) == len(said)


def test_a_part_of_a_users_own_is_named() -> None:
    @dataclass(frozen=True)
    class Mine:
        kind: ClassVar[str] = "coin"

    assert "is a part of the kind coin." in model_sentences(theory.GatedPredictor(in_context=Mine()))[1]


@pytest.mark.parametrize("preset", presets())
def test_tasks_in_words_are_whole_sentences(preset: str) -> None:
    for sentence in task_sentences(load(preset)[0]):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert "None" not in sentence
        assert "  " not in sentence


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("label_noise=0", "Labels have no noise."),
        ("context_label_noise=0.3", "A label is replaced by the next label with probability 0.05 (0.3 in contexts)."),
        ("label_noise_kind=symmetric", "A label is replaced by any other label with probability 0.05."),
        ("p_relevant=0", "A context holds 8 labelled examples, never one of the query's class."),
        ("p_relevant=0.5", "A context holds 8 labelled examples, with probability 0.5 4 of them of the query's class."),
        ("num_labels=10", "The classes share 10 labels in turn."),
    ],
)
def test_what_changes_is_said(override: str, sentence: str) -> None:
    assert sentence in task_sentences(load("transient", overrides=[override])[0])
    assert sentence not in task_sentences(load("transient")[0])
