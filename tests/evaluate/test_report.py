"""The report's numbers are scikit-learn's; it warns where a neighbour is as good; calibration is what it says."""

import io
import json
import math

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import precision_recall_fscore_support

from langnet.evaluate.calibration import calibrate
from langnet.evaluate.language_model import unigram_bits_per_byte
from langnet.evaluate.predictions import Predictions
from langnet.evaluate.report import NeighbourPredictions, class_rows, report_classifier
from langnet.hub.json_text import to_json


def noisy(gold, hits, seed):
    """Predictions that are right with a probability of `hits`."""
    generator = np.random.default_rng(seed)
    names = sorted(set(gold))
    return [str(g if generator.random() < hits else generator.choice(names)) for g in gold]


@pytest.fixture(scope="module")
def gold():
    return np.random.default_rng(0).choice(["a", "b", "c"], 600).tolist()


def predictions(labels):
    names = ["a", "b", "c"]
    table = np.full((len(labels), 3), 0.1)
    table[np.arange(len(labels)), [names.index(label) for label in labels]] = 0.8
    return Predictions.from_probabilities(table, names)


def test_classes_as_scikit_learn(gold):
    predicted = noisy(gold, 0.5, 1)
    rows = class_rows(gold, predicted)
    precision, recall, f1, n = precision_recall_fscore_support(gold, predicted)
    assert [row.precision for row in rows] == pytest.approx(precision)
    assert [row.recall for row in rows] == pytest.approx(recall)
    assert [row.f1 for row in rows] == pytest.approx(f1)
    assert [row.n for row in rows] == n.tolist()


def test_a_worse_neighbour_is_beaten_and_a_like_one_warned_of(gold):
    own, like, worse = noisy(gold, 0.8, 1), noisy(gold, 0.8, 2), noisy(gold, 0.4, 3)
    neighbours = [NeighbourPredictions("like", like), NeighbourPredictions("worse", worse, "a note")]
    report = report_classifier(gold, predictions(own), neighbours)
    model, beside, below = report.rows
    hits = [np.mean([g == p for g, p in zip(gold, labels, strict=True)]) for labels in (own, like, worse)]
    assert model.scores["accuracy"].value == pytest.approx(hits[0])
    assert below.model_minus_this == pytest.approx(hits[0] - hits[2])
    assert below.beaten
    assert not beside.beaten
    assert [warning for warning in report.warnings if "does not beat" in warning] == [report.warnings[0]]
    assert "does not beat like" in report.warnings[0]


def test_a_neighbour_on_a_part_of_the_texts(gold):
    own = noisy(gold, 0.8, 1)
    index = np.arange(0, 600, 6)
    part = NeighbourPredictions("part", [gold[i] for i in index], index=index)
    row = report_classifier(gold, predictions(own), [part]).rows[1]
    assert row.n == 100
    assert row.scores["accuracy"].value == 1
    assert row.model_minus_this == pytest.approx(np.mean([own[i] == gold[i] for i in index]) - 1)


def test_the_most_confused_pairs_and_the_rest():
    gold = ["a"] * 5 + ["b"] * 4 + ["c"]
    predicted = ["b"] * 3 + ["a"] * 2 + ["b"] * 4 + ["b"]
    report = report_classifier(gold, Predictions(predicted, None, ["a", "b", "c"]), [])
    assert report.confusions == [("a", "b", 3), ("c", "b", 1)]
    assert report.calibration is None
    assert any("never predicted: c" in warning for warning in report.warnings)
    assert any("10 test texts are few" in warning for warning in report.warnings)


def test_it_is_json_and_fits_80_columns(gold):
    report = report_classifier(gold, predictions(gold), [NeighbourPredictions("majority", ["a"] * 600, "[x]")])
    assert json.loads(to_json(report.to_dict(), "report"))["rows"][0]["scores"]["mcc"]["value"] == 1.0
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(report.render())
    text = console.export_text()
    assert "1.000 [1.000, 1.000]" in text
    assert "[x]" in text


def test_calibration():
    generator = np.random.default_rng(0)
    sure = generator.uniform(0.5, 1, 20_000)
    honest = ["a" if hit else "b" for hit in generator.random(20_000) < sure]
    found = calibrate(honest, Predictions.from_probabilities(np.stack([sure, 1 - sure], 1), ["a", "b"]))
    assert found.error < 0.02
    assert len(found.bins) == 15
    always = Predictions.from_probabilities(np.tile([1.0, 0.0], (100, 1)), ["a", "b"])
    found = calibrate(["a"] * 70 + ["b"] * 30, always)
    assert found.confidence - found.accuracy == pytest.approx(0.3)
    # Ties fall into bins by their order here: each of the five is wholly right, or not.
    assert found.error == pytest.approx(0.3)
    assert "too sure by 0.300" in str(found)


def test_unigram_is_what_counting_as_one_goes_costs():
    generator = np.random.default_rng(0)
    tokens = generator.choice(7, 50, p=[0.4, 0.3, 0.1, 0.1, 0.05, 0.05, 0])
    seen, bits = np.zeros(7), 0.0
    for token in tokens:
        bits -= math.log2((seen[token] + 0.5) / (seen.sum() + 3.5))
        seen[token] += 1
    assert unigram_bits_per_byte(np.bincount(tokens, minlength=7), 100) == pytest.approx(bits / 100)
