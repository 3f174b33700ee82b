"""Text classification: one label a document, from the pooled states of any encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from langnet.encoders.encoder import Encoder, Encoding
from langnet.errors import LangnetError
from langnet.tasks.document_head import DocumentHead, HeadShape
from langnet.tasks.examples import Example, collate
from langnet.tasks.pooling import Pooling
from langnet.tasks.task import ClassGuess, SupervisedTask, Task
from langnet.tasks.writing import Writer
from langnet.text.batches import Batch
from langnet.text.labelled import LabelledText


@dataclass(frozen=True)
class ClassifyConfig:
    """How a classifier's head is built.

    Attributes:
        n_classes: C.
        pooling, n_features, hidden, dropout: see `langnet.tasks.document_head.HeadShape`.
    """

    n_classes: int
    pooling: Pooling = "mean"
    n_features: int = 0
    hidden: int = 0
    dropout: float = 0.1


class Classify(DocumentHead, Task):
    """A head on documents whose scores are unnormalised log-probabilities of classes."""

    name = "classify"

    def __init__(self, config: ClassifyConfig, dim: int):
        shape = HeadShape(config.pooling, config.n_features, config.hidden, config.dropout)
        super().__init__(shape, config.n_classes, dim)
        self.settings = config

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        assert batch.labels is not None, "classification needs labels"
        return F.cross_entropy(self.scores(encoding, batch), batch.labels)

    def probabilities(self, encoding: Encoding, batch: Batch) -> Tensor:
        """Probabilities of each document's classes, (N, C)."""
        return self.scores(encoding, batch).float().softmax(dim=1)

    def config(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self.settings)}


class ClassifyItems(Classify, SupervisedTask[LabelledText, ClassGuess]):
    """The same of texts that bring their labels, so that it is learned as any kind of task is; saved, it is `Classify`.

    Args:
        config: of the head.
        names: C, of the classes.
        dim: D, the width of the states.
    """

    def __init__(self, config: ClassifyConfig, names: Sequence[str], dim: int):
        super().__init__(config, dim)
        self.names = list(names)
        self.document_dim = config.n_features

    def examples(self, items: Sequence[LabelledText], writer: Writer, labelled: bool = True) -> list[Example]:
        place = {name: index for index, name in enumerate(self.names)}
        strange = next((item for item in items if item.label not in place), None) if labelled else None
        if strange is not None:
            where = f"{strange.source}: " if strange.source else ""
            raise LangnetError(f"{where}the label '{strange.label}' is none of {', '.join(self.names)}")
        classes = [place[str(item.label)] for item in items] if labelled else None
        return writer.documents_as_examples([item.text for item in items], classes)

    def collate(self, examples: Sequence[Example], context: int | None, pad_id: int) -> Batch:
        return collate(examples, context, pad_id)

    def guesses(self, encoding: Encoding, batch: Batch) -> list[ClassGuess]:
        return ClassGuess.rows(self.names, self.probabilities(encoding, batch).cpu().numpy())
