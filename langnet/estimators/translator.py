"""Translation in scikit-learn's grammar: `Translator`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from langnet.estimators.task_estimator import TaskEstimator
from langnet.evaluate.translation_scores import translation_scores, translation_statistics
from langnet.recipes.alignments import alignments
from langnet.tasks.translate import TranslateGuess
from langnet.text.clean import clean_text
from langnet.text.structures import Aligned
from langnet.text.translations import Translation


class Translator(TaskEstimator):
    """Translate sentences.

    X is a list of sentences, y a list of their translations. Works in cross_val_score and GridSearchCV; `score` is BLEU
    as sacreBLEU counts it, from 0 to 100. The settings are those of `TaskEstimator`; `settings` knows
    `vocabulary_size`, `hidden`, `layers`, `width`, `decoder_hidden`, `decoder_layers`, `attention`, `input_feeding`,
    `smoothing`, `beam`, `length_penalty`, `longest`, `lexical`,
    `vocabulary`, `form` and `source_loss`.

    Attributes:
        model_: the `langnet.recipes.model.Model`; `model_.save("folder")` keeps it.

    Example:
        >>> translator = Translator(model="my-lm")  # doctest: +SKIP
        >>> translator.fit(["a dog"], ["ein Hund"]).predict(["a dog"])  # doctest: +SKIP
    """

    def fit(self, X: Sequence[str], y: Sequence[str]) -> Self:
        """Learn from sentences and their translations; the language model itself is left as it is.

        Raises:
            LangnetError: no such model or setting.
            ValueError: no model, X holds no sentences, or y has not one translation a sentence.
        """
        texts = _texts(X, "X")
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        targets = _texts(y, "y")
        if len(targets) != len(texts):
            raise ValueError(f"y should have one translation a sentence; got {len(targets)} for {len(texts)}")
        items = [Translation(text, target) for text, target in zip(texts, targets, strict=True)]
        self.model_ = self._learn("translate", items)
        return self

    def predict(self, X: Sequence[str]) -> np.ndarray:
        """The translation of each sentence, (N,) of strings."""
        return np.array([guess.text for guess in self.guess(X)], dtype=object)

    def guess(self, X: Sequence[str]) -> list[TranslateGuess]:
        """The translation of each sentence with its log-probability."""
        check_is_fitted(self, "model_")
        found: list[TranslateGuess] = self.model_.guess(self._items(X))
        return found

    def _items(self, X: Sequence[str]) -> list[Translation]:
        return [Translation(text) for text in _texts(X, "X")]

    def alignments(self, X: Sequence[str]) -> list[Aligned]:
        """The tokens of each sentence and of its translation, and how much each of these looked at each of those."""
        check_is_fitted(self, "model_")
        return alignments(self.model_, self._items(X))

    def score(self, X: Sequence[str], y: Sequence[str]) -> float:
        """BLEU, from 0 to 100."""
        sums = translation_statistics([str(text) for text in self.predict(X)], _texts(y, "y")).sum(0)
        return float(translation_scores(sums)["BLEU"])

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that the input is no array of numbers, and that y is needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _texts(values: Any, name: str) -> list[str]:
    """Strings, cleaned as those of files are, so that blanks alone are no sentence; or a clear error.

    Raises:
        ValueError: something else, or none.
    """
    if isinstance(values, str) or not len(values):
        raise ValueError(f"expected {name} to be a list of sentences, each one string")
    if getattr(values, "ndim", 1) != 1:  # a data frame, whose items are the names of its columns
        if values.shape[1:] != (1,):
            raise ValueError(f"expected {name} to be a list of sentences, got an array of shape {values.shape}")
        values = np.asarray(values, dtype=object)[:, 0]
    wrong = next((value for value in values if not isinstance(value, str)), None)
    if wrong is not None:
        raise ValueError(f"expected {name} to hold sentences as strings, but it holds {type(wrong).__name__}")
    return [clean_text(str(value)).text for value in values]
