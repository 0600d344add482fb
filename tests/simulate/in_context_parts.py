"""Tasks and parts for the tests of the in-context predictors' states."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from simulate.implementations import in_context_state
from tests.simulate.predictor_blocks import InputTask, lanes_of
from theory.setting import Attention, KernelAttention, LabelPosterior, LearnedAttention, MajorityVote, TaskDistribution

TASK = TaskDistribution(num_high=2, num_low=4, p_high=0.7, context_length=5, p_relevant=0.6, label_noise=0.2)
SYMMETRIC = replace(TASK, label_noise_kind="symmetric", context_label_noise=0.5, num_labels=4)
NOISELESS = replace(TASK, label_noise=0.0)
CERTAIN = replace(TASK, label_noise=1.0)
TWO = replace(TASK, num_labels=2)
INPUTS = InputTask(TASK, dimension=3)
QUERY_MATRIX = [[0.5, 0.3, 0.2], [0.0, 1.0, 0.0], [0.1, 0.1, 0.8]]
CONTEXT_MATRIX = [[0.6, 0.0, 0.4], [0.2, 0.7, 0.1], [0.0, 0.0, 1.0]]
MATRIX = InputTask(replace(TASK, num_labels=3), matrices=(QUERY_MATRIX, CONTEXT_MATRIX))
SAME_MATRIX = InputTask(replace(TASK, num_labels=3), matrices=(QUERY_MATRIX, None))
FIXED = [Attention(odds=odds, floor=floor) for odds, floor in ((1.0, 1e-4), (20.0, 0.1), (1e100, 1e-9))]
LEARNED = [
    LearnedAttention(learning_rate=r, initial_odds=o) for r, o in ((0.0, 3.0), (0.02, 1.0), (1.0, 1.5), (30.0, 1e20))
]
KERNELS = [KernelAttention(temperature=t, floor=f) for t, f in ((1e6, 1e-4), (1.0, 0.05), (0.05, 1e-9))]
LEARNED_KERNELS = [KernelAttention(temperature=t, learning_rate=r) for t, r in ((1.0, 0.0), (2.0, 0.01), (0.5, 0.2))]
FLOORS = [0.0, 1e-4, 0.1]
POSTERIORS = [LabelPosterior(floor=floor) for floor in FLOORS]
VOTES = [MajorityVote(floor=floor) for floor in (1e-9, 0.1)]
PARTS: dict[str, tuple[Any, list[Any], int]] = {
    "attention": (TASK, FIXED, 0),
    "attention, shared labels": (SYMMETRIC, FIXED, 0),
    "learned": (TASK, LEARNED, 0),
    "learned, shared labels": (SYMMETRIC, LEARNED, 0),
    "kernel": (INPUTS, KERNELS, 3),
    "learned kernel": (INPUTS, LEARNED_KERNELS, 3),
    "kernel without inputs": (SYMMETRIC, LEARNED_KERNELS, 0),
    "posterior, cyclic": (TASK, POSTERIORS, 0),
    "posterior, symmetric": (SYMMETRIC, POSTERIORS, 0),
    "posterior, noiseless": (NOISELESS, POSTERIORS, 0),
    "posterior, certain noise": (CERTAIN, POSTERIORS, 0),
    "posterior, two labels": (TWO, POSTERIORS, 0),
    "posterior, matrix": (MATRIX, POSTERIORS[1:], 0),
    "posterior, one matrix": (SAME_MATRIX, POSTERIORS[1:], 0),
    "vote": (TASK, VOTES, 0),
    "vote, shared labels": (SYMMETRIC, VOTES, 0),
}


def start(name: str, replicates: int) -> Any:
    task, parts, _ = PARTS[name]
    return in_context_state(parts[0], lanes_of(task, parts, "in_context", replicates))
