"""Language models in both directions: the next word from the left, the previous one from the right."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from langnet.encoders.encoder import Encoder, Encoding
from langnet.errors import LangnetError
from langnet.tasks.cross_entropy import linear_cross_entropy
from langnet.tasks.sampled_softmax import log_uniform_sample, sampled_cross_entropy
from langnet.tasks.task import Task
from langnet.text.batches import IGNORED, Batch


class BidirectionalLanguageModel(Task):
    """The mean of both directions' losses, by one softmax that they share (Peters et al. 2018, section 3.1).

    Args:
        negatives: in training the softmax is estimated from so many draws, anew in each batch; 0 always takes all
            words, and so does a vocabulary of no more words than draws, or a softmax with a bias. Validation takes all.
    """

    name = "bidirectional_language_model"
    gives_probabilities = True

    def __init__(self, negatives: int = 8192):
        super().__init__()
        if negatives < 0:
            raise LangnetError(f"the number of negatives must be 0 or more, not {negatives}")
        self.negatives = negatives

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        assert batch.targets is not None, "a language model's batch has targets"
        weight, bias = encoder.output_weight(), encoder.output_bias()
        halves = encoder.softmax_input(encoding.top).chunk(2, dim=-1)
        pairs = zip(halves, (batch.targets, previous_tokens(batch)), strict=True)
        if self.training and 0 < self.negatives < len(weight) and bias is None:
            sample = log_uniform_sample(len(weight), self.negatives)
            losses = [sampled_cross_entropy(hidden, weight, targets, sample) for hidden, targets in pairs]
        else:
            losses = [linear_cross_entropy(hidden, weight, targets, bias) for hidden, targets in pairs]
        return (losses[0] + losses[1]) / 2

    def config(self) -> dict[str, Any]:
        return {"name": self.name, "negatives": self.negatives}


def previous_tokens(batch: Batch) -> Tensor:
    """The id that stands before each position, (B, T); -100 at the begin of a row and at padding."""
    if batch.previous is not None:
        return batch.previous
    previous = batch.ids.roll(1, dims=1)  # (B, T)
    previous[:, 0] = IGNORED
    return previous.masked_fill(~batch.mask, IGNORED)
