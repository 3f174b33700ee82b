"""From the states of every position to one vector a document, also when a document is cut into several rows."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from langnet.text.batches import Batch

Pooling = Literal["last", "mean", "max", "concat"]
WIDTHS: dict[str, int] = {"last": 1, "mean": 1, "max": 1, "concat": 3}


def pool(hidden: Tensor, batch: Batch, how: Pooling) -> Tensor:
    """Pool the real positions of each document.

    Args:
        hidden: (B, T, D) states; the rows of a document stand in reading order.
        batch: gives the mask (B, T) and, where documents were cut, the document of each row.
        how: `last` is the state of the last token (the extract token of Radford et al. 2018), `mean` the average,
            `max` the maximum of every dimension (Conneau et al. 2017), and `concat` last, maximum and mean beside each
            other (Howard & Ruder 2018, section 3.3).

    Returns:
        (N, D) or, for `concat`, (N, 3 D); N documents.
    """
    document = row_documents(batch)
    hidden = hidden.float()  # sums over a whole document lose too much in bfloat16
    parts = []
    if how in ("last", "concat"):
        parts.append(_last(hidden, batch.mask, document, batch.n_examples))
    if how in ("max", "concat"):
        parts.append(_maximum(hidden, batch.mask, document, batch.n_examples))
    if how in ("mean", "concat"):
        parts.append(_mean(hidden, batch.mask, document, batch.n_examples))
    return torch.cat(parts, dim=1)  # (N, D) or (N, 3 D)


def row_documents(batch: Batch) -> Tensor:
    """The document of each row, (B,)."""
    if batch.document is not None:
        return batch.document
    return torch.arange(len(batch.ids), device=batch.ids.device)


def _mean(hidden: Tensor, mask: Tensor, document: Tensor, n: int) -> Tensor:
    weight = mask.to(hidden.dtype)  # (B, T)
    # A product and a sum, since autocast would compute an einsum in bfloat16.
    sums = (hidden * weight[..., None]).sum(1)  # (B, D)
    total = hidden.new_zeros(n, hidden.shape[-1]).index_add(0, document, sums)  # (N, D)
    count = hidden.new_zeros(n).index_add(0, document, weight.sum(1))  # (N,)
    return total / count.clamp_min(1)[:, None]


def _last(hidden: Tensor, mask: Tensor, document: Tensor, n: int) -> Tensor:
    last_position = (mask.sum(1) - 1).clamp_min(0)  # (B,)
    states = hidden[torch.arange(len(hidden), device=hidden.device), last_position]  # (B, D)
    rows = torch.arange(len(hidden), device=hidden.device)  # (B,)
    last_row = torch.zeros(n, dtype=torch.long, device=hidden.device)
    last_row = last_row.scatter_reduce(0, document, rows, "amax", include_self=False)  # (N,)
    return states[last_row]  # (N, D)


def _maximum(hidden: Tensor, mask: Tensor, document: Tensor, n: int) -> Tensor:
    lowest = torch.finfo(hidden.dtype).min
    maxima = hidden.masked_fill(~mask[..., None], lowest).amax(1)  # (B, D)
    index = document[:, None].expand_as(maxima)
    start = hidden.new_full((n, hidden.shape[-1]), lowest)
    return start.scatter_reduce(0, index, maxima, "amax", include_self=True)  # (N, D)
