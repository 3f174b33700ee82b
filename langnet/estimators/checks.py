"""What every estimator of single texts asks of its input, and tells scikit-learn of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets


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


def class_labels(y: Any, count: int, item: str) -> np.ndarray:
    """One label a text, or whatever an item is called, or a clear error.

    Raises:
        ValueError: another number of labels than items, missing or continuous ones, or several columns.
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    gold: np.ndarray = column_or_1d(y, warn=True)
    if len(gold) != count:
        raise ValueError(f"y should have one label a {item}; got {len(gold)} labels for {count} {item}s")
    missing = [i for i, label in enumerate(gold) if label is None or label != label]
    if missing:
        raise ValueError(f"label {missing[0]} of y is missing (None or NaN); drop that {item}, or give it a label")
    if len({isinstance(label, str) for label in gold}) > 1:
        raise ValueError("y mixes strings with other labels, which do not sort; make them all strings")
    check_classification_targets(gold)
    return gold


def text_tags(tags: Any) -> Any:
    """Tags of an estimator whose input is a list of strings."""
    tags.input_tags.string = True
    tags.input_tags.two_d_array = False
    tags.input_tags.one_d_array = True
    return tags
