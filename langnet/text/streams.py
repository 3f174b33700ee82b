"""Rows of text that go on from batch to batch: truncated backpropagation through time for recurrent encoders."""

from __future__ import annotations

import numpy as np
import torch

from langnet.errors import LangnetError
from langnet.text.batches import Batch
from langnet.text.shards import TokenShards

SHORT = 0.05  # part of the batches that have half the length
JITTER = 1 / 14  # standard deviation of the length, as a part of it: 5 at 70


class StreamBatches:
    """A packed stream of documents cut into B rows, read side by side in pieces of random length.

    Merity et al. 2017, section 5: a length of 70 with probability 0.95, else 35, plus normal noise of deviation 5, and a
    learning rate in proportion (`Batch.rate`), so that the text is not always cut at the same places. Batch i
    goes on where batch i - 1 ended, but for the first of an epoch, which begins anew at another phase of the stream.

    `batch(step)` is a function of its arguments alone, so a resumed run sees what it would have seen.

    Args:
        shards: the stream.
        length: usual number of tokens of a row.
        batch_size: B; fewer where the stream is too short for so many rows of the usual length.
        seed: of phases and lengths.
    """

    def __init__(self, shards: TokenShards, length: int, batch_size: int, seed: int):
        if shards.n_tokens < 2:
            raise LangnetError("the corpus has fewer than two tokens; there is nothing to predict")
        self.shards, self.length, self.seed = shards, length, seed
        self.n_rows = max(1, min(batch_size, (shards.n_tokens - 1) // length))
        self.row_tokens = (shards.n_tokens - 1) // self.n_rows
        self._open(0, 0)

    def batch(self, step: int) -> Batch:
        """The batch of a step: `ids` and `targets` (B, T), shifted by one; T varies."""
        if step < self._first:
            self._open(0, 0)
        while step >= self._first + len(self._ends):
            self._open(self._epoch + 1, self._first + len(self._ends))
        index = step - self._first
        start, end = int(self._ends[index - 1]) if index else 0, int(self._ends[index])
        rows = [self._read(self._phase + row * self.row_tokens + start, end - start + 1) for row in range(self.n_rows)]
        read = torch.from_numpy(np.stack(rows))  # (B, T + 1)
        ids = read[:, :-1].contiguous()  # (B, T)
        return Batch(
            ids,
            torch.ones_like(ids, dtype=torch.bool),
            read[:, 1:].contiguous(),
            n_examples=self.n_rows,
            continues=index > 0,
            rate=(end - start) / self.length,
        )

    def _open(self, epoch: int, first: int) -> None:
        """Draw an epoch's phase and lengths; `first` is the number of its first step."""
        generator = np.random.default_rng([self.seed, epoch])
        self._epoch, self._first = epoch, first
        self._phase = int(generator.integers(self.shards.n_tokens))
        ends, count = np.zeros(1, dtype=np.int64), self.row_tokens // self.length + 8
        while ends[-1] < self.row_tokens:
            usual = np.where(generator.random(count) < SHORT, self.length / 2, self.length)
            drawn = generator.normal(usual, self.length * JITTER).astype(np.int64)
            lengths = np.clip(drawn, max(1, self.length // 14), 2 * self.length)
            ends = np.concatenate([ends, ends[-1] + np.cumsum(lengths)])
        self._ends = np.append(ends[1:][ends[1:] < self.row_tokens], self.row_tokens)

    def _read(self, start: int, length: int) -> np.ndarray:
        """Tokens of the stream, which is a ring."""
        start %= self.shards.n_tokens
        row = self.shards.read(start, min(start + length, self.shards.n_tokens))
        return row if len(row) == length else np.concatenate([row, self.shards.read(0, length - len(row))])
