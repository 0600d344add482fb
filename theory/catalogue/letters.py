"""The parameters that the theorems share: one letter, one name, one range."""

from __future__ import annotations

from typing import Final

import sympy

from theory.theorems.labels import CLASSES, LABEL_NOISE, NOISY_LABELS
from theory.theorems.parameters import Parameter

n = sympy.Symbol("n", integer=True, nonnegative=True)
C = CLASSES
b = sympy.Symbol("b", positive=True)
label_noise = LABEL_NOISE
noisy_labels = NOISY_LABELS

VISITS: Final = Parameter(
    symbol=n, latex="n", meaning="visits of the query", lowest=0, highest=1e12, corners=(1e6, 1e9)
)
NUM_CLASSES: Final = Parameter(symbol=C, latex="C", meaning="number of labels", lowest=2, highest=1e6, corners=(1e5,))
PSEUDO_COUNT: Final = Parameter(
    symbol=b,
    latex="b",
    meaning="pseudo-count of the table (1: Laplace, 1/2: KT)",
    lowest=1e-6,
    highest=1e6,
    default=1.0,
    corners=(1.0, 2.0),
)
LABEL_NOISE_LEVEL: Final = Parameter(
    symbol=label_noise,
    latex=r"\eta",
    meaning="probability that a label is not the own one",
    lowest=0,
    highest=1,
    default=0.0,
)
NUM_NOISY_LABELS: Final = Parameter(
    symbol=noisy_labels,
    latex="r",
    meaning="labels that share the noise (1: cyclic, C - 1: symmetric)",
    lowest=1,
    highest=C - 1,
    default=1.0,
    corners=(1e5,),
)
# The two-level label law, in the order in which its ranges refer to each other.
LABEL_LAW: Final = (NUM_CLASSES, LABEL_NOISE_LEVEL, NUM_NOISY_LABELS)

LABELS_IID: Final = "labels of the query are independent draws from its label law"
NATS: Final = "nats"
