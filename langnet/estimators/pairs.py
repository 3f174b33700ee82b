"""Pairs of texts in scikit-learn's grammar: `TextPairClassifier` and `TextPairRegressor`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from langnet.estimators.checks import class_labels
from langnet.estimators.task_estimator import TaskEstimator, one_label_each
from langnet.tasks.entail import Entail
from langnet.text.pairs import Pair


class TextPairClassifier(ClassifierMixin, TaskEstimator):
    """Classify pairs of texts: natural language inference, paraphrase.

    Works where scikit-learn's classifiers do. Pairs come as a list of two texts each, or as an array or a data frame
    with two columns. The settings are those of `TaskEstimator`; `settings` knows `arrangement` (`packed`,
    `both-orders`, `separate`), `pooling`, `alignment` and `documents`.

    Attributes:
        classes_: the labels, sorted.
        model_: the `langnet.recipes.model.Model`; `model_.save("folder")` keeps it.

    Example:
        >>> classifier = TextPairClassifier(model="my-lm", method="frozen")  # doctest: +SKIP
        >>> classifier.fit([("A dog runs.", "An animal moves.")], ["entailment"])  # doctest: +SKIP
    """

    def fit(self, X: Sequence[Sequence[str]], y: Sequence[Any]) -> Self:
        """Learn from pairs and their labels.

        Raises:
            LangnetError: no such model or setting.
            ValueError: no model, X holds no pairs, or y has not one label a pair, or fewer than two classes.
        """
        pairs = text_pairs(X)
        self.classes_, positions = np.unique(class_labels(y, len(pairs), "pair"), return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"TextPairClassifier needs two classes or more; y has 1 class, {self.classes_[0]!r}")
        # Positions with leading zeros sort as numbers do, whatever the labels' own type.
        items = [Pair(a, b, f"{place:06d}") for (a, b), place in zip(pairs, positions, strict=True)]
        self.model_ = self._learn("entail", items)
        names, task = [str(label) for label in self.classes_], self.model_.network.task
        assert isinstance(task, Entail)
        task.settings, self.model_.labels = replace(task.settings, labels=tuple(names)), names
        return self

    def predict_proba(self, X: Sequence[Sequence[str]]) -> np.ndarray:
        """Probabilities, (N, C), columns in the order of `classes_`."""
        check_is_fitted(self, "model_")
        guesses = self.model_.guess(self._items(X))
        return np.array([list(guess.probabilities.values()) for guess in guesses])

    def predict(self, X: Sequence[Sequence[str]]) -> np.ndarray:
        """The most probable label of each pair, of the type that `fit` saw."""
        best = self.predict_proba(X).argmax(axis=1)  # (N,)
        chosen: np.ndarray = self.classes_[best]
        return chosen

    def _items(self, X: Sequence[Sequence[str]]) -> list[Pair]:
        return _unrated(X)


class TextPairRegressor(RegressorMixin, TaskEstimator):
    """Rate pairs of texts: relatedness, semantic similarity; exchanging the texts does not change the rating.

    Pairs and settings are those of `TextPairClassifier`. `score` is scikit-learn's, the coefficient of determination.

    Attributes:
        model_: the `langnet.recipes.model.Model`.

    Example:
        >>> TextPairRegressor(model="my-lm").fit(pairs, ratings).predict(new_pairs)  # doctest: +SKIP
    """

    def fit(self, X: Sequence[Sequence[str]], y: Sequence[float]) -> Self:
        """Learn from pairs and their ratings.

        Raises:
            LangnetError: no such model or setting, or ratings that are all the same.
            ValueError: no model, X holds no pairs, or y has not one finite number a pair.
        """
        pairs = text_pairs(X)
        ratings = one_label_each(y, len(pairs)).astype(np.float64)
        if not np.isfinite(ratings).all():
            raise ValueError("y holds ratings that are missing (NaN) or infinite; drop those pairs")
        items = [Pair(a, b, float(rating)) for (a, b), rating in zip(pairs, ratings, strict=True)]
        self.model_ = self._learn("similarity", items)
        return self

    def predict(self, X: Sequence[Sequence[str]]) -> np.ndarray:
        """A rating a pair, (N,), within the range that `fit` saw."""
        check_is_fitted(self, "model_")
        return np.array([guess.value for guess in self.model_.guess(self._items(X))])

    def _items(self, X: Sequence[Sequence[str]]) -> list[Pair]:
        return _unrated(X)


def _unrated(values: Any) -> list[Pair]:
    """Pairs without labels."""
    return [Pair(a, b) for a, b in text_pairs(values)]


def text_pairs(values: Any) -> list[tuple[str, str]]:
    """Pairs of strings, or a clear error.

    Raises:
        ValueError: not a list of pairs, an empty one, or something in a pair that is not text.
    """
    if isinstance(values, str):
        raise ValueError("expected a list of pairs of texts, got one string")
    rows = values.to_numpy().tolist() if hasattr(values, "to_numpy") else list(values)
    if not rows:
        raise ValueError("expected one or more pairs of texts, got none")
    pairs = []
    for position, row in enumerate(rows):
        if isinstance(row, str) or len(row) != 2 or not all(isinstance(text, str) for text in row):
            raise ValueError(f"expected pairs of two texts, but item {position} is {row!r:.60}")
        pairs.append((str(row[0]), str(row[1])))
    return pairs
