"""Accuracy of chosen alternatives as sums over items, for `langnet.evaluate.scoring`; a tie has chosen nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from langnet.tasks.choose import ChoiceGuess


def choice_statistics(gold: Sequence[int], methods: Sequence[Sequence[ChoiceGuess]]) -> np.ndarray:
    """Whether each item's right alternative was chosen and no other is as probable, and one, (M, N, 2)."""
    out = np.ones((len(methods), len(gold), 2))
    for method, guesses in zip(out, methods, strict=True):
        pairs = zip(gold, guesses, strict=True)
        method[:, 0] = [guess.index == answer and not guess.tied for answer, guess in pairs]
    return out


def choice_scores(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Accuracy of sums (..., 2)."""
    return {"accuracy": sums[..., 0] / np.maximum(sums[..., 1], 1)}
