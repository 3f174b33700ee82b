"""Text classification: one label a document, from the pooled states of any encoder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.tasks.pooling import WIDTHS, Pooling, pool
from langnet.tasks.task import Task
from langnet.text.batches import Batch


@dataclass(frozen=True)
class ClassifyConfig:
    """How a classifier's head is built.

    Attributes:
        n_classes: C.
        pooling: from positions to a document; see `langnet.tasks.pooling`.
        n_features: K, the length of precomputed document features beside the states; 0 for none.
        hidden: width of a hidden layer with ReLU (Howard & Ruder 2018 use 50); 0 for a linear head.
        dropout: before each linear layer.
    """

    n_classes: int
    pooling: Pooling = "mean"
    n_features: int = 0
    hidden: int = 0
    dropout: float = 0.1


class Classify(Task):
    """Pool, standardise, and classify; the head reads states and document features side by side.

    The standardisation is a batch norm that is set once, from frozen features, instead of drifting with each batch,
    which with a hundred examples would be a second source of noise.
    """

    name = "classify"

    def __init__(self, config: ClassifyConfig, dim: int):
        super().__init__()
        self.settings = config
        width = WIDTHS[config.pooling] * dim + config.n_features
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.center: Tensor
        self.scale: Tensor
        self.dropout = nn.Dropout(config.dropout)
        self.hidden = nn.Linear(width, config.hidden) if config.hidden else None
        self.output = nn.Linear(config.hidden or width, config.n_classes)

    def inputs(self, encoding: Encoding, batch: Batch) -> Tensor:
        """What the head reads of each document: (N, width), standardised."""
        pooled = pool(encoding.top, batch, self.settings.pooling)  # (N, P)
        if self.settings.n_features:
            assert batch.features is not None, "the classifier was built with document features; the batch has none"
            pooled = torch.cat([pooled, batch.features.to(pooled.dtype)], dim=1)  # (N, P + K)
        return (pooled - self.center) * self.scale  # (N, width)

    def scores(self, encoding: Encoding, batch: Batch) -> Tensor:
        """Unnormalised log-probabilities of each document's classes, (N, C)."""
        x = self.dropout(self.inputs(encoding, batch))  # (N, width)
        if self.hidden is not None:
            x = self.dropout(F.relu(self.hidden(x)))  # (N, hidden)
        return self.output(x)  # (N, C)

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        assert batch.labels is not None, "classification needs labels"
        return F.cross_entropy(self.scores(encoding, batch), batch.labels)

    def probabilities(self, encoding: Encoding, batch: Batch) -> Tensor:
        """Probabilities of each document's classes, (N, C)."""
        return self.scores(encoding, batch).float().softmax(dim=1)

    def config(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self.settings)}
