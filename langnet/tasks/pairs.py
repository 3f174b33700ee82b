"""What of two texts a head reads, however an encoder reads them: in one sequence, in both orders, or each by itself.

`packed` is start, first, delimiter, second, extract (Radford et al. 2018, section 3.3), `both-orders` the sum of that
and of the texts exchanged, which does not ask which text is the first. `separate` encodes each text alone, for encoders
that have not learned to look from one text to the other: [u, v, |u - v|, u * v] of the pooled texts (Conneau et al.
2017), and an alignment word by word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.encoders.encoder import Encoding
from langnet.tasks.pooling import WIDTHS, Pooling, pool
from langnet.tasks.rows import cut, gather, padded
from langnet.tasks.soft_alignment import SoftAlignment
from langnet.tasks.writing import Writer
from langnet.text.batches import Batch
from langnet.text.characters import join
from langnet.text.pairs import Pair

Arrangement = Literal["packed", "both-orders", "separate"]
MOST_ALIGNED = 512  # tokens of a text that is aligned; its middle is left out, since each meets each of the other text


@dataclass(frozen=True)
class PairConfig:
    """How a pair is read.

    Attributes:
        arrangement: see the module.
        pooling: from positions to a text, or to a packed pair.
        alignment: of separate texts, word by word; its width, 0 for none.
        symmetric: of separate texts, whether they may be exchanged: [|u - v|, u * v, u + v].
        document_dim: K, of the document vectors |s - t| and s * t beside the states; 0 for none.
        hidden: width of a layer before the last; 0 for none.
        dropout: before each linear layer.
    """

    arrangement: Arrangement = "packed"
    pooling: Pooling = "concat"
    alignment: int = 0
    symmetric: bool = False
    document_dim: int = 0
    hidden: int = 0
    dropout: float = 0.1


@dataclass(frozen=True)
class PairExample:
    """A pair as one sequence of tokens or two, (T,) or (T, C) each.

    Attributes:
        rows: the sequences, which stay together in a batch.
        label: a class or a rating; NaN where it is to be predicted.
        features: (2 K + 1,) of both document vectors, or None.
    """

    rows: tuple[np.ndarray, ...]
    label: float
    features: np.ndarray | None = None

    @property
    def ids(self) -> np.ndarray:
        """All tokens, one sequence after the other."""
        return join(self.rows) if self.rows[0].ndim == 2 else np.concatenate(self.rows)

    def with_ids(self, ids: np.ndarray) -> PairExample:
        """The same pair of other tokens, as many as before."""
        ends = np.cumsum([len(row) for row in self.rows])[:-1]
        return replace(self, rows=tuple(np.split(ids, ends)))


class PairReader(nn.Module):
    """Writes pairs as rows of a batch, and reads their states.

    Attributes:
        settings: how.
        width: of what `forward` gives.
    """

    def __init__(self, config: PairConfig, dim: int):
        super().__init__()
        self.settings = config
        pooled = WIDTHS[config.pooling] * dim
        self.alignment: SoftAlignment | None = None
        if config.arrangement == "separate":
            if config.alignment:
                self.alignment = SoftAlignment(dim, config.alignment, config.dropout)
                pooled += self.alignment.width
            pooled *= 3 if config.symmetric else 4
        features = 2 * config.document_dim + 1 if config.document_dim else 0
        self.norm = nn.LayerNorm(pooled)
        self.dropout = nn.Dropout(config.dropout)
        self.hidden = nn.Linear(pooled + features, config.hidden) if config.hidden else None
        self.width = config.hidden or pooled + features

    def examples(self, items: Sequence[Pair], writer: Writer, labels: Sequence[float]) -> list[PairExample]:
        """Pairs as token ids, no sequence longer than is read at once where both texts share it."""
        sides = [[item.first for item in items], [item.second for item in items]]
        first, second = map(writer.tokens, sides)
        rows: list[tuple[np.ndarray, ...]] = []
        for a, b in zip(first, second, strict=True):
            if self.settings.arrangement == "separate":
                room = min(writer.max_tokens, MOST_ALIGNED) if self.alignment else writer.max_tokens
                written = [writer.join(writer.fitted([one], room)) for one in (a, b)]
            else:
                a, b = writer.fitted([a, b], writer.window)
                written = [writer.join([a, b])]
                if self.settings.arrangement == "both-orders":
                    written.append(writer.join([b, a]))
            rows.append(tuple(one.ids for one in written))
        features: Sequence[np.ndarray | None] = [None] * len(rows)
        if self.settings.document_dim:
            features = list(document_features(*map(writer.documents, sides)))
        return [PairExample(*each) for each in zip(rows, labels, features, strict=True)]

    def collate(self, examples: Sequence[PairExample], context: int | None, pad_id: int) -> Batch:
        """One batch; `document` counts the sequences, and `places` are the tokens of each, where they are aligned."""
        pieces = [cut(row, context) for example in examples for row in example.rows]
        ids, mask = padded([row for rows in pieces for row in rows], pad_id)
        features = [example.features for example in examples if example.features is not None]
        return Batch(
            ids,
            mask,
            labels=torch.tensor([example.label for example in examples]),
            document=torch.tensor([index for index, rows in enumerate(pieces) for _ in rows]),
            features=torch.from_numpy(np.stack(features)).float() if features else None,
            places=_places(pieces, ids.shape[1]) if self.alignment else None,
            n_examples=len(examples),
        )

    def forward(self, encoding: Encoding, batch: Batch) -> Tensor:
        """What is read of each pair, (N, width)."""
        states, n = encoding.top.float(), batch.n_examples
        sequences = n if self.settings.arrangement == "packed" else 2 * n
        pooled = pool(states, replace(batch, n_examples=sequences), self.settings.pooling)  # (sequences, P)
        if self.settings.arrangement == "packed":
            read = self.norm(pooled)  # (N, P)
        elif self.settings.arrangement == "both-orders":
            read = self.norm(pooled)[0::2] + self.norm(pooled)[1::2]  # (N, P)
        else:
            read = self.norm(self._beside(states, pooled, batch))
        if self.settings.document_dim:
            assert batch.features is not None, "the head was built with document vectors; the batch has none"
            read = torch.cat([read, batch.features.to(read.dtype)], dim=1)
        read = self.dropout(read)
        return read if self.hidden is None else self.dropout(F.relu(self.hidden(read)))  # (N, width)

    def _beside(self, states: Tensor, pooled: Tensor, batch: Batch) -> Tensor:
        """Both texts beside each other, from their pooled states (2 N, P) and their aligned words."""
        u, v = pooled[0::2], pooled[1::2]  # (N, P)
        if self.alignment:
            assert batch.places is not None
            words, there = gather(states, batch.places), batch.places >= 0  # (2 N, W, D), (2 N, W)
            aligned = self.alignment(words[0::2], there[0::2], words[1::2], there[1::2])
            u, v = (torch.cat(parts, dim=1) for parts in ((u, aligned[0]), (v, aligned[1])))
        between = [(u - v).abs(), u * v]
        return torch.cat([*between, u + v] if self.settings.symmetric else [u, v, *between], dim=1)


def document_features(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """|s - t|, s * t and the cosine of document vectors (N, K) of unit length, (N, 2 K + 1), each about one in size."""
    dim = first.shape[1]
    product = first * second
    cosine = product.sum(1, keepdims=True)
    parts = [np.abs(first - second) * dim**0.5, product * dim, 4 * cosine]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _places(pieces: Sequence[Sequence[np.ndarray]], width: int) -> Tensor:
    """Where the tokens of each text stand, (2 N, W); the start token that opens a further row is not one of its own."""
    found, row = [], 0
    for rows in pieces:
        own = [(row + k) * width + np.arange(1 if k else 0, len(piece)) for k, piece in enumerate(rows)]
        found.append(np.concatenate(own))
        row += len(rows)
    out = np.full((len(found), max(map(len, found))), -1, dtype=np.int64)
    for index, places in enumerate(found):
        out[index, : len(places)] = places
    return torch.from_numpy(out)
