"""Scores of pairs and choices as sums, and the neighbours that learn from words."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from langnet.evaluate.baselines import tuned_logistic_regression
from langnet.evaluate.choice_baselines import choose_greatest, frequency, length, overlap, position, words_alone
from langnet.evaluate.choice_statistics import choice_scores, choice_statistics
from langnet.evaluate.pair_baselines import OverlapBaseline, OverlapRatings, overlap_features
from langnet.evaluate.rating_statistics import rating_scores, rating_statistics
from langnet.evaluate.scoring import scores_with_intervals
from langnet.tasks.choose import ChoiceGuess
from langnet.text.multiple_choice import MultipleChoice
from langnet.text.pairs import Pair


def test_scores_of_numbers_as_scipy_and_scikit_learn_have_them():
    generator = np.random.default_rng(0)
    gold = generator.integers(1, 6, size=60) + 1e6
    guessed = gold + generator.normal(size=60).round(1)
    sums = rating_statistics(gold.tolist(), [guessed.tolist(), [3.0] * 60])
    assert float(rating_scores(sums[0].sum(0))["pearson"]) == pytest.approx(stats.pearsonr(gold, guessed)[0], abs=1e-6)
    half = rating_scores(sums[0][:30].sum(0))["pearson"]  # of a part, whose means are not zero
    assert float(half) == pytest.approx(stats.pearsonr(gold[:30], guessed[:30])[0], abs=1e-6)
    assert float(rating_scores(sums[1].sum(0))["pearson"]) == 0  # a constant says nothing
    found = {name: float(value) for name, value in rating_scores(sums[0].sum(0)).items()}
    assert list(found) == ["pearson", "spearman", "rmse", "mae"]
    assert found["spearman"] == pytest.approx(stats.spearmanr(gold, guessed)[0], abs=1e-9)
    assert found["rmse"] == pytest.approx(metrics.mean_squared_error(gold, guessed) ** 0.5)
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(gold, guessed))
    assert float(rating_scores(sums[1].sum(0))["spearman"]) == 0
    score = scores_with_intervals(sums[0], rating_scores)["pearson"]
    assert score.interval.low < score.value < score.interval.high


def test_a_tie_counts_as_wrong():
    guesses = [ChoiceGuess((0.6, 0.4)), ChoiceGuess((0.5, 0.5)), ChoiceGuess((0.2, 0.8))]
    found = choice_statistics([0, 0, 0], [guesses])
    assert found[0, :, 0].tolist() == [1, 0, 0]
    assert float(choice_scores(found[0].sum(0))["accuracy"]) == pytest.approx(1 / 3)


CHOICES = [
    MultipleChoice("the cat sat on the mat", ("the cat", "a big red dog ran"), "", 0),
    MultipleChoice("dogs bark", ("birds sing well", "dogs"), "", 1),
    MultipleChoice("it", ("x", "x"), "", 0),
]


def test_neighbours_of_choices():
    assert position(CHOICES, CHOICES[:1]) == [[2, 1]]
    assert length(CHOICES, CHOICES[:2]) == [[2, 5], [3, 1]]
    assert [guess.index for guess in choose_greatest(overlap(CHOICES, CHOICES[:2]))] == [0, 1]
    assert [guess.index for guess in choose_greatest(frequency(CHOICES, CHOICES[:2]))] == [0, 1]
    for scorer in (position, length, overlap, frequency, words_alone):
        empty = [MultipleChoice("", ("", "", ""), "", 0)]
        assert len(scorer(empty, empty)[0]) == 3
    assert choose_greatest(length(CHOICES, CHOICES))[2].tied


def test_words_of_the_alternative_alone_find_artifacts():
    train = [MultipleChoice("c", (f"never {i}", f"maybe {i}"), "", 1) for i in range(20)]
    test = [MultipleChoice("c", ("maybe so", "never so"), "", 0)]
    assert choose_greatest(words_alone(train, test))[0].index == 0


def test_overlaps_by_hand():
    row = overlap_features([Pair("A man plays a guitar", "Nobody plays")])[0]
    np.testing.assert_allclose(row[:4], [1 / 2, 1 / 4, 1 / 5, 0])
    np.testing.assert_allclose(row[4:6], [np.log1p(5) - np.log1p(2), np.log1p(2)])
    assert row[6:].tolist() == [0, 1, 1]
    assert overlap_features([Pair("", "")]).shape == (1, 9)
    assert overlap_features([]).shape == (0, 9)


def test_the_lexical_neighbours_learn_overlap():
    words = ["red", "blue", "old", "new", "big", "small", "fast", "slow"]
    rng = np.random.default_rng(0)
    pairs = []
    for index in range(80):
        first = " ".join(rng.permutation(words)[:5])
        second = first if index % 2 else " ".join(w for w in words if w not in first.split())
        pairs.append(Pair(first, second, "yes" if index % 2 else "no"))
    found = OverlapBaseline().fit_predict(pairs[:40], [str(p.label) for p in pairs[:40]], pairs[40:])
    assert found.labels == [p.label for p in pairs[40:]]
    ratings = [float(p.label == "yes") for p in pairs]
    rated = OverlapRatings().fit_predict(pairs[:40], ratings[:40], pairs[40:])
    assert np.corrcoef(rated, ratings[40:])[0, 1] > 0.95
    blank = [Pair("", "", "a"), Pair("!", "?", "b"), Pair("", "", "a"), Pair("", "", "b")]
    assert len(OverlapBaseline().fit_predict(blank, ["a", "b", "a", "b"], blank).labels) == 4
    assert OverlapRatings().fit_predict(blank, [1.0, 2.0, 1.0, 2.0], blank) == pytest.approx([1.5] * 4)


def test_many_examples_are_not_rotated_and_learn_the_same(monkeypatch):
    from scipy import sparse

    rng = np.random.default_rng(0)
    features = sparse.csr_matrix(rng.poisson(0.3, size=(60, 90)).astype(float))
    labels = [str(int(value)) for value in features.sum(axis=1).A1 > 27]
    rotated = tuned_logistic_regression([features[:40]], labels[:40], [features[40:]])
    monkeypatch.setattr("langnet.evaluate.baselines.MOST_ROTATED", 10)
    plain = tuned_logistic_regression([features[:40]], labels[:40], [features[40:]])
    np.testing.assert_allclose(rotated.probabilities, plain.probabilities, atol=5e-3)
