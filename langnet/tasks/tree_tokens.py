"""Trees as sequences of tokens, and the rules by which every sequence is a tree (Vinyals et al. 2015).

`(S (NP XX XX )NP (VP XX )VP )S`: brackets with what they are called, and XX for a word. Chains of brackets over the
same words are one bracket, S+VP, as everywhere in learning; so no bracket may hold one bracket and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

START, END, WORD, FIRST = 0, 1, 2, 3  # from FIRST on in turns what opens and what closes each label
EMPTY, ONE_WORD, ONE_BRACKET, SEVERAL = 0, 1, 2, 3  # what an open bracket holds so far

LabelledSpan = tuple[int, int, int]  # start, end, label


def n_tokens(n_labels: int) -> int:
    """How many tokens there are, marks counted."""
    return FIRST + 2 * n_labels


def tree_tokens(spans: Sequence[LabelledSpan], n_words: int) -> list[int]:
    """The tokens of a tree, without start and end.

    Args:
        spans: in the order of opening, at most one over the same words.
        n_words: of the sentence.
    """
    found: list[int] = []
    open_now: list[tuple[int, int]] = []  # end and label
    after = 0
    for place in range(n_words):
        while after < len(spans) and spans[after][0] == place:
            _, end, label = spans[after]
            found.append(FIRST + 2 * label)
            open_now.append((end, label))
            after += 1
        found.append(WORD)
        while open_now and open_now[-1][0] == place + 1:
            found.append(FIRST + 2 * open_now.pop()[1] + 1)
    return found


def tree_spans(tokens: Sequence[int]) -> list[LabelledSpan]:
    """The spans of tokens that are a tree, in the order of opening."""
    found: list[LabelledSpan] = []
    open_now: list[int] = []
    words = 0
    for token in tokens:
        if token == WORD:
            words += 1
        elif (token - FIRST) % 2 == 0:
            open_now.append(len(found))
            found.append((words, -1, (token - FIRST) // 2))
        else:
            start, _, label = found[open_now[-1]]
            found[open_now.pop()] = (start, words, label)
    return found


@dataclass(frozen=True)
class TreeRules:
    """What may be written next of R trees, so that each has exactly the words of its sentence and can be finished.

    A bracket that is open and holds nothing yet, or one bracket alone, still owes a word to what is to come; it may be
    closed when it owes none, and another may be opened only where enough words are left for all.

    Attributes:
        n_labels: C.
        n_words: (R,) of each sentence.
        left: (R,) words that have not been written.
        depth: (R,) brackets that are open.
        labels, holds: (R, D) what they are called and what they hold, outer first.
    """

    n_labels: int
    n_words: Tensor
    left: Tensor
    depth: Tensor
    labels: Tensor
    holds: Tensor

    @classmethod
    def before(cls, n_words: Tensor, n_labels: int) -> Self:
        """Before the first token of each tree, (R,)."""
        room = torch.zeros(len(n_words), int(n_words.max()) + 1, dtype=torch.long, device=n_words.device)
        return cls(n_labels, n_words, n_words, torch.zeros_like(n_words), room, room)

    def allowed(self) -> Tensor:
        """(R, V)."""
        rows = torch.arange(len(self.left), device=self.left.device)
        inside, top = self.depth > 0, (self.depth - 1).clamp_min(0)
        held, label = self.holds[rows, top], self.labels[rows, top]  # (R,)
        level = torch.arange(self.holds.shape[1], device=self.left.device)
        below = level < (self.depth - 1)[:, None]
        owed = ((self.holds == EMPTY) & below).sum(1)  # by those below the top: each will hold the bracket above it
        shut = inside & ((held == ONE_WORD) | (held == SEVERAL))
        deeper = owed + (inside & (held == EMPTY)) + 1
        found = torch.zeros(len(rows), n_tokens(self.n_labels), dtype=torch.bool, device=rows.device)
        found[:, END] = ~inside & (self.left == 0)
        found[:, WORD] = self.left > owed
        found[:, FIRST::2] = (self.left >= deeper)[:, None]
        found[rows, FIRST + 2 * label + 1] = shut
        return found

    def places(self) -> Tensor:
        """The next word of each sentence, (R,); -1 behind the last."""
        return torch.where(self.left > 0, self.n_words - self.left, torch.full_like(self.left, -1))

    def taken(self, rows: Tensor, tokens: Tensor) -> Self:
        """The rules of some rows after one more token each; the rows of a finished tree stay as they are."""
        n_words, left, depth = (part.index_select(0, rows) for part in (self.n_words, self.left, self.depth))
        labels, holds = self.labels.index_select(0, rows), self.holds.index_select(0, rows)
        bracket = tokens >= FIRST
        shift, opens = tokens == WORD, bracket & ((tokens - FIRST) % 2 == 0)
        closes = bracket & ~opens
        depth = depth - closes.long()
        # What is now on top has got a word, or the bracket that was closed; nothing changes outside of all brackets.
        top = (depth - 1).clamp_min(0)[:, None]  # (R, 1)
        held = holds.gather(1, top)[:, 0]
        first = torch.where(shift, ONE_WORD, ONE_BRACKET)
        more = torch.where(held == EMPTY, first, torch.full_like(held, SEVERAL))
        holds = holds.scatter(1, top, torch.where((shift | closes) & (depth > 0), more, held)[:, None])
        depth = depth + opens.long()
        top = (depth - 1).clamp_min(0)[:, None]
        own, label = holds.gather(1, top)[:, 0], labels.gather(1, top)[:, 0]
        holds = holds.scatter(1, top, torch.where(opens, torch.full_like(own, EMPTY), own)[:, None])
        labels = labels.scatter(1, top, torch.where(opens, (tokens - FIRST) // 2, label)[:, None])
        return type(self)(self.n_labels, n_words, left - shift.long(), depth, labels, holds)


def along(tokens: Tensor, n_words: Tensor, n_labels: int) -> tuple[Tensor, Tensor]:
    """What the rules say at each step of trees that are known.

    Args:
        tokens: (N, S) that are written, `END` last; behind that anything.
        n_words: (N,).
        n_labels: C.

    Returns:
        What was allowed, (N, S, V), and the word that was next, (N, S).
    """
    rules, rows = TreeRules.before(n_words, n_labels), torch.arange(len(tokens), device=tokens.device)
    allowed, places = [], []
    for now in tokens.unbind(1):
        allowed.append(rules.allowed())
        places.append(rules.places())
        rules = rules.taken(rows, now)
    return torch.stack(allowed, 1), torch.stack(places, 1)
