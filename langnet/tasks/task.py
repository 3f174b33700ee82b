"""The task contract: hidden states in, a loss, predictions and a metric out.

A pretraining objective is a task whose labels come free with the text; translation or NLI as pretraining is the same
object, its head thrown away afterwards. A task owns its head and never reaches into an encoder beyond the contract.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.text.batches import Batch


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
