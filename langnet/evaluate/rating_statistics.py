"""Pearson's correlation as sums over examples, for `langnet.evaluate.scoring`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def rating_statistics(gold: Sequence[float], methods: Sequence[Sequence[float]]) -> np.ndarray:
    """One, x, y, x^2, y^2 and x y of each example, (M, N, 6); x the true ratings less their mean, y the guesses.

    Args:
        gold: N ratings.
        methods: the N ratings that each of M methods guesses.
    """
    center = float(np.mean(gold)) if len(gold) else 0.0  # correlations do not change, and keep their digits
    x = np.asarray(gold, dtype=np.float64) - center  # (N,)
    out = np.zeros((len(methods), len(x), 6))
    for method, guesses in zip(out, methods, strict=True):
        y = np.asarray(guesses, dtype=np.float64) - center
        method[:] = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    return out


def rating_scores(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Pearson's correlation of sums (..., 6); 0 where either does not vary."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    covariance, spread = n * xy - x * y, (n * xx - x * x) * (n * yy - y * y)
    varies = (n * xx - x * x > 1e-9 * n * xx) & (n * yy - y * y > 1e-9 * n * yy)
    return {"pearson": np.where(varies, covariance / np.sqrt(np.where(varies, spread, 1.0)), 0.0)}


def spearman(gold: Sequence[float], guessed: Sequence[float]) -> float:
    """Spearman's correlation: Pearson's of the ranks, equal values at their mean rank."""
    from scipy.stats import rankdata

    sums = rating_statistics(rankdata(gold).tolist(), [rankdata(guessed).tolist()])[0].sum(0)
    return float(rating_scores(sums)["pearson"])
