"""Which span of a passage answers: one distribution over all spans that may, and over there being no answer.

Start and end have scores of their own; a span's is their sum, and its probability is normalised over the spans that are
short enough and begin and end with words, so that probabilities mean what they say (Fajcik et al. 2021 compare this
joint objective with two independent softmaxes). With spans of at most L tokens it takes room for W x L numbers.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

IMPOSSIBLE = -1e30  # the score of a span that cannot be an answer; not infinite, since that has no gradient


def span_scores(start: Tensor, end: Tensor, possible: Tensor) -> Tensor:
    """The score of every span.

    Args:
        start, end: (N, W) scores of each token as the first and as the last.
        possible: (N, W, L) whether the span that begins at a token and is l + 1 tokens long may be an answer.

    Returns:
        (N, W, L).
    """
    length = possible.shape[2]
    last = F.pad(end, (0, length - 1)).unfold(1, length, 1)  # (N, W, L): [n, w, l] is end[n, w + l]
    return (start[:, :, None] + last).masked_fill(~possible, IMPOSSIBLE)  # (N, W, L)


def log_total(scores: Tensor, nothing: Tensor | None) -> Tensor:
    """The logarithm of what the probabilities are divided by, (N,).

    Args:
        scores: (N, W, L) of `span_scores`.
        nothing: (N,) the score of there being no answer, or None where there always is one.
    """
    every = scores.flatten(1)  # (N, W L)
    if nothing is not None:
        every = torch.cat([every, nothing[:, None]], dim=1)
    return every.logsumexp(1)  # (N,)


def span_loss(scores: Tensor, nothing: Tensor | None, gold: Tensor) -> Tensor:
    """The mean of -log p(one of the right answers).

    Args:
        scores: (N, W, L) of `span_scores`.
        nothing: (N,) or None, as in `log_total`.
        gold: (N, A, 2) the first token of each right span and how many more follow it; -1 pads, and where all is
            padding, no answer is right.
    """
    rows = torch.arange(len(gold), device=gold.device)[:, None]  # (N, 1)
    real = gold[..., 0] >= 0  # (N, A)
    found = scores[rows, gold[..., 0].clamp_min(0), gold[..., 1].clamp_min(0)]  # (N, A)
    right = found.masked_fill(~real, IMPOSSIBLE).logsumexp(1)  # (N,)
    if nothing is not None:
        right = torch.where(real.any(1), right, nothing)
    return (log_total(scores, nothing) - right).mean()


def best_spans(scores: Tensor, nothing: Tensor | None, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The most probable spans.

    Args:
        scores: (N, W, L) of `span_scores`.
        nothing: (N,) or None, as in `log_total`.
        count: how many.

    Returns:
        Their first and last tokens (N, count, 2), their probabilities (N, count), those of impossible spans 0; and the
        probability of no answer (N,).
    """
    total = log_total(scores, nothing)  # (N,)
    length = scores.shape[2]
    values, places = scores.flatten(1).topk(min(count, scores[0].numel()), dim=1)  # (N, count)
    first = places.div(length, rounding_mode="floor")
    spans = torch.stack([first, first + places % length], dim=2)  # (N, count, 2)
    possible = values > IMPOSSIBLE / 2
    probabilities = (values - total[:, None]).exp() * possible  # (N, count)
    none = (nothing - total).exp() if nothing is not None else 1.0 - possible.any(1).to(values.dtype)  # (N,)
    return spans, probabilities, none
