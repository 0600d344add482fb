"""What a part reads of a block, or an error that says that it was not drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulate.blocks import PromptBlock
from theory.errors import SettingError

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


def context_labels(block: PromptBlock) -> Indices:
    """Labels of the context's examples, shape (rows, lanes, context_length)."""
    if block.context_labels is None:
        raise SettingError("block.context_labels", None, "the labels of the context's examples (needs 'labels')")
    return block.context_labels


def relevant_places(block: PromptBlock) -> NDArray[np.bool_]:
    """Which examples are of the query's class, shape (rows, lanes, context_length)."""
    if block.context_classes is None:
        raise SettingError("block.context_classes", None, "the classes of the context's examples (needs 'labels')")
    return np.asarray(block.context_classes == block.query[..., None])


def query_inputs(block: PromptBlock) -> Array:
    """Inputs of the queries, shape (rows, lanes, dimension)."""
    if block.query_inputs is None:
        raise SettingError("block.query_inputs", None, "the inputs of the queries (needs 'inputs')")
    return block.query_inputs


def squared_distances(block: PromptBlock) -> Array:
    """Squared distance of every example from its query, shape (rows, lanes, context_length)."""
    if block.context_inputs is None:
        raise SettingError("block.context_inputs", None, "the inputs of the context's examples (needs 'inputs')")
    difference = block.context_inputs - query_inputs(block)[:, :, None, :]
    return np.asarray(np.einsum("...d,...d->...", difference, difference), dtype=np.float64)
