"""Correlations and errors of numbers as sums over examples, for `langnet.evaluate.scoring`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_MOMENTS = 6  # one, x, y, x^2, y^2, x y


def rating_statistics(gold: Sequence[float], methods: Sequence[Sequence[float]]) -> np.ndarray:
    """What each example adds to the scores, (M, N, 14).

    One, x, y, x^2, y^2 and x y, with x the true numbers less their mean and y the guesses less the same; these six of
    the ranks among all examples; the square and the size of the error. The ranks stay what they are among all examples
    where some are drawn anew, which the interval of Spearman's correlation is an approximation by.

    Args:
        gold: N numbers.
        methods: the N numbers that each of M methods guesses.
    """
    x = np.asarray(gold, dtype=np.float64)
    center = float(x.mean()) if len(x) else 0.0  # correlations do not change, and keep their digits
    ranks = _ranks(x)
    out = np.zeros((len(methods), len(x), 2 * _MOMENTS + 2))
    for table, guesses in zip(out, methods, strict=True):
        y = np.asarray(guesses, dtype=np.float64)
        table[:, :_MOMENTS] = _moments(x - center, y - center)
        table[:, _MOMENTS : 2 * _MOMENTS] = _moments(ranks, _ranks(y))
        table[:, -2], table[:, -1] = (x - y) ** 2, np.abs(x - y)
    return out


def _moments(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks less their mean, equal values at the mean of theirs."""
    from scipy.stats import rankdata  # takes half a second to import, which most verbs need not wait for

    found: np.ndarray = rankdata(values) - (len(values) + 1) / 2
    return found


def rating_scores(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Pearson's and Spearman's correlation, root of the mean squared error, mean absolute error, of sums (..., 14)."""
    n = np.maximum(sums[..., 0], 1)
    return {
        "pearson": _correlation(sums[..., :_MOMENTS]),
        "spearman": _correlation(sums[..., _MOMENTS : 2 * _MOMENTS]),
        "rmse": np.sqrt(sums[..., -2] / n),
        "mae": sums[..., -1] / n,
    }


def _correlation(sums: np.ndarray) -> np.ndarray:
    """Pearson's correlation of sums (..., 6); 0 where either does not vary."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    covariance, spread = n * xy - x * y, (n * xx - x * x) * (n * yy - y * y)
    varies = (n * xx - x * x > 1e-9 * n * xx) & (n * yy - y * y > 1e-9 * n * yy)
    result: np.ndarray = np.where(varies, covariance / np.sqrt(np.where(varies, spread, 1.0)), 0.0)
    return result
