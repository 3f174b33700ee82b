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

    Args:
        activation_penalty: on the mean square of what the softmax reads (Merity et al. 2017, section 4.3: alpha, 2).
        temporal_penalty: on the mean square of the difference of the top states of neighbouring tokens (beta, 1).
    """

    name = "language_model"
    gives_probabilities = True

    def __init__(self, activation_penalty: float = 0.0, temporal_penalty: float = 0.0):
        super().__init__()
        self.activation_penalty, self.temporal_penalty = activation_penalty, temporal_penalty

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        read = encoder.softmax_input(encoding.top)  # (B, T, D)
        loss = linear_cross_entropy(read, encoder.output_weight(), next_tokens(batch), encoder.output_bias())
        if not self.training:
            return loss
        real = batch.mask[..., None]  # (B, T, 1)
        if self.activation_penalty:
            loss = loss + self.activation_penalty * _mean_square(read.float(), real)
        if self.temporal_penalty and batch.ids.shape[1] > 1:
            steps = encoding.top[:, 1:].float() - encoding.top[:, :-1].float()  # (B, T - 1, D)
            loss = loss + self.temporal_penalty * _mean_square(steps, real[:, 1:])
        return loss

    def config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "activation_penalty": self.activation_penalty,
            "temporal_penalty": self.temporal_penalty,
        }


def _mean_square(x: Tensor, real: Tensor) -> Tensor:
    """Of (B, T, D) over real positions (B, T, 1)."""
    return (x.square() * real).sum() / (real.sum() * x.shape[-1]).clamp_min(1)


def next_tokens(batch: Batch) -> Tensor:
    """The id that follows each position, (B, T); -100 at the end of a row and at padding."""
    if batch.targets is not None:
        return batch.targets
    targets = batch.ids.roll(-1, dims=1)  # (B, T)
    targets[:, -1] = -100
    following = batch.mask.roll(-1, dims=1)  # (B, T)
    return targets.masked_fill(~following, -100)
