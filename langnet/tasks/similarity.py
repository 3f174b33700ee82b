"""Pairs of texts with a number: how related, or how similar, people found them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.encoders.precision import exact
from langnet.errors import LangnetError
from langnet.tasks.pairs import PairConfig, PairExample, PairReader
from langnet.tasks.task import SupervisedTask
from langnet.tasks.writing import Writer
from langnet.text.batches import Batch
from langnet.text.pairs import Pair


@dataclass(frozen=True)
class SimilarityConfig:
    """How the head is built.

    Attributes:
        low, high: the ratings' range, which no guess leaves.
        center, scale: mean and standard deviation of the ratings that were learned from.
        pair: how both texts are read.
    """

    low: float
    high: float
    center: float
    scale: float
    pair: PairConfig = field(default_factory=PairConfig)


@dataclass(frozen=True)
class Rating:
    """What is guessed of a pair."""

    value: float


class Similarity(SupervisedTask[Pair, Rating]):
    """Read the pair and regress; the loss is the squared error of ratings with mean 0 and variance 1."""

    name = "similarity"
    scores_are_logs = False

    def __init__(self, config: SimilarityConfig, dim: int):
        super().__init__()
        self.settings = config
        self.document_dim = config.pair.document_dim
        self.reader = PairReader(config.pair, dim)
        self.output = nn.Linear(self.reader.width, 1)

    def examples(self, items: Sequence[Pair], writer: Writer, labelled: bool = True) -> list[PairExample]:
        settings = self.settings
        without = [item for item in items if not isinstance(item.label, float | int)] if labelled else []
        if without:
            where = f"{without[0].source}: " if without[0].source else ""
            raise LangnetError(f"{where}the rating is '{without[0].label}', and has to be a number")
        labels = [(float(item.label or 0) - settings.center) / settings.scale if labelled else 0.0 for item in items]
        return self.reader.examples(items, writer, labels)

    def collate(self, examples: Sequence[PairExample], context: int | None, pad_id: int) -> Batch:
        return self.reader.collate(examples, context, pad_id)

    def standardised(self, encoding: Encoding, batch: Batch) -> Tensor:
        """Each pair's rating on the scale of the loss, (N,)."""
        return self.output(self.reader(encoding, batch))[:, 0]  # (N,)

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        assert batch.labels is not None, "pairs are learned from with ratings"
        return F.mse_loss(self.standardised(encoding, batch).float(), batch.labels.float())

    def guesses(self, encoding: Encoding, batch: Batch) -> list[Rating]:
        settings = self.settings
        values = exact(self.standardised(encoding, batch)) * settings.scale + settings.center  # (N,)
        return [Rating(value) for value in values.clamp(settings.low, settings.high).tolist()]

    def guess_scores(self, encoding: Encoding, batch: Batch, guesses: Sequence[Rating]) -> Tensor:
        """The rating itself, before it is kept within the range: what speaks for more of it, (N,)."""
        return self.standardised(encoding, batch).float() * self.settings.scale + self.settings.center

    def config(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self.settings)}
