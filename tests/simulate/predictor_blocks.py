"""Blocks of prompts for the tests of the predictors' states, and what the scalar twins say of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from simulate.blocks import PromptBlock
from simulate.lanes import Lanes
from simulate.prompts import draw_prompts
from simulate.reference_predictors import ReferencePredictor, ReferencePrompt
from theory.setting import GatedPredictor, TaskDistribution


@dataclass(frozen=True)
class _Inputs:
    dimension: int


@dataclass(frozen=True)
class _Rule:
    label_noise_kind: str
    noise_matrix: Any
    context_noise_matrix: Any


class InputTask:
    """A task whose examples have inputs, or whose labels have noise matrices: what the states read of one."""

    def __init__(self, task: TaskDistribution, dimension: int | None = None, matrices: Any = None) -> None:
        self._task = task
        if dimension is not None:
            self.inputs = _Inputs(dimension)
        if matrices is not None:
            self.labels = _Rule("matrix", *matrices)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)


def lanes_of(tasks: Any, parts: Any, role: str, replicates: int = 1) -> Lanes:
    """Lanes for parts of one role; a single task serves them all."""
    parts = parts if isinstance(parts, list) else [parts]
    tasks = tasks if isinstance(tasks, list) else [tasks] * len(parts)
    return Lanes(tuple(tasks), tuple(GatedPredictor(**{role: part}) for part in parts), replicates)


def drawn_block(
    tasks: Any, rows: int, lanes: int, seed: int = 0, dimension: int = 0, scale: float = 0.7
) -> PromptBlock:
    """Prompts of every lane by the definition of its task, with inputs if a dimension is given."""
    tasks = tasks if isinstance(tasks, list) else [tasks] * lanes
    generator = np.random.default_rng(seed)
    drawn = [draw_prompts(getattr(task, "_task", task), rows, generator) for task in tasks]
    query, label = (np.stack([getattr(d, name) for d in drawn], axis=1) for name in ("query", "label"))
    classes, labels = (
        np.stack([getattr(d, f"context_{name}") for d in drawn], axis=1) for name in ("classes", "labels")
    )
    query_inputs = context_inputs = None
    if dimension:
        centres = generator.standard_normal((tasks[0].total_classes, dimension))
        query_inputs = centres[query] + scale * generator.standard_normal((rows, lanes, dimension))
        context_inputs = centres[classes] + scale * generator.standard_normal((*classes.shape, dimension))
    return explicit_block(query, label, classes, labels, query_inputs, context_inputs)


def explicit_block(
    query: Any, label: Any, classes: Any, labels: Any, query_inputs: Any = None, context_inputs: Any = None
) -> PromptBlock:
    """A block from whole prompts; the statistics are counted here."""
    query, label, classes, labels = (np.asarray(array, dtype=np.intp) for array in (query, label, classes, labels))
    relevant, match = classes == query[..., None], labels == label[..., None]
    counts = (relevant.sum(axis=-1), (relevant & match).sum(axis=-1), (~relevant & match).sum(axis=-1))
    return PromptBlock(query, label, *counts, classes, labels, query_inputs, context_inputs)


def prompt_at(block: PromptBlock, row: int, lane: int) -> ReferencePrompt:
    def cell(array: Any) -> Any:
        return None if array is None else array[row, lane].tolist()

    return ReferencePrompt(
        query=int(block.query[row, lane]),
        label=int(block.label[row, lane]),
        context_classes=cell(block.context_classes),
        context_labels=cell(block.context_labels),
        query_input=cell(block.query_inputs),
        context_inputs=cell(block.context_inputs),
    )


def twin_logs(twins: list[ReferencePredictor], block: PromptBlock) -> np.ndarray:
    """Log probabilities by one twin for each lane, which learn along."""
    logs = np.empty(block.label.shape)
    for row in range(block.rows):
        for lane, twin in enumerate(twins):
            prompt = prompt_at(block, row, lane)
            logs[row, lane] = math.log(twin.predict(prompt)[prompt.label])
            twin.learn(prompt)
    return logs


def twin_laws(twins: list[ReferencePredictor], block: PromptBlock) -> np.ndarray:
    """Laws of the labels by one twin for each lane, without learning."""
    rows = range(block.rows)
    return np.array([[twin.predict(prompt_at(block, row, lane)) for lane, twin in enumerate(twins)] for row in rows])


def advance_in_parts(state: Any, block: PromptBlock, cuts: list[int]) -> np.ndarray:
    """Log probabilities of a block that is taken in parts; some of them may be empty."""
    edges = [0, *sorted(cuts), block.rows]
    return np.concatenate([state.advance(block.part(a, b)) for a, b in pairwise(edges)])


def lane_of(block: PromptBlock, lane: int) -> PromptBlock:
    """One lane of a block, alone."""
    return PromptBlock(**{k: None if a is None else a[:, lane : lane + 1] for k, a in vars(block).items()})


def off(found: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference, relative to values beyond 1."""
    return float((np.abs(found - expected) / np.maximum(1.0, np.abs(expected))).max())
