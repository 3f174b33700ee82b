"""Two ways from words' states to a tree: a chart of all spans, and a sequence of brackets that is written.

`ChartDecoder` scores every span's labels and finds the best tree of all exactly (Stern et al. 2017; Kitaev & Klein
2018): a span is the difference of its two ends, v(i, j) = p_j - p_i, with p_k made of the words before and behind the
gap k (Wang & Chang 2016; Gaddy et al. 2018), and a small network scores its labels against having none, which is worth
0. It learns by the likelihood of whole trees (`tree_chart`). A margin between the right tree and the others would do as
well (Stern et al. 2017); a distribution also says how sure the tree and each of its spans are.

`LinearDecoder` writes the tree as tokens by an attention decoder (Vinyals et al. 2015), among those that can still
become a tree (`tree_tokens`), by beam search.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.tasks.attention_decoder import AttentionDecoder, DecoderConfig, scores_of, shifted
from langnet.tasks.beam_search import BeamOptions, beam_search
from langnet.tasks.tree_chart import best_trees, log_partition, marginals
from langnet.tasks.tree_tokens import END, START, LabelledSpan, TreeRules, along, n_tokens, tree_spans, tree_tokens

SPANS_AT_ONCE = 40_000  # of all sentences of a group that is decoded together, which bounds the memory
FORBIDDEN = -1e30


@dataclass(frozen=True)
class Decoded:
    """A tree that was found.

    Attributes:
        spans: start, end and label, in the order of opening.
        log_probability: of the tree.
        probabilities: of each span with its label; empty where the decoder does not know them.
    """

    spans: list[LabelledSpan]
    log_probability: float
    probabilities: list[float]


class TreeDecoder(nn.Module, ABC):
    """States of words in, trees out."""

    @abstractmethod
    def log_probabilities(self, states: Tensor, lengths: Tensor, trees: Sequence[Sequence[LabelledSpan]]) -> Tensor:
        """Of one tree a sentence, (N,), differentiable.

        Args:
            states: (N, W, D) of words.
            lengths: (N,) words of each sentence.
            trees: spans of each, in the order of opening.
        """

    @abstractmethod
    def decode(self, states: Tensor, lengths: Tensor) -> list[Decoded]:
        """The best tree of each sentence."""


class ChartDecoder(TreeDecoder):
    """A field over trees.

    Args:
        dim: D, the width of the states.
        n_labels: C.
        hidden: units of the network that scores labels.
        dropout: of its units.
    """

    def __init__(self, dim: int, n_labels: int, hidden: int, dropout: float):
        super().__init__()
        self.before = nn.Linear(dim, hidden, bias=False)
        self.behind = nn.Linear(dim, hidden, bias=False)
        self.norm = nn.LayerNorm(hidden)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, n_labels)

    def label_scores(self, states: Tensor, lengths: Tensor) -> tuple[Tensor, _Places]:
        """The scores of every label of every span, (N, S, C), and where the S spans stand."""
        n = states.shape[1]
        real = torch.arange(n, device=states.device) < lengths[:, None]  # (N, W)
        states = states * real[..., None]
        # Gap k lies between word k - 1 and word k; beyond both ends there is nothing.
        gaps = F.pad(self.before(states), (0, 0, 1, 0)) - F.pad(self.behind(states), (0, 0, 0, 1))  # (N, W + 1, H)
        # By where they begin, which is three times as quick as to look both ends of each up.
        spans = torch.cat([gaps[:, i + 1 :] - gaps[:, i : i + 1] for i in range(n)], dim=1)  # (N, S, H)
        return self.output(self.dropout(self.norm(spans).relu_())).float(), _Places.of(n, states.device)

    def log_probabilities(self, states: Tensor, lengths: Tensor, trees: Sequence[Sequence[LabelledSpan]]) -> Tensor:
        scores, places = self.label_scores(states, lengths)
        index = [(row, start, end - start - 1, label) for row, tree in enumerate(trees) for start, end, label in tree]
        rows, starts, widths, labels = torch.tensor(index, dtype=torch.long, device=states.device).view(-1, 4).unbind(1)
        own = scores[rows, places.at[starts, widths], labels]  # one a span
        totals = scores.new_zeros(len(trees)).index_add(0, rows, own)  # (N,)
        return totals - log_partition(places.spread(scores.logsumexp(2)), lengths)

    @torch.no_grad()
    def decode(self, states: Tensor, lengths: Tensor) -> list[Decoded]:
        n = states.shape[1]
        at_once = max(1, SPANS_AT_ONCE // (n * (n + 1) // 2))
        parts = zip(states.split(at_once), lengths.split(at_once), strict=True)
        return [one for own, counts in parts for one in self._decode(own[:, : max(1, int(counts.max()))], counts)]

    def _decode(self, states: Tensor, lengths: Tensor) -> list[Decoded]:
        scores, places = self.label_scores(states, lengths)
        best, labels = scores.max(dim=2)  # (N, S) each
        sums = scores.logsumexp(2)  # (N, S)
        table = places.spread(sums)
        trees, totals = best_trees(places.spread(best), lengths)
        chances = marginals(table, lengths)[:, places.starts, places.widths] * (best - sums).exp()  # (N, S)
        logs = (totals - log_partition(table, lengths)).tolist()
        at = places.at.tolist()
        found = []
        for tree, log, own, shares in zip(trees, logs, labels.tolist(), chances.tolist(), strict=True):
            spans = [(start, start + width + 1, own[at[start][width]]) for start, width in tree]
            found.append(Decoded(spans, log, [shares[at[start][width]] for start, width in tree]))
        return found


@dataclass(frozen=True)
class _Places:
    """The S spans of n words: `starts` and `widths` less one, (S,); `at` (n, n) has the number of each by both."""

    starts: Tensor
    widths: Tensor
    at: Tensor

    @classmethod
    def of(cls, n: int, device: torch.device) -> _Places:
        starts, last = torch.triu_indices(n, n, device=device)
        widths = last - starts
        at = torch.zeros(n, n, dtype=torch.long, device=device)
        at[starts, widths] = torch.arange(len(starts), device=device)
        return cls(starts, widths, at)

    def spread(self, values: Tensor) -> Tensor:
        """Values (N, S) as (N, n, n) by start and width - 1; zeros beyond the end."""
        out = values.new_zeros(len(values), *self.at.shape)
        return out.index_put(
            (torch.arange(len(values), device=values.device)[:, None], self.starts, self.widths), values
        )


class LinearDecoder(TreeDecoder):
    """Brackets and words in a row.

    Args:
        config: of the decoder; its vocabulary, start and end are those of trees.
        dim: D, the width of the states.
        n_labels: C.
        beam: how trees are searched for.
    """

    def __init__(self, config: DecoderConfig, dim: int, n_labels: int, beam: BeamOptions):
        super().__init__()
        self.n_labels, self.beam = n_labels, beam
        self.decoder = AttentionDecoder(config, dim)

    def log_probabilities(self, states: Tensor, lengths: Tensor, trees: Sequence[Sequence[LabelledSpan]]) -> Tensor:
        sequences = [tree_tokens(tree, n) for tree, n in zip(trees, lengths.tolist(), strict=True)]
        read, written = shifted(sequences, self.decoder.settings, states.device)  # (N, S) each
        allowed, places = along(written, lengths, self.n_labels)
        table = self.decoder.table()
        outputs, _ = self.decoder.teach(*self.decoder.begun(states, lengths), read, table, places)
        chances = scores_of(outputs, table).float().masked_fill(~allowed, FORBIDDEN).log_softmax(2)  # (N, S, V)
        own = chances.gather(2, written.clamp_min(0)[..., None])[..., 0]  # (N, S)
        return own.masked_fill(written < 0, 0.0).sum(1)

    @torch.no_grad()
    def decode(self, states: Tensor, lengths: Tensor) -> list[Decoded]:
        table, rules = self.decoder.table(), TreeRules.before(lengths, self.n_labels)
        found = beam_search(self.decoder, self.decoder.begun(states, lengths), table, self.beam, rules)
        return [Decoded(tree_spans(best.tokens), best.log_probability, []) for best, *_ in found]


def linear_decoder(dim: int, n_labels: int, hidden: int, dropout: float, beam: BeamOptions) -> LinearDecoder:
    """A decoder of trees that is guided by the next word; else it hardly learns from a thousand trees (LOG.md)."""
    config = DecoderConfig(
        START, END, n_tokens(n_labels), hidden // 2, hidden, input_feeding=False, guided=True, dropout=dropout
    )
    return LinearDecoder(config, dim, n_labels, beam)
