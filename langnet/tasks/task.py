"""The task contract: hidden states in, a loss, predictions and a metric out.

A pretraining objective is a task whose labels come free with the text; translation or NLI as pretraining is the same
object, its head thrown away afterwards. A task owns its head and never reaches into an encoder beyond the contract.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.tasks.writing import Writer
from langnet.text.batches import Batch

Item = TypeVar("Item")
Guess = TypeVar("Guess")


@dataclass(frozen=True)
class ClassGuess:
    """What a task with classes says of an example.

    Attributes:
        label: the most probable class.
        probabilities: of every class, by name.
    """

    label: str
    probabilities: Mapping[str, float]

    @classmethod
    def rows(cls, names: Sequence[str], table: Any) -> list[ClassGuess]:
        """One guess a row of probabilities (N, C)."""
        return [cls(names[int(row.argmax())], dict(zip(names, map(float, row), strict=True))) for row in table]


class Task(nn.Module, ABC):
    """Base class of all tasks.

    Attributes:
        name: of the task, in configurations and logs.
        gives_probabilities: whether an encoder that learned this task gives texts probabilities by its own softmax, as
            a language model does: then text can be scored, and written where it is read from left to right.
    """

    name: str
    gives_probabilities: bool = False

    @abstractmethod
    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        """The mean loss of a batch, a scalar.

        Args:
            encoder: for tasks that use its softmax.
            encoding: what the encoder returned for `batch.ids`.
            batch: the ids, their mask and the labels.
        """

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """JSON-serialisable settings from which the task is rebuilt; `name` among them."""


class SupervisedTask(Task, Generic[Item, Guess]):
    """A task whose labels people gave: it says how an item is written as tokens, and what its states mean.

    An item is what a file's row, sentence or question was read into; a guess is what the task says of one.

    Attributes:
        document_dim: length of the model's document vectors where the task reads them beside the states; else 0.
    """

    document_dim: int = 0

    @abstractmethod
    def examples(self, items: Sequence[Item], writer: Writer, labelled: bool = True) -> list[Any]:
        """Items as token ids, each with `ids` (T,) or (T, C), and with its label unless they are to be predicted.

        Raises:
            LangnetError: an item has a label that the task does not know.
        """

    @abstractmethod
    def collate(self, examples: Sequence[Any], context: int | None, pad_id: int) -> Batch:
        """One batch of examples; none of its rows is longer than `context`. All rows of an example are in one batch."""

    @abstractmethod
    def guesses(self, encoding: Encoding, batch: Batch) -> list[Guess]:
        """What the task says of each of the batch's N examples."""
