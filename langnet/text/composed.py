"""Unicode NFC that knows where each of its characters came from.

Tokenizers read NFC; answers, names and tags are places in the text as it was. Hindi alone has letters that NFC takes
apart, so that the places of nearly half of XQuAD's Hindi passages move.
"""

from __future__ import annotations

import unicodedata
from functools import cache

import numpy as np

_LAST_DECOMPOSED = 0x2FA1E  # the last code point that Unicode gives a decomposition
_HANGUL_VOWELS = range(0x1161, 0x1176)
_HANGUL_FINALS = range(0x11A8, 0x11C3)


class Composed:
    """A text in NFC.

    Args:
        original: the text as it was.

    Attributes:
        original: as given.
        text: in NFC.
    """

    def __init__(self, original: str):
        self.original = original
        self._start: np.ndarray | None = None  # (C,) of each character of `text`, in `original`; None: the same
        self._end: np.ndarray | None = None
        self.text = original
        if not unicodedata.is_normalized("NFC", original):
            self.text, self._start, self._end = _composed(original)

    def to_original(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original that a span of `text` stands for; an empty one is (0, 0)."""
        if end <= start:
            return 0, 0
        if self._start is None or self._end is None:
            return start, end
        return int(self._start[start]), int(self._end[end - 1])

    def from_original(self, start: int, end: int) -> tuple[int, int]:
        """The smallest span of `text` that stands for a span of the original."""
        if end <= start:
            return 0, 0
        if self._start is None or self._end is None:
            return start, end
        first = np.searchsorted(self._end, start, side="right")
        after = np.searchsorted(self._start, end, side="left")
        return int(first), int(after)


def _composed(text: str) -> tuple[str, np.ndarray, np.ndarray]:
    """NFC, and of each of its characters where it starts and ends in the text."""
    bounds = [i for i, sign in enumerate(text) if i == 0 or _stands_alone(sign)]
    parts: list[str] = []
    start: list[int] = []
    end: list[int] = []
    for a, b in zip(bounds, [*bounds[1:], len(text)], strict=True):
        part = text[a:b]
        composed = unicodedata.normalize("NFC", part)
        parts.append(composed)
        same = composed == part
        start += range(a, b) if same else [a] * len(composed)
        end += range(a + 1, b + 1) if same else [b] * len(composed)
    return "".join(parts), np.array(start, dtype=np.int64), np.array(end, dtype=np.int64)


@cache
def _stands_alone(sign: str) -> bool:
    """Whether NFC joins the character to nothing that stands before it."""
    first = unicodedata.normalize("NFD", sign)[0]
    return not unicodedata.combining(first) and first not in _joined()


@cache
def _joined() -> frozenset[str]:
    """Characters that are no marks by their class and yet join what stands before them: vowel signs, Hangul's parts."""
    found = {chr(code) for codes in (_HANGUL_VOWELS, _HANGUL_FINALS) for code in codes}
    for code in range(_LAST_DECOMPOSED + 1):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            found.add(chr(int(parts[1], 16)))
    return frozenset(found)
