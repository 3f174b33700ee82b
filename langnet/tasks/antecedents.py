"""Which earlier mention each mention refers to: pairs of spans, scored coarsely all and finely a few (Lee et al. 2018).

The score of a pair is that of either being linked, of a bilinear form of both, and of a small network over both, their
product, how far apart they are, and whether they are the same words. Not linking has the score 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.tasks.mentions import Spans

BLOCK = 512  # mentions whose pairs are scored together
REACH = 2048  # mentions before a block that its own may refer to, which bounds the memory of long documents
N_DISTANCES = 12  # 0, 1, 2, 3, 4, 5 to 7, 8 to 15, ... mentions or sentences
MATCHES = ("none", "last word", "all words")


@dataclass(frozen=True)
class Links:
    """What M mentions may refer to.

    Attributes:
        antecedents: (M, K) numbers of earlier mentions; -1 where there are fewer.
        scores: (M, 1 + K) unnormalised log-probabilities: of none, then of each.
    """

    antecedents: Tensor
    scores: Tensor


@dataclass(frozen=True)
class SpanFacts:
    """What is known of a document's spans without an encoder.

    Attributes:
        sentence: (M,) in which each stands.
        words: (M,) equal numbers for equal words.
        last: (M,) equal numbers for equal last words.
    """

    sentence: Tensor
    words: Tensor
    last: Tensor


class AntecedentScorer(nn.Module):
    """Scores of mentions' antecedents.

    Args:
        hidden: H, the width of spans.
        count: K, antecedents that are scored finely.
        matches: whether equal words are seen.
        dropout: of spans before they are compared.
    """

    def __init__(self, hidden: int, count: int, matches: bool, dropout: float):
        super().__init__()
        self.count, self.matches = count, matches
        self.dropout = nn.Dropout(dropout)
        self.coarse = nn.Linear(hidden, hidden, bias=False)
        nn.init.zeros_(self.coarse.weight)
        self.mine, self.other, self.both = (nn.Linear(hidden, hidden, bias=False) for _ in range(3))
        self.mentions_between = nn.Embedding(N_DISTANCES, hidden)
        self.sentences_between = nn.Embedding(N_DISTANCES, hidden)
        self.same = nn.Embedding(len(MATCHES), hidden) if matches else None
        self.coarse_distance = nn.Embedding(N_DISTANCES, 1)
        self.coarse_same = nn.Embedding(len(MATCHES), 1) if matches else None
        for table in (self.coarse_distance, self.coarse_same):
            if table is not None:
                nn.init.zeros_(table.weight)
        self.output = nn.Linear(hidden, 1)

    def forward(self, spans: Spans, facts: SpanFacts) -> Links:
        """The best antecedents of every mention of a document."""
        states = self.dropout(spans.states)  # (M, H)
        parts = [self._block(states, spans.link, facts, start) for start in range(0, len(spans), BLOCK)]
        width = max([part.antecedents.shape[1] for part in parts], default=0)
        antecedents = [F.pad(part.antecedents, (0, width - part.antecedents.shape[1]), value=-1) for part in parts]
        scores = [F.pad(part.scores, (0, 1 + width - part.scores.shape[1]), value=float("-inf")) for part in parts]
        if not parts:
            return Links(spans.first.new_zeros(0, 0), states.new_zeros(0, 1))
        return Links(torch.cat(antecedents), torch.cat(scores))

    def _block(self, states: Tensor, link: Tensor, facts: SpanFacts, start: int) -> Links:
        """Of the mentions from `start` on, `BLOCK` of them."""
        end, before = min(start + BLOCK, len(states)), max(0, start - REACH)
        mine = torch.arange(start, end, device=states.device)  # (B,)
        others = torch.arange(before, end, device=states.device)  # (J,)
        distance = bucket(mine[:, None] - others)  # (B, J)
        coarse = self.coarse(states[mine]) @ states[others].T + link[mine][:, None] + link[others]  # (B, J)
        coarse = coarse.float() + self.coarse_distance(distance)[..., 0]
        if self.coarse_same is not None:
            coarse = coarse + self.coarse_same(_matches(facts, mine[:, None], others[None]))[..., 0]
        coarse = coarse.masked_fill(others >= mine[:, None], float("-inf"))
        best, places = coarse.topk(min(self.count, len(others)), dim=1)  # (B, K)
        chosen = others[places]  # (B, K)
        fine = self.mine(states[mine])[:, None] + self.other(states)[chosen]  # (B, K, H)
        fine = fine + self.both(states[mine][:, None] * states[chosen])
        fine = fine + self.mentions_between(bucket(mine[:, None] - chosen))
        fine = fine + self.sentences_between(bucket(facts.sentence[mine][:, None] - facts.sentence[chosen]))
        if self.same is not None:
            fine = fine + self.same(_matches(facts, mine[:, None], chosen))
        scores = best + self.output(self.dropout(F.relu(fine)))[..., 0].float()  # (B, K)
        none = scores.new_zeros(len(mine), 1)
        return Links(chosen.masked_fill(best == float("-inf"), -1), torch.cat([none, scores], dim=1))


def bucket(distance: Tensor) -> Tensor:
    """Distances in `N_DISTANCES` classes, fine where they are small (Lee et al. 2017)."""
    distance = distance.clamp_min(0)
    coarse = distance.clamp_min(1).float().log2().floor().long() + 3  # 4 is 5, 8 is 6, 16 is 7, ...
    return torch.where(distance <= 4, distance, coarse).clamp_max(N_DISTANCES - 1)


def _matches(facts: SpanFacts, one: Tensor, other: Tensor) -> Tensor:
    """0, 1 or 2: no words in common, the last, all."""
    last = (facts.last[one] == facts.last[other]).long()
    return torch.where(facts.words[one] == facts.words[other], 2, last)


def antecedent_loss(links: Links, chain: Tensor, counted: Tensor | None = None) -> Tensor:
    """-log of the probability of all right antecedents, a mean over the mentions that count (Lee et al. 2017, 4).

    Args:
        links: of M mentions.
        chain: (M,) the true chain of each; -1 where it is in none.
        counted: (M,) which of them count; None: all.
    """
    known = links.antecedents >= 0
    right = (chain[links.antecedents.clamp_min(0)] == chain[:, None]) & known & (chain >= 0)[:, None]  # (M, K)
    right = torch.cat([~right.any(1, keepdim=True), right], dim=1)  # (M, 1 + K)
    scores = links.scores
    losses = scores.logsumexp(1) - scores.masked_fill(~right, float("-inf")).logsumexp(1)  # (M,)
    if counted is not None:
        losses = losses[counted]
    return losses.mean() if len(losses) else scores[:, 0].sum() * 0
