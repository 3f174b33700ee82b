"""Neighbours of single texts with sets of labels or with numbers: the commonest answer, and linear models of TF-IDF.

Strengths and thresholds are chosen by cross-validation inside the labelled texts, as a model's own are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.special import expit
from threadpoolctl import threadpool_limits

from langnet.evaluate.baselines import MOST_ROTATED, STRENGTHS, rotate
from langnet.evaluate.label_sets import choose_thresholds
from langnet.tasks.multilabel import LabelSetGuess, Thresholds, label_set_guesses
from langnet.transfer.linear_fits import (
    RIDGE_STRENGTHS,
    Fit,
    best_sigmoid_temperature,
    held_out_scores,
    one_vs_rest,
    plain_splits,
    ridge,
    squared_error,
)

_TOKENS = r"(?u)\b\w+\b"


def most_frequent_set(sets: Sequence[tuple[str, ...]], count: int) -> list[LabelSetGuess]:
    """The set that most training texts have, the first by its labels among equals, for each of `count` texts.

    Its probabilities are the labels' shares.
    """
    counts = Counter(sets)
    best = min(counts, key=lambda one: (-counts[one], one))
    shares = Counter(label for one in sets for label in one)
    guess = LabelSetGuess(best, {name: shares[name] / len(sets) for name in sorted(shares)})
    return [guess] * count


def tfidf_label_sets(
    texts: Sequence[str], gold: np.ndarray, names: Sequence[str], test: Sequence[str], how: Thresholds
) -> list[LabelSetGuess] | None:
    """A logistic regression a label on TF-IDF of words and word pairs; None where the texts have no words.

    Args:
        texts: n to learn from.
        gold: (n, C), which labels they have.
        names: of the C labels.
        test: texts to be judged.
        how: thresholds are chosen.
    """
    found = _best_fit(texts, gold.astype(np.float64), test, (one_vs_rest, best_sigmoid_temperature, STRENGTHS))
    if found is None:
        return None
    scores, index, held_out, temperature = found
    thresholds = np.full(len(names), 0.5)
    if len(index):
        thresholds = choose_thresholds(expit(held_out / temperature), gold[index].astype(bool), how)
    return label_set_guesses(names, expit(scores / temperature), thresholds)


def tfidf_numbers(texts: Sequence[str], numbers: Sequence[float], test: Sequence[str]) -> np.ndarray | None:
    """Ridge regression on TF-IDF of words and word pairs, (N,) within the numbers' range; None without any words."""
    gold = np.asarray(numbers, dtype=np.float64)[:, None]
    found = _best_fit(texts, gold, test, (ridge, squared_error, RIDGE_STRENGTHS))
    return None if found is None else np.clip(found[0][:, 0], gold.min(), gold.max())


Judge = Callable[[np.ndarray, np.ndarray], tuple[float, float]]


def _best_fit(
    texts: Sequence[str], gold: np.ndarray, test: Sequence[str], method: tuple[Fit, Judge, Sequence[float]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float] | None:
    """Scores of the test texts; numbers and scores of held-out training texts; their temperature."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    fit, judge, strengths = method
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=_TOKENS)
    try:
        own: Any = vectorizer.fit_transform(texts)
    except ValueError:  # no words at all
        return None
    other: Any = vectorizer.transform(test) if len(test) else own[:0]
    if len(texts) <= MOST_ROTATED:
        own, other = rotate(own, other)
    splits = plain_splits(len(texts), seed=0)
    index = np.concatenate([held_out for _, held_out in splits]) if splits else np.zeros(0, dtype=np.int64)
    best, held, temperature = (float("inf"), 5.0), np.zeros((0, gold.shape[1])), 1.0
    with threadpool_limits(1):  # of matrices this small, a second thread only waits for the first
        for strength in strengths if splits else ():
            scores = held_out_scores(own, gold, fit, strength, splits)
            sharpness, loss = judge(scores, gold[index])
            if loss < best[0]:
                best, held, temperature = (loss, strength), scores, sharpness
        weights, bias = fit(own, gold, best[1])
    return other @ weights + bias, index, held, temperature
