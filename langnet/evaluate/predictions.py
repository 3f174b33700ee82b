"""What any classifier returns, langnet's and its neighbours'."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
    def from_probabilities(cls, probabilities: np.ndarray, label_names: list[str]) -> Predictions:
        """The most probable class of each row."""
        chosen = np.array(label_names, dtype=object)[probabilities.argmax(axis=1)] if len(probabilities) else []
        return cls([str(label) for label in chosen], probabilities, label_names)
