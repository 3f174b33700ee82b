"""Next-word prediction: the pretraining task of the essay."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from langnet.encoders.encoder import Encoder, Encoding
from langnet.tasks.cross_entropy import linear_cross_entropy
from langnet.tasks.task import Task
from langnet.text.batches import Batch


class LanguageModel(Task):
    """Predict each token from those to its left with the encoder's own softmax; there is no head to own.

    Radford et al. 2018, equation 1. During fine-tuning the same object is the auxiliary loss of their equation 5.
    """

    name = "language_model"

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        return linear_cross_entropy(encoding.top, encoder.output_weight(), next_tokens(batch))

    def config(self) -> dict[str, Any]:
        return {"name": self.name}


def next_tokens(batch: Batch) -> Tensor:
    """The id that follows each position, (B, T); -100 at the end of a row and at padding."""
    if batch.targets is not None:
        return batch.targets
    targets = batch.ids.roll(-1, dims=1)  # (B, T)
    targets[:, -1] = -100
    following = batch.mask.roll(-1, dims=1)  # (B, T)
    return targets.masked_fill(~following, -100)
