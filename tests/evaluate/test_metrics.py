"""Metrics equal scikit-learn's; bootstrap intervals cover what they should."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from langnet.evaluate.intervals import bootstrap_cells, bootstrap_ratio, paired_difference, seeds_interval
from langnet.evaluate.metrics import accuracy, classification_scores


@pytest.mark.parametrize("seed", range(5))
def test_equal_to_scikit_learn(seed):
    generator = np.random.default_rng(seed)
    gold = generator.choice(["a", "b", "c"], 200).tolist()
    predicted = np.where(generator.random(200) < 0.6, gold, generator.choice(["a", "b", "c", "d"], 200)).tolist()
    scores = classification_scores(gold, predicted)
    assert scores["accuracy"].value == pytest.approx(accuracy_score(gold, predicted))
    assert scores["macro_f1"].value == pytest.approx(f1_score(gold, predicted, average="macro"))
    assert scores["mcc"].value == pytest.approx(matthews_corrcoef(gold, predicted))
    assert scores["accuracy"].interval.low < scores["accuracy"].value < scores["accuracy"].interval.high


def test_bootstrap_covers_the_truth():
    generator = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        hits = generator.binomial(300, 0.8)
        interval = bootstrap_cells(np.array([[hits, 300 - hits], [0, 0]]), accuracy, 400, seed=trial)
        covered += interval.low <= 0.8 <= interval.high
    assert 180 <= covered <= 199


def test_seeds_interval_is_students():
    interval = seeds_interval([0.7, 0.8, 0.9])
    assert interval.low == pytest.approx(0.8 - 4.302653 * 0.1 / np.sqrt(3), abs=1e-6)
    assert np.isnan(seeds_interval([0.7]).low)


def test_paired_difference():
    gold = ["x"] * 100
    first, second = ["x"] * 80 + ["y"] * 20, ["x"] * 60 + ["y"] * 40
    value, interval = paired_difference(gold, first, second)
    assert value == pytest.approx(0.2)
    assert 0.1 < interval.low < 0.2 < interval.high < 0.3


@pytest.mark.parametrize("groups", [4000, 50])
def test_the_bootstrap_of_a_ratio_covers_the_truth(groups, monkeypatch):
    monkeypatch.setattr("langnet.evaluate.intervals._GROUPS", groups)
    generator = np.random.default_rng(0)
    covered, widths = 0, []
    for trial in range(200):
        size = generator.integers(1, 50, 150)
        surprise = 2.0 * size + generator.normal(0, np.sqrt(size))
        interval = bootstrap_ratio(surprise, size, 400, seed=trial)
        covered += interval.low <= 2.0 <= interval.high
        widths.append(interval.high - interval.low)
    assert 178 <= covered <= 199
    assert np.mean(widths) == pytest.approx(2 * 1.96 / np.sqrt(150 * 25), rel=0.15)
