"""The contract of a kind of task: what the recipes, the command line and the estimators have to know of it.

A kind ties the rooms together: how a task's files are read (text), its head (tasks), its scores and neighbours
(evaluate), and how guesses are written in the format that its items came in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic

import numpy as np

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.evaluate.predictions import Predictions
from langnet.evaluate.scoring import Neighbour
from langnet.tasks.task import ClassGuess, Guess, Item, SupervisedTask
from langnet.text.corpus import Source
from langnet.text.formats import ARCHIVES, COMPRESSIONS, WORD_FILES
from langnet.text.structures import Drawing
from langnet.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from langnet.recipes.model import Model

_NEVER_WRITTEN = (".csv", ".parquet", *COMPRESSIONS, *ARCHIVES)
_JSON = (".jsonl", ".ndjson", ".json")


@dataclass(frozen=True)
class Columns:
    """Which columns of a table hold what; None leaves it to the format.

    Attributes:
        text: of the text, the premise, the question or the words.
        second: of the hypothesis, or whatever stands beside the text.
        label: of the label or the tags.
        where: only the rows with these values in these columns.
        separator: between the labels of a cell, where it may hold several.
    """

    text: str | None = None
    second: str | None = None
    label: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    separator: str | None = None


@dataclass(frozen=True)
class HeadOptions:
    """How a task's head is built; a task takes of it what it has a use for, and says so where it has none.

    Attributes:
        dropout: before each linear layer.
        hidden: units of a hidden layer, or of each direction of a recurrent task network; None takes the task's own.
        settings: of the task alone, by name.
        document_dim: length of the document vectors that the model has; 0 where it has none, or they are off.
        tokenizer: the model's, for heads that write in its vocabulary; the recipe names it.
        frozen: whether the encoder stays as it is; likewise.
    """

    dropout: float = 0.1
    hidden: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    document_dim: int = 0
    tokenizer: Tokenizer | None = None
    frozen: bool = False


class Kind(ABC, Generic[Item, Guess]):
    """One kind of supervised task.

    Attributes:
        name: as users give it.
        summary: one line.
        unit: what an item is, in the plural.
        several_runs: whether few items are learned from in several runs where nobody says how many; see
            `langnet.recipes.seeds`.
        labels_further: whether guesses have probabilities by which unlabelled items can become further examples: then
            the kind has `labelled` and `stratum`.
    """

    name: str
    summary: str
    unit: str
    several_runs: bool = True
    labels_further: bool = False

    @abstractmethod
    def read(self, sources: Sequence[Source], columns: Columns, labelled: bool = True) -> list[Item]:
        """The items of files in the field's formats; without labels where they are to be predicted.

        Raises:
            LangnetError: a row that cannot be read, with file, line and column.
        """

    @abstractmethod
    def head(self, items: Sequence[Item], encoder: Encoder, options: HeadOptions) -> SupervisedTask[Item, Guess]:
        """A new head for the labels that the training items have, its weights drawn from torch's random state.

        Raises:
            LangnetError: the items cannot be learned from.
        """

    @abstractmethod
    def statistics(self, items: Sequence[Item], methods: Sequence[Sequence[Guess]]) -> np.ndarray:
        """What each item adds to the scores of each of M methods, (M, N, S).

        Args:
            items: N, with their labels.
            methods: each method's guesses of all items.
        """

    @abstractmethod
    def scores(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        """The scores of sums (..., S) of statistics, by name; the one that is watched first."""

    @abstractmethod
    def neighbours(self, train: Sequence[Item], test: Sequence[Item]) -> list[Neighbour]:
        """What simple methods, the majority first, learn from the same training items, and say of the test items."""

    def simplest(self, train: Sequence[Item], test: Sequence[Item]) -> Neighbour:
        """The first of the neighbours, which has learned no more than what is most frequent."""
        return self.neighbours(train, test)[0]

    @abstractmethod
    def written(self, items: Sequence[Item], guesses: Sequence[Guess]) -> str:
        """A file of the guesses, in the format of the items."""

    def written_as(self, suffix: str, items: Sequence[Item], guesses: Sequence[Guess]) -> str:
        """As `written`, for a file whose name ends in `suffix`, where a kind has more than one format."""
        return self.written(items, guesses)

    def check_output(self, items: Sequence[Item], suffix: str = "") -> None:
        """Nothing, where guesses of these items can be written into such a file; asked before the work.

        Raises:
            LangnetError: they cannot.
        """
        if suffix in _JSON and self.writes_json(items):
            return
        layouts = [getattr(item, "layout", None) for item in items]
        formats = {tuple(getattr(own, name, None) for name in ("kind", "tabs", "added")) for own in layouts}
        if len(formats) > 1:
            raise LangnetError(f"the {self.unit} stand in different formats; predict on one file at a time")
        objects = any(getattr(own, "kind", "") == "json" for own in layouts)
        if suffix in (*_NEVER_WRITTEN, *_JSON) or (objects and suffix in WORD_FILES):
            raise LangnetError(
                f"the task '{self.name}' writes {self.unit} in the format that they came in, and not into {suffix}; "
                "name the file by that format"
            )

    def writes_json(self, items: Sequence[Item]) -> bool:
        """Whether guesses of these items are lines of JSON, where `check_output` is not the kind's own."""
        return all(getattr(getattr(item, "layout", None), "kind", "") == "json" for item in items)

    def group(self, item: Item) -> str | None:
        """What held-out items may not share with those that are learned from, such as an article; None for nothing."""
        return None

    def as_read(self, items: Sequence[Item], columns: Columns) -> Columns:
        """The columns with what reading these items has found out of them, so that other files are read alike."""
        return columns

    def begin(self, model: Model, examples: Sequence[Any], fit: bool, seed: int) -> Mapping[str, Any] | None:
        """Before steps are taken: make the head ready, or fit it on frozen features at once where the task can.

        Args:
            model: with the new head, on its device.
            examples: to learn from.
            fit: whether a head is wanted that has learned already.
            seed: of what is random in it.

        Returns:
            What was chosen, of a head that needs no steps on a frozen encoder; None of one that does.
        """
        return None

    def settle(self, task: SupervisedTask[Item, Guess], items: Sequence[Item], guesses: Sequence[Guess]) -> None:
        """After training, choose what the head decides by, such as a threshold, on held-out items."""

    def labelled(self, item: Item, guess: Guess) -> tuple[Item, float]:
        """The item with the guess as its label, and how sure the guess is; 0 where nothing is to be learned of it.

        Raises:
            LangnetError: the kind's guesses have no probabilities.
        """
        raise self.unsure()

    def unsure(self) -> LangnetError:
        """That the kind's guesses cannot become labels."""
        return LangnetError(
            f"the task '{self.name}' does not say how sure its guesses are, by which unlabelled {self.unit} could be "
            "labelled; leave --unlabelled out"
        )

    def stratum(self, item: Item) -> Hashable:
        """Of a labelled item: what guessed labels keep the proportions of, so that no class swallows the others."""
        return ""

    def remarks(self, items: Sequence[Item]) -> list[str]:
        """What was found and mended while these items were read, a line each."""
        return []

    def labels(self, task: SupervisedTask[Item, Guess]) -> list[str] | None:
        """The names of what the head tells apart, where it has such."""
        return None

    def labels_in(
        self, task: SupervisedTask[Item, Guess], items: Sequence[Item]
    ) -> tuple[Sequence[str], Iterable[tuple[str, str]]] | None:
        """The labels that the head can say, and those of items with where each stands; None of a kind without such.

        Raises:
            LangnetError: the items have labels of another sort.
        """
        return None

    def gold(self, items: Sequence[Item]) -> list[str] | None:
        """The true class of each item, where guesses are `ClassGuess`es: for abstention, and calibration."""
        return None

    def decisions(self, items: Sequence[Item], guesses: Sequence[Guess]) -> tuple[list[str], Predictions] | None:
        """What is right and what was said, with its probability, for calibration; None of a task without such."""
        gold = self.gold(items)
        return None if gold is None else (gold, Predictions.from_guesses(guesses))  # type: ignore[arg-type]

    def said(self, item: Item, guess: Guess) -> str:
        """A guess in a few words, for people."""
        return guess.label if isinstance(guess, ClassGuess) else str(guess)

    def drawings(self, model: Model, items: Sequence[Item], guesses: Sequence[Guess]) -> Sequence[Drawing]:
        """As `structures`, for a kind that has to ask the model again."""
        return self.structures(items, guesses)

    def structures(self, items: Sequence[Item], guesses: Sequence[Guess]) -> Sequence[Drawing]:
        """What is to be drawn of the guesses, where they are of words: one an item.

        Raises:
            LangnetError: they are not.
        """
        raise LangnetError(f"what the task '{self.name}' says is not drawn; leave --html and --svg out")

    def details(self, items: Sequence[Item], guesses: Sequence[Guess]) -> list[str]:
        """Further lines of an evaluation, such as scores by class."""
        return []
