"""Sets of labels: scores as sums over texts, for `langnet.evaluate.scoring`, and thresholds of probabilities.

F1 of all labels together (micro), the mean of each label's own (macro), the share of texts whose whole set is right,
and the share of decisions that are wrong (Hamming loss): Tsoumakas & Katakis 2007. Thresholds are chosen for F1 (Yang
2001; Fan & Lin 2007).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from langnet.tasks.multilabel import Thresholds

FEW = 50  # texts with a label below which its threshold is that of all labels: fewer mislead (LOG.md)


def indicator(sets: Sequence[Collection[str]], names: Sequence[str]) -> np.ndarray:
    """Which of C names each of N sets holds, (N, C) bool."""
    place = {name: index for index, name in enumerate(names)}
    found = np.zeros((len(sets), len(names)), dtype=bool)
    for row, own in zip(found, sets, strict=True):
        row[[place[name] for name in own if name in place]] = True
    return found


def label_set_statistics(gold: np.ndarray, methods: Sequence[np.ndarray]) -> np.ndarray:
    """What each text adds to the scores.

    Args:
        gold: (N, C) bool, the true labels.
        methods: (N, C) bool each, what M methods guess.

    Returns:
        (M, N, 3 C + 2): of each label one where it is rightly given, wrongly given, wrongly left out; whether the whole
        set is right; and one.
    """
    out = np.zeros((len(methods), len(gold), 3 * gold.shape[1] + 2))
    for table, guessed in zip(out, methods, strict=True):
        parts = [gold & guessed, ~gold & guessed, gold & ~guessed]
        table[:, :-2] = np.concatenate(parts, axis=1)
        table[:, -2] = (gold == guessed).all(axis=1)
        table[:, -1] = 1
    return out


def label_set_scores(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Micro F1, macro F1, subset accuracy and Hamming loss of sums (..., 3 C + 2).

    Macro F1 is the mean over the labels that occur, in truth or guess; where none occurs, both F1 are 0.
    """
    hits, extra, missed = np.split(sums[..., :-2], 3, axis=-1)  # (..., C)
    total = 2 * hits + extra + missed
    occurs = total > 0
    each = np.where(occurs, 2 * hits / np.maximum(total, 1), 0.0)
    n = np.maximum(sums[..., -1], 1)
    wrong = (extra + missed).sum(-1)
    return {
        "micro_f1": 2 * hits.sum(-1) / np.maximum(total.sum(-1), 1),
        "macro_f1": each.sum(-1) / np.maximum(occurs.sum(-1), 1),
        "subset_accuracy": sums[..., -2] / n,
        "hamming_loss": wrong / (n * max(hits.shape[-1], 1)),
    }


def choose_thresholds(probabilities: np.ndarray, gold: np.ndarray, how: Thresholds) -> np.ndarray:
    """Thresholds (C,) with the best F1 on texts that the probabilities were not learned from.

    Args:
        probabilities: (N, C).
        gold: (N, C) bool.
        how: `one` threshold, the best for all labels together; with `each`, a label that `FEW` texts or more have gets
            one of its own; `half` is 0.5, whatever the texts say.
    """
    n_labels = gold.shape[1]
    if how == "half" or not gold.any():
        return np.full(n_labels, 0.5)
    common = best_f1_threshold(probabilities.ravel(), gold.ravel())
    found = np.full(n_labels, common)
    if how == "each":
        for label in np.flatnonzero(gold.sum(0) >= FEW):
            found[label] = best_f1_threshold(probabilities[:, label], gold[:, label])
    return found


def best_f1_threshold(probabilities: np.ndarray, gold: np.ndarray) -> float:
    """The threshold with the best F1 of decisions (N,), in the middle between two probabilities.

    Of thresholds that are as good as each other the one nearest to 0.5.
    """
    order = np.argsort(-probabilities, kind="stable")
    sorted_p, hits = probabilities[order], gold[order].cumsum()
    scores = 2 * hits / (np.arange(1, len(order) + 1) + gold.sum())  # F1 where the first 1, 2, ... are given
    ends = np.append(sorted_p[:-1] > sorted_p[1:], True)  # equal probabilities are given together
    places = np.flatnonzero(ends)
    below = np.append(sorted_p[1:], 0.0)
    middles = (sorted_p[places] + below[places]) / 2
    best = scores[places] >= scores[places].max() - 1e-12
    chosen = middles[best]
    return float(chosen[np.abs(chosen - 0.5).argmin()])
