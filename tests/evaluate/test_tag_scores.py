"""Span F1 against seqeval's stored output on random sequences, valid and not; sums, types, words; neighbours."""

import json
import random
import sys
from pathlib import Path

import numpy as np
import pytest

from langnet.errors import LangnetError
from langnet.evaluate.scoring import scores_with_intervals
from langnet.evaluate.tag_baselines import chain_of_features, one_tag, shape, tag_of_word, word_features
from langnet.evaluate.tag_scores import (
    reading_of,
    span_f1,
    span_scores,
    tag_statistics,
    type_scores,
    word_scores,
)
from langnet.text.tag_schemes import spans, strict_spans

STORED = Path(__file__).with_name("seqeval_scores.json")  # written by `python -m tests.evaluate.test_tag_scores`
LETTERS = {"iob2": "BI", "iobes": "BIES"}


def cases(scheme, count=60, seed=0):
    """Sentences with true and predicted tags: any letters with any types in both, so that most break the scheme."""
    generator = random.Random(f"{scheme} {seed}")
    tags = ["O", "O", *(f"{letter}-{type}" for letter in LETTERS[scheme] for type in ("x", "y"))]
    for _ in range(count):
        gold = [[generator.choice(tags) for _ in range(generator.randint(1, 9))] for _ in range(4)]
        guess = [[tag if generator.random() < 0.7 else generator.choice(tags) for tag in own] for own in gold]
        yield gold, guess


def of_seqeval(scheme, gold, guess):
    """F1 of the default mode and of the strict one."""
    from seqeval import scheme as schemes
    from seqeval.metrics import f1_score

    strict = f1_score(gold, guess, mode="strict", scheme=getattr(schemes, scheme.upper()), zero_division=0)
    return [float(f1_score(gold, guess, zero_division=0)), float(strict)]


def own(scheme, gold, guess):
    table, _ = tag_statistics(gold, [guess], lambda tags: strict_spans(tags, scheme))
    return [span_f1(gold, guess), float(span_scores(table[0].sum(0))["f1"])]


@pytest.mark.parametrize("scheme", LETTERS)
def test_f1_is_seqevals(scheme):
    stored = json.loads(STORED.read_text(encoding="utf8"))[scheme]
    for (gold, guess), expected in zip(cases(scheme), stored, strict=True):
        assert own(scheme, gold, guess) == pytest.approx(expected, abs=1e-12), (gold, guess)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", LETTERS)
def test_f1_is_seqevals_on_many_more(scheme):
    pytest.importorskip("seqeval", reason="needs the extra `reference`")
    for gold, guess in cases(scheme, 2000, seed=1):
        assert own(scheme, gold, guess) == pytest.approx(of_seqeval(scheme, gold, guess), abs=1e-12), (gold, guess)


GOLD = [["B-x", "I-x", "O", "B-y"], ["O", "B-x"], []]
GUESS = [["B-x", "I-x", "O", "B-x"], ["O", "B-x"], []]


def test_sums_by_hand():
    table, types = tag_statistics(GOLD, [GUESS, GOLD])
    assert types == ["x", "y"]
    # found, predicted, true of x; of y; right words, words
    assert table[0].tolist() == [[1, 2, 1, 0, 0, 1, 3, 4], [1, 1, 1, 0, 0, 0, 2, 2], [0] * 8]
    scores = span_scores(table.sum(1))
    np.testing.assert_allclose(scores["f1"], [2 * 2 / (3 + 3), 1])
    np.testing.assert_allclose(scores["precision"], [2 / 3, 1])
    np.testing.assert_allclose(scores["recall"], [2 / 3, 1])
    np.testing.assert_allclose(scores["accuracy"], [5 / 6, 1])
    x, y = type_scores(table[0].sum(0), types)
    assert (x.type, x.precision, x.recall, x.true, x.predicted) == ("x", 2 / 3, 1.0, 2, 3)
    assert (y.type, y.f1, y.true, y.predicted) == ("y", 0.0, 1, 0)
    assert scores_with_intervals(table[0], span_scores)["f1"].interval.low < 2 / 3


def test_words_by_hand():
    gold, guess = [["NOUN", "VERB", "NOUN"], ["ADJ"]], [["NOUN", "NOUN", "NOUN"], ["ADJ"]]
    table, types = tag_statistics(gold, [guess])
    assert types == ["ADJ", "NOUN", "VERB"]
    scores = word_scores(table[0].sum(0))
    assert scores["accuracy"] == 3 / 4
    assert scores["macro_f1"] == pytest.approx((1 + 0.8 + 0) / 3)


def test_another_number_of_tags_than_words_is_told():
    with pytest.raises(LangnetError, match="sentence 1: 1 tags predicted for 4 words"):
        tag_statistics(GOLD, [[["O"], ["O", "O"], []]])


def test_strict_reads_by_the_scheme_of_the_true_tags():
    gold, guess = [["B-x", "I-x", "O"]], [["I-x", "I-x", "O"]]
    assert span_f1(gold, guess) == 1
    assert span_f1(gold, guess, strict=True) == 0
    assert reading_of(gold)(guess[0]) == spans(guess[0])


WORDS = [["Ann", "sings"], ["Bo", "Li", "sings"], ["sings", "Ann"], ["Cy", "sings"]]
TAGS = [["B-n", "O"], ["B-n", "I-n", "O"], ["O", "B-n"], ["B-n", "O"]]


class TestNeighbours:
    def test_one_tag(self):
        assert one_tag([["a", "b"], ["b", "a"]], [["w"] * 3, []]) == [["a"] * 3, []]

    def test_tag_of_word(self):
        assert tag_of_word(WORDS, TAGS, [["Ann", "new", "sings"]]) == [["B-n", "B-n", "O"]]

    def test_a_chain_learns_what_words_look_like(self):
        new = [["Di", "sings"], ["sings", "Ed", "Om"], [], ["sings"]]
        found = chain_of_features(WORDS, TAGS, new)
        assert [[tag != "O" for tag in tags] for tags in found] == [[True, False], [False, True, True], [], [False]]

    def test_a_chain_without_anything_to_learn(self):
        assert chain_of_features([[]], [[]], [["a"]]) == [["O"]]
        assert chain_of_features([["a"]], [["x"]], [["b", "c"]]) == [["x", "x"]]

    def test_features(self):
        first, second = word_features(["New-York", "2024"])
        assert {"w=New-York", "l=new-york", "s=Xx-Xx", "c=title", "<4=new-", ">1=k", "1l=2024", "-1none"} <= set(first)
        assert {"s=d", "c=none", "-1l=new-york", "-1,0=new-york|2024"} <= set(second)
        assert [shape(word) for word in ("USA", "Ọ̀yọ́", "3,000", "")] == ["X", "X\u0300x\u0301", "d,d", ""]


if __name__ == "__main__":
    stored = {scheme: [of_seqeval(scheme, gold, guess) for gold, guess in cases(scheme)] for scheme in LETTERS}
    STORED.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf8")
    sys.exit(0)
