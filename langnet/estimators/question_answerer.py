"""Reading comprehension in scikit-learn's grammar: `QuestionAnswerer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from langnet.estimators.task_estimator import TaskEstimator
from langnet.evaluate.answers import answer_scores, answer_statistics, is_unspaced
from langnet.tasks.answer import AnswerGuess
from langnet.text.clean import clean_text
from langnet.text.questions import Answer, Question, occurrences

Pairs = Sequence[Sequence[str]]


class QuestionAnswerer(TaskEstimator):
    """Find the span of a passage that answers a question.

    X is a list of (question, passage), or an array or a data frame with these two columns. In y stands for each the
    text of the answer, which is right wherever it stands in the passage; or its characters as (start, end); or a list
    of such; or None where the passage does not answer the question. The settings are those of `TaskEstimator`;
    `settings` knows `longest`, `threshold`, `matches`, `window`, `count` and `input_dropout`. Works in
    `cross_val_score`; questions on one passage belong into one fold: `GroupKFold`, with the passages as groups.

    Attributes:
        model_: the `langnet.recipes.model.Model`; `model_.save("folder")` keeps it.

    Example:
        >>> answerer = QuestionAnswerer(model="my-lm")  # doctest: +SKIP
        >>> answerer.fit([("Who wrote it?", "Ann wrote it.")], ["Ann"])  # doctest: +SKIP
    """

    def fit(self, X: Pairs, y: Sequence[Any]) -> Self:
        """Learn from questions and their answers.

        Raises:
            LangnetError: no such model or setting, or nothing to learn from.
            ValueError: no model, X holds no pairs, another number of answers, or an answer that is not in its passage.
        """
        pairs = _pairs(X)
        self.model_ = self._learn("answer", _questions(pairs, _answers(y, pairs)))
        return self

    def predict(self, X: Pairs) -> np.ndarray:
        """The answer to each question, as it stands in its passage, or None; (N,) of objects."""
        found = np.empty(len(X), dtype=object)
        found[:] = [guess.text or None for guess in self.guess(X)]
        return found

    def guess(self, X: Pairs) -> list[AnswerGuess]:
        """The answers with their places and probabilities, the next best, and the probability that there is none."""
        check_is_fitted(self, "model_")
        guesses: list[AnswerGuess] = self.model_.guess(self._items(X))
        return guesses

    def _items(self, X: Pairs) -> list[Question]:
        return _questions(_pairs(X), None)

    def score(self, X: Pairs, y: Sequence[Any]) -> float:
        """The mean F1, as SQuAD's official program has it."""
        pairs = _pairs(X)
        rows = [
            answer_statistics(guess.text, [answer.text for answer in answers], is_unspaced(passage))
            for guess, answers, (_, passage) in zip(self.guess(X), _answers(y, pairs), pairs, strict=True)
        ]
        return float(answer_scores(np.sum(rows, axis=0))["f1"])


def _questions(pairs: list[tuple[str, str]], answers: list[tuple[Answer, ...]] | None) -> list[Question]:
    return [
        Question(
            clean_text(question).text, passage, None if answers is None else answers[index], str(index), source="X"
        )
        for index, (question, passage) in enumerate(pairs)
    ]


def _answers(y: Any, pairs: list[tuple[str, str]]) -> list[tuple[Answer, ...]]:
    """The answers to each question; none where there is none."""
    if y is None:
        raise ValueError("QuestionAnswerer requires y to be passed, but the target y is None")
    given = list(y)
    if len(given) != len(pairs):
        raise ValueError(f"y should have one answer a question; got {len(given)} for {len(pairs)} questions")
    found = []
    for index, (value, (_, passage)) in enumerate(zip(given, pairs, strict=True)):
        several = isinstance(value, list | set | np.ndarray)
        spans = [_spans(one, passage, index) for one in (value if several else [value])]
        found.append(tuple(dict.fromkeys(span for part in spans for span in part)))
    return found


def _spans(value: Any, passage: str, index: int) -> list[Answer]:
    """One answer as spans of the passage: everywhere where a text stands, one place of offsets, none of None."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return []
    if isinstance(value, str):
        places = occurrences(value, passage) if value.strip() else []
        if not places:
            raise ValueError(
                f"answer {index} of y, {value!r:.60}, does not stand in its passage; None says there is none"
            )
    elif isinstance(value, tuple) and len(value) == 2 and all(isinstance(place, int | np.integer) for place in value):
        places = [(int(value[0]), int(value[1]))]
        if not 0 <= places[0][0] < places[0][1] <= len(passage):
            raise ValueError(
                f"answer {index} of y is {value}, which is no span of its passage of {len(passage)} characters"
            )
    else:
        raise ValueError(
            f"answer {index} of y is {value!r:.60}; expected a text, (start, end), a list of such, or None"
        )
    return [Answer(passage[a:b], a) for a, b in places]


def _pairs(values: Any) -> list[tuple[str, str]]:
    """Pairs of strings, or a clear error."""
    if isinstance(values, str):
        raise ValueError("expected a list of (question, passage), got one string")
    rows = values.to_numpy().tolist() if hasattr(values, "to_numpy") else list(values)
    if not rows:
        raise ValueError("expected one or more pairs of question and passage, got none")
    pairs = []
    for position, row in enumerate(rows):
        if isinstance(row, str) or len(row) != 2 or not all(isinstance(text, str) for text in row):
            raise ValueError(f"expected (question, passage), but item {position} is {row!r:.60}")
        pairs.append((str(row[0]), str(row[1])))
    return pairs
