"""Labelled texts as token ids, cut to the encoder's context, and collated into batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from langnet.tasks.rows import cut, padded
from langnet.text.batches import Batch
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
    ids, mask = padded(rows, pad_id)
    return Batch(
        ids=ids,
        mask=mask,
        labels=_labels(examples),
        document=torch.tensor(owners),
        features=_features(examples),
        n_examples=len(examples),
    )


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


class HasIds(Protocol):
    """What every task's examples have: the token ids (T,) or (T, C) of one sequence."""

    @property
    def ids(self) -> np.ndarray:
        """(T,) or (T, C)."""
        ...


AnyExample = TypeVar("AnyExample", bound=HasIds)
Collate = Callable[[Sequence[AnyExample]], Batch]


class ExampleBatches(Generic[AnyExample]):
    """Batches of examples in an order shuffled anew each epoch; any batch can be had by its number.

    Examples of like length share a batch, so that little is padded; the order of batches is random all the same.
    """

    def __init__(self, examples: Sequence[AnyExample], batch_size: int, seed: int, collate: Collate[AnyExample]):
        self.examples, self.batch_size, self.seed, self.collate = list(examples), batch_size, seed, collate
        self.lengths = np.array([len(example.ids) for example in self.examples])
        self.batches_per_epoch = -(-len(self.examples) // batch_size)
        self._epoch, self._order = -1, list[np.ndarray]()

    def batch(self, step: int) -> Batch:
        """The batch of a step, a function of the step alone."""
        epoch, index = divmod(step, self.batches_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._arrange(epoch)
        return self.collate([self.examples[i] for i in self._order[index]])

    def _arrange(self, epoch: int) -> list[np.ndarray]:
        generator = np.random.default_rng([self.seed, epoch])
        order = generator.permutation(len(self.examples))
        pool = self.batch_size * ROWS_IN_A_POOL
        pools = [order[start : start + pool] for start in range(0, len(order), pool)]
        sorted_order = np.concatenate([part[np.argsort(self.lengths[part], kind="stable")] for part in pools])
        batches = [sorted_order[s : s + self.batch_size] for s in range(0, len(order), self.batch_size)]
        return [batches[i] for i in generator.permutation(len(batches))]


def in_order(
    examples: Sequence[AnyExample], tokens: int, collate: Collate[AnyExample]
) -> Iterator[tuple[np.ndarray, Batch]]:
    """Batches of about `tokens` tokens for prediction, shortest examples first, each with its examples' numbers."""
    lengths = np.array([len(example.ids) for example in examples])
    order = np.argsort(lengths, kind="stable")
    groups: list[list[int]] = []
    for index in order:
        if not groups or (len(groups[-1]) + 1) * lengths[index] > tokens:
            groups.append([])
        groups[-1].append(int(index))
    for group in groups:
        yield np.array(group), collate([examples[i] for i in group])
