"""What any classifier returns, langnet's and its neighbours'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from langnet.tasks.task import ClassGuess


@dataclass
class Predictions:
    """Predicted classes of N texts.

    Attributes:
        labels: N labels.
        probabilities: (N, C), columns in the order of `label_names`; None where a method gives none.
        label_names: C sorted names.
    """

    labels: list[str]
    probabilities: np.ndarray | None
    label_names: list[str]

    @classmethod
    def from_guesses(cls, guesses: Sequence[ClassGuess]) -> Predictions:
        """What a task with classes guesses; a class that an example does not have is impossible for it."""
        names = sorted({name for guess in guesses for name in guess.probabilities})
        table = np.array([[guess.probabilities.get(name, 0.0) for name in names] for guess in guesses])
        return cls([guess.label for guess in guesses], table.reshape(len(guesses), len(names)), names)

    @classmethod
    def from_probabilities(cls, probabilities: np.ndarray, label_names: list[str]) -> Predictions:
        """The most probable class of each row."""
        chosen = np.array(label_names, dtype=object)[probabilities.argmax(axis=1)] if len(probabilities) else []
        return cls([str(label) for label in chosen], probabilities, label_names)
