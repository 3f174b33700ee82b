"""Words as characters: the bytes of their UTF-8 between marks, as ELMo reads them, so that no word is unknown.

Peters et al. 2018 after Jozefowicz et al. 2016: a word is at most 50 numbers, begin-of-word, its bytes, end-of-word,
and padding to the end. Sentences begin and end with words of their own. 0 is kept for positions where there is no word,
so every number stands one above the byte (or the mark, which come after 255) that it means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from langnet.text.tokenizer import SPECIAL_TOKENS

NO_WORD = 0  # a row of it is padding after a text's end
BEGIN_SENTENCE, END_SENTENCE, BEGIN_WORD, END_WORD, NO_CHARACTER = range(257, 262)
N_CHARACTERS = 262
LONGEST_WORD = 50  # characters, both marks counted
PAD, UNKNOWN, START, DELIMITER, EXTRACT = range(len(SPECIAL_TOKENS))  # ids of every tokenizer of words
UNKNOWN_SPELLING = "<UNK>"  # of a word whose characters were lost


def spell(words: Sequence[str | bytes], longest: int = LONGEST_WORD) -> np.ndarray:
    """The characters of each word.

    Args:
        words: as text or in UTF-8; bytes that do not fit beside both marks are cut off.
        longest: the most characters a word, marks counted.

    Returns:
        (N, C) uint16; C is the longest word's length, at most `longest`.
    """
    encoded = [w if isinstance(w, bytes) else w.encode("utf8", "surrogatepass") for w in words]
    encoded = [word[: longest - 2] for word in encoded]
    width = max((len(word) for word in encoded), default=0) + 2
    out = np.full((len(encoded), width), NO_CHARACTER, dtype=np.uint16)  # (N, C)
    out[:, 0] = BEGIN_WORD
    lengths = np.array([len(word) for word in encoded], dtype=np.int64)
    column = np.arange(width - 1)
    out[:, 1:][column < lengths[:, None]] = np.frombuffer(b"".join(encoded), dtype=np.uint8).astype(np.uint16) + 1
    out[np.arange(len(encoded)), lengths + 1] = END_WORD
    return out


def mark(character: int) -> np.ndarray:
    """The word of one mark, (3,) uint16: how a sentence's begin or end is spelled."""
    return np.array([BEGIN_WORD, character, END_WORD], dtype=np.uint16)


def spell_specials() -> np.ndarray:
    """The spelling of the tokenizer's special tokens, in their order: (5, C) uint16.

    Start and extract are the begin and the end of a sentence, the delimiter is an end too, and padding is no word.
    """
    out = np.full((len(SPECIAL_TOKENS), len(UNKNOWN_SPELLING) + 2), NO_CHARACTER, dtype=np.uint16)
    out[PAD] = NO_WORD
    out[UNKNOWN] = spell([UNKNOWN_SPELLING])[0]
    out[START, :3] = mark(BEGIN_SENTENCE)
    out[DELIMITER, :3] = out[EXTRACT, :3] = mark(END_SENTENCE)
    return out


def join(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Spelled words of several arrays (n, c), one after the other, (N, C); narrower ones get their padding."""
    width = max(part.shape[1] for part in parts)
    out = np.full((sum(len(part) for part in parts), width), NO_CHARACTER, dtype=np.uint16)
    row = 0
    for part in parts:
        out[row : row + len(part), : part.shape[1]] = part
        row += len(part)
    out[out[:, 0] == NO_WORD] = NO_WORD
    return out


def stack(rows: Sequence[np.ndarray], width: int) -> np.ndarray:
    """Rows of spelled words (t, c) as one array (B, T, C) int64, T = `width`; where a row ends there is no word."""
    characters = max(row.shape[1] for row in rows)
    out = np.zeros((len(rows), width, characters), dtype=np.int64)  # (B, T, C)
    for index, row in enumerate(rows):
        out[index, : len(row)] = join([row, np.zeros((0, characters), dtype=np.uint16)])
    return out


def spell_sentences(sentences: Sequence[Sequence[str]], longest: int = LONGEST_WORD) -> tuple[np.ndarray, np.ndarray]:
    """Sentences that are cut into words already, each between its begin and its end, as an encoder reads them.

    Returns:
        Characters (B, T, C) int64, T two more than the words of the longest sentence, and the mask (B, T) of words.
    """
    begin, end = mark(BEGIN_SENTENCE)[None], mark(END_SENTENCE)[None]
    rows = [join([begin, spell(words, longest), end]) for words in sentences]
    ids = stack(rows, max(len(row) for row in rows))
    return ids, ids[:, :, 0] != NO_WORD


def spell_unique(words: Iterable[str], longest: int = LONGEST_WORD) -> np.ndarray:
    """As `spell`, each distinct word once: much quicker for running text."""
    places: dict[str, int] = {}
    index = np.array([places.setdefault(word, len(places)) for word in words], dtype=np.int64)
    return spell(list(places), longest)[index]
