"""Guessing hidden tokens: masked language models, and one that also predicts the next token by the same weights.

Devlin et al., "BERT", 2018, section 3.1; Charpentier & Samuel, "GPT or BERT: why not both?", 2024. What differs here:
tokens are scored by the encoder's own softmax without a transformation between, so that no head is left over; of an
encoder that reads in both directions, the scores of both halves are added.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from torch import Tensor

from langnet.encoders.encoder import Encoder, Encoding
from langnet.tasks.cross_entropy import linear_cross_entropy
from langnet.tasks.task import Task
from langnet.text.batches import Batch
from langnet.text.masking import MaskOptions


def guessing_states(encoder: Encoder, top: Tensor) -> Tensor:
    """What the softmax reads to guess a hidden token: top states (..., D), of two directions their sum (..., D / 2).

    The softmax is linear, so that adds the scores that the directions give each token.
    """
    read = encoder.softmax_input(top)
    if not encoder.bidirectional:
        return read
    left, right = read.chunk(2, dim=-1)
    return left + right  # (..., D / 2)


class MaskedLanguageModel(Task):
    """Guess the hidden tokens of a text from both sides; only they are counted.

    Args:
        share: part of the tokens that is hidden; see `text.masking`.
    """

    name = "masked_language_model"

    def __init__(self, share: float = 0.15):
        super().__init__()
        self.masks = MaskOptions(share)

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        assert batch.targets is not None, "a masked batch says what is hidden"
        states = guessing_states(encoder, encoding.top)
        return linear_cross_entropy(states, encoder.output_weight(), batch.targets, encoder.output_bias())

    def config(self) -> dict[str, Any]:
        return {"name": self.name, "share": self.masks.share}


class CausalMaskedLanguageModel(Task):
    """Some batches predict the next token from the left; others guess, at the same place, the next one if it is hidden.

    Both read out alike, so one set of weights learns both ("masked next-token prediction", Charpentier & Samuel 2024,
    section 2), and can afterwards write, score, and read from both sides.

    Args:
        share: part of the tokens that is hidden in a masked batch.
        causal_share: part of the batches that is read from left to right.
    """

    name = "causal_masked_language_model"
    gives_probabilities = True

    def __init__(self, share: float = 0.15, causal_share: float = 0.5):
        super().__init__()
        self.masks = MaskOptions(share, shifted=True, causal_share=causal_share)

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        assert batch.targets is not None, "a batch says what follows, or what is hidden"
        states = encoder.softmax_input(encoding.top)  # (B, T, D)
        return linear_cross_entropy(states, encoder.output_weight(), batch.targets, encoder.output_bias())

    def config(self) -> dict[str, Any]:
        settings = asdict(self.masks)
        settings.pop("shifted")
        return {"name": self.name, **settings}
