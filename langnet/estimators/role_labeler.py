"""Semantic roles in scikit-learn's grammar: `RoleLabeler`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from langnet.estimators.task_estimator import TaskEstimator
from langnet.evaluate.role_scores import role_f1
from langnet.tasks.label_roles import LabelRoles, RoleGuess
from langnet.text.frames import Frame, FramedSentence
from langnet.text.tag_schemes import Span

Roles = Mapping[int, Sequence[tuple[str, int, int]]]


class RoleLabeler(TaskEstimator):
    """Label semantic roles: who does what to whom, for each predicate of a sentence.

    X is a list of sentences, each a list of words, or a pair of such a list and the numbers of its predicates; y has
    for each sentence the roles of each predicate, `{1: [("A0", 0, 1), ("A1", 2, 4)]}`: a name, the first word, and the
    one after the last, counted from 0. In `predict`, the predicates of sentences that come without are found. Works in
    cross_val_score and GridSearchCV; `score` is the F1 of roles with the predicates that y has, as CoNLL-2005's
    official program has it. The settings are those of `TaskEstimator`; `settings` knows `crf`, `words`, `constraints`,
    `rules`, `finder`, `predicate`, `mark`, `hidden`, `layers` and `output_mix`.

    Attributes:
        classes_: the tags that the head tells apart.
        model_: the `langnet.recipes.model.Model`; `model_.save("folder")` keeps it.

    Example:
        >>> labeler = RoleLabeler(model="my-lm")  # doctest: +SKIP
        >>> labeler.fit([["Ann", "sings"]], [{1: [("A0", 0, 1)]}]).predict([["Bob", "dances"]])  # doctest: +SKIP
    """

    def fit(self, X: Sequence[Any], y: Sequence[Roles]) -> Self:
        """Learn from sentences and the roles of their predicates; the language model itself is left as it is.

        Raises:
            LangnetError: no such model or setting, or no roles at all.
            ValueError: no model, X holds no sentences, or y has not the roles of each of their predicates.
        """
        self.model_ = self._learn("label_roles", framed(X, y))
        task = self.model_.network.task
        assert isinstance(task, LabelRoles)
        self.classes_ = np.array(task.settings.labels)
        return self

    def predict(self, X: Sequence[Any]) -> list[dict[int, list[Span]]]:
        """The roles of each sentence's predicates, in the form of y: tuples `Span(type, start, end)`."""
        return [{frame.predicate: list(frame.roles or ()) for frame in guess.frames} for guess in self.guess(X)]

    def guess(self, X: Sequence[Any]) -> list[RoleGuess]:
        """The same with the probabilities of roles, and of each word to be a predicate."""
        check_is_fitted(self, "model_")
        guesses: list[RoleGuess] = self.model_.guess(self._items(X))
        return guesses

    def _items(self, X: Sequence[Any]) -> list[FramedSentence]:
        return _read(X)

    def score(self, X: Sequence[Any], y: Sequence[Roles]) -> float:
        """F1 of roles, the predicates of y given."""
        check_is_fitted(self, "model_")
        items = framed(X, y)
        said = self.model_.guess(items)
        return role_f1([item.frames or () for item in items], [guess.frames for guess in said])

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that the input is no array of numbers, and that y is needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _read(values: Any) -> list[FramedSentence]:
    """Sentences, and their predicates where they are given.

    Raises:
        ValueError: something else, or nothing.
    """
    if isinstance(values, str):
        raise ValueError("expected a list of sentences, each a list of words, got one string")
    rows = list(values)
    if not rows:
        raise ValueError("expected one or more sentences, got none")
    return [_sentence(row, position) for position, row in enumerate(rows)]


def _sentence(row: Any, position: int) -> FramedSentence:
    predicates = None
    if isinstance(row, tuple) and len(row) == 2 and not isinstance(row[0], str):
        row, predicates = row
    if isinstance(row, str) or not all(isinstance(word, str) for word in row):
        raise ValueError(
            f"expected sentences as lists of words, or pairs of such a list and of its predicates' numbers, but item "
            f"{position} is {str(row)[:40]!r}"
        )
    words = tuple(map(str, row))
    if predicates is None:
        return FramedSentence(words)
    return FramedSentence(words, tuple(Frame(_place(place, words, position)) for place in sorted(predicates)))


def _place(place: Any, words: Sequence[str], position: int) -> int:
    if not isinstance(place, int | np.integer) or isinstance(place, bool) or not 0 <= place < len(words):
        raise ValueError(f"sentence {position} has {len(words)} words, counted from 0, and a predicate {place!r}")
    return int(place)


def framed(X: Any, y: Any) -> list[FramedSentence]:
    """Sentences with the roles of their predicates, or a clear error.

    Raises:
        ValueError: no y, another number of rows than sentences, or what is no role of a word.
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    sentences, rows = _read(X), list(y)
    if len(rows) != len(sentences):
        raise ValueError(f"y should have the roles of each sentence; got {len(rows)} for {len(sentences)} sentences")
    found = []
    for position, (sentence, roles) in enumerate(zip(sentences, rows, strict=True)):
        if not isinstance(roles, Mapping):
            raise ValueError(f"roles of sentence {position}: expected a dict by predicate, got {type(roles).__name__}")
        frames = [
            Frame(_place(place, sentence.words, position), _spans(own, sentence.words, position))
            for place, own in sorted(roles.items())
        ]
        in_x, in_y = (None if own is None else sorted({f.predicate for f in own}) for own in (sentence.frames, frames))
        if in_x not in (None, in_y):
            raise ValueError(f"sentence {position} has the predicates {in_x} in X and {in_y} in y; give the same")
        found.append(FramedSentence(sentence.words, tuple(frames)))
    return found


def _spans(roles: Any, words: Sequence[str], position: int) -> tuple[Span, ...]:
    found = []
    for role in roles:
        try:
            name, start, end = role
            right = isinstance(name, str) and 0 <= start < end <= len(words)
        except (TypeError, ValueError):
            right = False
        if not right:
            raise ValueError(
                f"sentence {position} has {len(words)} words and the role {role!r}; expected a name, the first word "
                "and the one after the last, as ('A0', 0, 2)"
            )
        found.append(Span(name, int(start), int(end)))
    return tuple(sorted(found, key=lambda span: (span.start, span.end)))
