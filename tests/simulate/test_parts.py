"""Prompts in parts that stay in the caches: the same prompts, however they are cut."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args

import numpy as np
import pytest

from simulate import blocks, sources
from simulate.blocks import PromptBlock
from simulate.lanes import Lanes
from simulate.protocols import Needs
from simulate.sources import PromptSource
from theory.setting import GatedPredictor, TaskDistribution

ONE = TaskDistribution(num_high=2, num_low=5, p_high=0.8, context_length=4, label_noise=0.2, p_relevant=0.7)
TWO = TaskDistribution(num_high=2, num_low=5, p_high=0.6, context_length=4, label_noise=0.3, relevant_examples=2)


def source(needs: Needs, *tasks: TaskDistribution, replicates: int = 3, seed: int = 5) -> PromptSource:
    return PromptSource(Lanes(tasks, (GatedPredictor(),) * len(tasks), replicates), needs, seed)


def joined(parts: list[PromptBlock]) -> dict[str, np.ndarray]:
    names = [field.name for field in fields(PromptBlock) if getattr(parts[0], field.name) is not None]
    return {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("needs", get_args(Needs)[:2])
@pytest.mark.parametrize("tasks", [(ONE,), (ONE, TWO), (TWO, ONE, TWO)])
def test_parts_are_the_draws(
    needs: Needs, tasks: tuple[TaskDistribution, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = source(needs, *tasks).draw(100)
    monkeypatch.setattr(sources, "CACHED", 20)
    monkeypatch.setattr(blocks, "CACHED", 20)
    monkeypatch.setattr(sources, "MOST_STATISTICS", 200)
    monkeypatch.setattr(sources, "MOST_EPISODES", 200)
    in_parts = source(needs, *tasks)
    # Stretches of different lengths, so that the memory of a longer one is used again by a shorter one.
    parts = [part for steps in (30, 7, 63) for part in in_parts.parts(steps)]
    assert same(joined(parts), joined([whole]))
    assert max(part.rows for part in parts) == max(1, 20 // whole.lanes)
    # The wrong variant: streams that begin anew with every part.
    anew = [next(source(needs, *tasks).parts(part.rows)) for part in parts]
    assert not same(joined(anew), joined([whole]))


def test_parts_and_draws_may_take_turns() -> None:
    whole, turns = source("statistics", ONE).draw(60), source("statistics", ONE)
    parts = [turns.draw(11), *turns.parts(29), turns.draw(20)]
    assert same(joined(parts), joined([whole]))


def test_what_was_drawn_stays_as_it_is() -> None:
    """The memory of the random variates is used again, that of the prompts is not."""
    drawn = source("statistics", ONE, replicates=1)
    first = drawn.draw(50)
    before = {name: values.copy() for name, values in joined([first]).items()}
    second = drawn.draw(50)
    assert same(joined([first]), before)
    assert not same(joined([second]), before)


def test_more_lanes_than_a_part_has_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "CACHED", 2)
    monkeypatch.setattr(blocks, "CACHED", 2)
    assert [part.rows for part in source("statistics", ONE, replicates=5).parts(3)] == [1, 1, 1]


def test_no_steps_have_no_parts() -> None:
    assert list(source("statistics", ONE).parts(0)) == []
    assert list(source("statistics", ONE).draw(0).parts()) == []
