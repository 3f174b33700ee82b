"""Cross-entropy of a large softmax by a sample of its words (Jean et al. 2015, after Bengio & Senécal 2008).

The sum over the vocabulary, which the softmax divides by, is estimated: the target's own share is exact, and the others
are drawn, each weighted by the inverse of how often it is expected among the draws. The estimate of that sum has no
bias; the loss, its logarithm, comes out slightly low on average and tends to the exact one as the sample grows.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from langnet.encoders.fused import product_precision
from langnet.tasks.cross_entropy import LEAST

CHUNK = 1024  # rows; their scores against the sample are held at once


def log_uniform_sample(vocabulary_size: int, n: int) -> tuple[Tensor, Tensor]:
    """Draw n ids, with replacement, where id k has the probability log((k + 2) / (k + 1)) / log(V + 1).

    That is Zipf's law for a vocabulary in the order of falling frequency.

    Returns:
        The distinct ids drawn (m,), and for each the log of its expected count over its count (m,): what is subtracted
        from its score, so that a sum over the m estimates one over all.
    """
    draws = torch.rand(n, dtype=torch.float64).mul_(math.log(vocabulary_size + 1)).exp_().long() - 1  # (n,)
    ids, count = draws.clamp_(0, vocabulary_size - 1).unique(return_counts=True)  # (m,)
    return ids, (expected_counts(ids, vocabulary_size, n) / count).log().float()


def expected_counts(ids: Tensor, vocabulary_size: int, n: int) -> Tensor:
    """How often each id is expected among n draws of `log_uniform_sample`: (m,) to (m,) float64."""
    k = ids.cpu().double()
    return n * ((k + 2) / (k + 1)).log() / math.log(vocabulary_size + 1)


class _SampledCrossEntropy(torch.autograd.Function):
    """Sum over rows of the loss; gradients are made in the forward pass, chunk by chunk."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, sample: tuple[Tensor, Tensor], precision: torch.dtype
    ) -> Tensor:
        ids, correction = sample
        drawn, own = weight[ids].to(precision), weight[targets].to(precision)  # (m, D), (N, D)
        exact = torch.promote_types(precision, torch.float32)
        drawn_gradient = torch.zeros(drawn.shape, dtype=exact, device=drawn.device)  # (m, D)
        own_gradient = torch.empty(own.shape, dtype=exact, device=own.device)  # (N, D)
        hidden_gradient = torch.empty_like(hidden)
        total = hidden.new_zeros((), dtype=exact)
        with torch.autocast(hidden.device.type, enabled=False):
            for start in range(0, len(targets), CHUNK):
                part = slice(start, start + CHUNK)
                states, wanted = hidden[part].to(precision), own[part]  # (n, D)
                scores = (states @ drawn.T).to(exact).sub_(correction)  # (n, m)
                scores.masked_fill_(targets[part, None] == ids, -torch.inf)  # the target counts once, exactly
                score = (states * wanted).sum(1, dtype=exact)[:, None]  # (n, 1)
                shares = torch.cat([score, scores], dim=1).softmax(1)  # (n, 1 + m)
                total -= shares[:, 0].clamp_min(LEAST).log().sum()
                error, miss = shares[:, 1:].to(precision), (shares[:, :1] - 1).to(precision)  # (n, m), (n, 1)
                hidden_gradient[part] = torch.addmm(miss * wanted, error, drawn)
                drawn_gradient += error.T @ states
                own_gradient[part] = (miss * states).to(exact)
        ctx.save_for_backward(hidden_gradient, drawn_gradient, own_gradient, ids, targets)
        ctx.vocabulary_size = len(weight)
        return total

    @staticmethod
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        hidden_gradient, drawn_gradient, own_gradient, ids, targets = ctx.saved_tensors
        weight_gradient = drawn_gradient.new_zeros(ctx.vocabulary_size, drawn_gradient.shape[1])  # (V, D)
        weight_gradient.index_add_(0, ids, drawn_gradient).index_add_(0, targets, own_gradient)
        return hidden_gradient * scale, weight_gradient * scale, None, None, None


def sampled_cross_entropy(hidden: Tensor, weight: Tensor, targets: Tensor, sample: tuple[Tensor, Tensor]) -> Tensor:
    """Mean cross-entropy in nats of softmax(hidden @ weight.T) at `targets`, its normalisation estimated from a sample.

    Args:
        hidden: (..., D) states.
        weight: (V, D) softmax matrix, words in the order of falling frequency.
        targets: (...) int64 ids; -100 where there is nothing to predict.
        sample: what `log_uniform_sample` drew; one sample serves all rows.

    Returns:
        A scalar; zero, with zero gradient, when nothing is to be predicted.
    """
    hidden, targets = hidden.reshape(-1, hidden.shape[-1]), targets.reshape(-1)
    kept = targets != -100
    count = int(kept.sum())
    if count == 0:
        return hidden.sum() * 0.0
    drawn = (sample[0].to(hidden.device), sample[1].to(hidden.device))
    loss: Tensor = _SampledCrossEntropy.apply(hidden[kept], weight, targets[kept], drawn, product_precision(hidden))
    return loss / count
