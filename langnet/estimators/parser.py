"""Constituency trees in scikit-learn's grammar: `ConstituencyParser`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from sklearn.utils.validation import check_is_fitted

from langnet.errors import LangnetError
from langnet.estimators.tagger import sentences_of
from langnet.estimators.task_estimator import TaskEstimator
from langnet.evaluate.bracket_scores import bracket_f1
from langnet.tasks.parse import Parse, ParseGuess
from langnet.text.tree_files import ParseItem, item_of
from langnet.text.trees import Chain, Tree, parse_trees, said

Trees = Sequence[str | Tree]


class ConstituencyParser(TaskEstimator):
    """Say which words of a sentence form phrases, and what they are.

    X is a list of sentences, each a list of words; y has a tree of each, as bracketed text or as a
    `langnet.text.trees.Tree`, with functions and empty elements or without. Works in cross_val_score and GridSearchCV;
    `score` is the F1 of labelled brackets, as EVALB has it. The settings are those of `TaskEstimator`; `settings` knows
    `decoder`, `words`, `hidden`, `layers`, `output_mix`, `span_hidden`, `beam` and `length_penalty`.

    Attributes:
        labels_: the labels that the head tells apart; of brackets over the same words those of all.
        tags_: the parts of speech.
        model_: the `langnet.recipes.model.Model`; `model_.save("folder")` keeps it.

    Example:
        >>> parser = ConstituencyParser(model="my-lm")  # doctest: +SKIP
        >>> parser.fit([["Ann", "sings"]], ["(S (NP (NNP Ann)) (VP (VBZ sings)))"])  # doctest: +SKIP
    """

    def fit(self, X: Sequence[Sequence[str]], y: Trees) -> Self:
        """Learn from sentences and their trees; the language model itself is left as it is.

        Raises:
            LangnetError: no such model or setting, or no tree with a bracket.
            ValueError: no model, X holds no sentences, or y has not one tree of its words for each.
        """
        self.model_ = self._learn("parse", items_of(sentences_of(X), y))
        task = self.model_.network.task
        assert isinstance(task, Parse)
        self.labels_: list[Chain] = [tuple(chain) for chain in task.settings.labels]
        self.tags_: list[str] = list(task.settings.tags)
        return self

    def predict(self, X: Sequence[Sequence[str]]) -> list[str]:
        """The tree of each sentence as bracketed text; empty of a sentence without words."""
        return [str(guess) for guess in self.guess(X)]

    def guess(self, X: Sequence[Sequence[str]]) -> list[ParseGuess]:
        """The trees, how probable each is and, by a chart, how probable each of its brackets."""
        check_is_fitted(self, "model_")
        guesses: list[ParseGuess] = self.model_.guess(self._items(X))
        return guesses

    def _items(self, X: Sequence[Sequence[str]]) -> list[ParseItem]:
        return [ParseItem(words) for words in sentences_of(X)]

    def score(self, X: Sequence[Sequence[str]], y: Trees) -> float:
        """F1 of labelled brackets."""
        gold = [item.tree for item in items_of(sentences_of(X), y)]
        return bracket_f1([tree for tree in gold if tree], [guess.tree for guess in self.guess(X)])

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that the input is no array of numbers, and that y is needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def items_of(sentences: Sequence[tuple[str, ...]], values: Any) -> list[ParseItem]:
    """Sentences with their trees, or a clear error.

    Raises:
        ValueError: none, another number of them than sentences, or trees of other words.
    """
    if values is None:
        raise ValueError("requires y to be passed, but the target y is None")
    trees = list(values)
    if len(trees) != len(sentences):
        raise ValueError(f"y should have one tree a sentence; got {len(trees)} for {len(sentences)} sentences")
    found = []
    for position, (value, words) in enumerate(zip(trees, sentences, strict=True)):
        item = item_of(_tree(value, position), f"tree {position} of y")
        if said(item.words) != said(words):
            raise ValueError(f"tree {position} of y has the words {item.words!r:.60}, and its sentence {words!r:.60}")
        found.append(item)
    return found


def _tree(value: Any, position: int) -> Tree:
    if isinstance(value, Tree):
        return value
    if not isinstance(value, str):
        raise ValueError(f"tree {position} of y is {type(value).__name__}; expected bracketed text, or a Tree")
    try:
        found = [tree for tree, _ in parse_trees([value], f"tree {position} of y")]
    except LangnetError as error:
        raise ValueError(str(error)) from error
    if len(found) != 1:
        raise ValueError(f"tree {position} of y holds {len(found)} trees; expected one")
    return found[0]
