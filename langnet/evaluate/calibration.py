"""Calibration: whether what a classifier calls 80 % probable is right in 80 of 100 cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from langnet.evaluate.intervals import LEVEL, Interval, bootstrap_ratio
from langnet.evaluate.metrics import Score
from langnet.evaluate.predictions import Predictions

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST_BINS = 15
LEAST_IN_A_BIN = 20
N_RESAMPLES = 500
_LEAST = 1e-15  # a smaller probability of what was true counts as this one
_NONE = Interval(float("nan"), float("nan"))


@dataclass(frozen=True)
class Calibration:
    """How far probabilities and hits lie apart.

    Attributes:
        error: expected calibration error (Naeini et al. 2015): over bins of equally many texts, the mean distance of
            the probability of the predicted class from the share of hits, which texts of equal probability share. It
            is above zero by chance alone, the more so the fewer texts there are.
        confidence: mean probability of the predicted class.
        accuracy: share of hits.
        n: texts.
        bins: (confidence, accuracy, number of texts) of each bin, least confident first.
        interval: of the error, by the basic bootstrap, which takes out how far resampling itself raises it.
        by_chance: what 95 of 100 perfectly calibrated classifiers with these probabilities would stay below.
        brier: mean squared distance of all probabilities from the truth (Brier 1950), 0 to 2.
        log_loss: mean surprise at the truth, in nats.
    """

    error: float
    confidence: float
    accuracy: float
    n: int
    bins: list[tuple[float, float, int]]
    interval: Interval = field(default=_NONE)
    by_chance: float = float("nan")
    brier: Score = field(default_factory=lambda: Score(float("nan"), _NONE))
    log_loss: Score = field(default_factory=lambda: Score(float("nan"), _NONE))

    def __str__(self) -> str:
        gap = self.confidence - self.accuracy
        tendency = "too sure" if gap > 0 else "not sure enough"
        return (
            f"calibration error {self.error:.3f} {self.interval} over {len(self.bins)} bins (up to "
            f"{self.by_chance:.3f} by chance); {tendency} by {abs(gap):.3f} on average\n"
            f"Brier {self.brier}, log-loss {self.log_loss}"
        )

    def table(self) -> RenderableType:
        """The reliability table: probability and hits, bin by bin."""
        from rich.table import Table

        shown = Table("probability", box=None, pad_edge=False)
        for title in ("right", "95 % interval", "texts"):
            shown.add_column(title, justify="right", no_wrap=True)
        for sure, right, count in self.bins:
            shown.add_row(f"{sure:.3f}", f"{right:.3f}", str(share_interval(round(right * count), count)), f"{count:,}")
        return shown


def calibrate(gold: Sequence[str], predictions: Predictions, seed: int = 0) -> Calibration | None:
    """Calibration of the predicted classes; None without probabilities or texts."""
    table = predictions.probabilities
    if table is None or not len(gold):
        return None
    confidence = table.max(axis=1)  # (N,)
    hits = np.array([g == p for g, p in zip(gold, predictions.labels, strict=True)], dtype=float)
    order = np.argsort(confidence, kind="stable")
    confidence, hits = confidence[order], hits[order]
    n, shared = len(gold), _shared(confidence, hits)
    n_bins = int(np.clip(n // LEAST_IN_A_BIN, 1, MOST_BINS))
    bins = [
        (float(confidence[part].mean()), float(shared[part].mean()), len(part))
        for part in np.array_split(np.arange(n), n_bins)
    ]
    error = sum(abs(sure - right) * count for sure, right, count in bins) / n
    interval, by_chance = _uncertainty(error, confidence, hits, n_bins, seed)
    truth = _truth(gold, predictions)  # (N, C)
    squares = ((table - truth) ** 2).sum(1) + (1 - truth.sum(1))  # a class without a column has a probability of 0
    surprise = -np.log(np.maximum((table * truth).sum(1), _LEAST))
    return Calibration(
        error, float(confidence.mean()), float(hits.mean()), n, bins, interval, by_chance, _mean(squares, seed),
        _mean(surprise, seed),
    )  # fmt: skip


def _truth(gold: Sequence[str], predictions: Predictions) -> np.ndarray:
    """One in the column of each text's class, (N, C)."""
    place = {name: index for index, name in enumerate(predictions.label_names)}
    columns = np.array([place.get(name, -1) for name in gold])
    truth: np.ndarray = (columns[:, None] == np.arange(len(place))).astype(float)
    return truth


def _mean(values: np.ndarray, seed: int) -> Score:
    return Score(float(values.mean()), bootstrap_ratio(values, np.ones_like(values), seed=seed))


def _uncertainty(
    error: float, confidence: np.ndarray, hits: np.ndarray, n_bins: int, seed: int
) -> tuple[Interval, float]:
    """The interval of the error, and the error that a perfect classifier stays below; both (N,) sorted."""
    n = len(confidence)
    if n < 2:
        return _NONE, float("nan")
    generator = np.random.default_rng(seed)
    resampled, perfect = np.zeros(N_RESAMPLES), np.zeros(N_RESAMPLES)
    for index in range(N_RESAMPLES):
        counts = np.bincount(generator.integers(n, size=n), minlength=n)
        chosen = np.repeat(np.arange(n), counts)  # sorted still
        resampled[index] = _error(confidence[chosen], hits[chosen], n_bins)
        perfect[index] = _error(confidence, (generator.random(n) < confidence).astype(float), n_bins)
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    # Resampling makes the error larger, which this takes back (the basic bootstrap); the error itself stays inside.
    interval = Interval(max(0.0, min(error, float(2 * error - high))), max(error, float(2 * error - low)))
    return interval, float(np.quantile(perfect, LEVEL))


def _error(confidence: np.ndarray, hits: np.ndarray, n_bins: int) -> float:
    """The calibration error of sorted confidences (N,) and their hits, in bins of equally many."""
    hits = _shared(confidence, hits)
    edges = np.array([len(part) for part in np.array_split(np.empty(len(hits)), n_bins)]).cumsum()
    sums = np.concatenate([[0.0], (confidence - hits).cumsum()])[np.concatenate([[0], edges])]
    return float(np.abs(np.diff(sums)).sum() / len(hits))


def _shared(confidence: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """Hits (N,) of sorted confidences (N,), each the mean of those that are as confident.

    Else a border between two bins could part them, and the order of the texts would decide which lie where.
    """
    block = np.cumsum(np.concatenate([[True], confidence[1:] > confidence[:-1]])) - 1  # (N,)
    found: np.ndarray = (np.bincount(block, weights=hits) / np.bincount(block))[block]
    return found


def share_interval(hits: int, n: int, level: float = LEVEL) -> Interval:
    """Interval of a share by Wilson's score method, which holds near 0 and 1 too."""
    if not n:
        return _NONE
    z, share = float(ndtri(0.5 + level / 2)), hits / n
    middle, spread = share + z * z / (2 * n), z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Interval(float((middle - spread) / (1 + z * z / n)), float((middle + spread) / (1 + z * z / n)))
