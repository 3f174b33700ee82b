"""Chains of mentions in scikit-learn's grammar: `CoreferenceResolver`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from langnet.errors import LangnetError
from langnet.estimators.task_estimator import TaskEstimator
from langnet.evaluate.chain_scores import chain_scores, chain_statistics
from langnet.tasks.corefer import CoreferGuess
from langnet.text.chains import Chain, Document, as_chains

Sentences = Sequence[Sequence[str]]


class CoreferenceResolver(TaskEstimator):
    """Find which words of a document mean the same thing.

    X is a list of documents, each a list of sentences, each a list of words; y has the chains of each document, a list
    of mentions (first word, last word), words counted from 0 through the document. Works in cross_val_score and
    GridSearchCV; `score` is the mean F1 of MUC, B-cubed and CEAF-e over all documents. The settings are those of
    `TaskEstimator`; `settings` knows `longest`, `share`, `antecedents`, `hidden`, `width`, `matches`, `singletons` and
    `segment`.

    Attributes:
        model_: the `langnet.recipes.model.Model`; `model_.save("folder")` keeps it.

    Example:
        >>> resolver = CoreferenceResolver(model="my-lm")  # doctest: +SKIP
        >>> document = [["Ann", "sings", "."], ["She", "smiles", "."]]  # doctest: +SKIP
        >>> resolver.fit([document], [[[(0, 0), (3, 3)]]]).predict([document])  # doctest: +SKIP
    """

    def fit(self, X: Sequence[Sentences], y: Sequence[Sequence[Chain]]) -> Self:
        """Learn from documents and their chains; the language model itself is left as it is.

        Raises:
            LangnetError: no such model or setting, or no two mentions that mean the same thing.
            ValueError: no model, X holds no documents, or y has a mention that is not in its document.
        """
        self.model_ = self._learn("corefer", documents_of(X, y))
        return self

    def predict(self, X: Sequence[Sentences]) -> list[list[Chain]]:
        """The chains of each document, in the order of the text."""
        return [list(guess.chains) for guess in self.guess(X)]

    def guess(self, X: Sequence[Sentences]) -> list[CoreferGuess]:
        """The chains of each document with the links that they come of, and the probability of each."""
        check_is_fitted(self, "model_")
        found: list[CoreferGuess] = self.model_.guess(self._items(X))
        return found

    def _items(self, X: Sequence[Sentences]) -> list[Document]:
        return documents_of(X)

    def score(self, X: Sequence[Sentences], y: Sequence[Sequence[Chain]]) -> float:
        """The mean F1 of MUC, B-cubed and CEAF-e."""
        documents = documents_of(X, y)
        rows = zip(documents, self.predict(X), strict=True)
        table = np.array([chain_statistics(document.chains or (), found) for document, found in rows])
        return float(chain_scores(table.sum(0))["CoNLL_F1"])

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that the input is no array of numbers, and that y is needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def documents_of(X: Any, y: Any = None) -> list[Document]:
    """Documents of lists of sentences, with chains where there are any.

    Raises:
        ValueError: something else, or none.
    """
    if isinstance(X, str) or not len(X):
        raise ValueError("expected one or more documents, each a list of sentences, each a list of words")
    if y is not None and len(y) != len(X):
        raise ValueError(f"y should have the chains of each document; got {len(y)} for {len(X)} documents")
    found = []
    for position, sentences in enumerate(X):
        if isinstance(sentences, str) or any(isinstance(one, str) for one in sentences):
            raise ValueError(
                f"expected documents as lists of sentences, each a list of words, but item {position} is not"
            )
        words = tuple(str(word) for one in sentences for word in one)
        starts, at = [], 0
        for one in sentences:
            starts += [at] if len(one) else []
            at += len(one)
        chains = None if y is None else _chains(y[position], len(words), position)
        found.append(Document(words, tuple(starts) or (0,), chains, name=str(position)))
    return found


def _chains(given: Any, n_words: int, position: int) -> tuple[Chain, ...]:
    named = {}
    for number, chain in enumerate(given):
        spans = [tuple(int(end) for end in span) for span in chain]
        wrong = next((s for s in spans if len(s) != 2 or not 0 <= s[0] <= s[1] < n_words), None)
        if wrong is not None:
            raise ValueError(f"document {position} has {n_words} words and no mention {wrong}")
        named[str(number)] = [(a, b) for a, b in spans]
    chains, dropped = as_chains(named)
    if dropped:
        raise LangnetError(f"document {position} has the same mention in two chains; each belongs to one")
    return chains
