"""Pairs and choices in scikit-learn's grammar."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score
from sklearn.model_selection import cross_val_score

from langnet import (
    TextChooser,
    TextMultiLabelClassifier,
    TextPairClassifier,
    TextPairRegressor,
    TextRegressor,
)
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


def test_what_is_transferred_and_what_learns():
    made = TextChooser(layers=1, cached_megabytes=7)._options().finetune
    assert (made.layers, made.cached_megabytes) == (1, 7)


def test_a_chooser(tiny_model):
    chooser = TextChooser(tiny_model, **QUICK).fit(CHOICES, [0, 2] * 4)
    table = chooser.predict_proba(CHOICES)
    assert table.shape == (8, 3)
    assert table[0, 2] == 0
    np.testing.assert_allclose(table.sum(1), 1, atol=1e-6)
    assert (chooser.predict(CHOICES) == table.argmax(1)).all()
    assert chooser.score([("a", ["x", "x"])], [0]) == 0
    assert chooser.score(CHOICES, chooser.predict(CHOICES)) == 1


TEXTS = ["The film was superb.", "The story was awful.", "The film and the story were odd.", "Nothing."] * 5
SETS = [{"film"}, {"story"}, {"story", "film"}, set()] * 5
MATRIX = np.array([[label in own for label in ("film", "none", "story")] for own in SETS]).astype(int)


def test_a_classifier_of_several_labels(tiny_model, tmp_path):
    classifier = TextMultiLabelClassifier(tiny_model, "frozen").fit(TEXTS, SETS)
    assert list(classifier.classes_) == ["film", "story"]
    table = classifier.predict_proba(TEXTS)
    assert table.shape == (20, 2)
    assert classifier.predict(TEXTS)[:4] == [("film",), ("story",), ("film", "story"), ()]
    assert classifier.score(TEXTS, SETS) == 1
    assert classifier.score(TEXTS, [own | {"new"} for own in SETS]) == 0
    assert classifier.model_.guess([]) == []
    classifier.model_.save(tmp_path / "m")
    from langnet import load

    assert load(tmp_path / "m").labels == ["film", "story"]


@pytest.mark.parametrize("packed", [np.asarray, sparse.csr_matrix, lambda y: pd.DataFrame(y, columns=["f", "n", "s"])])
def test_a_matrix_of_labels_with_one_that_nothing_has(tiny_model, packed):
    classifier = TextMultiLabelClassifier(tiny_model, "frozen").fit(pd.Series(TEXTS), packed(MATRIX))
    assert list(classifier.classes_) == (["f", "n", "s"] if isinstance(packed(MATRIX), pd.DataFrame) else [0, 1, 2])
    assert (classifier.predict(TEXTS) == MATRIX).all()
    assert not classifier.predict_proba(TEXTS)[:, 1].any()
    assert classifier.score(TEXTS, packed(MATRIX)) == 1
    assert accuracy_score(MATRIX, classifier.predict(TEXTS)) == 1


@pytest.mark.parametrize("learned", [np.asarray, lambda y: pd.DataFrame(y, columns=["f", "s"]), lambda _: SETS])
def test_a_score_by_labels_in_another_form(tiny_model, learned):
    matrix = MATRIX[:, [0, 2]]
    classifier = TextMultiLabelClassifier(tiny_model, "frozen").fit(TEXTS, learned(matrix))
    names = classifier.classes_ if learned(matrix) is SETS else ["f", "s"]
    for form in (matrix, sparse.csr_matrix(matrix), pd.DataFrame(matrix, columns=names)):
        assert classifier.score(TEXTS, form) == 1
    with pytest.raises(ValueError, match="got 3 for 2 labels"):
        classifier.score(TEXTS, MATRIX)


def test_several_labels_within_cross_validation(tiny_model):
    scores = cross_val_score(TextMultiLabelClassifier(tiny_model, "frozen"), TEXTS, MATRIX, cv=2, scoring="f1_micro")
    assert (scores > 0.9).all()


def test_a_regressor(tiny_model):
    y = [3.0, 1.0, 2.0, 2.0] * 5
    regressor = TextRegressor(tiny_model, "frozen").fit(TEXTS, y)
    assert regressor.score(TEXTS, y) > 0.9
    assert ((regressor.predict(TEXTS) >= 1) & (regressor.predict(TEXTS) <= 3)).all()
    assert (cross_val_score(clone(regressor), TEXTS, y, cv=2, scoring="neg_mean_absolute_error") > -1).all()


@pytest.mark.parametrize(
    ("estimator", "X", "y", "message"),
    [
        (TextMultiLabelClassifier, TEXTS, None, "requires y to be passed"),
        (TextMultiLabelClassifier, TEXTS, SETS[:3], "one set of labels a text; got 3 for 20"),
        (TextMultiLabelClassifier, TEXTS, MATRIX[:3], "one row a text; got 3 rows"),
        (TextMultiLabelClassifier, TEXTS, MATRIX * 2, "0 and 1 alone"),
        (TextMultiLabelClassifier, TEXTS, ["film"] * 20, "list of collections of labels, but holds 'film'"),
        (TextMultiLabelClassifier, TEXTS, [set()] * 20, "no label at all"),
        (TextMultiLabelClassifier, TEXTS, [{1, "a"}] * 20, "do not sort"),
        (TextMultiLabelClassifier, "text", SETS, "got one string"),
        (TextRegressor, TEXTS, [float("inf")] * 20, "missing"),
        (TextRegressor, TEXTS, [1.0], "one label an item"),
        (TextRegressor, [1], [1.0], "item 0 is int"),
        (TextPairClassifier, "text", [0], "got one string"),
        (TextPairClassifier, [], [], "got none"),
        (TextPairClassifier, ["text"], [0], "item 0 is 'text'"),
        (TextPairClassifier, [("a", 1)], [0], "item 0 is"),
        (TextPairClassifier, PAIRS, [0] * 12, "needs two classes or more; y has 1 class"),
        (TextPairClassifier, PAIRS, [0], "one label a pair"),
        (TextPairClassifier, PAIRS, [0.0, float("nan"), 1.0] * 4, "label 1 of y is missing"),
        (TextPairClassifier, PAIRS, ["a", None, "b"] * 4, "label 1 of y is missing"),
        (TextPairClassifier, PAIRS, np.array(["a", 1, "b"] * 4, dtype=object), "mixes strings with other labels"),
        (TextPairClassifier, PAIRS, np.linspace(0.1, 3.3, 12), "continuous"),
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
    for estimator in (TextChooser(), TextMultiLabelClassifier(), TextRegressor()):
        with pytest.raises(NotFittedError):
            estimator.predict(CHOICES)
