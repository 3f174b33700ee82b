"""Exact match and F1 as the official program has them, recomputed another way; thresholds and characters."""

import re
import string
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langnet.evaluate.answers import (
    answer_scores,
    answer_statistics,
    answer_tokens,
    best_threshold,
    exact_match,
    f1,
    is_unspaced,
    normalised,
)
from langnet.evaluate.scoring import scores_with_intervals

WORDS = [
    "the",
    "The",
    "a",
    "an",
    "an.",
    "Rome",
    "rome,",
    "another",
    "(1990)",
    "U.S.",
    "caf\u00e9",
    "--",
    "\u201cRome\u201d",
    "\n",
]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join) | st.text(max_size=12)


def independent(said, reference):
    """The official rules by loops: remove what is not to count, then pair words off one by one."""
    bags = []
    for text in (said, reference):
        kept = "".join(sign for sign in text.lower() if sign not in set(string.punctuation))
        bags.append([word for word in re.split(r"\s+", re.sub(r"\b(a|an|the)\b", " ", kept)) if word])
    one, other = bags
    if not one or not other:
        return float(one == other), float(one == other)
    left, common = list(other), 0
    for word in one:
        if word in left:
            left.remove(word)
            common += 1
    if not common:
        return float(one == other), 0.0
    precision, recall = common / len(one), common / len(other)
    return float(one == other), 2 * precision * recall / (precision + recall)


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS)
def test_equal_to_an_independent_recomputation(said, reference):
    exact, overlap = independent(said, reference)
    assert exact_match(said, reference) == exact
    assert f1(said, reference) == pytest.approx(overlap)


def test_normalisation():
    assert normalised("  The U.S.  Army's\tan apple ") == "us armys apple"
    assert normalised("theatre and a-b") == "theatre and ab"
    assert exact_match("the Eiffel Tower!", "Eiffel tower") == 1
    assert f1("in the Eiffel Tower", "Eiffel Tower") == pytest.approx(0.8)


def test_the_best_of_the_references_counts_and_both_sorts_are_told_apart():
    rows = np.array(
        [
            answer_statistics("Rome", ["in Rome", "Rome"]),
            answer_statistics("", ["Rome"]),
            answer_statistics("", []),
            answer_statistics("Rome", []),
            answer_statistics("x", ["the"]),  # a reference that is nothing but an article is none, yet an answer
        ]
    )
    assert rows[:, :3].tolist() == [[1, 1, 1], [1, 0, 0], [1, 1, 1], [1, 0, 0], [1, 0, 0]]
    scores = {name: float(value) for name, value in answer_scores(rows.sum(0)).items()}
    assert scores == pytest.approx(
        {"f1": 0.4, "exact_match": 0.4, "has_answer_f1": 1 / 3, "has_answer_exact": 1 / 3, "no_answer": 0.5}
    )
    assert list(answer_scores(rows[:2].sum(0))) == ["f1", "exact_match"]
    assert next(iter(scores_with_intervals(np.tile(rows, (20, 1)), answer_scores))) == "f1"


def test_text_without_spaces_is_scored_by_characters():
    assert is_unspaced("电影很好看。The End")
    assert not is_unspaced("The End 好")
    assert not is_unspaced("")
    assert answer_tokens("《电影》 The film 3", characters=True) == ["电", "影", "film", "3"]
    assert f1("电影很好", "好电影", characters=True) == pytest.approx(2 * 3 / 7)
    assert f1("电影很好", "好电影") == 0
    counted = Counter(answer_tokens("ไทย ok", True))
    assert counted == Counter(["ไ", "ท", "ย", "ok"])


def test_the_threshold_is_the_best_there_is():
    generator = np.random.default_rng(0)
    for _ in range(30):
        n = int(generator.integers(1, 9))
        chance = generator.integers(0, 4, n) / 4 + 0.1
        answered, score = generator.random(n) < 0.6, generator.random(n)
        threshold, mean = best_threshold(chance, score, answered)
        reached = [
            np.where(chance > edge, ~answered, np.where(answered, score, 0.0)).mean()
            for edge in [-1e-9, *np.sort(chance), 1.0]
        ]
        assert mean == pytest.approx(max(reached[1:] if n else reached) if threshold > 0 else reached[0])
        assert np.where(chance > threshold, ~answered, np.where(answered, score, 0.0)).mean() == pytest.approx(mean)
