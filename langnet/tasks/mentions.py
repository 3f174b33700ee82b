"""Spans of words as candidates for mentions: their vectors, their scores, and the few of them that are kept.

A span is what stands at its first word, at its last, and, by attention, at its head (Lee et al. 2017, section 3). The
layer that reads the three is linear in each, so that it is applied to words, of which there are fewer than of spans.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WORDS_AT_ONCE = 2048  # of which all spans are in memory together, where no gradient is kept
_SHARPEST = 8.0  # bound of the attention's logits, so that no weight is lost beside another


@dataclass(frozen=True)
class Spans:
    """Spans of one document, in the order of the text.

    Attributes:
        first, last: (M,) words.
        states: (M, H).
        link: (M,) how much each speaks for being linked at all.
        mention: (M,) log-odds of being a mention.
    """

    first: Tensor
    last: Tensor
    states: Tensor
    link: Tensor
    mention: Tensor

    def __len__(self) -> int:
        return len(self.first)

    def take(self, index: Tensor) -> Spans:
        """Some of the spans."""
        return Spans(*(getattr(self, field.name)[index] for field in fields(self)))


class MentionScorer(nn.Module):
    """Vectors and scores of all spans of up to `longest` words.

    Args:
        dim: D, the width of words' states.
        hidden: H, the width of spans.
        longest: L, the most words of a mention.
        dropout: of spans before they are scored.
    """

    def __init__(self, dim: int, hidden: int, longest: int, dropout: float):
        super().__init__()
        self.longest = longest
        self.ends = nn.Linear(dim, 3 * hidden)
        self.attention = nn.Linear(dim, 1)
        self.width = nn.Embedding(longest, hidden)
        self.dropout = nn.Dropout(dropout)
        self.scores = nn.Linear(hidden, 2)

    def forward(self, words: Tensor) -> tuple[Tensor, Tensor]:
        """The spans that begin at each word.

        Args:
            words: (W, D) states of a document's words.

        Returns:
            Their vectors (W, L, H), and their scores (W, L, 2): of being a mention, and of being linked. What reaches
            beyond the last word means nothing.
        """
        first, last, head = self.ends(words).chunk(3, dim=1)  # (W, H)
        weight = (_SHARPEST * torch.tanh(self.attention(words) / _SHARPEST)).exp()  # (W, 1)
        weighted, spans = weight * head, []
        total, mass = torch.zeros_like(head), torch.zeros_like(weight)
        for length in range(self.longest):  # the sums over a span grow word by word
            total, mass = total + _shifted(weighted, length), mass + _shifted(weight, length)
            spans.append(first + _shifted(last, length) + total / mass + self.width.weight[length])
        states = F.relu(torch.stack(spans, dim=1))  # (W, L, H)
        return states, self.scores(self.dropout(states)).float()

    def kept(self, words: Tensor, possible: Tensor, count: int, wanted: Tensor) -> Spans:
        """The most probable mentions of a document, found in parts where it is long.

        Args:
            words: (W, D).
            possible: (W, L) which spans may be mentions.
            count: how many; more where more are wanted.
            wanted: (W, L) which are kept whatever their scores.
        """
        parts, count = [], max(count, int(wanted.sum()))
        for start in range(0, len(words), WORDS_AT_ONCE):
            own = slice(start, start + WORDS_AT_ONCE)
            states, scores = self(words[start : start + WORDS_AT_ONCE + self.longest - 1])
            found = best_spans(states, scores, (possible[own], wanted[own]), count)
            parts.append(replace(found, first=found.first + start, last=found.last + start))
        if len(parts) == 1:
            return parts[0]
        names = [field.name for field in fields(Spans)]
        every = Spans(*(torch.cat([getattr(part, name) for part in parts]) for name in names))
        value = every.mention.masked_fill(wanted[every.first, every.last - every.first], float("inf"))
        return every.take(value.topk(min(count, len(every))).indices.sort().values)


def best_spans(states: Tensor, scores: Tensor, allowed: tuple[Tensor, Tensor], count: int) -> Spans:
    """The most probable mentions, in the order of the text.

    Args:
        states, scores: of `MentionScorer`, also of more words than W.
        allowed: (W, L) which spans are possible, and which are kept whatever their scores.
        count: how many; more where more are to be kept.
    """
    possible, wanted = allowed
    value = scores[: len(possible), :, 0].masked_fill(~possible, float("-inf")).masked_fill(wanted, float("inf"))
    most = min(max(count, int(wanted.sum())), int((value > float("-inf")).sum()))
    places = value.flatten().topk(most).indices.sort().values  # (M,) by first word, short ones first
    first = places.div(value.shape[1], rounding_mode="floor")
    length = places % value.shape[1]
    own = scores[first, length]  # (M, 2)
    return Spans(first, first + length, states[first, length], own[:, 1], own[:, 0])


def possible_spans(sentences: Tensor, n_words: int, longest: int) -> Tensor:
    """Which spans keep within a sentence, (W, L).

    Args:
        sentences: (S,) the first word of each sentence.
        n_words: W.
        longest: L.
    """
    number = torch.zeros(n_words, dtype=torch.long, device=sentences.device)
    if n_words:
        number[sentences.clamp_max(n_words - 1)] = 1
    number = number.cumsum(0)  # (W,) of the sentence
    last = torch.arange(n_words, device=number.device)[:, None] + torch.arange(longest, device=number.device)  # (W, L)
    inside = last < n_words
    return inside & (number[last.clamp_max(max(n_words - 1, 0))] == number[:, None])


def _shifted(values: Tensor, by: int) -> Tensor:
    """Row w holds what stood in row w + `by`, (W, .); zeros behind the end."""
    return F.pad(values[by:], (0, 0, 0, min(by, len(values)))) if by else values
