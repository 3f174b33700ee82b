"""From ids that come one at a time to text, without ever showing half a character."""

from __future__ import annotations

from collections.abc import Iterable

from langnet.text.tokenizer import Tokenizer

_UNFINISHED = "\ufffd"


class Detokenizer:
    """Text out of a stream of ids; what it returns, put together, is what decoding all ids at once gives.

    A token of a byte-level tokenizer may hold a part of a character: one third of a Chinese one, half of a combining
    mark. Such a part is kept back until the rest has come. Each call decodes only the ids since the last whole
    character but one, so its cost does not grow with the text.

    Args:
        tokenizer: that made the ids.
        before: ids that stand before the stream and whose text is known already, such as a prompt.
    """

    def __init__(self, tokenizer: Tokenizer, before: Iterable[int] = ()):
        self.tokenizer = tokenizer
        self._held = list(before)  # ids from the last piece that was returned on, that piece included
        self._known = len(tokenizer.decode(self._held))  # characters of them that were returned
        self._returned = len(self._held)

    def add(self, token: int) -> str:
        """The text that has become certain with one more id; empty while a character is unfinished."""
        self._held.append(token)
        text = self.tokenizer.decode(self._held)
        if text.endswith(_UNFINISHED):
            return ""
        return self._take(text)

    def finish(self) -> str:
        """The rest; a character that was never finished comes as U+FFFD."""
        return self._take(self.tokenizer.decode(self._held))

    def _take(self, text: str) -> str:
        new = text[self._known :]
        # The piece just returned stays, since a tokenizer of words puts a blank between it and the next.
        self._held = self._held[self._returned :]
        self._returned, self._known = len(self._held), len(self.tokenizer.decode(self._held))
        return new
