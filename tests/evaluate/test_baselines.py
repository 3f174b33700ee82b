"""Neighbours learn what can be learned from generated reviews."""

import numpy as np
import pytest

from langnet.evaluate.baselines import MajorityBaseline, SvdBaseline, TfidfBaseline, WordVectorsBaseline


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
