"""A head on whole documents: pooled states and document features in, a score or several out.

Classes, sets of labels and numbers differ in what the scores mean, and share how they are made.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.encoders.encoder import Encoding
from langnet.tasks.pooling import WIDTHS, Pooling, pool
from langnet.text.batches import Batch


@dataclass(frozen=True)
class HeadShape:
    """How a head on documents is built.

    Attributes:
        pooling: from positions to a document; see `langnet.tasks.pooling`.
        n_features: K, the length of precomputed document features beside the states; 0 for none.
        hidden: width of a hidden layer with ReLU (Howard & Ruder 2018 use 50); 0 for a linear head.
        dropout: before each linear layer.
    """

    pooling: Pooling = "mean"
    n_features: int = 0
    hidden: int = 0
    dropout: float = 0.1

    @property
    def plain(self) -> bool:
        """Whether the head is linear in the mean states, so that it can be fitted on frozen features."""
        return self.pooling == "mean" and not self.hidden


class DocumentHead(nn.Module):
    """Pool, standardise, and score; the head reads states and document features side by side.

    The standardisation is a batch norm that is set once, from frozen features, instead of drifting with each batch,
    which with a hundred examples would be a second source of noise.

    Args:
        shape: how it is built.
        n_outputs: C, scores a document.
        dim: D, the width of the states.
    """

    def __init__(self, shape: HeadShape, n_outputs: int, dim: int):
        super().__init__()
        self.shape = shape
        width = WIDTHS[shape.pooling] * dim + shape.n_features
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.center: Tensor
        self.scale: Tensor
        self.dropout = nn.Dropout(shape.dropout)
        self.hidden = nn.Linear(width, shape.hidden) if shape.hidden else None
        self.output = nn.Linear(shape.hidden or width, n_outputs)

    def inputs(self, encoding: Encoding, batch: Batch) -> Tensor:
        """What the head reads of each document: (N, width), standardised."""
        pooled = pool(encoding.top, batch, self.shape.pooling)  # (N, P)
        if self.shape.n_features:
            assert batch.features is not None, "the head was built with document features; the batch has none"
            pooled = torch.cat([pooled, batch.features.to(pooled.dtype)], dim=1)  # (N, P + K)
        return (pooled - self.center) * self.scale  # (N, width)

    def scores(self, encoding: Encoding, batch: Batch) -> Tensor:
        """The scores of each document, (N, C)."""
        x = self.dropout(self.inputs(encoding, batch))  # (N, width)
        if self.hidden is not None:
            x = self.dropout(F.relu(self.hidden(x)))  # (N, hidden)
        return self.output(x)  # (N, C)
