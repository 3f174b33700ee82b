"""The scikit-learn grammar."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from langnet.estimators import TextClassifier


@pytest.fixture
def data(tiny_labelled):
    return tiny_labelled.texts[:60], np.array([3 if label == "pos" else -1 for label in tiny_labelled.labels[:60]])


def test_labels_keep_their_type(tiny_model, data):
    classifier = TextClassifier(tiny_model, "frozen").fit(*data)
    assert classifier.classes_.tolist() == [-1, 3]
    assert classifier.predict(data[0]).dtype == data[1].dtype
    assert classifier.score(*data) > 0.9
    assert (classifier.classes_[classifier.predict_proba(data[0]).argmax(1)] == classifier.predict(data[0])).all()


def test_works_in_pipelines_and_searches(tiny_model, data):
    pipeline = make_pipeline(FunctionTransformer(lambda x: x), TextClassifier(tiny_model, "frozen"))
    assert cross_val_score(pipeline, *data, cv=2).mean() > 0.7
    search = GridSearchCV(TextClassifier(tiny_model, epochs=1), {"method": ["frozen", "scratch"]}, cv=2).fit(*data)
    assert search.best_params_ == {"method": "frozen"}


def test_clone_keeps_every_setting():
    classifier = TextClassifier("some-lm", "frozen", epochs=3, random_state=7)
    assert clone(classifier).get_params() == classifier.get_params()


def test_clear_errors(tiny_model):
    with pytest.raises(ValueError, match="got one string"):
        TextClassifier(tiny_model).fit("text", ["a"])
    with pytest.raises(ValueError, match="item 1 is int"):
        TextClassifier(tiny_model).fit(["text", 3], ["a", "b"])
    with pytest.raises(ValueError, match="needs a language model"):
        TextClassifier().fit(["a", "b"], ["a", "b"])
