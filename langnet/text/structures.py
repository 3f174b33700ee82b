"""What is to be drawn: brackets and arcs over a sentence's words, chains of mentions, what a translation looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from langnet.text.chains import Chain, Span
from langnet.text.trees import JudgedTree
from langnet.text.words import running_text


@dataclass(frozen=True)
class Bracket:
    """A label over words that stand together.

    Attributes:
        start, end: words start .. end - 1.
        label: what they are.
        colour: one of the few of the page, from 0; what is of one sort has one.
        told: what is said beside it to who points at it.
        filled: whether it is what its row is about, such as a predicate, and drawn as a ground under its words.
    """

    start: int
    end: int
    label: str
    colour: int = 0
    told: str = ""
    filled: bool = False


@dataclass(frozen=True)
class Arc:
    """A line from one word to another, and what it is called."""

    start: int
    end: int
    label: str = ""


@dataclass(frozen=True)
class Structure:
    """A sentence and what is said of it.

    Attributes:
        words: in the order in which they are read.
        rows: brackets that belong together, such as those of one predicate.
        arcs: above all rows.
        told: all of it in words, for those who cannot see it.
    """

    words: Sequence[str]
    rows: Sequence[Sequence[Bracket]] = ()
    arcs: Sequence[Arc] = ()
    told: str = ""


@dataclass(frozen=True)
class Chained:
    """A document, and which of its words mean the same thing.

    Attributes:
        words: in the order in which they are read.
        sentences: the first word of each sentence.
        chains: the mentions of each thing, by their first and last word.
        links: of a mention, the earlier one that it was linked to, and how probable that was.
    """

    words: Sequence[str]
    sentences: Sequence[int] = (0,)
    chains: Sequence[Chain] = ()
    links: Mapping[Span, tuple[Span, float]] = field(default_factory=dict)

    @property
    def ranked(self) -> list[Chain]:
        """The chains of several mentions, those with the most of them first, then by the text."""
        return sorted((chain for chain in self.chains if len(chain) > 1), key=lambda chain: (-len(chain), chain))

    def text(self, span: Span) -> str:
        """The words of a mention as running text."""
        return running_text(self.words[span[0] : span[1] + 1])


@dataclass(frozen=True)
class Side:
    """One side of a translation.

    Attributes:
        tokens: the text of each with the blanks before it; empty for the mark of the end.
        words: which tokens each word is made of, first and after last, in order.
    """

    tokens: Sequence[str]
    words: Sequence[tuple[int, int]]

    @property
    def spelled(self) -> list[str]:
        """The words."""
        return ["".join(self.tokens[a:b]).strip() for a, b in self.words]


@dataclass(frozen=True)
class Aligned:
    """A translation, and where in the sentence each token of it looked.

    Attributes:
        source: S tokens.
        target: T tokens.
        weights: (T, S), a row for each token that was written; rows sum to one.
    """

    source: Side
    target: Side
    weights: np.ndarray

    def by_word(self) -> np.ndarray:
        """Weights of words: those of a source word's tokens summed, those of a written word's a mean."""
        columns = [self.weights[:, a:b].sum(1) for a, b in self.source.words]
        table = np.stack(columns, 1) if columns else np.zeros((len(self.target.tokens), 0))
        rows = [table[a:b].mean(0) for a, b in self.target.words]
        return np.stack(rows) if rows else np.zeros((0, len(columns)))


Drawing = Structure | JudgedTree | Chained | Aligned
