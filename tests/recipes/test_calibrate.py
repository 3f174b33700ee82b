"""A temperature is found, written down, read again, used by every task with classes, and left behind by a new head."""

import numpy as np
import pytest

from langnet.errors import LangnetError
from langnet.evaluate.predictions import Predictions
from langnet.recipes.calibrate import digest_of_items, fit_temperature, stored_threshold, uncalibrated
from langnet.recipes.evaluate import evaluate_classifier
from langnet.recipes.finetune import FinetuneOptions, finetune
from langnet.recipes.kinds.registry import find_kind
from langnet.recipes.model import load
from langnet.recipes.training_texts import digest_of
from langnet.recipes.transfer import TransferOptions, evaluate_task, transfer
from langnet.tasks.task import at_temperature
from langnet.text.labelled import LabelledData
from tests.conftest import sentences
from tests.recipes.kind_items import pairs


def noisy(n, seed):
    """Reviews of which a third has the wrong label, so that no classifier may be sure."""
    data, generator = sentences(n, seed), np.random.default_rng(seed)
    flip = {"pos": "neg", "neg": "pos"}
    return LabelledData(data.texts, [flip[y] if generator.random() < 0.33 else y for y in data.labels])


@pytest.fixture(scope="module")
def classifier(tiny_model, tiny_labelled):
    """Sure of itself, since its own labels were all right."""
    return finetune(tiny_model, tiny_labelled.texts[:60], tiny_labelled.labels[:60], FinetuneOptions("frozen"))


def test_the_temperature_is_known_again(classifier, tmp_path):
    dev = noisy(300, 11)
    table = classifier.predict_proba(dev.texts)
    found = fit_temperature(
        classifier, dev.labels, Predictions.from_probabilities(table, classifier.labels), digest_of(dev), 0.55
    )
    assert found.temperature > 1
    assert found.after.log_loss.value < found.before.log_loss.value
    assert found.after.error < found.before.error
    found.model.save(tmp_path / "m")
    again = load(tmp_path / "m")
    assert again.temperature == found.temperature
    np.testing.assert_allclose(again.predict_proba(dev.texts), at_temperature(table, found.temperature), atol=2e-3)
    assert again.predict(dev.texts[:50]) == classifier.predict(dev.texts[:50])
    assert 0.4 <= stored_threshold(again, "m") <= 1
    assert "Temperature" in again.card
    assert uncalibrated(again).temperature == 1
    report, _ = evaluate_classifier(again, dev)
    assert any("fitted on these very texts" in warning for warning in report.warnings)
    report, _ = evaluate_classifier(again, noisy(100, 12), abstain_below=0.0)
    assert not any("fitted on these very texts" in warning for warning in report.warnings)
    assert report.abstention.selective.coverage.value == 1
    assert report.to_dict()["calibration"]["brier"]["value"] > 0


def test_the_best_temperature_of_known_probabilities(classifier):
    generator = np.random.default_rng(0)
    shares = generator.dirichlet([1, 1], size=4000)
    gold = ["neg" if generator.random() < p else "pos" for p, _ in shares]
    sharpened = Predictions.from_probabilities(at_temperature(shares, 0.5), ["neg", "pos"])
    assert fit_temperature(classifier, gold, sharpened, "").temperature == pytest.approx(2, rel=0.1)


def test_without_a_mistake_nothing_is_known(classifier):
    right = Predictions.from_probabilities(np.tile([0.9, 0.1], (60, 1)), ["neg", "pos"])
    found = fit_temperature(classifier, ["neg"] * 60, right, "")
    assert found.temperature == 1
    assert "no mistake" in found.warnings[0]


def test_mistakes(classifier):
    one = Predictions.from_probabilities(np.array([[0.9, 0.1]]), ["neg", "pos"])
    with pytest.raises(LangnetError, match="does not know the label 'blue'"):
        fit_temperature(classifier, ["blue"], one, "")
    with pytest.raises(LangnetError, match="no probabilities to calibrate"):
        fit_temperature(classifier, [], Predictions([], None, []), "")
    with pytest.raises(LangnetError, match="m holds no threshold"):
        stored_threshold(classifier, "m")


def test_a_new_head_leaves_it_behind(classifier, tiny_labelled):
    dev = noisy(100, 13)
    made = fit_temperature(
        classifier,
        dev.labels,
        Predictions.from_probabilities(classifier.predict_proba(dev.texts), classifier.labels),
        "",
    ).model
    again = finetune(made, tiny_labelled.texts[:20], tiny_labelled.labels[:20], FinetuneOptions("frozen"))
    assert again.temperature == 1


def test_another_task_with_classes(tiny_model, tiny_labelled):
    items, kind = pairs(tiny_labelled), find_kind("entail")
    model = transfer(tiny_model, kind, items[:30], TransferOptions(FinetuneOptions("frozen", epochs=1, least_steps=1)))
    dev, test = items[40:140], items[140:200]
    plain = model.guess(dev)
    found = fit_temperature(model, kind.gold(dev), Predictions.from_guesses(plain), digest_of_items(dev))
    tempered = found.model.guess(dev)
    assert [guess.label for guess in tempered] == [guess.label for guess in plain]
    assert tempered[0].probability == pytest.approx(plain[0].at_temperature(found.temperature).probability, abs=1e-6)
    report, _ = evaluate_task(found.model, kind, test, abstain_below=0.5)
    assert report.calibration.n == report.n == len(test)
    assert report.abstention.selective.coverage.value == 1
    report, _ = evaluate_task(found.model, kind, dev)
    assert any("fitted on these very texts" in warning for warning in report.warnings)
