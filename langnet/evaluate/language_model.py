"""How good a language model is: bits per byte, which compares models whatever their tokenizers, and perplexity."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from langnet.encoders.encoder import Encoder
from langnet.tasks.cross_entropy import token_losses
from langnet.text.batches import Batch


@dataclass(frozen=True)
class LanguageModelScores:
    """What a language model reached on a text.

    Attributes:
        bits_per_byte: total surprise in bits over the UTF-8 bytes of the text.
        perplexity: exp of the mean surprise a token in nats; comparable only between models of one tokenizer.
        n_tokens: tokens that were predicted.
        n_bytes: bytes of the text that they cover.
    """

    bits_per_byte: float
    perplexity: float
    n_tokens: int
    n_bytes: int

    def to_dict(self) -> dict[str, float]:
        """For JSON."""
        return {
            "bits_per_byte": self.bits_per_byte,
            "perplexity": self.perplexity,
            "n_tokens": self.n_tokens,
            "n_bytes": self.n_bytes,
        }


@torch.no_grad()
def score_language_model(encoder: Encoder, windows: Iterable[Batch], n_bytes: int) -> LanguageModelScores:
    """Sum the surprise of every target in `windows`.

    Args:
        encoder: on the device where it is to run.
        windows: batches with `targets`, each token of the text a target once.
        n_bytes: UTF-8 bytes of the text that the windows cover.
    """
    was_training = encoder.training
    encoder.eval()
    device = next(encoder.parameters()).device
    nats, count = 0.0, 0
    for batch in windows:
        batch = batch.to(device)
        assert batch.targets is not None, "windows need targets"
        hidden = encoder(batch.ids, batch.mask).top
        losses = token_losses(hidden.flatten(0, 1), encoder.output_weight().to(hidden.dtype), batch.targets.flatten())
        nats += float(losses.double().sum())
        count += int((batch.targets != -100).sum())
    encoder.train(was_training)
    perplexity = math.exp(min(nats / max(count, 1), 700.0))
    return LanguageModelScores(nats / math.log(2) / max(n_bytes, 1), perplexity, count, n_bytes)
