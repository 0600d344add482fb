"""The step engine at work: all lanes side by side, block by block; any model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from simulate.blocks import PromptBlock
from simulate.checkpoints import checkpoints, last_part_start
from simulate.lanes import Lanes
from simulate.learner import LearnedBlock, Learner
from simulate.run_result import Outcome
from simulate.sources import PromptSource
from simulate.step_gathering import StepGathered

WIDE = 1.05
"""Largest ratio of neighbouring checkpoints for a gate without cells."""


def run_steps(lanes: Lanes, steps: int, seed: int, advance: Callable[[int], object]) -> tuple[Outcome, ...]:
    """Simulate all lanes; one outcome for each setting. ``advance`` is told of steps that are done."""
    learner = Learner(lanes)
    source = PromptSource(lanes, learner.needs, seed)
    # A gate without cells is seen prompt by prompt: it takes many prompts to tell its mean.
    points = checkpoints(steps) if learner.per else checkpoints(steps, WIDE)
    kept: list[StepGathered] = []
    start = last_part_start(steps)
    done = 0
    for late, number in ((False, start), (True, steps - start)):
        for block, learned in learned_parts(source, learner, number):
            if not kept:
                priors = learned.path.before[0, :: lanes.replicates].tolist()
                kept = [StepGathered(lanes, i, learner.per, prior, points) for i, prior in enumerate(priors)]
            interval = np.searchsorted(points, np.arange(done + 1, done + block.rows + 1))
            for setting in kept:
                setting.add(block, learned, interval, late=late)
            done += block.rows
            advance(block.rows * lanes.count)
    return tuple(setting.outcome(seed, source.samples(i)) for i, setting in enumerate(kept))


def learned_parts(source: PromptSource, learner: Learner, steps: int) -> Iterator[tuple[PromptBlock, LearnedBlock]]:
    """The next ``steps`` prompts of every lane and what was learned from them, a few rows at a time."""
    for part in source.parts(steps):
        yield part, learner.advance(part)
