"""Scores of sets of labels are scikit-learn's, thresholds the best there are, and the neighbours learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics

from langnet.evaluate.label_sets import (
    best_f1_threshold,
    choose_thresholds,
    indicator,
    label_set_scores,
    label_set_statistics,
)
from langnet.evaluate.scoring import scores_with_intervals
from langnet.evaluate.text_baselines import most_frequent_set, tfidf_label_sets, tfidf_numbers


@st.composite
def tables(draw):
    shape = draw(st.tuples(st.integers(1, 7), st.integers(2, 6)))  # scikit-learn takes one column for classes
    return draw(arrays(bool, shape)), draw(arrays(bool, shape))


@settings(max_examples=100, deadline=None)
@given(tables())
def test_scores_are_scikit_learns(pair):
    gold, guessed = pair
    sums = label_set_statistics(gold, [guessed])[0].sum(0)
    found = {name: float(value) for name, value in label_set_scores(sums).items()}
    occurs = (gold | guessed).any(axis=0)
    macro = metrics.f1_score(gold, guessed, average=None, zero_division=0)[occurs]
    expected = {
        "micro_f1": metrics.f1_score(gold, guessed, average="micro", zero_division=0),
        "macro_f1": macro.mean() if occurs.any() else 0,
        "subset_accuracy": metrics.accuracy_score(gold, guessed),
        "hamming_loss": metrics.hamming_loss(gold, guessed),
    }
    assert found == pytest.approx(expected)
    if occurs.all():
        assert found["macro_f1"] == pytest.approx(metrics.f1_score(gold, guessed, average="macro"))


def test_scores_of_a_part_and_intervals():
    generator = np.random.default_rng(0)
    gold = generator.random((80, 5)) < 0.3
    guessed = gold ^ (generator.random((80, 5)) < 0.2)
    table = label_set_statistics(gold, [guessed, gold])
    part = label_set_scores(table[0, :30].sum(0))
    assert float(part["hamming_loss"]) == pytest.approx(metrics.hamming_loss(gold[:30], guessed[:30]))
    assert all(
        score.interval.low < score.value < score.interval.high
        for score in scores_with_intervals(table[0], label_set_scores).values()
    )
    assert float(label_set_scores(table[1].sum(0))["micro_f1"]) == 1


def test_indicator():
    assert indicator([("a", "c"), (), ("x",)], ["a", "b", "c"]).tolist() == [[1, 0, 1], [0, 0, 0], [0, 0, 0]]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0]), st.booleans()), min_size=1, max_size=12))
def test_no_threshold_is_better(pairs):
    probabilities, gold = np.array([p for p, _ in pairs]), np.array([g for _, g in pairs])
    if not gold.any():
        return
    chosen = best_f1_threshold(probabilities, gold)

    def f1(threshold):
        given = probabilities >= threshold
        return 2 * (given & gold).sum() / (given.sum() + gold.sum())

    assert f1(chosen) >= max(map(f1, np.linspace(0, 1, 201))) - 1e-12


def test_how_thresholds_are_chosen():
    generator = np.random.default_rng(0)
    gold = np.stack([generator.random(400) < share for share in (0.4, 0.3, 0.02)], axis=1)
    shift = np.array([0.5, 0.1, 0.1])  # what a label's probability is multiplied by
    probabilities = (gold * 0.5 + generator.random((400, 3)) * 0.5) * shift
    each, one = (choose_thresholds(probabilities, gold, how) for how in ("each", "one"))
    assert len(set(one)) == 1
    assert each[2] == one[0]  # too few to choose by
    assert each[0] > 3 * each[1]
    best = [metrics.f1_score(gold[:, label], probabilities[:, label] >= each[label]) for label in (0, 1)]
    assert min(best) > 0.95
    assert choose_thresholds(probabilities, gold, "half").tolist() == [0.5] * 3
    assert choose_thresholds(probabilities, np.zeros_like(gold), "one").tolist() == [0.5] * 3


TEXTS = [f"{a} {b} film" for a in ("funny", "sad", "plain") for b in ("long", "short", "odd", "new")] * 4
SETS = [tuple(word for word in ("funny", "long", "sad") if word in text) for text in TEXTS]
NAMES = ["funny", "long", "sad"]


def test_the_neighbours_learn_from_words():
    guesses = tfidf_label_sets(TEXTS, indicator(SETS, NAMES), NAMES, ["a funny long one", "plain"], "one")
    assert [guess.labels for guess in guesses] == [("funny", "long"), ()]
    assert list(guesses[0].probabilities) == NAMES
    most = most_frequent_set(SETS, 2)
    assert [guess.labels for guess in most] == [()] * 2  # as often as ("funny",) and ("sad",), and before them
    assert most[0].probabilities["long"] == pytest.approx(1 / 4)
    numbers = [text.count("funny") - text.count("sad") + 0.5 * text.count("long") for text in TEXTS]
    found = tfidf_numbers(TEXTS, numbers, ["funny long", "sad", "plain"])
    np.testing.assert_allclose(found, [1.5, -1, 0], atol=0.3)
    assert tfidf_numbers(["!", "?"], [1, 2], ["x"]) is None
    assert tfidf_label_sets(["!", "?"], indicator([("a",), ()], ["a"]), ["a"], ["x"], "one") is None


def test_very_few_texts():
    guesses = tfidf_label_sets(TEXTS[:3], indicator(SETS[:3], NAMES), NAMES, TEXTS[:1], "one")
    assert len(guesses) == 1
    assert len(tfidf_numbers(TEXTS[:2], [1.0, 2.0], TEXTS[:5])) == 5
