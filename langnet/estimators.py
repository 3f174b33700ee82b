"""The scikit-learn grammar: `TextClassifier(model="my-lm").fit(texts, labels).predict(texts)`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from langnet.recipes.finetune import FinetuneOptions, Method, finetune
from langnet.recipes.model import Model, load


class TextClassifier(ClassifierMixin, BaseEstimator):
    """Classify texts by transfer from a language model.

    Works wherever scikit-learn's classifiers do: Pipeline, cross_val_score, GridSearchCV.

    Args:
        model: a language model, its folder or its name.
        method: `finetune`, `frozen` or `scratch`; see `langnet.recipes.finetune.FinetuneOptions`, as for all below.
        epochs: passes over the texts; None chooses.
        batch_size: documents a step.
        learning_rate: peak rate of the top layer.
        layer_decay: how much slower each layer learns than the one above.
        gradual_unfreezing: thaw layer by layer.
        auxiliary_lm: weight of the language-model loss.
        unlabelled: further texts of the same kind, for pseudo-labels.
        random_state: seed, an int.

    Attributes:
        classes_: the labels, sorted.
        model_: the fine-tuned `langnet.recipes.model.Model`; `model_.save("folder")` keeps it.

    Example:
        >>> classifier = TextClassifier(model="my-lm", method="frozen")  # doctest: +SKIP
        >>> classifier.fit(texts, labels).predict(["a fine film"])  # doctest: +SKIP
    """

    def __init__(  # noqa: PLR0913 - scikit-learn wants every setting as an argument of its own
        self,
        model: Model | str | Path | None = None,
        method: Method = "finetune",
        *,
        epochs: float | None = None,
        batch_size: int = 16,
        learning_rate: float = 3e-4,
        layer_decay: float = 1.5,
        gradual_unfreezing: bool = False,
        auxiliary_lm: float = 0.0,
        unlabelled: Sequence[str] | None = None,
        random_state: int = 0,
    ):
        self.model = model
        self.method = method
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.layer_decay = layer_decay
        self.gradual_unfreezing = gradual_unfreezing
        self.auxiliary_lm = auxiliary_lm
        self.unlabelled = unlabelled
        self.random_state = random_state

    def fit(self, X: Sequence[str], y: Sequence[Any]) -> Self:
        """Learn from texts and their labels; the language model itself is left as it is.

        Raises:
            LangnetError: no model, no such model, or fewer than two labels.
            ValueError: X holds no texts, or X and y differ in length.
        """
        texts = _texts(X)
        gold = np.asarray(y)
        if gold.ndim != 1 or len(gold) != len(texts):
            raise ValueError(f"y should be 1d with one label a text; got shape {gold.shape} for {len(texts)} texts")
        if self.model is None:
            raise ValueError("TextClassifier needs a language model: TextClassifier(model='folder of a model')")
        base = self.model if isinstance(self.model, Model) else load(self.model)
        self.classes_, positions = np.unique(gold, return_inverse=True)
        # Positions with leading zeros sort as numbers do, whatever the labels' own type.
        names = [f"{position:06d}" for position in positions]
        options = FinetuneOptions(
            method=self.method,
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            layer_decay=self.layer_decay,
            gradual_unfreezing=self.gradual_unfreezing,
            auxiliary_lm=self.auxiliary_lm,
            seed=self.random_state,
        )
        unlabelled = None if self.unlabelled is None else _texts(self.unlabelled)
        self.model_ = finetune(base, texts, names, options, unlabelled=unlabelled)
        self.model_.labels = [str(label) for label in self.classes_]
        return self

    def predict_proba(self, X: Sequence[str]) -> np.ndarray:
        """Probabilities, (N, C), columns in the order of `classes_`."""
        check_is_fitted(self, "model_")
        return self.model_.predict_proba(_texts(X))

    def predict(self, X: Sequence[str]) -> np.ndarray:
        """The most probable label of each text, of the type that `fit` saw."""
        chosen: np.ndarray = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return chosen

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that the input is a list of strings."""
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        return tags


def _texts(values: Sequence[str]) -> list[str]:
    """A list of strings, or a clear error.

    Raises:
        ValueError: one string instead of several, an empty list, or something that is not text.
    """
    if isinstance(values, str):
        raise ValueError("expected a list of texts, got one string; put it in a list: [text]")
    array = np.asarray(values, dtype=object)
    if array.ndim == 2 and array.shape[1] == 1:  # a column of a data frame
        array = array[:, 0]
    if array.ndim != 1 or not len(array):
        raise ValueError(f"expected a list of one or more texts, got an array of shape {array.shape}")
    for position, value in enumerate(array):
        if not isinstance(value, str):
            raise ValueError(f"expected texts, but item {position} is {type(value).__name__}")
    return list(array)
