"""Linear models of sets of labels and of numbers: one logistic regression a label, and ridge regression.

Both take dense or sparse features, leave the bias unpenalised, and are deterministic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import expit

from langnet.transfer.cross_validation import REPEATS, Splits

Fit = Callable[[Any, np.ndarray, float], tuple[np.ndarray, np.ndarray]]  # features, targets, strength: weights, biases

MOST_CROSS_VALIDATED = 3000  # texts; what more of them say of a strength and of thresholds is little
FEW = 500  # texts up to which cross-validation is repeated in other folds
FOLDS = 5
RIDGE_STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # of features of length one
MOST_WEIGHTS = 2_000_000  # that are fitted together; more labels are taken one part after the other
_ITERATIONS = 300


def one_vs_rest(features: Any, targets: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """A logistic regression a label, all of one strength (scikit-learn's C), by L-BFGS.

    A label that all texts have, or none, gets no weights and the log-odds of half a text more on either side.

    Args:
        features: (n, F), dense or sparse.
        targets: (n, C) of 0 and 1.
        strength: inverse regularisation.

    Returns:
        Weights (F, C) and biases (C,), of log-odds.
    """
    n, width = features.shape
    targets = np.asarray(targets, dtype=np.float64)
    count = targets.sum(0)
    weights = np.zeros((width, targets.shape[1]))
    bias = np.log((count + 0.5) / (n - count + 0.5))
    varying = np.flatnonzero((count > 0) & (count < n))
    step = max(1, MOST_WEIGHTS // (width + 1))
    for start in range(0, len(varying), step):
        part = varying[start : start + step]
        weights[:, part], bias[part] = _logistic(features, targets[:, part], strength, bias[part])
    return weights, bias


def _logistic(features: Any, targets: np.ndarray, strength: float, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.optimize import minimize

    width, n_labels = features.shape[1], targets.shape[1]
    signs = 2 * targets - 1  # (n, C)
    across = features.T.tocsr() if sparse.issparse(features) else features.T  # (F, n)

    def value(flat: np.ndarray) -> tuple[float, np.ndarray]:
        both = flat.reshape(width + 1, n_labels)
        margins = signs * (features @ both[:-1] + both[-1])  # (n, C)
        slope = -signs * expit(-margins)  # (n, C)
        gradient = np.empty_like(both)
        gradient[:-1] = across @ slope + both[:-1] / strength
        gradient[-1] = slope.sum(0)
        loss = np.logaddexp(0, -margins).sum() + (both[:-1] ** 2).sum() / (2 * strength)
        return float(loss), gradient.ravel()

    start = np.concatenate([np.zeros((width, n_labels)), bias[None]])
    options = {"maxiter": _ITERATIONS, "maxcor": 10, "gtol": 1e-3, "ftol": 1e-6}
    found = minimize(value, start.ravel(), jac=True, method="L-BFGS-B", options=options)
    both = found.x.reshape(width + 1, n_labels)
    return both[:-1], both[-1]


def ridge(features: Any, targets: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Least squares with the penalty `|w|^2 / strength`.

    Args:
        features: (n, F), dense or sparse.
        targets: (n, C).
        strength: inverse regularisation.

    Returns:
        Weights (F, C) and biases (C,).
    """
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=1 / strength, solver="auto").fit(features, targets)
    return np.asarray(model.coef_).reshape(targets.shape[1], -1).T, np.asarray(model.intercept_).reshape(-1)


def best_sigmoid_temperature(scores: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """What log-odds (n, C) are divided by for the least loss, and that loss: nats a text, the sum over its labels."""
    from scipy.optimize import minimize_scalar

    signs = 2 * np.asarray(targets, dtype=np.float64) - 1  # (n, C)

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0, -signs * scores / np.exp(log_temperature)).sum(1).mean())

    found = minimize_scalar(loss, bounds=(-5.0, 3.0), method="bounded", options={"xatol": 1e-3})
    return float(np.exp(found.x)), float(found.fun)


def squared_error(scores: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """The temperature of numbers, which is 1, and their mean squared error."""
    return 1.0, float(((scores - targets) ** 2).mean())


def plain_splits(n: int, seed: int) -> Splits:
    """Numbers of the examples to learn from and of those held out, of every fold; none where there are fewer than ten.

    Few examples go round again in other folds; of very many some are drawn.
    """
    from sklearn.model_selection import KFold

    if n < 2 * FOLDS:
        return []
    generator = np.random.default_rng(seed)
    rounds = [generator.permutation(n)[:MOST_CROSS_VALIDATED] for _ in range(REPEATS if n <= FEW else 1)]
    return [(order[train], order[held_out]) for order in rounds for train, held_out in KFold(FOLDS).split(order)]


def held_out_scores(features: Any, targets: np.ndarray, fit: Fit, strength: float, splits: Splits) -> np.ndarray:
    """Scores (m, C) of all held-out parts, one behind the other, by models of the other parts."""
    found = []
    for train, held_out in splits:
        weights, bias = fit(features[train], targets[train], strength)
        found.append(features[held_out] @ weights + bias)
    return np.concatenate(found)
