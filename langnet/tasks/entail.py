"""Pairs of texts with a class, natural language inference and paraphrase among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.encoders.precision import exact
from langnet.errors import LangnetError
from langnet.tasks.pairs import PairConfig, PairExample, PairReader
from langnet.tasks.task import ClassGuess, SupervisedTask
from langnet.tasks.writing import Writer
from langnet.text.batches import Batch
from langnet.text.pairs import Pair


@dataclass(frozen=True)
class EntailConfig:
    """How the head is built.

    Attributes:
        labels: names of the classes, sorted.
        pair: how both texts are read.
    """

    labels: Sequence[str]
    pair: PairConfig = field(default_factory=PairConfig)


class Entail(SupervisedTask[Pair, ClassGuess]):
    """Read the pair and classify."""

    name = "entail"

    def __init__(self, config: EntailConfig, dim: int):
        super().__init__()
        self.settings = config
        self.document_dim = config.pair.document_dim
        self.reader = PairReader(config.pair, dim)
        self.output = nn.Linear(self.reader.width, len(config.labels))

    def examples(self, items: Sequence[Pair], writer: Writer, labelled: bool = True) -> list[PairExample]:
        place = {label: float(index) for index, label in enumerate(self.settings.labels)}
        unknown = [item for item in items if str(item.label) not in place] if labelled else []
        if unknown:
            where = f"{unknown[0].source}: " if unknown[0].source else ""
            known = ", ".join(self.settings.labels[:10])
            raise LangnetError(f"{where}unknown label '{unknown[0].label}'; the model knows {known}")
        labels = [place[str(item.label)] if labelled else float("nan") for item in items]
        return self.reader.examples(items, writer, labels)

    def collate(self, examples: Sequence[PairExample], context: int | None, pad_id: int) -> Batch:
        return self.reader.collate(examples, context, pad_id)

    def scores(self, encoding: Encoding, batch: Batch) -> Tensor:
        """Unnormalised log-probabilities of each pair's classes, (N, C)."""
        return self.output(self.reader(encoding, batch))  # (N, C)

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        assert batch.labels is not None, "pairs are learned from with labels"
        return F.cross_entropy(self.scores(encoding, batch), batch.labels.long())

    def guesses(self, encoding: Encoding, batch: Batch) -> list[ClassGuess]:
        return ClassGuess.rows(self.settings.labels, exact(self.scores(encoding, batch)).softmax(dim=1).cpu().numpy())

    def guess_scores(self, encoding: Encoding, batch: Batch, guesses: Sequence[ClassGuess]) -> Tensor:
        chosen = torch.tensor([self.settings.labels.index(guess.label) for guess in guesses], device=batch.ids.device)
        return exact(self.scores(encoding, batch)).log_softmax(1).gather(1, chosen[:, None])[:, 0]  # (N,)

    def config(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self.settings), "labels": list(self.settings.labels)}
