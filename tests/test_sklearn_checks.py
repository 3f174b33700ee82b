"""scikit-learn's own estimator checks: those that ask nothing of the input, and the rest through numbers as words.

scikit-learn skips every check that fits, for an estimator that reads strings. `FromNumbers` writes each row of numbers
as words, so that they run on it after all; what they test is then what lies behind the input: idempotence, types of
labels, errors, pickling, and so on.
"""

import string

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted, validate_data

from langnet.estimators import TextClassifier, TextFeatures
from langnet.recipes.pretrain import PretrainOptions, pretrain

STEPS = np.linspace(-3, 3, 13)
LETTERS = string.ascii_letters


def words(rows: np.ndarray) -> list[str]:
    """A word for every step that a value is above, and one that is always there."""
    texts = []
    for row in np.asarray(rows, dtype=float):
        above = [f"{LETTERS[f % 52]}{LETTERS[s]}" for f, value in enumerate(row) for s in (value > STEPS).nonzero()[0]]
        texts.append(" ".join(["row", *above]))
    return texts


def of_numbers(tags):
    tags.input_tags.string = tags.input_tags.one_d_array = False
    tags.input_tags.two_d_array = True
    return tags


class FromNumbers(TextClassifier):
    """A TextClassifier whose texts are rows of numbers."""

    def fit(self, X, y):
        X, y = validate_data(self, X, y)
        return super().fit(words(X), y)

    def predict_proba(self, X):
        check_is_fitted(self, "model_")
        return super().predict_proba(words(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self):
        return of_numbers(super().__sklearn_tags__())


class FeaturesFromNumbers(TextFeatures):
    """A TextFeatures whose texts are rows of numbers."""

    def fit(self, X, y=None):
        X = validate_data(self, X)
        return super().fit(words(X))

    def transform(self, X):
        check_is_fitted(self, "model_")
        return super().transform(words(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self):
        return of_numbers(super().__sklearn_tags__())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    rows = np.random.default_rng(0).normal(size=(300, 4))
    options = PretrainOptions(size="tiny", context=64, steps=5, batch_tokens=512)
    return pretrain(words(rows), options, texts=True).save(tmp_path_factory.mktemp("models") / "rows")


def run_checks(estimator, expected_failures):
    """Run every check; each expected failure has its reason, and must still fail."""
    results = check_estimator(estimator, on_skip=None, expected_failed_checks=expected_failures)
    assert {result["check_name"] for result in results if result["status"] == "xfail"} == set(expected_failures)
    return {result["check_name"] for result in results if result["status"] == "passed"}


def test_what_asks_nothing_of_the_input():
    # The tags say strings, and scikit-learn then runs the checks of construction and cloning alone.
    with pytest.warns(match="Can't test estimator"):
        run_checks(TextClassifier(), {})
    with pytest.warns(match="Can't test estimator"):
        run_checks(TextFeatures(), {})


def test_classifier_untrained(folder):
    # Random weights and a step or two: quick, and enough for every check but the one that wants accuracy.
    reason = "asks for an accuracy of 0.83, which two steps from random weights do not reach"
    passed = run_checks(FromNumbers(folder, "scratch", least_steps=2, epochs=0.2), {"check_classifiers_train": reason})
    wanted = {"check_fit_idempotent", "check_methods_subset_invariance", "check_methods_sample_order_invariance"}
    wanted |= {"check_estimators_pickle", "check_dict_unchanged", "check_classifiers_classes", "check_set_params"}
    wanted |= {"check_estimators_unfitted", "check_supervised_y_2d", "check_classifiers_regression_target"}
    assert passed >= wanted


@pytest.mark.slow
def test_classifier_frozen(folder):
    assert "check_classifiers_train" in run_checks(FromNumbers(folder, "frozen"), {})


def test_features(folder):
    run_checks(FeaturesFromNumbers(folder, layers=[0, 2]), {})
