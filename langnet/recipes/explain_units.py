"""What a model has read, token by token, as text again; and tokens put together to words and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from langnet.text.characters import BEGIN_WORD, END_SENTENCE
from langnet.text.detokenizer import Detokenizer
from langnet.text.tokenizer import Tokenizer, word_spans

UnitName = Literal["token", "word", "sentence"]
_ENDS = ".!?…。！？"


@dataclass(frozen=True)
class Unit:
    """Tokens that are explained together.

    Attributes:
        text: what they stand for, with the blanks before it.
        places: their places in the sequence that was read.
        special: whether it is a mark of start, end or border, which no text holds.
    """

    text: str
    places: tuple[int, ...]
    special: bool = False


def units_of(tokenizer: Tokenizer, ids: np.ndarray, unit: UnitName = "word") -> list[Unit]:
    """The units of one sequence, those between special tokens in the order of the text, each of these by itself.

    Args:
        tokenizer: of the model that has read it.
        ids: (T,), or (T, C) characters of words.
        unit: what a unit is. Tokens of which each holds but a part of a character, or several words that one token
            holds, stay together.
    """
    found: list[Unit] = []
    held: list[int] = []
    for place in range(len(ids)):
        name = _special(tokenizer, ids[place])
        if name is None:
            held.append(place)
            continue
        found += _group(tokenizer, ids, held, unit)
        found.append(Unit(name, (place,), special=True))
        held = []
    return [*found, *_group(tokenizer, ids, held, unit)]


def _special(tokenizer: Tokenizer, token: np.ndarray) -> str | None:
    """The name of a special token; None for any other."""
    if token.ndim:
        if token[0] == BEGIN_WORD and token[1] > 256 and token[1] <= END_SENTENCE:
            return "<start>" if token[1] < END_SENTENCE else "<end>"
        return None if token[0] else "<pad>"
    names = {tokenizer.start_id: "<start>", tokenizer.delimiter_id: "<delimiter>", tokenizer.extract_id: "<extract>"}
    names[tokenizer.pad_id] = "<pad>"
    return names.get(int(token))


def _group(tokenizer: Tokenizer, ids: np.ndarray, places: Sequence[int], unit: UnitName) -> list[Unit]:
    """The units of neighbouring tokens of text, in the order of the text, whichever way the model reads."""
    places = tokenizer.in_order(list(places))
    pieces = _spelled(ids, places) if ids.ndim == 2 else _decoded(tokenizer.turned("forward"), ids, places)
    text = "".join(pieces)
    ends = _ends(text, unit)
    found: list[Unit] = []
    start = at = 0
    held: list[int] = []
    for place, piece in zip(places, pieces, strict=True):
        held.append(place)
        at += len(piece)
        if at > start and (ends is None or at in ends):
            found.append(Unit(text[start:at], tuple(sorted(held))))
            start, held = at, []
    if held:  # blanks at the end, or a character that was cut off
        found.append(Unit(text[start:at] or "�", tuple(sorted(held))))
    return found


def _ends(text: str, unit: UnitName) -> set[int] | None:
    """Where units may end; None: behind every token."""
    if unit == "token":
        return None
    words = [end for _, end in word_spans(text)]
    if unit == "word":
        return set(words)
    return {end for end in words if text[end - 1] in _ENDS and not text[end : end + 1].strip(" \n\t")} | {len(text)}


def _decoded(tokenizer: Tokenizer, ids: np.ndarray, places: Sequence[int]) -> list[str]:
    """The text of each token; of one that ends within a character nothing, and the next has it all."""
    writer = Detokenizer(tokenizer)
    pieces = [writer.add(int(ids[place])) for place in places]
    if pieces:
        pieces[-1] += writer.finish()
    return pieces


def _spelled(ids: np.ndarray, places: Sequence[int]) -> list[str]:
    """The text of words that are read as characters, a blank before each."""
    words = []
    for number, place in enumerate(places):
        row = ids[place]
        letters = row[(row > 0) & (row <= 256)] - 1  # what is above are marks
        word = letters.astype(np.uint8).tobytes().decode("utf8", "replace")
        words.append(f" {word}" if number else word)
    return words
