"""Tags of words in scikit-learn's grammar: `SequenceTagger`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from langnet.estimators.task_estimator import TaskEstimator
from langnet.evaluate.tag_scores import reading_in, span_scores, tag_statistics, word_scores
from langnet.tasks.tag import Tag, TagGuess
from langnet.text.tagged_sentences import Sentence


class SequenceTagger(TaskEstimator):
    """Tag words: named entities, parts of speech, chunks.

    X is a list of sentences, each a list of words; y has a list of as many tags for each, strings of the schemes IOB1,
    IOB2, IOBES, BILOU, or any others. Works in cross_val_score and GridSearchCV; `score` is the F1 of spans, as
    conlleval has it, or the accuracy of words where tags mark no spans. The settings are those of `TaskEstimator`;
    `settings` knows `crf`, `words`, `scheme`, `constraints`, `hidden`, `layers` and `output_mix`.

    Attributes:
        classes_: the tags that the head tells apart, in the order of the columns of `predict_marginals`.
        scheme_: the scheme of the tags, `plain` where they mark no spans.
        model_: the `langnet.recipes.model.Model`; `model_.save("folder")` keeps it.

    Example:
        >>> tagger = SequenceTagger(model="my-lm")  # doctest: +SKIP
        >>> tagger.fit([["Ann", "sings"]], [["B-PER", "O"]]).predict([["Ann", "dances"]])  # doctest: +SKIP
    """

    def fit(self, X: Sequence[Sequence[str]], y: Sequence[Sequence[str]]) -> Self:
        """Learn from sentences and the tags of their words; the language model itself is left as it is.

        Raises:
            LangnetError: no such model or setting, or fewer than two different tags.
            ValueError: no model, X holds no sentences, or y has not one tag a word.
        """
        words = sentences_of(X)
        tags = tags_of(y, words)
        items = [Sentence(own, right) for own, right in zip(words, tags, strict=True)]
        self.model_ = self._learn("tag", items)
        task = self.model_.network.task
        assert isinstance(task, Tag)
        self.classes_, self.scheme_ = np.array(task.settings.labels), task.settings.written
        return self

    def predict(self, X: Sequence[Sequence[str]]) -> list[list[str]]:
        """The tags of each sentence's words; none of a sentence without words."""
        return [list(guess.tags) for guess in self._guesses(X)]

    def predict_marginals(self, X: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """The probability of every tag of each word, (W, C) a sentence, columns in the order of `classes_`."""
        return [guess.marginals for guess in self._guesses(X) if guess.marginals is not None]

    def score(self, X: Sequence[Sequence[str]], y: Sequence[Sequence[str]]) -> float:
        """F1 of spans over all types; accuracy of words where the tags mark no spans."""
        words = sentences_of(X)
        gold, predicted = tags_of(y, words), self.predict(words)
        statistics, _ = tag_statistics(gold, [predicted], reading_in(self.scheme_))
        sums = statistics[0].sum(0)
        return float(word_scores(sums)["accuracy"] if self.scheme_ == "plain" else span_scores(sums)["f1"])

    def _guesses(self, X: Sequence[Sequence[str]]) -> list[TagGuess]:
        check_is_fitted(self, "model_")
        return self.model_.guess(self._items(X))

    def _items(self, X: Sequence[Sequence[str]]) -> list[Sentence]:
        return [Sentence(words) for words in sentences_of(X)]

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that the input is no array of numbers, and that y is needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def sentences_of(values: Any) -> list[tuple[str, ...]]:
    """Sentences as tuples of words, or a clear error.

    Raises:
        ValueError: not a list of lists of strings, or an empty one.
    """
    if isinstance(values, str):
        raise ValueError("expected a list of sentences, each a list of words, got one string")
    rows = [row if isinstance(row, str) else list(row) for row in values]
    if not rows:
        raise ValueError("expected one or more sentences, got none")
    for position, row in enumerate(rows):
        if isinstance(row, str):
            raise ValueError(f"expected sentences as lists of words, but item {position} is one string; split it first")
        wrong = next((word for word in row if not isinstance(word, str)), None)
        if wrong is not None:
            raise ValueError(f"expected words, but item {position} holds {type(wrong).__name__}")
    return [tuple(map(str, row)) for row in rows]


def tags_of(values: Any, words: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Tags of the words of each sentence, or a clear error.

    Raises:
        ValueError: none, tags that are no strings, or another number of them than words.
    """
    if values is None:
        raise ValueError("requires y to be passed, but the target y is None")
    rows = [tuple(row) for row in values]
    if len(rows) != len(words):
        raise ValueError(f"y should have one list of tags a sentence; got {len(rows)} for {len(words)} sentences")
    for position, (tags, own) in enumerate(zip(rows, words, strict=True)):
        if len(tags) != len(own):
            raise ValueError(f"sentence {position} has {len(own)} words and {len(tags)} tags")
        wrong = next((tag for tag in tags if not isinstance(tag, str)), None)
        if wrong is not None:
            raise ValueError(f"tags are strings, but sentence {position} has the tag {wrong!r}")
    return [tuple(map(str, row)) for row in rows]
