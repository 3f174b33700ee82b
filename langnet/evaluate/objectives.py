"""Held-out losses of objectives that give texts no probability, so that a run can be watched and two runs compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from langnet.encoders.encoder import Encoder
from langnet.evaluate.hidden_tokens import HiddenRow, nats_of_hidden
from langnet.evaluate.intervals import bootstrap_ratio
from langnet.evaluate.language_model import UNLIMITED
from langnet.tasks.rows import cut
from langnet.tasks.sentences import SentenceTask
from langnet.text.batches import IGNORED, Batch
from langnet.text.masking import every_token_once
from langnet.text.spelling import Spelling
from langnet.text.tokenizer import Tokenizer

DISTANCE = 7  # of hidden tokens: about the share of them in training


@dataclass(frozen=True)
class ObjectiveScores:
    """An objective's own loss on held-out text.

    Attributes:
        loss: mean nats a predicted token; comparable only between models of one tokenizer and one objective.
        n_tokens: tokens that were predicted.
        n_documents: documents that they are of.
        interval: 95 % over documents, or None where there is a single one or documents were not told apart.
    """

    loss: float
    n_tokens: int
    n_documents: int
    interval: tuple[float, float] | None = None

    def to_dict(self, name: str) -> dict[str, Any]:
        """For JSON, the loss under its `name`."""
        held: dict[str, Any] = {
            name: self.loss,
            f"{name}_tokens": self.n_tokens,
            f"{name}_documents": self.n_documents,
        }
        return held | {f"{name}_interval": None if self.interval is None else list(self.interval)}


def score_hidden_tokens(
    encoder: Encoder,
    tokenizer: Tokenizer,
    documents: Sequence[np.ndarray],
    shifted: bool = False,
    spelling: Spelling | None = None,
) -> ObjectiveScores:
    """How well an encoder guesses tokens that stand behind a mask: each token of each document once.

    In every pass one token in `DISTANCE` is hidden, so nothing is drawn and the same model has the same score.

    Args:
        encoder: on the device where it is to run.
        tokenizer: with a mask.
        documents: token ids, with the special tokens around them.
        shifted: the token of a place is guessed one place to its left; see `text.masking`.
        spelling: where the encoder reads characters.
    """
    rows = _hidden_rows(encoder, tokenizer, documents)
    nats, count = nats_of_hidden(encoder, tokenizer, rows, len(documents), shifted, spelling)
    return _summed(nats, count)


def _hidden_rows(encoder: Encoder, tokenizer: Tokenizer, documents: Sequence[np.ndarray]) -> Iterator[HiddenRow]:
    length = encoder.context or UNLIMITED
    for index in np.argsort([len(document) for document in documents], kind="stable"):
        for row in cut(documents[index], length):
            for hidden in every_token_once(row, tokenizer.special_ids, DISTANCE):
                if hidden.any():
                    yield HiddenRow(int(index), row, hidden, hidden)


def _summed(nats: np.ndarray, count: np.ndarray) -> ObjectiveScores:
    interval = bootstrap_ratio(nats, count)
    known = not math.isnan(interval.low)
    return ObjectiveScores(
        float(nats.sum() / max(count.sum(), 1)),
        int(count.sum()),
        len(count),
        (interval.low, interval.high) if known else None,
    )


@torch.no_grad()
def score_sentences(
    encoder: Encoder, task: SentenceTask, batches: Iterable[Batch], n_documents: int
) -> ObjectiveScores:
    """How well a task's decoders write what they are to write."""
    was_training = encoder.training
    encoder.eval()
    task.eval()
    device = next(encoder.parameters()).device
    total, count = 0.0, 0
    for batch in batches:
        batch = batch.to(device)
        n = sum(int((part != IGNORED).sum()) for part in task.written(batch))
        loss = task.loss(encoder, encoder(batch.ids, batch.mask), batch)
        total, count = total + float(loss) * n, count + n
    encoder.train(was_training)
    task.train(was_training)
    return ObjectiveScores(total / max(count, 1), count, n_documents)
