"""The objective of word vectors: which words stand near a word. What a folder of word vectors names as its task."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from langnet.encoders.encoder import Encoder, Encoding
from langnet.encoders.vectors import NO_LANGUAGE_MODEL
from langnet.errors import LangnetError
from langnet.tasks.task import Task
from langnet.text.batches import Batch


class WordContexts(Task):
    """Predict the words around a word.

    `langnet vectors train` does so with compiled loops outside of the training loop and keeps the embeddings alone, so
    there is nothing left that a loss could be computed with.
    """

    name = "word_contexts"

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        raise LangnetError(NO_LANGUAGE_MODEL)

    def config(self) -> dict[str, Any]:
        return {"name": self.name}
