"""Pseudo-labels: a model's own guesses on unlabelled texts, as further training examples (Yarowsky 1995; Lee 2013).

Guesses are made in the space of frozen features, where a round takes a second, and only the most confident part of
each class is kept, in the proportions of the labelled examples, so that no class swallows the others.
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
    """How labels are guessed.

    Attributes:
        rounds: how often a head is fitted on its predecessor's guesses; 0 switches pseudo-labels off.
        keep: part of the unlabelled texts whose guesses are kept, the most confident ones of each class.
        max_texts: at most so many unlabelled texts are used, drawn at random.
        labelled_weight: weight of all labelled examples together, as a part of the guesses' weight.
        for_training: part of the unlabelled texts, again the most confident, that fine-tuning gets as examples.
    """

    rounds: int = 4
    keep: float = 0.8
    max_texts: int = 20_000
    labelled_weight: float = 0.1
    for_training: float = 0.5

    def sample(self, texts: Sequence[str], seed: int) -> list[str]:
        """At most `max_texts` of the texts."""
        if len(texts) <= self.max_texts:
            return list(texts)
        chosen = np.random.default_rng(seed).choice(len(texts), self.max_texts, replace=False)
        return [texts[i] for i in np.sort(chosen)]


def pseudo_label(
    head: FrozenHead,
    choice: FrozenChoice,
    labelled: FeatureTable,
    labels: np.ndarray,
    unlabelled: FeatureTable,
    options: PseudoLabelOptions,
) -> tuple[FrozenHead, np.ndarray, np.ndarray]:
    """Refit the head on its own confident guesses, round after round.

    Args:
        head: fitted on the labelled examples.
        choice: how it was fitted.
        labelled: features of n labelled documents.
        labels: (n,) their class ids.
        unlabelled: features of m unlabelled documents.
        options: how.

    Returns:
        The last head; the numbers of the k unlabelled documents for fine-tuning; their probabilities (k, C).
    """
    n_classes = head.linear.out_features
    share = np.bincount(labels, minlength=n_classes) / len(labels)
    with torch.no_grad():
        probabilities = head(unlabelled).softmax(1)  # (m, C)
    for _ in range(options.rounds):
        index = most_confident(probabilities, share, options.keep)
        guesses = probabilities[index].argmax(1)  # (k,)
        both = FeatureTable(
            torch.cat([labelled.layers, unlabelled.layers[index]]),
            torch.cat([labelled.document, unlabelled.document[index]]),
        )
        weights = torch.ones(len(labels) + len(index))
        weights[: len(labels)] = options.labelled_weight * len(index) / len(labels)
        weights /= weights.mean()
        head = FrozenHead(both, n_classes, choice.state_weight, choice.document_dims)
        head.fit(both, torch.cat([torch.as_tensor(labels), guesses]), choice.strength, weights)
        with torch.no_grad():
            probabilities = head(unlabelled).softmax(1)  # (m, C)
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
