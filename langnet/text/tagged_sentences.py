"""What a sentence with tagged words is, and where in its file it stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Layout:
    """Where tags are written in a sentence's lines.

    Attributes:
        kind: columns of text, or an object of JSON.
        column: the column (from 0) or the object's field; None puts them behind the last column.
        feature: the feature of a CoNLL-U cell `Case=Nom|Number=Sing` that they are the values of; None for whole cells.
        tabs: whether columns are cut at tabs alone.
        tags, width: the column (from 0) that the tags were read from, and how many columns there are; 0 without any.
        named: whether the columns have names, as CoNLL-U's.
        replaced: the name of the column whose cells are written over, to be told in the file; empty for none.
        note: what is to be told of the tags that were read.
    """

    kind: Literal["columns", "json"]
    column: int | str | None = None
    feature: str | None = None
    tabs: bool = False
    tags: int = 0
    width: int = 0
    named: bool = False
    replaced: str = ""
    note: str = ""


@dataclass(frozen=True)
class Sentence:
    """Words and their tags, and the lines that they stand in.

    Attributes:
        words: as they stand in the file.
        tags: one a word; None where they are to be predicted.
        source: `file:line` of the first word.
        lines: of the file, from the end of the sentence before, line ends included; empty where there was no file.
        rows: which of the lines holds each word.
        layout: where its tags are written.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...] | None = None
    source: str = ""
    lines: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    layout: Layout | None = None


def place_of(sentence: Sentence, word: int) -> str:
    """`file:line` of a word; that of the sentence where all words stand in one line, nothing where there is no file."""
    file, colon, line = sentence.source.rpartition(":")
    if not colon or not line.isdigit() or len(sentence.rows) <= word:
        return sentence.source
    return f"{file}:{int(line) + sentence.rows[word] - sentence.rows[0]}"


_LEARNED = re.compile(r"(-\d+) \((\d+) of (\d+)\)")


@dataclass(frozen=True)
class LearnedColumn:
    """The column of the tags in the files that a model was trained on, as its folder remembers it: `-1 (4 of 4)`.

    In a file with one column more, which is what `predict` writes (conlleval's convention), it is counted from the
    left, so that the tags that were predicted are not taken for the true ones; in any other from the right.
    """

    from_end: int
    number: int
    width: int

    @classmethod
    def of(cls, value: str | None) -> LearnedColumn | None:
        """Read; None where something else was remembered, or nothing."""
        found = _LEARNED.fullmatch(value or "")
        return cls(*map(int, found.groups())) if found else None

    def __str__(self) -> str:
        return f"{self.from_end} ({self.number} of {self.width})"


@dataclass(frozen=True)
class TagColumns:
    """Which columns are read.

    Attributes:
        words, tags: the name of a column, or its number from 1 (-1 is the last); None leaves it to the format. For tags
            also a `LearnedColumn`, which is for files whose columns have no names.
        labelled: whether the tags are read.
        names: what whole numbers in a list of tags stand for.
    """

    words: str | None = None
    tags: str | None = None
    labelled: bool = True
    names: Sequence[str] | None = None
