"""Pairs of texts, natural language inference among them: one label a pair.

Both texts are one sequence, start, first, delimiter, second, extract (Radford et al. 2018, section 3.3), so that no
encoder needs a network of its own for pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.errors import LangnetError
from langnet.tasks.pooling import WIDTHS, Pooling, pool
from langnet.tasks.rows import cut, padded
from langnet.tasks.task import ClassGuess, SupervisedTask
from langnet.tasks.writing import Writer
from langnet.text.batches import Batch
from langnet.text.pairs import Pair


@dataclass(frozen=True)
class EntailConfig:
    """How the head is built.

    Attributes:
        labels: names of the classes, sorted.
        pooling: from positions to a pair.
        dropout: before the linear layer.
    """

    labels: Sequence[str]
    pooling: Pooling = "concat"
    dropout: float = 0.1


@dataclass(frozen=True)
class PairExample:
    """A pair as token ids (T,) or (T, C), and its class id; -1 where it is to be predicted."""

    ids: np.ndarray
    label: int


class Entail(SupervisedTask[Pair, ClassGuess]):
    """Pool the packed sequence and classify."""

    name = "entail"

    def __init__(self, config: EntailConfig, dim: int):
        super().__init__()
        self.settings = config
        width = WIDTHS[config.pooling] * dim
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(width, len(config.labels))

    def examples(self, items: Sequence[Pair], writer: Writer, labelled: bool = True) -> list[PairExample]:
        place = {label: index for index, label in enumerate(self.settings.labels)}
        unknown = sorted({str(item.label) for item in items} - place.keys()) if labelled else []
        if unknown:
            raise LangnetError(f"unknown label '{unknown[0]}'; the model knows {', '.join(self.settings.labels[:10])}")
        written = writer.write([(item.first, item.second) for item in items])
        return [
            PairExample(one.ids, place[str(item.label)] if labelled else -1)
            for one, item in zip(written, items, strict=True)
        ]

    def collate(self, examples: Sequence[PairExample], context: int | None, pad_id: int) -> Batch:
        pieces = [cut(example.ids, context) for example in examples]
        ids, mask = padded([row for rows in pieces for row in rows], pad_id)
        return Batch(
            ids,
            mask,
            labels=torch.tensor([example.label for example in examples]),
            document=torch.tensor([index for index, rows in enumerate(pieces) for _ in rows]),
            n_examples=len(examples),
        )

    def scores(self, encoding: Encoding, batch: Batch) -> Tensor:
        """Unnormalised log-probabilities of each pair's classes, (N, C)."""
        pooled = self.norm(pool(encoding.top, batch, self.settings.pooling))  # (N, width)
        return self.output(self.dropout(pooled))  # (N, C)

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        assert batch.labels is not None, "pairs are learned from with labels"
        return F.cross_entropy(self.scores(encoding, batch), batch.labels)

    def guesses(self, encoding: Encoding, batch: Batch) -> list[ClassGuess]:
        return ClassGuess.rows(self.settings.labels, self.scores(encoding, batch).double().softmax(dim=1).cpu().numpy())

    def guess_scores(self, encoding: Encoding, batch: Batch, guesses: Sequence[ClassGuess]) -> Tensor:
        chosen = torch.tensor([self.settings.labels.index(guess.label) for guess in guesses], device=batch.ids.device)
        return self.scores(encoding, batch).log_softmax(1).gather(1, chosen[:, None])[:, 0]  # (N,)

    def config(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self.settings), "labels": list(self.settings.labels)}
