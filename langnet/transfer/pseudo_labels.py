"""Learning from unlabelled texts too: how they are used, and the way for models without document vectors.

With document vectors, `langnet.transfer.co_training` learns from unlabelled texts. Without, they shape the boundary of
the head on frozen states. Either way the guesses (Lee 2013) are further examples for fine-tuning; only the most
confident part of each class is kept, in the proportions of the labelled examples, so that no class swallows the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from langnet.transfer.co_training import CoTrainingOptions, most_confident
from langnet.transfer.frozen import FeatureTable, FrozenChoice, FrozenHead

Text = TypeVar("Text")  # or what else is labelled


@dataclass(frozen=True)
class PseudoLabelOptions:
    """How unlabelled texts are used.

    Attributes:
        co_training: how document vectors learn from them.
        entropy_weight: without document vectors, the weight of the guesses' entropy beside the loss on the labelled
            texts; 0 leaves the head as it is.
        strength: inverse regularisation of the head. Cross-validation cannot choose it without the unlabelled texts:
            the entropy is least where scores are large, so the penalty has to hold them.
        max_texts: at most so many unlabelled texts are used, drawn at random.
        max_encoded: at most so many where the encoder has to read them, because the head uses its states.
        for_training: part of the unlabelled texts, the most confident, that fine-tuning gets as examples.
        most_for_training: fine-tuning gets at most so many, since the network reads them all.
    """

    co_training: CoTrainingOptions = field(default_factory=CoTrainingOptions)
    entropy_weight: float = 3.0
    strength: float = 8.0
    max_texts: int = 75_000
    max_encoded: int = 2_000
    for_training: float = 0.5
    most_for_training: int = 5_000

    def sample(self, texts: Sequence[Text], seed: int, encoded: bool) -> list[Text]:
        """As many of the texts as may be used, whether they are to be `encoded` or not."""
        most = min(self.max_texts, self.max_encoded) if encoded else self.max_texts
        if len(texts) <= most:
            return list(texts)
        chosen = np.random.default_rng(seed).choice(len(texts), most, replace=False)
        return [texts[i] for i in np.sort(chosen)]


def pseudo_label(
    choice: FrozenChoice,
    labelled: FeatureTable,
    labels: np.ndarray,
    n_classes: int,
    unlabelled: FeatureTable,
    options: PseudoLabelOptions,
) -> tuple[FrozenHead, np.ndarray, np.ndarray]:
    """Fit a head on labelled and unlabelled documents together, and take its confident guesses.

    Args:
        choice: features and strength that cross-validation chose.
        labelled: features of n labelled documents.
        labels: (n,) their class ids.
        n_classes: C.
        unlabelled: features of m unlabelled documents.
        options: how.

    Returns:
        The head; the numbers of the k unlabelled documents for fine-tuning; their probabilities (k, C).
    """
    head = FrozenHead(labelled, n_classes, choice.state_weight, choice.document)
    head.fit(labelled, torch.as_tensor(labels), options.strength, unlabelled, options.entropy_weight)
    with torch.no_grad():
        probabilities = head(unlabelled).softmax(1)  # (m, C)
    index = for_training(probabilities, labels, options)
    return head, index, probabilities[torch.from_numpy(index)].numpy()


def for_training(probabilities: Tensor, labels: np.ndarray, options: PseudoLabelOptions) -> np.ndarray:
    """The numbers of the unlabelled documents that fine-tuning gets, of guesses (m, C) and labels (n,)."""
    share = np.bincount(labels, minlength=probabilities.shape[1]) / len(labels)
    part = min(options.for_training, options.most_for_training / max(1, len(probabilities)))
    return most_confident(probabilities, share, part).numpy()
