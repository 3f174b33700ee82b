"""Texts with a number: how many stars, how long, how hard to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from langnet.encoders.encoder import Encoder, Encoding
from langnet.encoders.precision import exact
from langnet.errors import LangnetError
from langnet.tasks.document_head import DocumentHead, HeadShape
from langnet.tasks.examples import Example, collate
from langnet.tasks.similarity import Rating
from langnet.tasks.task import SupervisedTask
from langnet.tasks.writing import Writer
from langnet.text.batches import Batch
from langnet.text.text_items import TextItem


@dataclass(frozen=True)
class RegressConfig:
    """How the head is built.

    Attributes:
        low, high: the range of the numbers that were learned from.
        center, scale: their mean and standard deviation.
        bounded: whether no guess leaves the range.
        shape: of the head.
    """

    low: float
    high: float
    center: float
    scale: float
    bounded: bool = True
    shape: HeadShape = field(default_factory=HeadShape)


class Regress(DocumentHead, SupervisedTask[TextItem, Rating]):
    """A head on documents with one score; the loss is the squared error of numbers with mean 0 and variance 1."""

    name = "regress"
    scores_are_logs = False

    def __init__(self, config: RegressConfig, dim: int):
        super().__init__(config.shape, 1, dim)
        self.settings = config
        self.document_dim = config.shape.n_features

    def examples(self, items: Sequence[TextItem], writer: Writer, labelled: bool = True) -> list[Example]:
        targets = self.targets(items) if labelled else None
        return writer.documents_as_examples([item.text for item in items], targets)

    def targets(self, items: Sequence[TextItem]) -> np.ndarray:
        """The numbers on the scale of the loss, (N, 1) float32.

        Raises:
            LangnetError: an item without a number.
        """
        without = next((item for item in items if not isinstance(item.label, float | int)), None)
        if without is not None:
            where = f"{without.source}: " if without.source else ""
            raise LangnetError(f"{where}the label is '{without.label}', and has to be a number")
        values = np.array([item.label for item in items], dtype=np.float64)
        return ((values - self.settings.center) / self.settings.scale)[:, None].astype(np.float32)

    def collate(self, examples: Sequence[Example], context: int | None, pad_id: int) -> Batch:
        return collate(examples, context, pad_id)

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        assert batch.labels is not None, "texts are learned from with numbers"
        return F.mse_loss(self.scores(encoding, batch).float(), batch.labels.float())

    def guesses(self, encoding: Encoding, batch: Batch) -> list[Rating]:
        settings = self.settings
        values = exact(self.scores(encoding, batch)[:, 0]) * settings.scale + settings.center  # (N,)
        if settings.bounded:
            values = values.clamp(settings.low, settings.high)
        return [Rating(value) for value in values.tolist()]

    def guess_scores(self, encoding: Encoding, batch: Batch, guesses: Sequence[Rating]) -> Tensor:
        """The number itself, before it is kept within the range: what speaks for more of it."""
        return self.scores(encoding, batch)[:, 0].float() * self.settings.scale + self.settings.center  # (N,)

    def config(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self.settings)}
