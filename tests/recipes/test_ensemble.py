"""Classifiers averaged: by hand, with other orders of labels, on the command line and in scikit-learn."""

import json

import numpy as np
import pytest
from sklearn.ensemble import VotingClassifier

import langnet
from langnet.errors import LangnetError
from langnet.estimators import TextClassifier
from langnet.recipes.ensemble import average
from langnet.recipes.evaluate import evaluate_classifier
from langnet.recipes.finetune import FinetuneOptions, finetune
from tests.conftest import sentences


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_model):
    folder = tmp_path_factory.mktemp("ensemble")
    for name, seed in (("one", 3), ("two", 9)):
        data = sentences(30, seed=seed)
        finetune(tiny_model, data.texts, data.labels, FinetuneOptions("frozen", seed=seed)).save(folder / name)
    other = sentences(30, seed=3)
    labels = [label.upper() for label in other.labels]
    finetune(tiny_model, other.texts, labels, FinetuneOptions("frozen")).save(folder / "other")
    tiny_model.save(folder / "lm")
    test = sentences(80, seed=4)
    rows = [json.dumps({"text": t, "label": y}) for t, y in zip(test.texts, test.labels, strict=True)]
    (folder / "test.jsonl").write_text("\n".join(rows))
    return folder


@pytest.fixture
def run(folder, monkeypatch, answered):
    monkeypatch.chdir(folder)
    return answered


def test_the_mean_of_the_probabilities(folder):
    test = sentences(80, seed=4)
    both = langnet.average([folder / "one", folder / "two"])
    apart = [langnet.load(folder / name).predict_proba(test.texts) for name in ("one", "two")]
    np.testing.assert_allclose(both.predict_proba(test.texts), (apart[0] + apart[1]) / 2)
    weighted = average([folder / "one", folder / "two"], weights=[3, 1])
    np.testing.assert_allclose(weighted.predict_proba(test.texts), 0.75 * apart[0] + 0.25 * apart[1])
    names = np.array(both.labels)
    assert both.predict(test.texts) == names[((apart[0] + apart[1]) / 2).argmax(1)].tolist()


def test_columns_follow_the_first_model(folder):
    one, two = langnet.load(folder / "one"), langnet.load(folder / "two")
    texts = ["The film was a joy.", "The story was awful."]
    expected = average([one, two]).predict_proba(texts)
    two.labels = two.labels[::-1]
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(average([one, two]).predict_proba(texts), expected)
    output = two.network.task.output
    output.weight.data, output.bias.data = output.weight.data.flip(0), output.bias.data.flip(0)
    np.testing.assert_allclose(average([one, two]).predict_proba(texts), expected, rtol=1e-5)


def test_what_cannot_be_averaged(folder):
    with pytest.raises(
        LangnetError, match=r"other has the labels NEG, POS, .*one has neg, pos; only classifiers of the"
    ):
        average([folder / "one", folder / "other"])
    with pytest.raises(LangnetError, match="lm is a language model without labels"):
        average([folder / "one", folder / "lm"])
    with pytest.raises(LangnetError, match="there is no model to average"):
        average([])
    for weights in ([1], [0, 0], [-1, 2]):
        with pytest.raises(LangnetError, match="2 models need 2 weights of 0 or more"):
            average([folder / "one", folder / "two"], weights)


def test_evaluate(folder, run):
    out = run("evaluate", "one", "test.jsonl", "--with", "two", "--json", "e.json", "--predictions", "p.jsonl")
    assert "TF-IDF" in out
    rows = [json.loads(line) for line in (folder / "p.jsonl").read_text().splitlines()]
    both = average([folder / "one", folder / "two"])
    expected = both.predict_proba([row["text"] for row in rows])
    np.testing.assert_allclose([[row["p(neg)"], row["p(pos)"]] for row in rows], expected, atol=1e-6)
    report, _ = evaluate_classifier(both, sentences(80, seed=4))
    assert report.rows[0].scores["accuracy"].value == pytest.approx(
        json.loads((folder / "e.json").read_text())["rows"][0]["scores"]["accuracy"]["value"]
    )


def test_predict(run, folder):
    rows = [json.loads(line) for line in run("predict", "one", "test.jsonl", "--with", "two").splitlines()]
    texts = [json.loads(line)["text"] for line in (folder / "test.jsonl").read_text().splitlines()]
    assert [row["predicted_label"] for row in rows] == average([folder / "one", folder / "two"]).predict(texts)
    assert "only classifiers of the same labels" in run("predict", "one", "test.jsonl", "--with", "other", code=2)
    assert "lm is a language model without labels" in run("predict", "lm", "test.jsonl", code=2)


def test_language_models_side_by_side(run, folder):
    out = run("evaluate", "lm", "test.jsonl", "--with", folder / "lm", "--json", "l.json")
    held = json.loads((folder / "l.json").read_text())["models"]
    assert list(held) == ["lm", str(folder / "lm")]
    assert out.count(f"{held['lm']['model']['bits_per_byte']:.3f}") >= 2
    assert "is a classifier" in run("evaluate", "lm", "test.jsonl", "--with", "one", code=2)


def test_soft_voting_of_scikit_learn(tiny_model, folder):
    train, test = sentences(40, seed=3), sentences(40, seed=4)
    tiny_model.save(folder / "voting-lm", overwrite=True)
    members = [(f"m{seed}", TextClassifier(folder / "voting-lm", "frozen", random_state=seed)) for seed in (0, 1)]
    vote = VotingClassifier(members, voting="soft").fit(train.texts, train.labels)
    fitted = [member.model_ for member in vote.estimators_]
    np.testing.assert_allclose(vote.predict_proba(test.texts), average(fitted).predict_proba(test.texts), atol=1e-6)
