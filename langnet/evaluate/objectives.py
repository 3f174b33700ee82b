"""Held-out losses of objectives that give texts no probability, so that a run can be watched and two runs compared."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from langnet.encoders.encoder import Encoder
from langnet.evaluate.intervals import bootstrap_ratio
from langnet.evaluate.language_model import ROWS, UNLIMITED, nats_of_tokens
from langnet.tasks.masked import guessing_states
from langnet.tasks.rows import cut
from langnet.tasks.sentences import SentenceTask
from langnet.text.batches import IGNORED, Batch
from langnet.text.masking import every_token_once, hidden_targets, mask_of
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


@torch.no_grad()
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
    was_training = encoder.training
    encoder.eval()
    device = next(encoder.parameters()).device
    nats, count = np.zeros(len(documents)), np.zeros(len(documents))
    for batch in _hidden_windows(encoder, tokenizer, documents, shifted):
        batch = (spelling.spelled(batch) if spelling else batch).to(device)
        assert batch.targets is not None, "windows say what is hidden"
        assert batch.document is not None, "windows say of which document they are"
        top = encoder(batch.ids, batch.mask, causal=False if shifted else None).top  # (B, T, D)
        losses = nats_of_tokens(encoder, guessing_states(encoder, top), batch.targets).view(batch.targets.shape)
        document = batch.document.cpu().numpy()
        np.add.at(nats, document, losses.double().sum(1).cpu().numpy())
        np.add.at(count, document, (batch.targets != IGNORED).sum(1).cpu().numpy())
    encoder.train(was_training)
    return _summed(nats, count)


def _hidden_windows(
    encoder: Encoder, tokenizer: Tokenizer, documents: Sequence[np.ndarray], shifted: bool
) -> Iterator[Batch]:
    mask_id, length = mask_of(tokenizer), encoder.context or UNLIMITED
    held: list[tuple[int, np.ndarray, np.ndarray]] = []  # document, ids, targets
    for index in np.argsort([len(document) for document in documents], kind="stable"):
        for row in cut(documents[index], length):
            for hidden in every_token_once(row, tokenizer.special_ids, DISTANCE):
                if not hidden.any():
                    continue
                targets = hidden_targets(row[None], hidden[None], shifted)[0]
                held.append((int(index), np.where(hidden, mask_id, row), targets))
                if len(held) == ROWS:
                    yield _padded(held)
                    held = []
    if held:
        yield _padded(held)


def _padded(rows: Sequence[tuple[int, np.ndarray, np.ndarray]]) -> Batch:
    width = max(len(ids) for _, ids, _ in rows)

    def stacked(parts: Iterable[np.ndarray], padding: int) -> torch.Tensor:
        return torch.stack([F.pad(torch.from_numpy(part), (0, width - len(part)), value=padding) for part in parts])

    targets = stacked((targets for _, _, targets in rows), IGNORED)  # (B, T)
    ids = stacked((ids for _, ids, _ in rows), 0)  # (B, T)
    lengths = torch.tensor([len(ids) for _, ids, _ in rows])
    document = torch.tensor([document for document, _, _ in rows])  # (B,)
    return Batch(ids, torch.arange(width) < lengths[:, None], targets, document=document, n_examples=len(rows))


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
