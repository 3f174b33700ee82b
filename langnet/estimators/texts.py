"""Single texts in scikit-learn's grammar, beside `TextClassifier`: several labels a text, or a number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from langnet.estimators.checks import list_of_texts, text_tags
from langnet.estimators.task_estimator import TaskEstimator, one_label_each
from langnet.tasks.multilabel import MultiLabel
from langnet.text.text_items import TextItem


class TextMultiLabelClassifier(ClassifierMixin, TaskEstimator):
    """Give texts any number of labels, none included.

    Labels come as a matrix of 0 and 1 with a column a label (an array, a sparse matrix, a data frame whose columns are
    the labels), or as a list of collections of labels; `predict` gives what `fit` got. The settings are those of
    `TaskEstimator`; `settings` knows `thresholds` (`one`, `each`, `half`) and `pooling`. `score` is the share of texts
    whose whole set is right, as everywhere in scikit-learn.

    Attributes:
        classes_: the labels: a matrix's columns, or what the collections hold, sorted.
        model_: the `langnet.recipes.model.Model`; `model_.save("folder")` keeps it.

    Example:
        >>> classifier = TextMultiLabelClassifier(model="my-lm", method="frozen")  # doctest: +SKIP
        >>> classifier.fit(texts, [["plot", "cast"], [], ["music"]]).predict(["fine songs"])  # doctest: +SKIP
    """

    def fit(self, X: Sequence[str], y: Any) -> Self:
        """Learn from texts and their labels.

        Raises:
            LangnetError: no such model or setting.
            ValueError: no model, X holds no texts, or y is neither a matrix nor a list of collections, or holds no
                label at all.
        """
        found = list_of_texts(X)
        self.classes_, gold, self.as_matrix_ = _label_matrix(y, len(found))
        if not gold.any():
            raise ValueError("y holds no label at all; there is nothing to learn from")
        # Positions with leading zeros sort as numbers do, whatever the labels' own type.
        sets = [tuple(f"{place:06d}" for place in np.flatnonzero(row)) for row in gold]
        self.model_ = self._learn("multilabel", [TextItem(a, b) for a, b in zip(found, sets, strict=True)])
        task = self.model_.network.task
        assert isinstance(task, MultiLabel)
        self.learned_ = np.array([int(name) for name in task.settings.labels])  # a label that no text has is not
        names = [str(self.classes_[place]) for place in self.learned_]
        task.settings, self.model_.labels = replace(task.settings, labels=tuple(names)), names
        return self

    def predict_proba(self, X: Sequence[str]) -> np.ndarray:
        """The probability of each label by itself, (N, C), columns in the order of `classes_`."""
        return self._tables(X)[0]

    def predict(self, X: Sequence[str]) -> Any:
        """The labels of each text: a matrix (N, C) of 0 and 1, or a list of tuples, as `fit` got them."""
        given = self._tables(X)[1]
        if self.as_matrix_:
            return given
        return [tuple(self.classes_[np.flatnonzero(row)].tolist()) for row in given]

    def score(self, X: Sequence[str], y: Any, sample_weight: Any = None) -> float:
        """The share of texts whose whole set is right; the columns of an array stand in the order of `classes_`.

        Raises:
            ValueError: y has another number of rows than X, or is an array of another number of columns.
        """
        given = self._tables(X)[1].astype(bool)  # first, so that it says when there was no fit
        places = {label: place for place, label in enumerate(self.classes_.tolist())}
        names, gold, as_matrix = _label_matrix(y, len(given))
        # The columns of an array, in fit or here, have places and no names: 0 is no label that is called so.
        if as_matrix and not (hasattr(y, "columns") and self.classes_.dtype == object):
            if len(names) != len(self.classes_):
                raise ValueError(f"y should have a column a label; got {len(names)} for {len(self.classes_)} labels")
            names = self.classes_
        wanted, strange = np.zeros_like(given), np.zeros(len(given), dtype=bool)
        for label, column in zip(names.tolist(), gold.T, strict=True):
            if label in places:
                wanted[:, places[label]] = column
            else:
                strange |= column
        return float(np.average((given == wanted).all(axis=1) & ~strange, weights=sample_weight))

    def _tables(self, X: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities and decisions, (N, C) each."""
        check_is_fitted(self, "model_")
        guesses = self.model_.guess(self._items(X))
        probabilities = np.zeros((len(guesses), len(self.classes_)))
        probabilities[:, self.learned_] = [list(guess.probabilities.values()) for guess in guesses]
        thresholds = np.full(len(self.classes_), np.inf)
        thresholds[self.learned_] = self.model_.network.task.thresholds
        return probabilities, (probabilities >= thresholds).astype(np.int64)

    def _items(self, X: Sequence[str]) -> list[TextItem]:
        return [TextItem(text) for text in list_of_texts(X)]

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that texts come in and several labels go out."""
        tags = text_tags(super().__sklearn_tags__())
        tags.classifier_tags.multi_label = True
        tags.classifier_tags.multi_class = False
        return tags


class TextRegressor(RegressorMixin, TaskEstimator):
    """Give texts a number: stars, difficulty, years.

    The settings are those of `TaskEstimator`; `settings` knows `bounded` (whether no guess leaves the range that `fit`
    saw) and `pooling`. `score` is scikit-learn's, the coefficient of determination.

    Attributes:
        model_: the `langnet.recipes.model.Model`.

    Example:
        >>> TextRegressor(model="my-lm").fit(reviews, stars).predict(new_reviews)  # doctest: +SKIP
    """

    def fit(self, X: Sequence[str], y: Sequence[float]) -> Self:
        """Learn from texts and their numbers.

        Raises:
            LangnetError: no such model or setting, or numbers that are all the same.
            ValueError: no model, X holds no texts, or y has not one finite number a text.
        """
        found = list_of_texts(X)
        numbers = one_label_each(y, len(found)).astype(np.float64)
        if not np.isfinite(numbers).all():
            raise ValueError("y holds numbers that are missing (NaN) or infinite; drop those texts")
        items = [TextItem(text, float(number)) for text, number in zip(found, numbers, strict=True)]
        self.model_ = self._learn("regress", items)
        return self

    def predict(self, X: Sequence[str]) -> np.ndarray:
        """A number a text, (N,)."""
        check_is_fitted(self, "model_")
        return np.array([guess.value for guess in self.model_.guess(self._items(X))])

    def _items(self, X: Sequence[str]) -> list[TextItem]:
        return [TextItem(text) for text in list_of_texts(X)]

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that the input is a list of strings."""
        return text_tags(super().__sklearn_tags__())


def _label_matrix(y: Any, count: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """The labels (C,), which of N texts has which (N, C) bool, and whether they came as a matrix.

    Raises:
        ValueError: neither a matrix of 0 and 1 nor a list of collections, or another number of them than texts.
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    names = np.asarray(y.columns, dtype=object) if hasattr(y, "columns") else None
    values = y.toarray() if sparse.issparse(y) else y.to_numpy() if hasattr(y, "to_numpy") else y
    if isinstance(values, np.ndarray) and values.ndim == 2:
        if len(values) != count:
            raise ValueError(f"y should have one row a text; got {len(values)} rows for {count} texts")
        if not np.isin(values, (0, 1)).all():
            raise ValueError("y as a matrix should hold 0 and 1 alone, a column a label")
        return (np.arange(values.shape[1]) if names is None else names), values.astype(bool), True
    rows: list[Any] = list(values)
    if len(rows) != count:
        raise ValueError(f"y should have one set of labels a text; got {len(rows)} for {count} texts")
    wrong = next((row for row in rows if isinstance(row, str) or not isinstance(row, Iterable)), None)
    if wrong is not None or any(row is None for row in rows):
        raise ValueError(f"y should be a matrix of 0 and 1 or a list of collections of labels, but holds {wrong!r:.60}")
    sets = [set(row) for row in rows]
    try:
        classes = np.array(sorted(set().union(*sets)), dtype=object)
    except TypeError:
        raise ValueError("y mixes labels that do not sort; make them all strings") from None
    gold = np.array([[label in own for label in classes] for own in sets], dtype=bool).reshape(count, len(classes))
    return classes, gold, False
