"""Words and vectors that are read one by one, in memory that grows with what was read and not with what was claimed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from langnet.encoders.word_space import WordSpace
from langnet.text.tokenizer import SPECIAL_TOKENS

_FIRST = 1024  # rows that are made room for at the beginning


@dataclass
class Notes:
    """What was left out or mended.

    Attributes:
        duplicates: words that stood there before.
        special: words with the names of langnet's special tokens.
        mended: words that were not in UTF-8; their bytes are written as numbers.
        labels: of a fastText classifier.
    """

    duplicates: int = 0
    special: int = 0
    mended: int = 0
    labels: int = 0

    def sentences(self) -> list[str]:
        """Those that occurred, for people."""
        told = {
            "words stood there twice; the first was taken": self.duplicates,
            "words with names of special tokens were left out": self.special,
            "words that are not in UTF-8 got their bytes as numbers": self.mended,
            "labels of a classifier were left out": self.labels,
        }
        return [f"{count:,} {what}" for what, count in told.items() if count]


class GrowingRows:
    """Collects words with their vectors.

    Args:
        dim: D.
        expected: how many words there will be, or None.
        certain: whether the file is large enough for them, so that room may be made at once.
    """

    def __init__(self, dim: int, expected: int | None, certain: bool):
        self.places: dict[str, int] = {}
        self.notes = Notes()
        self.rows = np.empty((expected if certain and expected else _FIRST, dim), dtype=np.float32)

    def add(self, word: bytes, vector: np.ndarray) -> bool:
        """Take a word, unless it cannot be; whether it was taken."""
        name, count = self.decode(word), len(self.places)
        if name in self.places:
            self.notes.duplicates += 1
            return False
        if name in SPECIAL_TOKENS:
            self.notes.special += 1
            return False
        if count == len(self.rows):
            larger = np.empty((2 * count, self.rows.shape[1]), dtype=np.float32)
            larger[:count] = self.rows
            self.rows = larger
        self.rows[count] = vector
        self.places[name] = count
        return True

    def decode(self, word: bytes) -> str:
        """A word's text."""
        try:
            return word.decode("utf8")
        except UnicodeDecodeError:
            self.notes.mended += 1
            return word.decode("utf8", errors="backslashreplace")

    def space(self, source: str) -> tuple[WordSpace, Notes]:
        """All that was taken; words were read in small letters where none has a capital."""
        words = list(self.places)
        lowercase = all(word == word.lower() for word in words)
        return WordSpace(words, self.rows[: len(words)], None, lowercase, source), self.notes


def shown(word: bytes) -> str:
    """A word of a file for a message, at most forty signs of it."""
    return repr(word[:40].decode("utf8", errors="backslashreplace"))
