"""Scores of answers as SQuAD's official program has them: exact match and F1 over words, best of the references.

Rajpurkar et al. 2016 (1.1) and 2018 (2.0), whose two programs differ in one point only: where an answer and what was
said are both nothing but articles and punctuation, F1 is 1 here as in 2.0, and 0 in 1.1. The articles that are left out
are English ones whatever the language, as XQuAD is commonly scored with that program. Text that is written without
spaces is scored by characters, with the punctuation of all of Unicode left out, as MLQA does (Lewis et al. 2020).
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)
# Scripts without spaces between words: Thai, Lao, Myanmar, Khmer, kana, Han.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_UNSPACED_OR_WORD = re.compile(rf"{_UNSPACED.pattern}|[^\s{_UNSPACED.pattern[1:-1]}]+")
_MOST_UNSPACED = 0.3  # share of a passage's characters from which it counts as written without spaces

# What an answer adds up to: questions, exact match, F1; then the same three of those that the passage answers.
N_STATISTICS = 6


def normalised(text: str) -> str:
    """Lower case, without punctuation, articles and needless blanks."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_ASCII_PUNCTUATION)).split())


def is_unspaced(passage: str) -> bool:
    """Whether a passage is written without spaces between words, as Chinese is."""
    return len(_UNSPACED.findall(passage)) > _MOST_UNSPACED * max(1, len(passage))


def answer_tokens(text: str, characters: bool = False) -> list[str]:
    """What F1 counts.

    Args:
        text: an answer.
        characters: count the characters of scripts without spaces, instead of words.
    """
    if not characters:
        return normalised(text).split()
    kept = "".join(sign for sign in text.lower() if sign not in string.punctuation and not _is_punctuation(sign))
    return _UNSPACED_OR_WORD.findall(_ARTICLES.sub(" ", kept))


def exact_match(said: str, reference: str, characters: bool = False) -> float:
    """1 where both are the same once they are normalised, else 0."""
    return float(answer_tokens(said, characters) == answer_tokens(reference, characters))


def f1(said: str, reference: str, characters: bool = False) -> float:
    """The harmonic mean of precision and recall of the words, or characters, each counted as often as it occurs."""
    one, other = answer_tokens(said, characters), answer_tokens(reference, characters)
    if not one or not other:
        return float(one == other)
    common = sum((Counter(one) & Counter(other)).values())
    return 2 * common / (len(one) + len(other))


def answer_statistics(said: str, references: Sequence[str], characters: bool = False) -> list[float]:
    """What one answer adds to the sums, `N_STATISTICS` numbers.

    Args:
        said: the answer; empty for none.
        references: the right ones; none where the passage does not answer the question.
        characters: see `answer_tokens`.
    """
    # A reference of articles and punctuation alone is left out, as in 2.0's program.
    right = [text for text in references if answer_tokens(text, characters)] or [""]
    scores = [1.0, *(max(measure(said, text, characters) for text in right) for measure in (exact_match, f1))]
    return [*scores, *(scores if references else [0.0] * 3)]


def answer_scores(sums: np.ndarray) -> dict[str, np.ndarray]:
    """F1 and exact match of sums (..., 6); where some questions have no answer, of both sorts separately too."""
    every, answered = sums[..., :3], sums[..., 3:]
    rest = every - answered
    scores = {"f1": _share(every, 2), "exact_match": _share(every, 1)}
    if (rest[..., 0] > 0).any():
        scores |= {"has_answer_f1": _share(answered, 2), "has_answer_exact": _share(answered, 1)}
        scores["no_answer"] = _share(rest, 1)
    return scores


def best_threshold(no_answer: np.ndarray, with_answer: np.ndarray, answered: np.ndarray) -> tuple[float, float]:
    """The probability of no answer above which to give none, and the mean score that it gives.

    As `find_best_thresh` of SQuAD 2.0's program.

    Args:
        no_answer: (N,) probabilities that the passage does not answer the question.
        with_answer: (N,) the score of the best answer of each question, were it given.
        answered: (N,) whether the passage answers it.
    """
    order = np.argsort(no_answer, kind="stable")
    gain = np.where(answered, with_answer, -1.0)[order]  # of giving an answer, over giving none
    totals = (~answered).sum() + np.concatenate([[0.0], np.cumsum(gain)])  # (N + 1,) where the first n are answered
    sorted_values = no_answer[order]
    edges = np.concatenate([[0.0], (sorted_values[:-1] + sorted_values[1:]) / 2, [1.0]])
    possible = np.concatenate([[True], sorted_values[:-1] < sorted_values[1:], [True]])  # equal ones stay together
    best = int(np.argmax(np.where(possible, totals, -np.inf)))
    return float(edges[best]), float(totals[best] / max(1, len(no_answer)))


def _share(sums: np.ndarray, column: int) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        share: np.ndarray = np.divide(sums[..., column], sums[..., 0])
    return share


def _is_punctuation(sign: str) -> bool:
    return unicodedata.category(sign).startswith("P")
