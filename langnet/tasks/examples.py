"""Labelled texts as token ids, cut to the encoder's context, and collated into batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from langnet.text.batches import Batch
from langnet.text.characters import stack
from langnet.text.tokenizer import Tokenizer

ROWS_IN_A_POOL = 50  # batches whose examples are sorted by length together, so that little is padded


@dataclass(frozen=True)
class Example:
    """One document.

    Attributes:
        ids: its tokens with start and extract, as the encoder reads them: (T,), or (T, C) characters of words.
        label: a class id, a vector of probabilities (C,), or None where it is to be predicted.
        features: (K,) precomputed features of the whole document, or None.
    """

    ids: np.ndarray
    label: int | np.ndarray | None = None
    features: np.ndarray | None = None


def encode_documents(texts: Sequence[str], tokenizer: Tokenizer, max_tokens: int) -> list[np.ndarray]:
    """Token ids of each text between start and extract (Radford et al. 2018), at most `max_tokens`.

    A longer text keeps its first and its last half of the allowance, since documents state and conclude at their ends.
    """
    documents = []
    for ids in tokenizer.encode_batch(list(texts)):
        room = max_tokens - 2
        if len(ids) > room:
            ids = [*ids[: room - room // 2], *ids[len(ids) - room // 2 :]]
        documents.append(np.asarray([tokenizer.start_id, *ids, tokenizer.extract_id], dtype=np.int64))
    return documents


def collate(examples: Sequence[Example], context: int | None, pad_id: int) -> Batch:
    """One batch; a document longer than `context` becomes several rows, each with the start token first."""
    rows: list[np.ndarray] = []
    owners: list[int] = []
    for index, example in enumerate(examples):
        pieces = cut(example.ids, context)
        rows += pieces
        owners += [index] * len(pieces)
    width = max(len(row) for row in rows)
    spelled = rows[0].ndim == 2
    ids = np.full((len(rows), width), pad_id, dtype=np.int64)  # (B, T)
    mask = np.zeros((len(rows), width), dtype=bool)
    for index, row in enumerate(rows):
        if not spelled:
            ids[index, : len(row)] = row
        mask[index, : len(row)] = True
    return Batch(
        ids=torch.from_numpy(stack(rows, width) if spelled else ids),
        mask=torch.from_numpy(mask),
        labels=_labels(examples),
        document=torch.tensor(owners),
        features=_features(examples),
        n_examples=len(examples),
    )


def cut(ids: np.ndarray, context: int | None) -> list[np.ndarray]:
    """Windows of at most `context` tokens; the start token opens each."""
    if context is None or len(ids) <= context:
        return [ids]
    body, step = ids[1:], context - 1
    return [np.concatenate([ids[:1], body[start : start + step]]) for start in range(0, len(body), step)]


def _labels(examples: Sequence[Example]) -> Tensor | None:
    labels = [example.label for example in examples]
    if any(label is None for label in labels):
        return None
    vectors = [label for label in labels if isinstance(label, np.ndarray)]
    if vectors:
        return torch.from_numpy(np.stack(vectors)).float()  # (N, C)
    return torch.tensor(labels, dtype=torch.long)  # (N,)


def _features(examples: Sequence[Example]) -> Tensor | None:
    features = [example.features for example in examples if example.features is not None]
    return torch.from_numpy(np.stack(features)).float() if features else None  # (N, K)


class ExampleBatches:
    """Batches of examples in an order shuffled anew each epoch; any batch can be had by its number.

    Examples of like length share a batch, so that little is padded; the order of batches is random all the same.
    """

    def __init__(self, examples: Sequence[Example], batch_size: int, seed: int, context: int | None, pad_id: int):
        self.examples, self.batch_size, self.seed = list(examples), batch_size, seed
        self.context, self.pad_id = context, pad_id
        self.lengths = np.array([len(example.ids) for example in self.examples])
        self.batches_per_epoch = -(-len(self.examples) // batch_size)
        self._epoch, self._order = -1, list[np.ndarray]()

    def batch(self, step: int) -> Batch:
        """The batch of a step, a function of the step alone."""
        epoch, index = divmod(step, self.batches_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._arrange(epoch)
        return collate([self.examples[i] for i in self._order[index]], self.context, self.pad_id)

    def _arrange(self, epoch: int) -> list[np.ndarray]:
        generator = np.random.default_rng([self.seed, epoch])
        order = generator.permutation(len(self.examples))
        pool = self.batch_size * ROWS_IN_A_POOL
        pools = [order[start : start + pool] for start in range(0, len(order), pool)]
        sorted_order = np.concatenate([part[np.argsort(self.lengths[part], kind="stable")] for part in pools])
        batches = [sorted_order[s : s + self.batch_size] for s in range(0, len(order), self.batch_size)]
        return [batches[i] for i in generator.permutation(len(batches))]


def in_order(
    examples: Sequence[Example], tokens: int, context: int | None, pad_id: int
) -> list[tuple[np.ndarray, Batch]]:
    """Batches of about `tokens` tokens for prediction, shortest documents first, each with its examples' numbers."""
    lengths = np.array([len(example.ids) for example in examples])
    order = np.argsort(lengths, kind="stable")
    groups: list[list[int]] = []
    for index in order:
        if not groups or (len(groups[-1]) + 1) * lengths[index] > tokens:
            groups.append([])
        groups[-1].append(int(index))
    return [(np.array(g), collate([examples[i] for i in g], context, pad_id)) for g in groups]
