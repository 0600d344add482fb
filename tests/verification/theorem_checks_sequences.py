"""Checks of cumulative losses: sums that the engine keeps along sequences of visits, random or given."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from tests.verification.theorem_check import Address, Check, Setting, Trajectories
from tests.verification.theorem_checks_in_weight import BEYOND, RANKED, law, risk_after_visits
from tests.verification.theorem_streams import label_offsets, label_task, law_of, table_scan, visited_in_turn

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


def defaults(setting: Setting) -> dict[str, Any]:
    return {"b": 1.0, "label_noise": 0.0, "noisy_labels": 1, **setting.point}


def cumulative_losses(setting: Setting, offsets: Indices) -> Array:
    """Sums of the engine's in-weight losses along given labels, shape (visits, histories)."""
    point = defaults(setting)
    task = label_task(point["C"], 0.1, point["C"] - 1)
    scan = table_scan(task, offsets.shape[1], offsets.size, point["b"], setting.how.get("gate"))
    return visited_in_turn(scan, offsets).in_weight[: offsets.shape[1]]


def labels_in_random_order(setting: Setting, number: int, address: Address) -> Indices:
    """The same labels in so many orders, shape (visits, orders)."""
    n, own, noisy = (setting.point[name] for name in ("n", "own", "noisy_labels"))
    labels = np.concatenate([np.zeros(own, dtype=np.intp), 1 + np.arange(n - own) % noisy])
    return address.generator().permuted(np.tile(labels[:, None], (1, number)), axis=0)


def in_random_order(setting: Setting, number: int, address: Address) -> Trajectories:
    return Trajectories(cumulative_losses(setting, labels_in_random_order(setting, number, address)))


def sum_of_losses(setting: Setting, number: int, address: Address, redundancy: bool = False) -> Array:
    """Cumulative losses along labels of the sampler; with ``redundancy`` beyond those of the true law."""
    point = defaults(setting)
    offsets = label_offsets(point, point["n"], number, address)
    losses = cumulative_losses(setting, offsets)
    return losses + law_of(offsets, point["label_noise"], point["noisy_labels"]).sum(axis=0) if redundancy else losses


def one_label_only(setting: Setting, number: int, address: Address) -> Array:
    """The engine's table meets one label again and again."""
    del address
    return cumulative_losses(setting, np.zeros((setting.point["n"], number), dtype=np.intp))


def above_empirical_entropy(setting: Setting, number: int, address: Address) -> Trajectories:
    """Labels with every amount of noise from none to all, and the engine's losses above n times their entropy."""
    point = defaults(setting)
    n, C = point["n"], point["C"]
    generator = address.generator()
    labels = setting.how.get("labels", C)
    noise = generator.random(number) * (generator.random(number) < 0.9)
    noisy = generator.random((n, number)) < noise
    offsets = np.where(noisy, generator.integers(1, labels, (n, number)), 0)
    counts = np.stack([(offsets == label).sum(axis=0) for label in range(C)])
    values = cumulative_losses(setting, offsets) - (-xlogy(counts, counts / n)).sum(axis=0)
    seen = (counts > 0).sum(axis=0)
    # A sequence of a single label has no noise, which the theorem with a number of labels leaves out.
    kept = seen >= 2 if "labels" in setting.how else seen >= 1
    own = {"noisy_labels": seen[kept] - 1} if "labels" in setting.how else {}
    return Trajectories(values[kept], own)


def ever_compressed(setting: Setting, number: int, address: Address) -> Array:
    """Whether the engine's sum of losses is ever far below that of the true law, looked at after every visit."""
    point = defaults(setting)
    n, delta, noise = point["n"], point["delta"], point["label_noise"]
    offsets = label_offsets(point, n, number, address)
    scan = table_scan(label_task(point["C"], noise, 1), number, n * number, point["b"])
    truth, violated = np.zeros(number), np.zeros(number, dtype=bool)
    for i in range(n):
        truth -= law_of(offsets[i], noise, 1)
        losses = visited_in_turn(scan, offsets[i : i + 1]).in_weight[:number]
        violated |= losses < truth - np.log(1 / delta)
    return violated.astype(np.float64)


SUMS = "`Scan`'s sum of in-weight losses"
LABELS = f"{SUMS} along labels of the sampler"
EVERY = f"{SUMS} on random sequences of labels, less n times their empirical entropy"


def quantile(n: int, C: int, b: float, label_noise: float, M: int, delta: float) -> dict[str, Any]:
    return {"n": n, "C": C, "b": b, "label_noise": label_noise, "M": M, "delta": delta}


FEW_NOISY = quantile(40, 3, 0.5, 0.1, 2, 0.1)
MANY_PSEUDO_COUNTS = quantile(40, 3, 1000.0, 0.01, 2, 0.5)

CHECKS = (
    Check(
        theorem="cumulative_loss",
        simulated=f"{SUMS}, the labels in random orders",
        draw=in_random_order,
        settings=(
            Setting(point={"n": 1, "C": 2, "b": 1.0, "own": 1, "noisy_labels": 1}, draws=2),
            Setting(point={"n": 50, "C": 6, "b": 0.5, "own": 20, "noisy_labels": 3}, draws=300),
            Setting(point={"n": 300, "C": 200, "b": 0.01, "own": 101, "noisy_labels": 199}, draws=100, how=RANKED),
        ),
        kind="every",
    ),
    Check(
        theorem="expected_cumulative_loss",
        simulated=LABELS,
        draw=sum_of_losses,
        settings=(
            Setting(point=law(30, 4, 0.3, 3, b=0.5), draws=20_000, sees=0.01),
            Setting(point=law(2, 100, 0.5, 99, b=0.05), draws=60_000, sees=0.01),
            Setting(point=law(100, 2, 0.02, 1, b=2.0), draws=10_000, sees=0.04, how=RANKED),
        ),
    ),
    Check(
        theorem="cumulative_loss_asymptotic",
        simulated=f"{LABELS}, less those of the true law",
        draw=partial(sum_of_losses, redundancy=True),
        settings=(
            Setting(point=law(800, 2, 0.5, 1, b=0.5), draws=5000, sees=0.03),
            Setting(point=law(400, 4, 0.5, 3, b=0.5), draws=6000, sees=0.02),
            Setting(point=law(1600, 4, 0.5, 3, b=0.5), draws=3000, sees=0.02),
        ),
    ),
    Check(
        theorem="cumulative_loss_many_labels",
        simulated=f"{SUMS}, one label again and again",
        draw=one_label_only,
        settings=(
            Setting(point={"n": 50, "C": 100, "b": 0.5}),
            Setting(point={"n": 400, "C": 800, "b": 0.5}),
            Setting(point={"n": 3000, "C": 20, "b": 2.0}, how=RANKED),
        ),
        random=False,
    ),
    Check(
        theorem="pointwise_vertex",
        simulated=EVERY,
        draw=above_empirical_entropy,
        settings=(
            Setting(point={"n": 64, "C": 4, "b": 2.0}, draws=4000),
            Setting(point={"n": 5, "C": 12, "b": 0.5}, draws=4000, wrong=False),
        ),
        kind="every",
        left=False,
    ),
    Check(
        theorem="kt_pointwise",
        simulated=EVERY,
        draw=above_empirical_entropy,
        settings=(
            Setting(point={"n": 8, "C": 4, "b": 0.5}, draws=4000, sees=0.2),
            Setting(point={"n": 1, "C": 9, "b": 0.5}, draws=100),
        ),
        kind="every",
        left=False,
    ),
    Check(
        theorem="pointwise_support",
        simulated=EVERY,
        draw=above_empirical_entropy,
        settings=(
            Setting(point={"n": 64, "C": 6, "b": 0.0625}, draws=4000, sees=0.06, how={"labels": 3}),
            Setting(point={"n": 6, "C": 40, "b": 0.01}, draws=4000, sees=0.05, how={"labels": 6}),
        ),
        kind="every",
        left=False,
    ),
    Check(
        theorem="no_hypercompression",
        simulated=f"{LABELS}, against that of the true law after every visit",
        draw=ever_compressed,
        settings=(
            Setting(point=quantile(30, 2, 0.001, 0.5, 1, 0.51), draws=20_000, sees=0.06),
            Setting(point=quantile(40, 2, 0.5, 0.2, 1, 0.2), draws=20_000, sees=0.3, wrong=False),
        ),
        kind="chance",
    ),
    *(
        Check(
            theorem=name,
            simulated=BEYOND,
            draw=risk_after_visits,
            settings=(
                Setting(point=FEW_NOISY, draws=20_000, sees=0.3, wrong=False),
                Setting(point=MANY_PSEUDO_COUNTS, draws=10_000, sees=0.2),
            ),
            kind="quantile",
        )
        for name in ("high_probability_root", "high_probability_fast")
    ),
)
