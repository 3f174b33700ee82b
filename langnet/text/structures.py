"""What is to be drawn of a sentence: brackets over its words, in rows, and arcs from word to word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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
