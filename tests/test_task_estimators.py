"""Pairs and choices in scikit-learn's grammar."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score

from langnet import TextChooser, TextPairClassifier, TextPairRegressor
from langnet.errors import LangnetError

PAIRS = [("The film was superb.", "A joy."), ("It was awful.", "A waste."), ("Funny.", ""), ("", "Boring.")] * 3
CHOICES = [("The film", ["was superb", "was awful"]), ("Was it", "_ ?", ["good", "bad", "long"])] * 4
QUICK = {"method": "frozen", "epochs": 1, "head_epochs": 1}


@pytest.mark.parametrize("labels", [[2, 10], ["b", "a"]])
def test_a_pair_classifier(tiny_model, tmp_path, labels):
    y = labels * 6
    classifier = TextPairClassifier(tiny_model, **QUICK).fit(PAIRS, y)
    assert list(classifier.classes_) == sorted(labels)
    table = classifier.predict_proba(pd.DataFrame(PAIRS))
    np.testing.assert_allclose(table.sum(1), 1, atol=1e-6)
    assert classifier.predict(np.array(PAIRS, dtype=object)).dtype == np.asarray(labels).dtype
    assert (classifier.predict(PAIRS) == classifier.classes_[table.argmax(1)]).all()
    assert classifier.model_.guess([]) == []
    classifier.model_.save(tmp_path / "m")
    from langnet import load

    assert load(tmp_path / "m").labels == [str(label) for label in sorted(labels)]
    assert (clone(classifier).fit(PAIRS, y).predict_proba(PAIRS) == table).all()


def test_a_pair_classifier_within_cross_validation(tiny_model):
    scores = cross_val_score(TextPairClassifier(tiny_model, **QUICK), PAIRS, [0, 1] * 6, cv=2)
    assert len(scores) == 2


def test_a_pair_regressor(tiny_model):
    regressor = TextPairRegressor(tiny_model, **QUICK).fit(PAIRS, np.arange(12))
    found = regressor.predict(PAIRS)
    assert found.shape == (12,)
    assert 0 <= found.min() <= found.max() <= 11
    np.testing.assert_allclose(regressor.predict([(b, a) for a, b in PAIRS]), found, atol=1e-4)


def test_a_chooser(tiny_model):
    chooser = TextChooser(tiny_model, **QUICK).fit(CHOICES, [0, 2] * 4)
    table = chooser.predict_proba(CHOICES)
    assert table.shape == (8, 3)
    assert table[0, 2] == 0
    np.testing.assert_allclose(table.sum(1), 1, atol=1e-6)
    assert (chooser.predict(CHOICES) == table.argmax(1)).all()
    assert chooser.score([("a", ["x", "x"])], [0]) == 0
    assert chooser.score(CHOICES, chooser.predict(CHOICES)) == 1


@pytest.mark.parametrize(
    ("estimator", "X", "y", "message"),
    [
        (TextPairClassifier, "text", [0], "got one string"),
        (TextPairClassifier, [], [], "got none"),
        (TextPairClassifier, ["text"], [0], "item 0 is 'text'"),
        (TextPairClassifier, [("a", 1)], [0], "item 0 is"),
        (TextPairClassifier, PAIRS, [0] * 12, "needs two classes or more; y has 1 class"),
        (TextPairClassifier, PAIRS, [0], "one label an item"),
        (TextPairClassifier, PAIRS, None, "requires y to be passed"),
        (TextPairRegressor, PAIRS, [float("nan")] * 12, "missing"),
        (TextChooser, [("a", [])], [0], "item 0 is"),
        (TextChooser, [("a", "b")], [0], "item 0 is"),
        (TextChooser, CHOICES, ["x"] * 8, "whole numbers"),
    ],
)
def test_what_is_not_understood_is_told(tiny_model, estimator, X, y, message):
    with pytest.raises(ValueError, match=message):
        estimator(tiny_model, **QUICK).fit(X, y)


def test_an_answer_that_no_alternative_has(tiny_model):
    with pytest.raises(LangnetError, match="it has to be a number from 0 to 1"):
        TextChooser(tiny_model, **QUICK).fit(CHOICES, [2] * 8)


def test_neither_model_nor_fit():
    with pytest.raises(ValueError, match="needs a language model"):
        TextPairClassifier().fit(PAIRS, [0, 1] * 6)
    with pytest.raises(NotFittedError):
        TextChooser().predict(CHOICES)
