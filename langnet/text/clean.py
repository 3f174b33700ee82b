"""Cleaning: Unicode NFC, no control characters, no exact duplicates; all of it counted."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import unicodedata
from dataclasses import dataclass

# Control, surrogate and non-character code points; tab and line feed stay, carriage returns become line feeds.
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_LINE_ENDS = re.compile("\r\n?|\x85")
_PAGE_ENDS = re.compile("(?<=\\S)[\x0b\x0c]+(?=\\S)")  # between words nothing else parts
_CACHE_KILOBYTES = 65_536


@dataclass(frozen=True)
class Cleaned:
    """A cleaned text, and what was taken out of it."""

    text: str
    nulls: int
    control_characters: int


def clean_text(text: str, normalise: bool = True) -> Cleaned:
    """NFC, line ends as line feeds, no NULs, no other control characters, no byte-order marks, no blank ends.

    A form feed or a vertical tab that alone parts two words is a line end, or they would be one word.

    Args:
        text: as it was read.
        normalise: False leaves combining marks and compatible signs as they are spelt.
    """
    nulls = text.count("\x00")
    if nulls:
        text = text.replace("\x00", "")
    if "\r" in text or "\x85" in text:
        text = _LINE_ENDS.sub("\n", text)
    if "\x0c" in text or "\x0b" in text:
        text = _PAGE_ENDS.sub("\n", text)
    text, controls = _CONTROL.subn("", text)
    if not text.isascii():
        text = text.replace("\ufeff", "")  # before NFC, since a mark may follow it
        text = unicodedata.normalize("NFC", text) if normalise else text
    return Cleaned(text.strip(), nulls, controls)


def digest(text: str) -> bytes:
    """Sixteen bytes that name a text."""
    return hashlib.blake2b(text.encode("utf8", "surrogatepass"), digest_size=16).digest()


class DuplicateFilter:
    """Remembers which texts were seen, in memory up to a bound and on disk beyond it.

    An SQLite database without a name lives in its page cache and spills into a temporary file that is deleted with it.
    """

    def __init__(self) -> None:
        # The trainer of tokenizers reads from a thread of its own; one thread at a time does.
        self._database = sqlite3.connect("", check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KILOBYTES}")
        self._database.execute("CREATE TABLE seen (digest BLOB PRIMARY KEY) WITHOUT ROWID")

    def is_new(self, text: str) -> bool:
        """Whether the text was not asked about before; remembers it."""
        return self.is_new_digest(digest(text))

    def is_new_digest(self, name: bytes) -> bool:
        """The same for a text whose digest is known already."""
        return self._database.execute("INSERT OR IGNORE INTO seen VALUES (?)", (name,)).rowcount == 1

    def has(self, text: str) -> bool:
        """Whether the text was asked about before; remembers nothing."""
        found = self._database.execute("SELECT 1 FROM seen WHERE digest = ?", (digest(text),))
        return found.fetchone() is not None

    def close(self) -> None:
        """Give memory and disk back."""
        self._database.close()
