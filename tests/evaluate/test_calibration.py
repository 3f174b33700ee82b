"""Calibration and abstention equal what a few lines of numpy give, and their intervals cover what they should."""

import numpy as np
import pytest

from langnet.errors import LangnetError
from langnet.evaluate.abstention import abstain, check_threshold, risk_area, select, threshold_for
from langnet.evaluate.calibration import calibrate, share_interval
from langnet.evaluate.predictions import Predictions
from langnet.tasks.task import ClassGuess, at_temperature


def drawn(n, seed=0, temperature=1.0):
    """A classifier of three classes whose probabilities are right at a temperature of 1."""
    generator = np.random.default_rng(seed)
    scores = generator.normal(size=(n, 3)) * 2
    shares = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    gold = [str(drawn) for drawn in (shares.cumsum(1) < generator.random((n, 1))).sum(1)]
    return gold, Predictions.from_probabilities(at_temperature(shares, temperature), ["0", "1", "2"])


def test_by_hand():
    gold, predictions = drawn(310)
    found = calibrate(gold, predictions)
    table = predictions.probabilities
    confidence, hit = table.max(1), np.array([g == p for g, p in zip(gold, predictions.labels, strict=True)])
    order = np.argsort(confidence, kind="stable")
    parts = np.array_split(order, 15)
    expected = sum(abs(confidence[part].mean() - hit[part].mean()) * len(part) for part in parts) / 310
    assert found.error == pytest.approx(expected)
    truth = np.eye(3)[[int(g) for g in gold]]
    assert found.brier.value == pytest.approx(((table - truth) ** 2).sum(1).mean())
    assert found.log_loss.value == pytest.approx(-np.log((table * truth).sum(1)).mean())
    assert sum(count for _, _, count in found.bins) == 310
    assert found.interval.low <= found.error <= found.interval.high


def test_calibrated_probabilities_stay_below_what_chance_gives():
    below = [found.error <= found.by_chance for found in (calibrate(*drawn(300, seed)) for seed in range(25))]
    assert sum(below) >= 20
    for temperature in (0.3, 3.0):
        found = calibrate(*drawn(600, 1, temperature))
        assert found.error > found.by_chance
        assert found.interval.low > 0
    assert "too sure" in str(calibrate(*drawn(600, 1, 0.3)))
    assert "not sure enough" in str(calibrate(*drawn(600, 1, 3.0)))


def test_the_order_of_equally_confident_texts_does_not_matter():
    gold = ["0"] * 100 + ["1"] * 100
    found = calibrate(gold, Predictions.from_probabilities(np.tile([0.5001, 0.4999], (200, 1)), ["0", "1"]))
    assert found.error == pytest.approx(0.0001, abs=1e-9)
    assert len(found.bins) == 10
    assert found.interval.high < 0.15


def test_few_texts():
    assert calibrate([], Predictions([], np.zeros((0, 2)), ["0", "1"])) is None
    assert calibrate(["0"], Predictions(["0"], None, ["0"])) is None
    found = calibrate(["0"], Predictions.from_probabilities(np.array([[0.7, 0.3]]), ["0", "1"]))
    assert found.error == pytest.approx(0.3)
    assert np.isnan(found.interval.low)


def test_wilson():
    interval = share_interval(8, 10)
    assert (interval.low, interval.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert share_interval(0, 10).low == pytest.approx(0)
    assert np.isnan(share_interval(0, 0).low)


def test_the_area_under_the_risk_coverage_curve():
    confidence, wrong = np.array([0.9, 0.8, 0.7, 0.6]), np.array([0.0, 1.0, 0.0, 1.0])
    assert risk_area(confidence, wrong) == pytest.approx(np.mean([0, 1 / 2, 1 / 3, 2 / 4]))
    # Equal probabilities have no order, so every coverage has their mean error.
    assert risk_area(np.full(4, 0.5), wrong) == pytest.approx(0.5)


def test_abstention():
    gold, predictions = drawn(2000)
    found = abstain(gold, predictions, 0.8)
    wrong = np.array([g != p for g, p in zip(gold, predictions.labels, strict=True)])
    assert found.best_aurc < found.aurc.value < wrong.mean()
    assert found.aurc.interval.low < found.aurc.value < found.aurc.interval.high
    answered = predictions.probabilities.max(1) >= 0.8
    assert found.selective.n_answered == answered.sum()
    assert found.selective.accuracy.value == pytest.approx(1 - wrong[answered].mean())
    accuracies = [accuracy for _, _, accuracy in found.curve]
    assert accuracies[-1] > accuracies[0] == pytest.approx(1 - wrong.mean())
    assert abstain(gold, predictions, 1.0).selective.accuracy is None
    assert "no answers" in str(abstain(gold, predictions, 1.0))


def test_the_target_is_reached_on_other_texts():
    """In nearly all of many draws, as the certainty says."""
    missed = 0
    for seed in range(40):
        gold, predictions = drawn(1500, seed)
        hits = np.array([g == p for g, p in zip(gold, predictions.labels, strict=True)], dtype=float)
        threshold, found = threshold_for(predictions.probabilities.max(1), hits, 0.85)
        assert found.accuracy.value >= 0.85
        other_gold, other = drawn(20_000, 1000 + seed)
        other_hits = np.array([g == p for g, p in zip(other_gold, other.labels, strict=True)], dtype=float)
        missed += select(other.probabilities.max(1), other_hits, threshold).accuracy.value < 0.85
    assert missed <= 3


def test_targets_out_of_reach():
    confidence, hits = np.linspace(0.5, 0.9, 100), np.zeros(100)
    with pytest.raises(LangnetError, match="no threshold reaches an accuracy"):
        threshold_for(confidence, hits, 0.9)
    with pytest.raises(LangnetError, match="must lie between 0 and 1"):
        threshold_for(confidence, hits, 1.5)
    with pytest.raises(LangnetError, match="probability from 0 to 1, not 2"):
        check_threshold(2)


def test_temperature():
    shares = np.array([[0.7, 0.2, 0.1], [0.5, 0.5, 0.0]])
    scores = np.log(np.maximum(shares, 1e-300)) / 2
    expected = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(at_temperature(shares, 2), expected)
    guess = ClassGuess("a", {"a": 0.7, "b": 0.3})
    assert guess.at_temperature(1).probability == pytest.approx(0.7)
    assert guess.at_temperature(4).probability < 0.7
    assert guess.above(0.8).label == ""
    assert guess.above(0.8).probability == 0.7
    assert guess.above(0.7) is guess
    both = Predictions.from_guesses([guess, ClassGuess("c", {"c": 1.0})])
    assert both.label_names == ["a", "b", "c"]
    assert both.probabilities.tolist() == [[0.7, 0.3, 0], [0, 0, 1]]
