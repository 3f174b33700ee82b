"""Batches: what the training loop and the encoders are fed with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from langnet.errors import LangnetError
from langnet.text.shards import TokenShards

IGNORED = -100  # a target that no loss counts, as PyTorch's cross-entropy has it


@dataclass
class Batch:
    """One batch.

    Attributes:
        ids: (B, T) int64 token ids, padded on the right.
        mask: (B, T) bool, True at real tokens.
        targets: (B, T) int64 next-token ids, -100 for none; None where a task makes them itself.
        labels: (N,) int64 class ids or (N, C) probabilities of the N examples, or None.
        document: (B,) int64, the example of each row where documents are cut into rows; None: row i is example i.
        features: (N, K) float32 features of whole documents, or None.
        n_examples: N.
    """

    ids: Tensor
    mask: Tensor
    targets: Tensor | None = None
    labels: Tensor | None = None
    document: Tensor | None = None
    features: Tensor | None = None
    n_examples: int = 0

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        tensors: dict[str, Any] = {
            k: v.to(device, non_blocking=True) for k, v in vars(self).items() if isinstance(v, Tensor)
        }
        return replace(self, **tensors)


class LanguageModelBatches:
    """Windows of a packed stream of documents, in an order shuffled anew each epoch.

    `batch(step)` is a function of its arguments alone, so a resumed run sees what it would have seen. Each epoch
    starts at another phase of the stream, so that windows do not always break at the same places.

    Args:
        shards: the stream.
        context: T, tokens a row.
        batch_size: B, rows a batch.
        seed: of phases and orders.
    """

    def __init__(self, shards: TokenShards, context: int, batch_size: int, seed: int):
        if shards.n_tokens < 2:
            raise LangnetError("the corpus has fewer than two tokens; there is nothing to predict")
        self.shards, self.context, self.batch_size, self.seed = shards, context, batch_size, seed
        self.n_windows = max(1, (shards.n_tokens - 1) // context)
        self.batches_per_epoch = max(1, self.n_windows // batch_size)
        self.tokens_per_batch = batch_size * context
        self._epoch, self._order, self._phase = -1, np.zeros(0, dtype=np.int64), 0

    def batch(self, step: int) -> Batch:
        """The batch of a step: `ids` and `targets` (B, T), shifted by one."""
        epoch, index = divmod(step, self.batches_per_epoch)
        if epoch != self._epoch:
            generator = np.random.default_rng([self.seed, epoch])
            self._phase = int(generator.integers(self.context))
            self._order, self._epoch = generator.permutation(self.n_windows), epoch
        chosen = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        rows = [self._window(self._phase + int(window) * self.context) for window in chosen]
        return _shifted(rows, self.context)

    def _window(self, start: int) -> np.ndarray:
        length, n_tokens = self.context + 1, self.shards.n_tokens
        if length >= n_tokens:
            return self.shards.read(0, n_tokens)
        start %= n_tokens
        row = self.shards.read(start, min(start + length, n_tokens))
        if len(row) == length:
            return row
        return np.concatenate([row, self.shards.read(0, length - len(row))])  # the stream is a ring


def document_windows(documents: Sequence[np.ndarray], context: int, batch_size: int, stride: int) -> Iterator[Batch]:
    """Batches that score every token of every document, but its first, exactly once.

    A document longer than the context is read in windows that move by `stride`; the part of a window that an earlier
    one has scored serves as context only.

    Args:
        documents: token ids of each.
        context: T, the longest row.
        batch_size: rows a batch.
        stride: new tokens a window, from 1 to `context`.
    """
    rows: list[tuple[np.ndarray, int]] = []
    for document in sorted(documents, key=len):
        rows += _strided(document, context, stride)
        while len(rows) >= batch_size:
            yield _scored(rows[:batch_size])
            rows = rows[batch_size:]
    if rows:
        yield _scored(rows)


def _strided(document: np.ndarray, context: int, stride: int) -> list[tuple[np.ndarray, int]]:
    """Windows of up to context + 1 tokens, each with the number of targets at its start that are not scored again."""
    windows, scored, start = [], 1, 0
    while scored < len(document):
        end = min(start + context + 1, len(document))
        windows.append((document[start:end], scored - start - 1))
        scored = end
        start = max(end - 1 - (context - stride), start + 1)
    return windows


def _scored(rows: list[tuple[np.ndarray, int]]) -> Batch:
    batch = _shifted([row for row, _ in rows], max(len(row) - 1 for row, _ in rows))
    assert batch.targets is not None
    for index, (_, skipped) in enumerate(rows):
        batch.targets[index, :skipped] = IGNORED
    return batch


def _shifted(rows: list[np.ndarray], width: int) -> Batch:
    """Rows of up to `width` + 1 tokens as ids and the ids that follow them."""
    ids = np.zeros((len(rows), width), dtype=np.int64)  # (B, T)
    targets = np.full((len(rows), width), IGNORED, dtype=np.int64)  # (B, T)
    mask = np.zeros((len(rows), width), dtype=bool)
    for index, row in enumerate(rows):
        ids[index, : len(row) - 1] = row[:-1]
        targets[index, : len(row) - 1] = row[1:]
        mask[index, : len(row) - 1] = True
    return Batch(torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(targets), n_examples=len(rows))
