"""The step engine at work: all lanes side by side, block by block; any model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulate.checkpoints import checkpoints, last_part_start
from simulate.lanes import Lanes
from simulate.learner import Learner
from simulate.run_result import Outcome
from simulate.sources import PromptSource
from simulate.step_gathering import StepGathered

BLOCK = 1 << 16
"""Prompts (steps times lanes) that are held in memory at a time."""
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
    while done < steps:
        rows = min(max(1, BLOCK // lanes.count), (start if done < start else steps) - done)
        block = source.draw(rows)
        learned = learner.advance(block)
        if not kept:
            priors = learned.path.before[0, :: lanes.replicates].tolist()
            kept = [StepGathered(lanes, i, learner.per, prior, points) for i, prior in enumerate(priors)]
        interval = np.searchsorted(points, np.arange(done + 1, done + rows + 1))
        for setting in kept:
            setting.add(block, learned, interval, late=done >= start)
        done += rows
        advance(rows * lanes.count)
    return tuple(setting.outcome(seed, source.samples(i)) for i, setting in enumerate(kept))
