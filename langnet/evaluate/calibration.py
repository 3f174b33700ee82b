"""Calibration: whether what a classifier calls 80 % probable is right in 80 of 100 cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from langnet.evaluate.predictions import Predictions

MOST_BINS = 15
LEAST_IN_A_BIN = 20


@dataclass(frozen=True)
class Calibration:
    """How far probabilities and hits lie apart.

    Attributes:
        error: expected calibration error (Naeini et al. 2015): over bins of equally many texts, the mean distance of
            the probability of the predicted class from the share of hits. It is above zero by chance alone, the more
            so the fewer texts there are.
        confidence: mean probability of the predicted class.
        accuracy: share of hits.
        n: texts.
        bins: (confidence, accuracy, number of texts) of each bin, least confident first.
    """

    error: float
    confidence: float
    accuracy: float
    n: int
    bins: list[tuple[float, float, int]]

    def __str__(self) -> str:
        gap = self.confidence - self.accuracy
        tendency = "too sure" if gap > 0 else "not sure enough"
        return f"calibration error {self.error:.3f} over {len(self.bins)} bins; {tendency} by {abs(gap):.3f} on average"


def calibrate(gold: Sequence[str], predictions: Predictions) -> Calibration | None:
    """Calibration of the predicted classes; None without probabilities or texts."""
    if predictions.probabilities is None or not len(gold):
        return None
    confidence = predictions.probabilities.max(axis=1)  # (N,)
    hits = np.array([g == p for g, p in zip(gold, predictions.labels, strict=True)], dtype=float)
    n_bins = int(np.clip(len(gold) // LEAST_IN_A_BIN, 1, MOST_BINS))
    parts = np.array_split(np.argsort(confidence, kind="stable"), n_bins)
    bins = [(float(confidence[part].mean()), float(hits[part].mean()), len(part)) for part in parts]
    error = sum(abs(sure - right) * count for sure, right, count in bins) / len(gold)
    return Calibration(error, float(confidence.mean()), float(hits.mean()), len(gold), bins)
