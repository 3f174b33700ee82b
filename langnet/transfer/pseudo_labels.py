"""Learning from unlabelled texts too: they shape the boundary of a head, and its guesses are further examples.

Both happen in the space of frozen features, where it takes seconds. Of the guesses (Lee 2013) only the most confident
part of each class is kept, in the proportions of the labelled examples, so that no class swallows the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from langnet.transfer.frozen import FeatureTable, FrozenChoice, FrozenHead


@dataclass(frozen=True)
class PseudoLabelOptions:
    """How unlabelled texts are used.

    Attributes:
        entropy_weight: of the guesses' entropy beside the loss on the labelled texts; 0 leaves the head as it is.
        strength: inverse regularisation of the head. Cross-validation cannot choose it without the unlabelled texts:
            the entropy is least where scores are large, so the penalty has to hold them.
        max_texts: at most so many unlabelled texts are used, drawn at random.
        max_encoded: at most so many where the encoder has to read them, because the head uses its states.
        for_training: part of the unlabelled texts, the most confident, that fine-tuning gets as examples.
    """

    entropy_weight: float = 3.0
    strength: float = 8.0
    max_texts: int = 10_000
    max_encoded: int = 2_000
    for_training: float = 0.5

    def sample(self, texts: Sequence[str], seed: int, encoded: bool) -> list[str]:
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
    share = np.bincount(labels, minlength=n_classes) / len(labels)
    index = most_confident(probabilities, share, options.for_training)
    return head, index.numpy(), probabilities[index].numpy()


def most_confident(probabilities: Tensor, share: np.ndarray, part: float) -> Tensor:
    """The numbers of the most confident documents of each class, ascending.

    Args:
        probabilities: (m, C).
        share: (C,) the wanted proportion of each class.
        part: of the m documents, how many are chosen in all; fewer where a class has too few guesses.
    """
    guesses = probabilities.argmax(1)  # (m,)
    chosen = []
    for label, wanted in enumerate(share):
        own = (guesses == label).nonzero().squeeze(1)  # (k,)
        count = min(len(own), round(part * wanted * len(probabilities)))
        order = probabilities[own, label].argsort(descending=True, stable=True)
        chosen.append(own[order[:count]])
    return torch.cat(chosen).sort().values
