"""Neighbours learn what can be learned from generated reviews."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from langnet.evaluate.baselines import MajorityBaseline, SvdBaseline, TfidfBaseline, WordVectorsBaseline, rotate


@pytest.mark.parametrize(
    ("baseline", "least"),
    [(TfidfBaseline(), 0.95), (SvdBaseline(), 0.9), (WordVectorsBaseline(dim=20, epochs=3, workers=1), 0.6)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_learns(tiny_labelled, baseline, least):
    train, test = tiny_labelled.subset(60, 0), tiny_labelled.rows(range(300, 400))
    baseline.fit(tiny_labelled.texts)
    predictions = baseline.fit_predict(train.texts, train.labels, test.texts)
    assert np.mean(np.array(predictions.labels) == np.array(test.labels)) >= least
    assert predictions.probabilities.shape == (100, 2)


def test_majority():
    predictions = MajorityBaseline().fit_predict(["a", "b", "c"], ["x", "y", "y"], ["d"])
    assert predictions.labels == ["y"]
    np.testing.assert_allclose(predictions.probabilities, [[1 / 3, 2 / 3]])


def test_rotation_changes_no_prediction(tiny_labelled):
    train, test = tiny_labelled.subset(40, 0), tiny_labelled.rows(range(300, 400))
    vectorizer = TfidfVectorizer(ngram_range=(1, 2))
    own = vectorizer.fit_transform(train.texts)
    other = vectorizer.transform(test.texts)
    assert own.shape[1] > own.shape[0]
    labels = [f"{label} {len(text) % 3}" for text, label in zip(train.texts, train.labels, strict=True)]
    for C in (0.3, 100.0):
        direct = LogisticRegression(C=C, tol=1e-8, max_iter=5000).fit(own, labels).predict_proba(other)
        small, small_other = rotate(own, other)
        assert small.shape[1] <= small.shape[0]
        rotated = LogisticRegression(C=C, tol=1e-8, max_iter=5000).fit(small, labels).predict_proba(small_other)
        np.testing.assert_allclose(rotated, direct, atol=1e-5)


def test_rotation_of_wide_dense_narrow_and_empty():
    generator = np.random.default_rng(0)
    wide, other = generator.normal(size=(5, 9)), generator.normal(size=(3, 9))
    small, small_other = rotate(wide, other)
    np.testing.assert_allclose(small @ small.T, wide @ wide.T, atol=1e-10)
    np.testing.assert_allclose(small_other @ small.T, other @ wide.T, atol=1e-10)
    narrow, same = rotate(wide.T, wide.T)
    assert narrow is not None
    np.testing.assert_array_equal(narrow, same)
    nothing, nothing_other = rotate(np.zeros((4, 9)), other)
    assert nothing.shape == (4, 1)
    assert not nothing_other.any()


@pytest.mark.parametrize("baseline", [TfidfBaseline(), SvdBaseline()], ids=lambda value: value.name)
def test_one_class_and_one_example_a_class(tiny_labelled, baseline):
    baseline.fit(tiny_labelled.texts)
    test = tiny_labelled.texts[:3]
    assert baseline.fit_predict(tiny_labelled.texts[:2], ["x", "x"], test).labels == ["x"] * 3
    assert set(baseline.fit_predict(tiny_labelled.texts[:2], ["x", "y"], test).labels) <= {"x", "y"}


@pytest.mark.parametrize("raw", [[], [""], ["", "!"], ["one two three"], ["a b", "c d", "e f"]], ids=repr)
@pytest.mark.parametrize("make", [SvdBaseline, lambda: WordVectorsBaseline(8, 1, 1)], ids=["svd", "word2vec"])
def test_hardly_any_raw_text(make, raw):
    baseline = make()
    baseline.fit(raw)
    found = baseline.fit_predict(["one two", "a b", "three", "c"] * 2, ["x", "y"] * 4, ["one", "zzz", ""])
    assert set(found.labels) <= {"x", "y"}
    assert np.isfinite(found.probabilities).all()
