"""Sequences of tokens as rows of a batch: padded, cut where the encoder's context is shorter, and found again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from langnet.text.characters import stack

OVERLAP = 0.5  # part of a window that the one before it has read too, where positions matter


def cut(ids: np.ndarray, context: int | None) -> list[np.ndarray]:
    """Windows of at most `context` tokens, none read twice; the start token opens each."""
    if context is None or len(ids) <= context:
        return [ids]
    body, step = ids[1:], context - 1
    return [np.concatenate([ids[:1], body[start : start + step]]) for start in range(0, len(body), step)]


def overlapping(ids: np.ndarray, context: int | None) -> tuple[list[np.ndarray], np.ndarray]:
    """Windows that overlap by half, so that every token is read with a quarter of a window or more on either side.

    Returns:
        The rows, the start token first in each, and (T, 2): the row and the column in which each token is best read.
    """
    length = len(ids)
    if context is None or length <= context:
        return [ids], np.stack([np.zeros(length, dtype=np.int64), np.arange(length)], axis=1)
    width = context - 1
    step = max(1, round(width * (1 - OVERLAP)))
    starts = [*range(0, length - 1 - width, step), length - 1 - width]  # within the body, which begins after the start
    rows, places = [], np.zeros((length, 2), dtype=np.int64)
    for row, start in enumerate(starts):
        rows.append(np.concatenate([ids[:1], ids[1 + start : 1 + start + width]]))
        # From the middle of what it shares with the window before; the first window from its beginning.
        fresh = 0 if row == 0 else (starts[row - 1] + width - start + 1) // 2
        body = np.arange(start + fresh, start + width)
        places[1 + body, 0], places[1 + body, 1] = row, 1 + body - start
    return rows, places


def padded(rows: Sequence[np.ndarray], pad_id: int) -> tuple[Tensor, Tensor]:
    """Rows (t,) or (t, C) as ids (B, T) or (B, T, C), and the mask (B, T) of what is no padding."""
    width = max(len(row) for row in rows)
    mask = np.zeros((len(rows), width), dtype=bool)
    for index, row in enumerate(rows):
        mask[index, : len(row)] = True
    if rows[0].ndim == 2:
        return torch.from_numpy(stack(rows, width)), torch.from_numpy(mask)
    ids = np.full((len(rows), width), pad_id, dtype=np.int64)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
    return torch.from_numpy(ids), torch.from_numpy(mask)


def gather(hidden: Tensor, places: Tensor) -> Tensor:
    """The states at given places.

    Args:
        hidden: (B, T, D).
        places: (N, W) row * T + column of each; -1 for none.

    Returns:
        (N, W, D), zeros where there is no place.
    """
    flat = hidden.flatten(0, 1)  # (B * T, D)
    found = flat[places.clamp_min(0).flatten()].unflatten(0, places.shape)  # (N, W, D)
    return found * (places >= 0)[..., None].to(found.dtype)


def gather_units(hidden: Tensor, places: Tensor, units: Tensor | None, n_units: int) -> Tensor:
    """The states of units, such as words, each the mean of those at its places.

    Args:
        hidden: (B, T, D).
        places: (N, P), as in `gather`.
        units: (N, P) the unit of each place; None where place i is unit i.
        n_units: W.

    Returns:
        (N, W, D), zeros where a unit has no place.
    """
    found = gather(hidden, places)  # (N, P, D)
    if units is None:
        return found
    sums = found.new_zeros(len(places), n_units, found.shape[2])  # (N, W, D)
    sums = sums.scatter_add(1, units[..., None].expand_as(found), found)
    real = (places >= 0).to(found.dtype)  # (N, P)
    count = real.new_zeros(len(places), n_units).scatter_add(1, units, real)  # (N, W)
    return sums / count.clamp_min(1)[..., None]
