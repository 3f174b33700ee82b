"""Scores from sums over examples: equal to the direct ones, with intervals that cover."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from langnet.evaluate.class_statistics import class_scores, class_statistics
from langnet.evaluate.scoring import Neighbour, paired, report_task, resampled, scores_with_intervals


def ratio(sums):
    return {"ratio": sums[..., 0] / np.maximum(sums[..., 1], 1)}


def test_equal_to_scikit_learn():
    generator = np.random.default_rng(0)
    gold, guess = generator.choice(list("abc"), 300), generator.choice(list("abcd"), 300)
    statistics = class_statistics(gold.tolist(), [guess.tolist(), gold.tolist()])
    found = class_scores(statistics[0].sum(0))
    assert found["accuracy"] == pytest.approx(accuracy_score(gold, guess))
    assert found["macro_f1"] == pytest.approx(f1_score(gold, guess, average="macro"))
    assert found["mcc"] == pytest.approx(matthews_corrcoef(gold, guess))
    assert class_scores(statistics[1].sum(0))["accuracy"] == 1


def test_the_interval_covers_as_often_as_it_says():
    generator, covered = np.random.default_rng(1), 0
    for _ in range(200):
        hits = generator.random(150) < 0.7
        score = scores_with_intervals(np.stack([hits, np.ones(150)], axis=1).astype(float), ratio)["ratio"]
        covered += score.interval.low <= 0.7 <= score.interval.high
    assert 0.90 <= covered / 200 <= 0.99


def test_a_paired_difference_is_narrower_than_two_intervals():
    generator = np.random.default_rng(2)
    first = (generator.random(500) < 0.7).astype(float)
    second = np.where(generator.random(500) < 0.05, 0.0, first)
    one, other = (np.stack([hits, np.ones(500)], axis=1) for hits in (first, second))
    difference, interval = paired(one, other, ratio)
    assert difference == pytest.approx(first.mean() - second.mean())
    assert 0 < interval.low < difference < interval.high
    alone = scores_with_intervals(one, ratio)["ratio"].interval
    assert interval.high - interval.low < alone.high - alone.low


def test_resampled_sums_have_the_right_mean():
    statistics = np.arange(20.0).reshape(10, 2)
    np.testing.assert_allclose(resampled(statistics, 0, 4000).mean(0), statistics.sum(0), rtol=0.03)


def test_the_report_says_where_the_model_does_not_lead():
    ones, halves = np.ones((50, 2)), np.stack([np.arange(50) % 2, np.ones(50)], axis=1)
    report = report_task(
        ("sing", "songs"), ones, [(Neighbour("coin", []), halves), (Neighbour("twin", []), ones)], ratio
    )
    assert [row.beaten for row in report.rows[1:]] == [True, False]
    assert any("does not lie above twin" in warning for warning in report.warnings)
    assert any("only 50 songs" in warning for warning in report.warnings)
