r"""What noisy labels say about the own label: log-likelihoods, relative to a label that explains none of them.

Only the own labels that explain some example are listed; all others share the value 0. So the cost does not grow with
the number of labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulate.in_context.label_counts import LabelCounts
from simulate.in_context.noise_kernels import LOG_IMPOSSIBLE

Array = NDArray[np.float64]
Keys = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class OwnLabelEvidence:
    """Posterior weights of the own labels under a uniform prior.

    Parameters
    ----------
    key : ndarray of int, shape (k,)
        Prompt times labels, plus own label, in increasing order.
    weight : ndarray, shape (k,)
        Its posterior weight, not normalised.
    unlisted : ndarray, shape (prompts,)
        Weight of each label that is not listed.
    labels : int
        Number of labels.
    """

    key: Keys
    weight: Array
    unlisted: Array
    labels: int

    @classmethod
    def of(cls, key: Keys, log_likelihood: Array, prompts: int, labels: int) -> OwnLabelEvidence:
        """Weights of at most 1 from log-likelihoods relative to the unlisted labels.

        Examples
        --------
        >>> evidence = OwnLabelEvidence.of(np.array([1]), np.log([3.0]), prompts=2, labels=3)
        >>> evidence.dense().round(4).tolist()
        [[0.3333, 1.0, 0.3333], [1.0, 1.0, 1.0]]
        """
        prompt = key // labels
        all_listed = np.bincount(prompt, minlength=prompts) == labels
        top = np.where(all_listed, -np.inf, 0.0)
        np.maximum.at(top, prompt, log_likelihood)
        # Nothing falls below 1e-300, so that no label is ever ruled out altogether.
        weight = np.exp(np.maximum(log_likelihood - top[prompt], LOG_IMPOSSIBLE))
        # Where all labels are listed, the top may be negative, and there is no other label.
        unlisted = np.where(all_listed, 0.0, np.exp(np.clip(-top, LOG_IMPOSSIBLE, 0.0)))
        return cls(key, weight, unlisted, labels)

    def weight_of(self, label: NDArray[np.intp]) -> Array:
        """Weight of an own label in every prompt, shape (prompts,)."""
        prompts = self.unlisted.size
        wanted = np.arange(prompts) * self.labels + label
        place = np.minimum(np.searchsorted(self.key, wanted), max(self.key.size - 1, 0))
        if not self.key.size:
            return self.unlisted
        return np.where(self.key[place] == wanted, self.weight[place], self.unlisted)

    def weight_of_others(self, label: NDArray[np.intp]) -> Array:
        """Summed weight of all other own labels, shape (prompts,); a sum, not a difference."""
        prompt, listed = np.divmod(self.key, self.labels)
        other = listed != label[prompt]
        sums = np.bincount(prompt[other], self.weight[other], minlength=self.unlisted.size)
        number = np.bincount(prompt, minlength=self.unlisted.size)
        own_unlisted = np.bincount(prompt[~other], minlength=self.unlisted.size) == 0
        return np.asarray(sums + (self.labels - number - own_unlisted) * self.unlisted, dtype=np.float64)

    def dense(self) -> Array:
        """Weights of all own labels, shape (prompts, labels)."""
        weights = np.repeat(self.unlisted, self.labels)
        weights[self.key] = self.weight
        return weights.reshape(-1, self.labels)


def symmetric_evidence(counts: LabelCounts, gain: Array) -> OwnLabelEvidence:
    """Evidence where all other labels are alike; each example gains its own label ``gain``, shape (prompts,)."""
    gained = np.asarray(counts.count * gain[counts.prompt], dtype=np.float64)
    return OwnLabelEvidence.of(counts.key, gained, counts.prompts, counts.labels)


def cyclic_evidence(counts: LabelCounts, own: Array, previous: Array) -> OwnLabelEvidence:
    """Evidence where noise leads to the next label: each example gains its own label and the previous one.

    Parameters
    ----------
    counts : LabelCounts
        The labels that were seen.
    own, previous : ndarray, shape (prompts,)
        What an example adds to the log-likelihood of the label that it carries, and of the one before that.
    """
    labels, prompt = counts.labels, counts.prompt
    before = prompt * labels + (counts.key - 1) % labels
    key, place = np.unique(np.concatenate([counts.key, before]), return_inverse=True)
    gained = np.concatenate([counts.count * own[prompt], counts.count * previous[prompt]])
    total = np.bincount(place, gained, minlength=key.size).astype(np.float64)
    return OwnLabelEvidence.of(key, total, counts.prompts, labels)


def matrix_evidence(counts: LabelCounts, log_kernels: Array, kernel_of_prompt: Keys) -> OwnLabelEvidence:
    """Evidence from noise matrices; lists all labels.

    Parameters
    ----------
    counts : LabelCounts
        The labels that were seen.
    log_kernels : ndarray, shape (kernels, labels, labels)
        Log of the probability to see a label (last axis) where another is the own one.
    kernel_of_prompt : ndarray of int, shape (prompts,)
        Which of them is that of each prompt.
    """
    prompt, seen = np.divmod(counts.key, counts.labels)
    log_likelihood = np.zeros((counts.prompts, counts.labels))
    np.add.at(log_likelihood, prompt, counts.count[:, None] * log_kernels[kernel_of_prompt[prompt], :, seen])
    key = np.arange(log_likelihood.size, dtype=np.int64)
    return OwnLabelEvidence.of(key, log_likelihood.ravel(), counts.prompts, counts.labels)
