"""Large texts in consecutive pieces, so that memory is bounded however long a document is."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

# Where a text is cut, the best place first: between paragraphs, lines, words.
_SEPARATORS = ("\n\n", "\n", " ")
_JOINERS = "\u200c\u200d"


def cut_text(text: str, longest: int) -> list[str]:
    """A large text in pieces that make the whole again, each of at most `longest` characters.

    A cut is made before a blank line, a line's end or a blank in the second half of a piece, the first of these that
    there is; in a text without any, before a character that is no combining mark.
    """
    pieces, start = [], 0
    while len(text) - start > longest:
        end = _place(text, start, longest)
        pieces.append(text[start:end])
        start = end
    return [*pieces, text[start:]]


def _place(text: str, start: int, longest: int) -> int:
    middle, limit = start + max(longest // 2, 1), start + longest
    for separator in _SEPARATORS:
        found = text.rfind(separator, middle, limit)
        if found > start:
            return found
    for place in range(limit, middle, -1):
        if unicodedata.category(text[place])[0] != "M" and not set(text[place - 1 : place + 1]) & set(_JOINERS):
            return place
    return limit


class Pieces:
    """Cuts a document that comes in parts, with hardly more than one piece of it in memory.

    Args:
        longest: characters of a piece; 0 never cuts.

    Attributes:
        was_cut: whether the document, so far, has been.
    """

    def __init__(self, longest: int):
        self.longest, self.was_cut = longest, False
        self._held: list[str] = []
        self._size = 0

    def add(self, part: str) -> Iterator[str]:
        """The pieces that are complete with this part; what is left is held."""
        self._held.append(part)
        self._size += len(part)
        if not self.longest or self._size <= self.longest:
            return
        *whole, rest = cut_text("".join(self._held), self.longest)
        self._held, self._size, self.was_cut = [rest], len(rest), True
        yield from whole

    def end(self) -> str:
        """The last piece; the next part begins another document."""
        text = "".join(self._held)
        self._held, self._size, self.was_cut = [], 0, False
        return text
