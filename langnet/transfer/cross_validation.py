"""Cross-validation on few labelled documents, each choice judged at its own best temperature."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

REPEATS = 2  # of cross-validation, in other folds

Splits = list[tuple[np.ndarray, np.ndarray]]


def stratified_splits(classes: np.ndarray, n_classes: int, seed: int) -> Splits:
    """Numbers of the documents to learn from and of those held out, of every fold of every repeat.

    At most five folds, fewer where a class has fewer documents; every class needs two.
    """
    from sklearn.model_selection import StratifiedKFold

    smallest = int(np.bincount(classes, minlength=n_classes).min())
    return [
        split
        for repeat in range(REPEATS)
        for split in StratifiedKFold(min(5, smallest), shuffle=True, random_state=seed + repeat).split(classes, classes)
    ]


def held_out_scores(
    features: np.ndarray, classes: np.ndarray, strength: float, splits: Splits
) -> tuple[np.ndarray, np.ndarray]:
    """Scores (m, C) and classes (m,) of all held-out parts, by logistic regression with scikit-learn's C = strength."""
    from sklearn.linear_model import LogisticRegression

    scores, gold = [], []
    for train, held_out in splits:
        model = LogisticRegression(C=strength, max_iter=500).fit(features[train], classes[train])
        scores.append(class_scores(model.decision_function(features[held_out])))
        gold.append(classes[held_out])
    return np.concatenate(scores), np.concatenate(gold)


def class_scores(values: np.ndarray) -> np.ndarray:
    """A decision function's values as one score a class, (m, C), where scikit-learn gives one for two classes."""
    return values if values.ndim == 2 else np.stack([-values / 2, values / 2], axis=1)


def best_temperature(scores: np.ndarray, gold: np.ndarray) -> tuple[float, float]:
    """The temperature at which scores (n, C) have the least log-loss on gold (n,), and that loss in nats."""
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        scaled = scores / np.exp(log_temperature)
        picked = scaled[np.arange(len(gold)), gold]
        return float((logsumexp(scaled, axis=1) - picked).mean())

    found = minimize_scalar(loss, bounds=(-5.0, 3.0), method="bounded", options={"xatol": 1e-3})
    return float(np.exp(found.x)), float(found.fun)
