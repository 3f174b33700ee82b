"""A linear-chain conditional random field: exact likelihood, best paths and marginals, batched and masked.

Lafferty et al. 2001; over a network's scores of tags as in Lample et al. 2016. A path of tags y through n words scores

    start[y_1] + sum_t scores[t, y_t] + sum_t transitions[y_t, y_t+1] + end[y_n]

and its probability is the exponential of that over the sum for all paths, which the forward algorithm has in O(n C^2).
Transitions that a tagging scheme does not have can be forbidden. `tests/tasks/test_crf.py` holds all of it against the
enumeration of every path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.text.batches import IGNORED
from langnet.text.tag_schemes import Scheme, may_follow

ConstraintUse = Literal["decoding", "always", "never"]
FORBIDDEN = -1e4  # the score of what is forbidden; finite, so that no gradient becomes 0 times infinity


@dataclass(frozen=True)
class Chain:
    """What a chain adds to the scores of single words.

    Attributes:
        transitions: (C, C), from one tag (row) to the next (column).
        start, end: (C,) of the first and the last tag.
    """

    transitions: Tensor
    start: Tensor
    end: Tensor

    def log_partition(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """The logarithm of the summed exponentials of all paths' scores, (N,); 0 of an empty sequence.

        Args:
            scores: (N, T, C).
            lengths: (N,) words of each row.
        """
        alpha = self.start + scores[:, 0]  # (N, C)
        for now, real in _steps(scores, lengths):
            after = torch.logsumexp(alpha[:, :, None] + self.transitions, dim=1) + now  # (N, C)
            alpha = after if real is None else torch.where(real, after, alpha)
        total = torch.logsumexp(alpha + self.end, dim=1)  # (N,)
        return torch.where(lengths > 0, total, torch.zeros_like(total))

    def path_scores(self, scores: Tensor, tags: Tensor, lengths: Tensor) -> Tensor:
        """The score of one path a row, (N,); tags (N, T) behind a row's end may be anything."""
        steps = torch.arange(tags.shape[1], device=tags.device)
        real = steps < lengths[:, None]  # (N, T)
        tags = torch.where(real, tags, torch.zeros_like(tags))
        own = scores.gather(2, tags[..., None])[..., 0]  # (N, T)
        between = self.transitions[tags[:, :-1], tags[:, 1:]]  # (N, T - 1)
        last = tags.gather(1, (lengths - 1).clamp_min(0)[:, None])[:, 0]  # (N,)
        ends = torch.where(lengths > 0, self.start[tags[:, 0]] + self.end[last], torch.zeros_like(own[:, 0]))
        return (own * real).sum(1) + (between * real[:, 1:]).sum(1) + ends

    @torch.no_grad()
    def best_paths(self, scores: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The path of the highest score of each row by Viterbi's algorithm, and that score.

        Returns:
            (N, T) tags, whose values behind a row's end mean nothing, and (N,).
        """
        alpha = self.start + scores[:, 0]  # (N, C)
        same = torch.arange(scores.shape[2], device=scores.device).expand_as(alpha)  # (N, C)
        came_from = []
        for now, real in _steps(scores, lengths):
            best, before = (alpha[:, :, None] + self.transitions).max(dim=1)  # (N, C) each
            alpha = best + now if real is None else torch.where(real, best + now, alpha)
            came_from.append(before if real is None else torch.where(real, before, same))
        value, tag = (alpha + self.end).max(dim=1)  # (N,)
        path = [tag]
        for before in reversed(came_from):
            path.append(before.gather(1, path[-1][:, None])[:, 0])
        return torch.stack(path[::-1], dim=1), torch.where(lengths > 0, value, torch.zeros_like(value))

    @torch.no_grad()
    def marginals(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """The probability of every tag of every word, (N, T, C), by the forward and backward algorithms."""
        steps = _steps(scores, lengths)
        forward, backward = [self.start + scores[:, 0]], [self.end.expand(len(scores), -1)]  # (N, C) each
        for now, _ in steps:
            forward.append(torch.logsumexp(forward[-1][:, :, None] + self.transitions, dim=1) + now)
        for after, real in reversed(steps):
            following = torch.logsumexp(self.transitions + (after + backward[-1])[:, None, :], dim=2)  # (N, C)
            backward.append(following if real is None else torch.where(real, following, self.end))
        return (torch.stack(forward, dim=1) + torch.stack(backward[::-1], dim=1)).softmax(dim=2)


def _steps(scores: Tensor, lengths: Tensor) -> list[tuple[Tensor, Tensor | None]]:
    """The scores (N, C) of every word but the first, and which rows (N, 1) have it; None where all do."""
    shortest = int(lengths.min())
    real = torch.arange(scores.shape[1], device=scores.device)[:, None, None] < lengths[:, None]  # (T, N, 1)
    held = [None if t < shortest else row for t, row in enumerate(real)]
    return list(zip(scores.unbind(1), held, strict=True))[1:]


class Constraints(nn.Module):
    """What may follow what, as scores that are added to a chain: 0 where allowed, `FORBIDDEN` where not.

    Args:
        follows: (C, C) whether a tag (row) may be followed by another (column).
        first, last: (C,) whether a tag may stand first, last.
    """

    def __init__(self, follows: Sequence[Sequence[bool]], first: Sequence[bool], last: Sequence[bool]):
        super().__init__()
        self.follows: Tensor
        self.first: Tensor
        self.last: Tensor
        for name, allowed in (("follows", follows), ("first", first), ("last", last)):
            penalty = torch.where(torch.tensor(allowed), 0.0, FORBIDDEN)
            self.register_buffer(name, penalty, persistent=False)  # made anew from the tags' names

    def added_to(self, chain: Chain) -> Chain:
        """The chain with these constraints."""
        return Chain(chain.transitions + self.follows, chain.start + self.first, chain.end + self.last)


class ChainWeights(nn.Module):
    """The chain's own weights, which are learned; zero at first, when every tag is as likely after every other."""

    def __init__(self, n_tags: int):
        super().__init__()
        self.transitions = nn.Parameter(torch.zeros(n_tags, n_tags))
        self.start = nn.Parameter(torch.zeros(n_tags))
        self.end = nn.Parameter(torch.zeros(n_tags))

    def chain(self) -> Chain:
        """The weights as they are."""
        return Chain(self.transitions, self.start, self.end)


def free_chain(scores: Tensor) -> Chain:
    """A chain that adds nothing to scores (..., C): words are independent."""
    zeros = scores.new_zeros(scores.shape[-1])
    return Chain(scores.new_zeros(len(zeros), len(zeros)), zeros, zeros)


class TagChain(nn.Module):
    """Words' scores to a loss, the best tags and their probabilities.

    Args:
        labels: the tags.
        scheme: theirs.
        learned: whether transitions are learned, so that tags are chosen as a whole; else each word is by itself.
        constraints: whether what the scheme does not have is ruled out: in `decoding`, `always`, in learning too, or
            `never`.
    """

    def __init__(self, labels: Sequence[str], scheme: Scheme, learned: bool, constraints: ConstraintUse):
        super().__init__()
        self.constrained = constraints
        self.weights = ChainWeights(len(labels)) if learned else None
        self.constraints = Constraints(*may_follow(labels, scheme))

    def loss(self, scores: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
        """The summed loss of sequences.

        Args:
            scores: (N, T, C).
            labels: (N, T), -100 behind a row's end.
            lengths: (N,).
        """
        if self.weights is None and self.constrained != "always":
            return F.cross_entropy(scores.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum")
        return -self._log_probabilities(
            self._chain(scores, self.constrained == "always"), scores, labels, lengths
        ).sum()

    def deciding(self, scores: Tensor) -> Chain:
        """The chain by which tags are chosen."""
        return self._chain(scores, self.constrained != "never")

    def log_probabilities(self, scores: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
        """Of one sequence of tags a row, (N,), among those that may be chosen."""
        return self._log_probabilities(self.deciding(scores), scores, labels, lengths)

    @staticmethod
    def _log_probabilities(chain: Chain, scores: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
        return chain.path_scores(scores, labels, lengths) - chain.log_partition(scores, lengths)

    def _chain(self, scores: Tensor, constrained: bool) -> Chain:
        chain = self.weights.chain() if self.weights is not None else free_chain(scores)
        return self.constraints.added_to(chain) if constrained else chain
