"""A conditional random field over trees: exact likelihood, best trees and marginals, batched, a loop over widths alone.

The score of a tree is the sum of its spans' scores (Stern et al. 2017). Zhang et al. 2020 normalise it over binary
trees, of which a flat phrase has many; here every tree, of any arity, is counted once, so that its probability is its
own. With ell[i, j] the score of there being a span over the words i .. j - 1 (the logarithm of the sum over its
labels), three quantities are filled in from narrow to wide:

    B[i, j] = log sum_k exp(L[i, k] + S[k, j])     the words as two parts or more, or one word by itself: 0
    S[i, j] = B[i, j] + ell[i, j]                  as one part; a single word may also have no label: + softplus(ell)
    L[i, j] = B[i, j] + softplus(ell[i, j])        as one part or more

Since the left of a split may be several parts and the right is one, each list of parts is built in one way. The whole,
L[0, n], may be several trees side by side. With maxima in place of sums it is the algorithm of Cocke, Kasami and
Younger over n-ary trees. Time is O(n^3) a sentence, in n steps; `tests/tasks/test_tree_chart.py` enumerates every tree
instead.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable


def log_partition(scores: Tensor, lengths: Tensor) -> Tensor:
    """The logarithm of the summed exponentials of all trees' scores, (N,); 0 of an empty sentence.

    Args:
        scores: ell, (N, n, n), of the span that begins at a word (row) and is w + 1 words wide (column); what reaches
            beyond a sentence's end may be anything finite. Differentiable once.
        lengths: (N,) words of each sentence.
    """
    result: Tensor = _Inside.apply(scores, lengths)
    return result


@torch.no_grad()
def best_trees(scores: Tensor, lengths: Tensor) -> tuple[list[list[tuple[int, int]]], Tensor]:
    """The tree of the highest score of each sentence.

    Args:
        scores: (N, n, n), as in `log_partition`, of the best label of each span.
        lengths: (N,).

    Returns:
        The spans (start, width - 1) of each tree, in the order of opening, and the trees' scores (N,).
    """
    chart = _Chart(scores, scores[:, :, 0].clamp_min(0))
    cuts = torch.zeros_like(scores, dtype=torch.long)  # the width of the left part of each span
    for width in range(2, chart.n + 1):
        best, places = chart.parts(width).max(dim=2)  # (N, n - width + 1) each
        cuts[:, : chart.n - width + 1, width - 1] = places + 1
        chart.put(width, best, chart.at(width).clamp_min(0))
    tables = zip((scores > 0).tolist(), cuts.tolist(), lengths.tolist(), strict=True)
    return [_trace(*each) for each in tables], chart.whole(lengths)


def marginals(scores: Tensor, lengths: Tensor) -> Tensor:
    """The probability of each span, (N, n, n) as the scores; 0 of what reaches beyond a sentence's end."""
    with torch.enable_grad():
        held = scores.detach().requires_grad_()
        (found,) = torch.autograd.grad(log_partition(held, lengths).sum(), held)
    return found


def _trace(taken: list[list[bool]], cuts: list[list[int]], length: int) -> list[tuple[int, int]]:
    """The spans of one tree, from where every span is best split and whether its score speaks for it."""
    found = []
    waiting = [(0, length, False)] if length else []
    while waiting:
        start, width, one_part = waiting.pop()
        # Behind a split stands one part, which of several words is a span whatever its score.
        if taken[start][width - 1] or (one_part and width > 1):
            found.append((start, width - 1))
        if width > 1:
            left = cuts[start][width - 1]
            waiting += [(start + left, width - left, True), (start, left, False)]
    return found


class _Chart:
    """L by where a span begins and S by where it ends, (N, n + 1, n + 1) each with widths in columns."""

    def __init__(self, scores: Tensor, single: Tensor):
        """`single` (N, n) is what one word is worth."""
        self.scores, self.n = scores, scores.shape[1]
        self.left, self.right = (scores.new_zeros(len(scores), self.n + 1, self.n + 1) for _ in range(2))
        self.left[:, :-1, 1] = self.right[:, 1:, 1] = single

    def at(self, width: int) -> Tensor:
        """The scores of the spans of a width, (N, n - width + 1)."""
        return self.scores[:, : self.n - width + 1, width - 1]

    def parts(self, width: int) -> Tensor:
        """The scores of every way to split a span, from a narrow left to a wide one, (N, n - width + 1, width - 1)."""
        return self.left[:, : self.n - width + 1, 1:width] + self.right[:, width:, 1:width].flip(2)

    def put(self, width: int, split: Tensor, gain: Tensor) -> None:
        """Keep what the splits are worth, and what a span adds where it need not be one part, (N, n - width + 1)."""
        self.left[:, : self.n - width + 1, width] = split + gain
        self.right[:, width:, width] = split + self.at(width)

    def whole(self, lengths: Tensor) -> Tensor:
        """What the chart has of each sentence, (N,)."""
        return self.left[torch.arange(len(lengths), device=lengths.device), 0, lengths]


class _Inside(torch.autograd.Function):
    """From scores (N, n, n) to the logarithm of the sum over all trees, (N,); the gradient is the outside algorithm."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, lengths: Tensor) -> Tensor:
        chart = _Chart(scores, F.softplus(scores[:, :, 0]))
        sums = torch.zeros_like(scores)  # B
        for width in range(2, chart.n + 1):
            split = chart.parts(width).logsumexp(2)  # (N, n - width + 1)
            sums[:, : chart.n - width + 1, width - 1] = split
            chart.put(width, split, F.softplus(chart.at(width)))
        ctx.save_for_backward(scores, lengths, sums, chart.left, chart.right)
        return chart.whole(lengths)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        scores, lengths, sums, left, right = ctx.saved_tensors
        chart, n = _Chart(scores, left[:, :-1, 1]), scores.shape[1]
        chart.left, chart.right = left, right
        by_left, by_right, by_score = torch.zeros_like(left), torch.zeros_like(right), torch.zeros_like(scores)
        by_left[torch.arange(len(lengths), device=lengths.device), 0, lengths] = gradient
        for width in range(n, 1, -1):
            many, one = by_left[:, : n - width + 1, width], by_right[:, width:, width]  # (N, n - width + 1) each
            by_score[:, : n - width + 1, width - 1] = one + many * chart.at(width).sigmoid()
            split = sums[:, : n - width + 1, width - 1]
            share = (chart.parts(width) - split[..., None]).exp_() * (many + one)[..., None]
            by_left[:, : n - width + 1, 1:width] += share
            by_right[:, width:, 1:width] += share.flip(2)
        by_score[:, :, 0] = (by_left[:, :-1, 1] + by_right[:, 1:, 1]) * scores[:, :, 0].sigmoid()
        return by_score, None
