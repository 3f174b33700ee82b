"""What a reader of passages has to beat: a random span, the first words, and the sliding window without a network.

The sliding window with its distance is that of MCTest (Richardson et al. 2013), the first baseline of SQuAD too
(Rajpurkar et al. 2016). Answers there were given, or came from a parser; here candidates are the runs of words between
punctuation, frequent words and those of the question, in any language. And since they stand in the passage itself, a
window holds its candidate and is weighed by the words of the question alone: long candidates would win otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from langnet.evaluate.baselines import TfidfBaseline
from langnet.text.composed import Composed
from langnet.text.questions import Question
from langnet.text.words import word_spans

FREQUENT = 0.05  # share of the training passages from which on a word counts as one without content
LONGEST_CANDIDATE = 8  # words
TYPE_WEIGHT = 1.0  # of the log-probability of a candidate's sort, beside the sliding window's score
SORTS = ("number", "name", "word")

PlacedSpan = tuple[int, int]  # characters of the passage as it was read; (0, 0) of none


@dataclass(frozen=True)
class _Passage:
    """A passage as words."""

    composed: Composed
    words: list[str]
    lower: list[str]
    spans: list[PlacedSpan]

    @classmethod
    def of(cls, text: str) -> _Passage:
        """Of the text as it was read."""
        composed = Composed(text)
        spans = word_spans(composed.text)
        words = [composed.text[a:b] for a, b in spans]
        return cls(composed, words, [word.lower() for word in words], spans)

    def characters(self, first: int, after: int) -> PlacedSpan:
        """Where words first .. after - 1 stand in the text as it was read."""
        return self.composed.to_original(self.spans[first][0], self.spans[after - 1][1]) if after > first else (0, 0)


def random_spans(train: Sequence[Question], test: Sequence[Question], seed: int = 0) -> list[PlacedSpan]:
    """A span anywhere in the passage, as long in words as a random training answer."""
    generator, lengths = np.random.default_rng(seed), _lengths(train)
    found = []
    for item in test:
        passage = _Passage.of(item.passage)
        n = len(passage.words)
        length = min(int(generator.choice(lengths)), n)
        first = int(generator.integers(n - length + 1))
        found.append(passage.characters(first, first + length))
    return found


def first_words(train: Sequence[Question], test: Sequence[Question]) -> list[PlacedSpan]:
    """The first words of the passage, as many as the median training answer has."""
    length = int(np.median(_lengths(train)))
    passages = [_Passage.of(item.passage) for item in test]
    return [passage.characters(0, min(length, len(passage.words))) for passage in passages]


class SlidingWindow:
    """The sliding window, and with it what the question's words say of the sort of its answer.

    Args:
        train: questions with answers, from which frequent words and sorts of answers are learned.
    """

    def __init__(self, train: Sequence[Question]):
        passages = {item.passage for item in train}
        counts = Counter(word for text in passages for word in set(_Passage.of(text).lower))
        self.frequent = {word for word, count in counts.items() if count > FREQUENT * max(4, len(passages))}
        self.train = [item for item in train if item.answers]

    def spans(self, test: Sequence[Question], typed: bool = False) -> list[PlacedSpan]:
        """The best candidate of each question.

        Args:
            test: the questions.
            typed: whether a candidate's sort (number, name, word) counts too.
        """
        sorts = self._sorts(test) if typed else [dict.fromkeys(SORTS, 0.0)] * len(test)
        known: dict[str, _Passage] = {}
        found = []
        for item, sort in zip(test, sorts, strict=True):
            passage = known.setdefault(item.passage, _Passage.of(item.passage))
            asked = {word.lower() for word in _Passage.of(item.question).words}
            found.append(self._best(passage, asked, sort))
        return found

    def _sorts(self, test: Sequence[Question]) -> list[dict[str, float]]:
        """The log-probability of each sort of answer, from the words of the question by a logistic regression."""
        sorts = [sort_of(item.answers[0].text) for item in self.train if item.answers]
        if len(set(sorts)) < 2:
            return [dict.fromkeys(SORTS, 0.0)] * len(test)
        questions = [item.question for item in self.train]
        guess = TfidfBaseline().fit_predict(questions, sorts, [item.question for item in test])
        assert guess.probabilities is not None
        table = np.log(np.maximum(guess.probabilities, 1e-3))
        never = dict.fromkeys(SORTS, -7.0)  # a sort that no training answer had
        return [never | dict(zip(guess.label_names, map(float, row), strict=True)) for row in table]

    def _best(self, passage: _Passage, asked: set[str], sort: dict[str, float]) -> PlacedSpan:
        candidates = self._candidates(passage, asked)
        if not candidates:
            return passage.characters(0, min(1, len(passage.words)))
        counts = Counter(passage.lower)
        asks = np.array([word in asked for word in passage.lower])
        weights = np.array([np.log1p(1 / counts[word]) for word in passage.lower]) * asks
        telling = np.flatnonzero([word in asked and word not in self.frequent for word in passage.lower])
        scores = []
        for first, after in candidates:
            kind = sort[sort_of(passage.composed.text[passage.spans[first][0] : passage.spans[after - 1][1]])]
            near = _highest_sum(weights, first, after, len(asked) + after - first)
            scores.append(near - _distance(telling, first, after, len(weights)) + TYPE_WEIGHT * kind)
        return passage.characters(*candidates[int(np.argmax(scores))])

    def _candidates(self, passage: _Passage, asked: set[str]) -> list[tuple[int, int]]:
        """Runs of words that are neither frequent, nor the question's, nor punctuation."""
        runs, first = [], None
        for index, word in enumerate([*passage.lower, ""]):
            inside = any(sign.isalnum() for sign in word) and word not in self.frequent and word not in asked
            if inside and first is None:
                first = index
            if not inside and first is not None:
                runs.append((first, min(index, first + LONGEST_CANDIDATE)))
                first = None
        return runs


def sort_of(answer: str) -> str:
    """Of which sort an answer is, by how it is written."""
    if any(sign.isdigit() for sign in answer):
        return "number"
    return "name" if answer[:1].isupper() else "word"


def _lengths(train: Sequence[Question]) -> np.ndarray:
    lengths = [len(word_spans(item.answers[0].text)) for item in train if item.answers]
    return np.array(lengths or [1])


def _highest_sum(values: np.ndarray, first: int, after: int, width: int) -> float:
    """The highest sum of `width` neighbouring values, first .. after - 1 among them."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    width = min(width, len(values))
    start = np.arange(max(0, after - width), min(first, len(values) - width) + 1)
    return float((sums[start + width] - sums[start]).max())


def _distance(question: np.ndarray, first: int, after: int, length: int) -> float:
    """How many words lie between the answer and one of the question at least, as a share of all; 1 without such."""
    if not len(question):
        return 1.0
    nearest = np.maximum(first - question, question - (after - 1)).min()
    return float((nearest + 1) / max(1, length - 1))
