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
_HELD_ORDER = 2**22  # windows up to which an epoch's whole order is kept, 32 MB


@dataclass
class Batch:
    """One batch.

    Attributes:
        ids: (B, T) int64 token ids, padded on the right; (B, T, C) where words are read as characters.
        mask: (B, T) bool, True at real tokens.
        targets: (B, T) int64 next-token ids, -100 for none; None where a task makes them itself.
        previous: (B, T) int64 ids that stand before each position, -100 for none, for models that predict them too.
        labels: (N,) int64 class ids or (N, C) probabilities of the N examples, or None.
        document: (B,) int64, the example of each row where documents are cut into rows; None: row i is example i.
        features: (N, K) float32 features of whole documents, or None.
        places: (N, W) int64, where the units that a task labels stand, as row * T + column; -1 for none; or None.
        units: (N, P) int64, the unit of each of P places a row, where a unit has several; None: one place a unit.
        examples: the N examples that were collated, for what a task decodes with no tensor; stays where it is.
        n_examples: N.
        continues: whether the rows go on where those of the batch before ended (True), begin streams that the next
            batch goes on with (False), or stand alone (None).
        rate: factor on the learning rate of the update.
        causal: in which way the encoder is to read it, see `Encoder.forward`; None: in its own.
        task: number of the task that it is of, where several are learned at once.
    """

    ids: Tensor
    mask: Tensor
    targets: Tensor | None = None
    previous: Tensor | None = None
    labels: Tensor | None = None
    document: Tensor | None = None
    features: Tensor | None = None
    places: Tensor | None = None
    units: Tensor | None = None
    examples: Sequence[Any] = ()
    n_examples: int = 0
    continues: bool | None = None
    rate: float = 1.0
    causal: bool | None = None
    task: int = 0

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
        self._epoch, self._order, self._phase = (
            -1,
            EpochOrder(1, np.random.default_rng(0)),
            0,
        )  # of the epoch last asked for

    def batch(self, step: int) -> Batch:
        """The batch of a step: `ids` and `targets` (B, T), shifted by one."""
        epoch, index = divmod(step, self.batches_per_epoch)
        if epoch != self._epoch:
            generator = np.random.default_rng([self.seed, epoch])
            self._phase = int(generator.integers(self.context))
            self._order, self._epoch = EpochOrder(self.n_windows, generator), epoch
        chosen = self._order.slice(index * self.batch_size, (index + 1) * self.batch_size)
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


class EpochOrder:
    """A random permutation of 0 .. n - 1; past a size it is computed where asked instead of kept.

    A Feistel network permutes the numbers of an even count of bits; what falls outside of n is sent through it again
    until it falls inside ("cycle walking", Black & Rogaway 2002), so that n need not be a power of two.
    """

    def __init__(self, n: int, generator: np.random.Generator, held: int = _HELD_ORDER):
        self.n = n
        self.permutation = generator.permutation(n) if n <= held else None
        self.half = np.uint64((max(n - 1, 1).bit_length() + 1) // 2)
        self.keys = generator.integers(2**63, size=6, dtype=np.uint64)

    def slice(self, start: int, stop: int) -> np.ndarray:
        """Entries start .. stop of the permutation, int64."""
        if self.permutation is not None:
            return self.permutation[start:stop]
        values = self._mix(np.arange(start, min(stop, self.n), dtype=np.uint64))
        while (outside := values >= self.n).any():
            values[outside] = self._mix(values[outside])
        return values.astype(np.int64)

    def _mix(self, values: np.ndarray) -> np.ndarray:
        low = np.uint64((1 << int(self.half)) - 1)
        left, right = values >> self.half, values & low
        for key in self.keys:
            scrambled = (right + key) * np.uint64(0x9E3779B97F4A7C15)
            scrambled = (scrambled ^ (scrambled >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
            left, right = right, left ^ ((scrambled >> np.uint64(32)) & low)
        return (left << self.half) | right


def document_windows(
    documents: Sequence[np.ndarray] | TokenShards, context: int, batch_size: int, stride: int
) -> Iterator[Batch]:
    """Batches that score every token of every document, but its first, exactly once.

    A document longer than the context is read in windows that move by `stride`; the part of a window that an earlier
    one has scored serves as context only. Documents come shortest first, so that rows of a batch need little padding;
    `Batch.document` says of which document each row is.

    Args:
        documents: token ids of each, or shards, which are read one document at a time.
        context: T, the longest row.
        batch_size: rows a batch where they are full; of shorter ones as many as take no more room.
        stride: new tokens a window, from 1 to `context`.

    Raises:
        LangnetError: a stride that would score no token, or leave some out.
    """
    if not 1 <= stride <= context:
        raise LangnetError(f"a stride of {stride} does not suit a context of {context}; take 1 to {context}")
    return _windows(documents, context, batch_size, stride)


def _windows(
    documents: Sequence[np.ndarray] | TokenShards, context: int, batch_size: int, stride: int
) -> Iterator[Batch]:
    rows: list[tuple[np.ndarray, int, int]] = []
    widest = 0
    for index, document in _shortest_first(documents):
        for row, skipped in _strided(document, context, stride):
            if rows and (len(rows) + 1) * max(widest, len(row)) > batch_size * (context + 1):
                yield _scored(rows)
                rows, widest = [], 0
            rows.append((row, skipped, index))
            widest = max(widest, len(row))
    if rows:
        yield _scored(rows)


def _shortest_first(documents: Sequence[np.ndarray] | TokenShards) -> Iterator[tuple[int, np.ndarray]]:
    """Every document with its number."""
    if isinstance(documents, TokenShards):
        order = np.argsort(np.diff(documents.document_offsets), kind="stable")
        return ((int(index), documents.document(int(index))) for index in order)
    return iter(sorted(enumerate(documents), key=lambda pair: len(pair[1])))


def _strided(document: np.ndarray, context: int, stride: int) -> Iterator[tuple[np.ndarray, int]]:
    """Windows of up to context + 1 tokens, each with the number of targets at its start that are not scored again."""
    scored, start = 1, 0
    while scored < len(document):
        end = min(start + context + 1, len(document))
        yield document[start:end], scored - start - 1
        scored = end
        start = end - 1 - (context - stride)


def _scored(rows: list[tuple[np.ndarray, int, int]]) -> Batch:
    batch = _shifted([row for row, _, _ in rows], max(len(row) - 1 for row, _, _ in rows))
    assert batch.targets is not None
    for index, (_, skipped, _) in enumerate(rows):
        batch.targets[index, :skipped] = IGNORED
    batch.document = torch.tensor([document for _, _, document in rows])  # (B,)
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
