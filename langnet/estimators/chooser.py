"""Multiple choice in scikit-learn's grammar: `TextChooser`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from langnet.estimators.task_estimator import TaskEstimator, one_label_each
from langnet.evaluate.choice_statistics import choice_scores, choice_statistics
from langnet.tasks.choose import ChoiceGuess
from langnet.text.multiple_choice import MultipleChoice

Question = tuple[str, Sequence[str]] | tuple[str, str, Sequence[str]]


class TextChooser(ClassifierMixin, TaskEstimator):
    """Choose one of several texts that suits a context, or fills a blank in it.

    An item is (context, alternatives) or (context, question, alternatives), where alternatives are a list of texts;
    items may have different numbers of them. A label is the number of the right one, from 0. The settings are those of
    `TaskEstimator`; `settings` knows `pooling`.

    Attributes:
        classes_: the numbers that the alternatives had in `fit`.
        model_: the `langnet.recipes.model.Model`; `model_.save("folder")` keeps it.

    Example:
        >>> chooser = TextChooser(model="my-lm", method="frozen")  # doctest: +SKIP
        >>> chooser.fit([("It rained.", ["The street is wet.", "It was loud."])], [0])  # doctest: +SKIP
    """

    def fit(self, X: Sequence[Question], y: Sequence[int]) -> Self:
        """Learn from items and the numbers of their right alternatives.

        Raises:
            LangnetError: no such model or setting, or a number that no alternative has.
            ValueError: no model, X holds no items, or y has not one whole number an item.
        """
        answers = one_label_each(y, len(X))
        if not np.issubdtype(answers.dtype, np.integer):
            raise ValueError("y has to hold whole numbers: which of its alternatives is right for each item, from 0")
        items = choice_items(X, answers)
        self.model_ = self._learn("choose", items)
        self.classes_ = np.arange(max(len(item.alternatives) for item in items))
        return self

    def predict_proba(self, X: Sequence[Question]) -> np.ndarray:
        """Probabilities of the alternatives, (N, K); zero where an item has fewer than the most."""
        guesses = self._guesses(X)
        table = np.zeros((len(guesses), max(len(self.classes_), *(len(guess.probabilities) for guess in guesses))))
        for row, guess in zip(table, guesses, strict=True):
            row[: len(guess.probabilities)] = guess.probabilities
        return table

    def predict(self, X: Sequence[Question]) -> np.ndarray:
        """The number of the most probable alternative of each item, (N,)."""
        return np.array([guess.index for guess in self._guesses(X)])

    def score(self, X: Sequence[Question], y: Sequence[int], sample_weight: Any = None) -> float:
        """The accuracy; an item of which two alternatives are as probable counts as wrong."""
        if sample_weight is not None:
            raise ValueError("TextChooser.score takes no sample_weight")
        sums = choice_statistics(one_label_each(y, len(X)).tolist(), [self._guesses(X)])[0].sum(0)
        return float(choice_scores(sums)["accuracy"])

    def _guesses(self, X: Sequence[Question]) -> list[ChoiceGuess]:
        check_is_fitted(self, "model_")
        return self.model_.guess(self._items(X))

    def _items(self, X: Sequence[Question]) -> list[MultipleChoice]:
        return choice_items(X)


def choice_items(values: Any, answers: Sequence[int] | np.ndarray | None = None) -> list[MultipleChoice]:
    """Items of what a user gave, or a clear error.

    Raises:
        ValueError: not a list of items, an empty one, or an item of another form.
    """
    if isinstance(values, str) or not len(values):
        raise ValueError("expected a list of one or more items (context, alternatives)")
    items = []
    for position, value in enumerate(values):
        parts: list[Any] = [value] if isinstance(value, str) else list(value)
        *texts, alternatives = parts or [""]
        listed = [] if isinstance(alternatives, str) else list(alternatives)
        known = all(isinstance(text, str) for text in (*texts, *listed))
        if not listed or not known or len(texts) not in (1, 2):
            raise ValueError(f"expected (context, alternatives), but item {position} is {value!r:.60}")
        answer = None if answers is None else int(answers[position])
        items.append(MultipleChoice(texts[0], tuple(listed), "".join(texts[1:]), answer))
    return items
