"""Accuracy, macro F1 and Matthews correlation, each with its bootstrap interval."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from langnet.evaluate.intervals import Interval, bootstrap_cells


@dataclass(frozen=True)
class Score:
    """A value and its 95 % interval."""

    value: float
    interval: Interval

    def __str__(self) -> str:
        return f"{self.value:.3f} {self.interval}"


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The quotient of sums; 0 where there is nothing to divide by."""
    whole = np.asarray(whole, dtype=float)
    return np.divide(part, whole, out=np.zeros(np.broadcast_shapes(np.shape(part), whole.shape)), where=whole > 0)


def accuracy(confusion: np.ndarray) -> np.ndarray:
    """Share of the diagonal, of (R, C, C) matrices with gold classes in rows."""
    result: np.ndarray = np.trace(confusion, axis1=1, axis2=2) / confusion.sum(axis=(1, 2))
    return result


def macro_f1(confusion: np.ndarray) -> np.ndarray:
    """Mean F1 over the classes that occur in gold or prediction, of (R, C, C) matrices."""
    hits = np.diagonal(confusion, axis1=1, axis2=2)  # (R, C)
    total = confusion.sum(axis=1) + confusion.sum(axis=2)  # (R, C): gold plus predicted
    occurs = total > 0
    scores = np.where(occurs, 2 * hits / np.maximum(total, 1), 0.0)
    result: np.ndarray = scores.sum(axis=1) / np.maximum(occurs.sum(axis=1), 1)
    return result


def matthews(confusion: np.ndarray) -> np.ndarray:
    """Matthews correlation of several classes (Gorodkin 2004), of (R, C, C) matrices; 0 where it is undefined."""
    counts = confusion.astype(float)
    gold, predicted = counts.sum(axis=2), counts.sum(axis=1)  # (R, C)
    total, hits = counts.sum(axis=(1, 2)), np.trace(counts, axis1=1, axis2=2)  # (R,)
    covariance = hits * total - (gold * predicted).sum(axis=1)
    spread = (total**2 - (gold**2).sum(axis=1)) * (total**2 - (predicted**2).sum(axis=1))
    return np.where(spread > 0, covariance / np.sqrt(np.maximum(spread, 1e-300)), 0.0)


METRICS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "mcc": matthews,
}


def confusion_matrix(gold: Iterable[Any], predicted: Iterable[Any], labels: Iterable[Any]) -> np.ndarray:
    """How often each label was taken for each, (C, C), the true ones in rows, both in the order of `labels`."""
    place = {label: index for index, label in enumerate(labels)}
    cells = [place[true] * len(place) + place[guess] for true, guess in zip(gold, predicted, strict=True)]
    return np.bincount(np.array(cells, dtype=np.int64), minlength=len(place) ** 2).reshape(len(place), len(place))


def classification_scores(gold: Sequence[str], predicted: Sequence[str], seed: int = 0) -> dict[str, Score]:
    """All metrics of a set of predictions.

    Args:
        gold: true labels, at least one.
        predicted: one a gold label.
        seed: of the bootstrap.
    """
    confusion = confusion_matrix(gold, predicted, labels=sorted({*gold, *predicted}))
    return {
        name: Score(float(metric(confusion[None])[0]), bootstrap_cells(confusion, metric, seed=seed))
        for name, metric in METRICS.items()
    }
