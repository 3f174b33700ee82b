"""Scores of semantic roles as sums over sentences, as CoNLL-2005's official program has them.

A role is right where its name and all its words are, those of its continuations too; the predicate itself does not
count (Carreras & Marquez 2005, section 2). What is predicted of a word that is no predicate counts as wrong here, where
that program passes over it, so that scores with predicates that were found are not flattered; with the true predicates
given, both say the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from langnet.evaluate.metrics import ratio
from langnet.evaluate.tag_scores import count_found, found_scores
from langnet.text.frames import Argument, Frame, arguments

Frames = Sequence[Frame]


def role_statistics(gold: Sequence[Frames], methods: Sequence[Sequence[Frames]]) -> tuple[np.ndarray, list[str]]:
    """What each sentence adds to the scores of each of M methods.

    Args:
        gold: the true frames of N sentences.
        methods: of each method the frames of the N sentences.

    Returns:
        (M, N, 3 K + 2): of each role found, predicted and true ones, then the predicates all of whose roles are right,
        and the predicates; and the K roles in their order.
    """
    true = [_all_arguments(frames) for frames in gold]
    said = [[_all_arguments(frames) for frames in method] for method in methods]
    counts, types = count_found(true, said)
    whole = np.zeros((len(methods), len(gold), 2))
    for number, method in enumerate(said):
        for n, (frames, right, mine) in enumerate(zip(gold, true, method, strict=True)):
            wrong = {one.predicate for one in set(right) ^ set(mine)}
            whole[number, n] = sum(frame.predicate not in wrong for frame in frames), len(frames)
    return np.concatenate([counts, whole], axis=2), types


def _all_arguments(frames: Frames) -> list[Argument]:
    return [argument for frame in frames for argument in arguments(frame)]


def role_scores(sums: np.ndarray) -> dict[str, np.ndarray]:
    """F1, precision and recall of roles, and the part of predicates that are all right, of sums (..., 3 K + 2)."""
    return {**found_scores(sums[..., :-2]), "whole": ratio(sums[..., -2], sums[..., -1])}


def role_f1(gold: Sequence[Frames], predicted: Sequence[Frames]) -> float:
    """Micro-averaged F1 of roles."""
    statistics, _ = role_statistics(gold, [predicted])
    return float(role_scores(statistics[0].sum(0))["f1"])


def predicate_scores(gold: Sequence[Frames], predicted: Sequence[Frames]) -> tuple[float, float, float]:
    """F1, precision and recall of which words are predicates."""
    right = said = true = 0
    for frames, mine in zip(gold, predicted, strict=True):
        own, other = {frame.predicate for frame in frames}, {frame.predicate for frame in mine}
        right, said, true = right + len(own & other), said + len(other), true + len(own)
    scores = found_scores(np.array([right, said, true], dtype=float))
    return float(scores["f1"]), float(scores["precision"]), float(scores["recall"])
