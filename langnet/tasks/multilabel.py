"""Texts with any number of labels: a probability of each label by itself, and thresholds above which it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from langnet.encoders.encoder import Encoder, Encoding
from langnet.encoders.precision import exact
from langnet.errors import LangnetError
from langnet.tasks.document_head import DocumentHead, HeadShape
from langnet.tasks.examples import Example, collate
from langnet.tasks.task import SupervisedTask, at_temperature
from langnet.tasks.writing import Writer
from langnet.text.batches import Batch
from langnet.text.text_items import TextItem

Thresholds = Literal["one", "each", "half"]


@dataclass(frozen=True)
class MultiLabelConfig:
    """How the head is built.

    Attributes:
        labels: C names, sorted.
        thresholds: C probabilities, from which on a label is given; none given stands for 0.5 each.
        how: in which way thresholds are chosen; see `langnet.evaluate.label_sets.choose_thresholds`.
        shape: of the head.
    """

    labels: Sequence[str]
    thresholds: Sequence[float] = ()
    how: Thresholds = "one"
    shape: HeadShape = field(default_factory=HeadShape)


@dataclass(frozen=True)
class LabelSetGuess:
    """What is guessed of a text.

    Attributes:
        labels: those that are given, sorted; perhaps none.
        probabilities: of every label, by name, each by itself.
    """

    labels: tuple[str, ...]
    probabilities: Mapping[str, float]

    def at_temperature(self, temperature: float) -> LabelSetGuess:
        """The same labels with surer or less sure probabilities; what was a threshold moves with them."""
        yes = np.array(list(self.probabilities.values()))
        values = at_temperature(np.stack([1 - yes, yes], axis=1), temperature)[:, 1]
        return LabelSetGuess(self.labels, dict(zip(self.probabilities, map(float, values), strict=True)))

    def __str__(self) -> str:
        return "{" + ", ".join(self.labels) + "}"


class MultiLabel(DocumentHead, SupervisedTask[TextItem, LabelSetGuess]):
    """A head on documents whose scores are the log-odds of labels; the loss is minus the log-probability of the set."""

    name = "multilabel"

    def __init__(self, config: MultiLabelConfig, dim: int):
        super().__init__(config.shape, len(config.labels), dim)
        self.settings = config
        self.document_dim = config.shape.n_features

    @property
    def thresholds(self) -> np.ndarray:
        """(C,)."""
        return np.array(self.settings.thresholds or [0.5] * len(self.settings.labels), dtype=np.float64)

    def settle(self, thresholds: Sequence[float] | np.ndarray) -> None:
        """Give labels from these probabilities on."""
        self.settings = replace(self.settings, thresholds=tuple(map(float, thresholds)))

    def examples(self, items: Sequence[TextItem], writer: Writer, labelled: bool = True) -> list[Example]:
        targets = self.targets(items) if labelled else None
        return writer.documents_as_examples([item.text for item in items], targets)

    def targets(self, items: Sequence[TextItem]) -> np.ndarray:
        """Which labels each text has, (N, C) float32 of 0 and 1.

        Raises:
            LangnetError: a label that the head does not know, or no set of labels.
        """
        place = {name: index for index, name in enumerate(self.settings.labels)}
        found = np.zeros((len(items), len(place)), dtype=np.float32)
        for row, item in zip(found, items, strict=True):
            where = f"{item.source}: " if item.source else ""
            if not isinstance(item.label, tuple):
                raise LangnetError(f"{where}the text has no set of labels, and needs one, be it empty")
            for label in item.label:
                if label not in place:
                    known = ", ".join(self.settings.labels[:10])
                    raise LangnetError(f"{where}the model does not know the label '{label}'; it knows {known}")
                row[place[label]] = 1
        return found

    def collate(self, examples: Sequence[Example], context: int | None, pad_id: int) -> Batch:
        return collate(examples, context, pad_id)

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        assert batch.labels is not None, "labels are learned from sets of them"
        return set_loss(self.scores(encoding, batch), batch.labels)

    def guesses(self, encoding: Encoding, batch: Batch) -> list[LabelSetGuess]:
        table = exact(self.scores(encoding, batch)).sigmoid().cpu().numpy()  # (N, C)
        return label_set_guesses(self.settings.labels, table, self.thresholds)

    def guess_scores(self, encoding: Encoding, batch: Batch, guesses: Sequence[LabelSetGuess]) -> Tensor:
        """The log-probability of the whole set that is guessed."""
        given = [[name in guess.labels for name in self.settings.labels] for guess in guesses]
        scores = self.scores(encoding, batch).float()  # (N, C)
        signs = 2 * torch.tensor(given, dtype=scores.dtype, device=scores.device) - 1  # (N, C)
        return F.logsigmoid(signs * scores).sum(1)  # (N,)

    def config(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self.settings)}


def set_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Minus the log-probability of each text's set, labels being independent given the text: the mean, in nats.

    Args:
        scores: (N, C) log-odds.
        targets: (N, C) of 0 and 1.
    """
    nats = F.binary_cross_entropy_with_logits(scores.float(), targets.float(), reduction="none")  # (N, C)
    return nats.sum(1).mean()


def label_set_guesses(names: Sequence[str], table: np.ndarray, thresholds: np.ndarray) -> list[LabelSetGuess]:
    """One guess a row of probabilities (N, C): the labels that reach their thresholds (C,)."""
    rows = zip(table, table >= thresholds, strict=True)
    return [
        LabelSetGuess(
            tuple(name for name, one in zip(names, given, strict=True) if one),
            dict(zip(names, map(float, row), strict=True)),
        )
        for row, given in rows
    ]
