"""Accuracy, macro F1 and Matthews correlation as sums over examples, for `langnet.evaluate.scoring`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from langnet.evaluate.metrics import METRICS


def class_statistics(gold: Sequence[str], methods: Sequence[Sequence[str]]) -> np.ndarray:
    """The cell of the confusion matrix that each example falls into, gold classes in rows.

    Args:
        gold: N true labels.
        methods: the N labels that each of M methods predicts.

    Returns:
        (M, N, C * C), C the number of labels that occur anywhere.
    """
    names = sorted({*gold, *(label for labels in methods for label in labels)})
    place = {name: index for index, name in enumerate(names)}
    true = np.array([place[label] for label in gold])  # (N,)
    cells = np.zeros((len(methods), len(gold), len(names) ** 2))
    for method, labels in zip(cells, methods, strict=True):
        guessed = np.array([place[label] for label in labels])  # (N,)
        method[np.arange(len(gold)), true * len(names) + guessed] = 1
    return cells


def class_scores(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Accuracy, macro F1 and MCC of sums (..., C * C)."""
    n_classes = round(sums.shape[-1] ** 0.5)
    confusion = sums.reshape(-1, n_classes, n_classes)
    return {name: metric(confusion).reshape(sums.shape[:-1]) for name, metric in METRICS.items()}
