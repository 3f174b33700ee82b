"""What every estimator of single texts asks of its input, and tells scikit-learn of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def list_of_texts(values: Sequence[str]) -> list[str]:
    """A list of strings, or a clear error.

    Raises:
        ValueError: one string instead of several, an empty list, or something that is not text.
    """
    if isinstance(values, str):
        raise ValueError("expected a list of texts, got one string; put it in a list: [text]")
    array = np.asarray(values, dtype=object)
    if array.ndim == 2 and array.shape[1] == 1:  # a column of a data frame
        array = array[:, 0]
    if array.ndim != 1 or not len(array):
        raise ValueError(f"expected a list of one or more texts, got an array of shape {array.shape}")
    for position, value in enumerate(array):
        if not isinstance(value, str):
            raise ValueError(f"expected texts, but item {position} is {type(value).__name__}")
    return [str(value) for value in array]


def text_tags(tags: Any) -> Any:
    """Tags of an estimator whose input is a list of strings."""
    tags.input_tags.string = True
    tags.input_tags.two_d_array = False
    tags.input_tags.one_d_array = True
    return tags
