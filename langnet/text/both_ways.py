"""Windows of documents for models that read in both directions: every token is predicted once from each side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from langnet.text.batches import IGNORED, Batch


def windows_both_ways(documents: Sequence[np.ndarray], length: int, batch_size: int, overlap: int) -> Iterator[Batch]:
    """Batches that predict every token but the first from its left, and every one but the last from its right.

    A document of up to `length` tokens is one row. A longer one is read in windows that overlap; what stands in both of
    two windows is predicted from the left by the one that has seen more of it, and likewise from the right.

    Args:
        documents: token ids of each.
        length: tokens a row at most.
        batch_size: rows of that length a batch; of shorter ones as many as take no more room.
        overlap: tokens that two neighbouring windows share, below `length`.
    """
    rows: list[tuple[int, np.ndarray, int, int]] = []  # document, ids with both neighbours, first and last to predict
    widest = 0
    for index in np.argsort([len(document) for document in documents], kind="stable"):
        for window in _windows(documents[index], length, overlap):
            if rows and (len(rows) + 1) * max(widest, len(window[0])) > batch_size * length:
                yield _batch(rows)
                rows, widest = [], 0
            rows.append((int(index), *window))
            widest = max(widest, len(window[0]))
    if rows:
        yield _batch(rows)


def _windows(document: np.ndarray, length: int, overlap: int) -> Iterator[tuple[np.ndarray, int, int]]:
    """Each window's ids with one neighbour at both sides, -100 at an end of the document; and two places.

    From the first of them on successors are predicted in this window, and up to the second one predecessors.
    """
    padded = np.concatenate([[IGNORED], document, [IGNORED]])
    start = 0
    while True:
        end = min(start + length, len(document))
        last = end == len(document)
        yield padded[start : end + 2], 0 if start == 0 else overlap, end - start if last else end - start - overlap
        if last:
            return
        start = end - overlap


def _batch(rows: list[tuple[int, np.ndarray, int, int]]) -> Batch:
    width = max(len(ids) for _, ids, _, _ in rows) - 2
    ids = np.zeros((len(rows), width), dtype=np.int64)  # (B, T)
    mask = np.zeros((len(rows), width), dtype=bool)
    targets, previous = (np.full((len(rows), width), IGNORED, dtype=np.int64) for _ in range(2))  # (B, T)
    for row, (_, padded, first, last) in enumerate(rows):
        n = len(padded) - 2
        ids[row, :n], mask[row, :n] = padded[1:-1], True
        targets[row, first:n] = padded[2:][first:]
        previous[row, :last] = padded[:-2][:last]
    return Batch(
        ids=torch.from_numpy(ids),
        mask=torch.from_numpy(mask),
        targets=torch.from_numpy(targets),
        previous=torch.from_numpy(previous),
        document=torch.tensor([document for document, _, _, _ in rows]),
        n_examples=len(rows),
    )
