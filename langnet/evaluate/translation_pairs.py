"""Dictionaries of translations, and how often a mapped space finds them: precision at 1, 5 and 10."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from langnet.encoders.word_space import WordSpace
from langnet.errors import LangnetError
from langnet.evaluate.intervals import Interval, bootstrap_cells
from langnet.transfer.alignment import Alignment, nearest_targets

RANKS = (1, 5, 10)


@dataclass(frozen=True)
class PrecisionScore:
    """How many source words have a right translation among their nearest.

    Attributes:
        at: for each rank the part of the words.
        intervals: for each rank a 95 % bootstrap interval over words.
        n: source words that are known and have a known translation.
        unknown: source words of the dictionary that are not.
    """

    at: dict[int, float]
    intervals: dict[int, Interval]
    n: int
    unknown: int

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def read_dictionary(path: str | Path) -> list[tuple[str, str]]:
    """Pairs of words, a line each, parted by a tab or blanks.

    Raises:
        LangnetError: the file cannot be read, holds no pairs, or a line has not two words.
    """
    pairs = []
    try:
        lines = Path(path).expanduser().read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise LangnetError(f"{path} is no text in UTF-8; convert it first") from None
    except OSError as error:
        raise LangnetError(f"cannot read {path}: {error.strerror or error}; check the path") from None
    for number, line in enumerate(lines, 1):
        words = [word.strip() for word in line.split("\t")] if "\t" in line else line.split()
        if not words:
            continue
        if len(words) != 2 or not all(words):
            raise LangnetError(
                f"{path}, line {number}: a line is a word and its translation, this one is {line[:60]!r}"
            )
        pairs.append((words[0], words[1]))
    if not pairs:
        raise LangnetError(f"{path} holds no pairs; a line is a word and its translation")
    return pairs


def identical_pairs(source: WordSpace, target: WordSpace) -> list[tuple[str, str]]:
    """Words that are spelled alike on both sides, each with itself: names, numbers, loans, and some false friends."""
    return [(word, word) for word in source.words if target.find(word) is not None]


def known_pairs(source: WordSpace, target: WordSpace, pairs: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
    """The places of the pairs that are known on both sides."""
    found = ((source.find(first), target.find(second)) for first, second in pairs)
    return [(first, second) for first, second in found if first is not None and second is not None]


def precision(
    source: WordSpace,
    target: WordSpace,
    alignment: Alignment,
    pairs: Sequence[tuple[str, str]],
    neighbours: int = 10,
) -> PrecisionScore:
    """The part of the source words one of whose translations is among the nearest target words.

    Args:
        source, target: the two spaces.
        alignment: their maps.
        pairs: of the test dictionary; a word may have several translations, one of which is enough.
        neighbours: k of CSLS; 0 takes plain cosines.
    """
    wanted: dict[int, set[int]] = {}
    for first, second in known_pairs(source, target, pairs):
        wanted.setdefault(first, set()).add(second)
    asked = len({first if source.find(first) is None else source.find(first) for first, _ in pairs})
    if not wanted:
        raise LangnetError("no pair of the test dictionary is known on both sides; check its order and its spelling")
    rows = list(wanted)
    x, y = alignment.map_source(source.vectors), alignment.map_target(target.vectors)
    nearest = nearest_targets(x[rows], y, max(RANKS), neighbours, crowd=x)
    ranks = np.array([_rank(found, wanted[row]) for row, found in zip(rows, nearest, strict=True)])  # (n,)
    at, intervals = {}, {}
    for rank in RANKS:
        hits = int((ranks < rank).sum())
        at[rank] = hits / len(rows)
        intervals[rank] = bootstrap_cells(np.array([hits, len(rows) - hits]), lambda cells: cells[:, 0] / len(rows))
    return PrecisionScore(at, intervals, len(rows), asked - len(rows))


def _rank(found: np.ndarray, wanted: set[int]) -> int:
    """The place of the first right one, or more than any rank."""
    return next((place for place, word in enumerate(found) if int(word) in wanted), max(RANKS))
