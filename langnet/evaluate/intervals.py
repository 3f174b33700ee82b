"""Intervals: how far a score could lie elsewhere with other test examples, or other draws of labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

LEVEL = 0.95
_GROUPS = 4000  # values that one bootstrap of a ratio draws at most


@dataclass(frozen=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"[{self.low:.3f}, {self.high:.3f}]"


def bootstrap_cells(
    cells: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    n_resamples: int = 1000,
    seed: int = 0,
    level: float = LEVEL,
) -> Interval:
    """Percentile bootstrap (Efron 1979) of a statistic of counts.

    Resampling n test examples with replacement is a multinomial draw of the cells that they fall into, so a confusion
    matrix of C x C cells is resampled at a cost that does not grow with n.

    Args:
        cells: counts, of any shape.
        statistic: from (R, *cells.shape) counts to (R,) values.
        n_resamples: R.
        seed: of the draws.
        level: of confidence.
    """
    total = int(cells.sum())
    draws = np.random.default_rng(seed).multinomial(total, cells.ravel() / total, size=n_resamples)
    values = statistic(draws.reshape(n_resamples, *cells.shape))
    tail = (1 - level) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(float(low), float(high))


def bootstrap_ratio(
    numerators: np.ndarray, denominators: np.ndarray, n_resamples: int = 1000, seed: int = 0, level: float = LEVEL
) -> Interval:
    """Percentile bootstrap of sum(numerators) / sum(denominators) over N paired values, such as documents.

    More than a few thousand values are first summed into as many groups at random, which keeps the variance and bounds
    the work. A single value has no width, which is said by NaN.
    """
    generator = np.random.default_rng(seed)
    pairs = np.stack([numerators, denominators], axis=1).astype(float)  # (N, 2)
    if len(pairs) < 2:
        return Interval(float("nan"), float("nan"))
    if len(pairs) > _GROUPS:
        group = generator.permutation(len(pairs)) % _GROUPS
        pairs = np.stack([np.bincount(group, weights=column) for column in pairs.T], axis=1)
    shares = np.full(len(pairs), 1 / len(pairs))
    parts = [generator.multinomial(len(pairs), shares, size=100) @ pairs for _ in range(-(-n_resamples // 100))]
    sums = np.concatenate(parts)[:n_resamples]  # (R, 2)
    tail = (1 - level) / 2
    low, high = np.quantile(sums[:, 0] / np.maximum(sums[:, 1], 1e-300), [tail, 1 - tail])
    return Interval(float(low), float(high))


def seeds_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Student's t interval of the mean over seeds or draws; a single value has no width, which is said by NaN."""
    array = np.asarray(values, dtype=float)
    if len(array) < 2:
        return Interval(float("nan"), float("nan"))
    half = stdtrit(len(array) - 1, 0.5 + level / 2) * array.std(ddof=1) / np.sqrt(len(array))
    return Interval(float(array.mean() - half), float(array.mean() + half))


def paired_difference(
    gold: Sequence[object], first: Sequence[object], second: Sequence[object], n_resamples: int = 1000, seed: int = 0
) -> tuple[float, Interval]:
    """Accuracy of `first` minus that of `second` on the same examples, with a paired bootstrap interval."""
    truth = np.asarray(gold, dtype=object)
    right = [(np.asarray(p, dtype=object) == truth).astype(int) for p in (first, second)]
    cells = np.bincount(right[0] * 2 + right[1], minlength=4)  # neither, second only, first only, both

    def difference(draws: np.ndarray) -> np.ndarray:
        result: np.ndarray = (draws[:, 2] - draws[:, 1]) / draws.sum(axis=1)
        return result

    return float(right[0].mean() - right[1].mean()), bootstrap_cells(cells, difference, n_resamples, seed)
