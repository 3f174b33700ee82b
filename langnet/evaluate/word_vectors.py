"""Word vectors judged by people's answers: analogies (Mikolov et al. 2013) and similarities (WordSim353, SimLex-999).

What a space does not know is never passed over in silence: unknown words are counted, and beside the score of the
questions that could be answered stands that of all.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from langnet.encoders.word_space import WordSpace
from langnet.errors import LangnetError
from langnet.evaluate.intervals import LEVEL, Interval, bootstrap_cells

MOST_FREQUENT = 300_000  # words among which an answer is looked for, as is usual
_RESAMPLES = 1000
_SCORE_COLUMNS = ("human", "simlex999", "similarity", "score", "gold", "mean")


@dataclass(frozen=True)
class Question:
    """`first` is to `second` as `third` is to `answer`."""

    section: str
    first: str
    second: str
    third: str
    answer: str


@dataclass(frozen=True)
class SectionScore:
    """Accuracy over the questions of a section.

    Attributes:
        name: of the section.
        n: questions all of whose words are known.
        right: of them, answered right.
        unknown: questions with an unknown word.
        interval: 95 % bootstrap interval of the accuracy over questions; NaN without any.
    """

    name: str
    n: int
    right: int
    unknown: int
    interval: Interval

    @property
    def accuracy(self) -> float:
        """The part answered right of the questions whose words are known; NaN without any."""
        return self.right / self.n if self.n else float("nan")

    @property
    def of_all(self) -> float:
        """The part answered right of all questions, those with unknown words counted as wrong."""
        return self.right / max(self.n + self.unknown, 1)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "accuracy": self.accuracy, "of_all": self.of_all}


@dataclass(frozen=True)
class SimilarityScore:
    """How well cosines rank pairs of words as people do.

    Attributes:
        spearman: rank correlation over the pairs that are known; NaN below three.
        n: pairs both of whose words are known.
        unknown: pairs with an unknown word.
        unknown_words: those words, each once, in the file's order.
        interval: 95 % bootstrap interval over pairs.
    """

    spearman: float
    n: int
    unknown: int
    unknown_words: list[str]
    interval: Interval

    @property
    def coverage(self) -> float:
        """The part of the pairs that are known."""
        return self.n / max(self.n + self.unknown, 1)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "coverage": self.coverage}


def read_analogies(path: str | Path) -> list[Question]:
    """Questions in the format of questions-words: a line of four words each, sections begin with `: name`.

    Raises:
        LangnetError: the file cannot be read, holds no question, or a line has not four words.
    """
    questions, section = [], "all questions"
    for number, line in enumerate(_lines(path), 1):
        words = line.split()
        if words[:1] == [":"] or line.startswith(":"):
            section = line[1:].strip() or "without a name"
        elif words:
            if len(words) != 4:
                raise LangnetError(f"{path}, line {number}: a question has four words, this line has {len(words)}")
            questions.append(Question(section, *words))
    if not questions:
        raise LangnetError(f"{path} holds no questions; a line is four words, such as: Athens Greece Oslo Norway")
    return questions


def score_analogies(space: WordSpace, questions: Sequence[Question], most: int = MOST_FREQUENT) -> list[SectionScore]:
    """Accuracy of 3CosAdd by section, then of all questions; the three given words are no answers.

    Args:
        space: the words.
        questions: in any order.
        most: only so many of the most frequent words are known; 0 is all.
    """
    known = space.most_frequent(most)
    places = [[known.find(word) for word in (q.first, q.second, q.third, q.answer)] for q in questions]
    asked = [index for index, found in enumerate(places) if None not in found]
    right = np.zeros(len(questions), dtype=bool)
    if asked:
        numbers = np.array([places[index] for index in asked], dtype=np.int64)  # (n, 4)
        queries = known.unit[numbers[:, 1]] - known.unit[numbers[:, 0]] + known.unit[numbers[:, 2]]  # (n, D)
        best = np.concatenate([s.argmax(axis=1) for s in known.scores(queries, numbers[:, :3].tolist())])
        right[asked] = best == numbers[:, 3]
    can = np.zeros(len(questions), dtype=bool)
    can[asked] = True
    sections = np.array([q.section for q in questions], dtype=object)
    names = list(dict.fromkeys(q.section for q in questions))
    scores = [_section(name, right[sections == name], can[sections == name]) for name in names]
    return [*scores, _section("total", right, can)] if len(names) > 1 else scores


def _section(name: str, right: np.ndarray, can: np.ndarray) -> SectionScore:
    n, hits = int(can.sum()), int(right.sum())
    interval = Interval(float("nan"), float("nan"))
    if n:
        interval = bootstrap_cells(np.array([hits, n - hits]), lambda cells: cells[:, 0] / cells.sum(axis=1))
    return SectionScore(name, n, hits, int((~can).sum()), interval)


def read_similarities(path: str | Path) -> list[tuple[str, str, float]]:
    """Pairs of words and what people gave them, from WordSim353, SimLex-999 or a table like them.

    Columns are parted by tabs or commas; lines that begin with `#` are left out. Where a header names a column of
    scores (such as `Human (mean)` or `SimLex999`) it is read, else the third.

    Raises:
        LangnetError: the file cannot be read, holds no pairs, or a line has no score.
    """
    lines = [(number, line) for number, line in enumerate(_lines(path), 1) if line.strip()]
    header = next((line for _, line in lines if line.startswith("#") and "\t" in line), "").lstrip("# ")
    rows = [(number, line) for number, line in lines if not line.startswith("#")]
    if not rows:
        raise LangnetError(f"{path} holds no pairs; a line is two words and a score, parted by tabs")
    delimiter = "\t" if "\t" in rows[0][1] else ","
    cells = [(number, next(csv.reader([line], delimiter=delimiter))) for number, line in rows]
    named = [cell.strip() for cell in (header.split("\t") if header else cells[0][1])]
    column = next((i for i, n in enumerate(named) if i > 1 and n.lower().startswith(_SCORE_COLUMNS)), 2)
    if not header and not _is_number(cells[0][1][column] if len(cells[0][1]) > column else ""):
        cells = cells[1:]
    pairs = []
    for number, row in cells:
        if len(row) <= column or not _is_number(row[column]):
            raise LangnetError(f"{path}, line {number}: no score stands in column {column + 1}; a line is two words "
                               "and a score")  # fmt: skip
        pairs.append((row[0].strip(), row[1].strip(), float(row[column])))
    if not pairs:
        raise LangnetError(f"{path} holds no pairs; a line is two words and a score, parted by tabs")
    return pairs


def score_similarities(space: WordSpace, pairs: Sequence[tuple[str, str, float]], seed: int = 0) -> SimilarityScore:
    """Spearman's correlation of cosines and people's scores over the pairs that the space knows.

    Args:
        space: the words; unseen ones are known where it has n-grams.
        pairs: two words and a score.
        seed: of the bootstrap.
    """
    from scipy import stats

    missing = [word for first, second, _ in pairs for word in (first, second) if not _known(space, word)]
    absent = set(missing)
    kept = [pair for pair in pairs if pair[0] not in absent and pair[1] not in absent]
    if len(kept) < 3:
        nothing = Interval(float("nan"), float("nan"))
        return SimilarityScore(float("nan"), len(kept), len(pairs) - len(kept), list(dict.fromkeys(missing)), nothing)
    cosines = np.array([space.similarity(first, second) for first, second, _ in kept])
    gold = np.array([score for _, _, score in kept])
    generator = np.random.default_rng(seed)
    draws = generator.integers(len(kept), size=(_RESAMPLES, len(kept)))  # (R, n)
    ranks = [stats.rankdata(values[draws], axis=1) for values in (cosines, gold)]
    centered = [rank - rank.mean(axis=1, keepdims=True) for rank in ranks]
    lengths = np.sqrt((centered[0] ** 2).sum(axis=1) * (centered[1] ** 2).sum(axis=1))
    values = (centered[0] * centered[1]).sum(axis=1) / np.maximum(lengths, 1e-12)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    correlation = float(stats.spearmanr(cosines, gold).statistic)
    return SimilarityScore(
        correlation, len(kept), len(pairs) - len(kept), list(dict.fromkeys(missing)), Interval(float(low), float(high))
    )


def _known(space: WordSpace, word: str) -> bool:
    return space.find(word) is not None or (space.subwords is not None and space.subwords.vector(word) is not None)


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _lines(path: str | Path) -> list[str]:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise LangnetError(f"{path} is no text in UTF-8; convert it first") from None
    except OSError as error:
        raise LangnetError(f"cannot read {path}: {error.strerror or error}; check the path") from None
