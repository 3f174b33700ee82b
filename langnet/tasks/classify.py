"""Text classification: one label a document, from the pooled states of any encoder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from langnet.encoders.encoder import Encoder, Encoding
from langnet.tasks.document_head import DocumentHead, HeadShape
from langnet.tasks.pooling import Pooling
from langnet.tasks.task import Task
from langnet.text.batches import Batch


@dataclass(frozen=True)
class ClassifyConfig:
    """How a classifier's head is built.

    Attributes:
        n_classes: C.
        pooling, n_features, hidden, dropout: see `langnet.tasks.document_head.HeadShape`.
    """

    n_classes: int
    pooling: Pooling = "mean"
    n_features: int = 0
    hidden: int = 0
    dropout: float = 0.1


class Classify(DocumentHead, Task):
    """A head on documents whose scores are unnormalised log-probabilities of classes."""

    name = "classify"

    def __init__(self, config: ClassifyConfig, dim: int):
        shape = HeadShape(config.pooling, config.n_features, config.hidden, config.dropout)
        super().__init__(shape, config.n_classes, dim)
        self.settings = config

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        assert batch.labels is not None, "classification needs labels"
        return F.cross_entropy(self.scores(encoding, batch), batch.labels)

    def probabilities(self, encoding: Encoding, batch: Batch) -> Tensor:
        """Probabilities of each document's classes, (N, C)."""
        return self.scores(encoding, batch).float().softmax(dim=1)

    def config(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self.settings)}
