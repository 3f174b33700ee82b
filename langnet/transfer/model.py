"""An encoder, what is read of it, and the tasks that it serves, as one module that the loop trains."""

from __future__ import annotations

from typing import Any, Self, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.tasks.task import Task
from langnet.text.batches import Batch
from langnet.transfer.features import ScalarMix, TopLayer, mixed_encoding
from langnet.transfer.state_cache import StateCache

LANGUAGE_MODELS = ("language_model", "bidirectional_language_model")  # they read the top layer whatever is mixed


class TaskModel(nn.Module):
    """One encoder under one or several tasks; the loss is their weighted sum.

    Args:
        encoder: read by all tasks.
        tasks: each with its weight. An auxiliary language model is a second task with a weight of 0.5 (Radford et al.
            2018, equation 5).
        mix: what the tasks read of the layers; None reads the top one. The language model always reads the top.
        learned_tokens: in training, how many tokens at the end of long rows a recurrent encoder learns from; what lies
            before them is read for its state alone. None: all.

    Attributes:
        frozen: whether the encoder is only read: without dropout, and without a gradient. A language model beside the
            task then learns nothing, so its loss is left out.
        states: keeps what a frozen encoder has read; None reads it anew each time.
    """

    def __init__(
        self,
        encoder: Encoder,
        tasks: list[tuple[Task, float]],
        mix: nn.Module | None = None,
        learned_tokens: int | None = None,
    ):
        super().__init__()
        self.learned_tokens = learned_tokens
        self.frozen = False
        self.states: StateCache | None = None
        self.encoder = encoder
        self.mix = mix if mix is not None else TopLayer()
        self.tasks = nn.ModuleList(task for task, _ in tasks)
        self.task_weights = [weight for _, weight in tasks]

    @property
    def task(self) -> Any:
        """The first task."""
        return self.tasks[0]

    def train(self, mode: bool = True) -> Self:
        """As every module; a frozen encoder never drops anything out."""
        super().train(mode)
        if self.frozen:
            self.encoder.eval()
        return self

    def forward(self, batch: Batch, state: Any = None) -> dict[str, Any]:
        """The losses of a batch: `loss`, their weighted sum, and each task's own where there are several.

        Args:
            batch: the rows and what belongs to them.
            state: the encoder's, from which the rows go on. Where the batch is part of streams, the state in which they
                end comes back as `state`.
        """
        encoding = self._encode(batch, state)
        mixed = mixed_encoding(self.mix, encoding)
        losses: dict[str, Any] = {}
        total: Tensor | None = None
        for task, weight in zip(self.tasks, self.task_weights, strict=True):
            if self.frozen and task.name in LANGUAGE_MODELS:
                continue
            read = encoding if task.name in LANGUAGE_MODELS else mixed
            value: Tensor = cast(Task, task).loss(self.encoder, read, batch)
            losses[f"{task.name}_loss"] = value
            total = weight * value if total is None else total + weight * value
        assert total is not None, "a model needs a task"
        after = {} if batch.continues is None else {"state": encoding.state}
        return {"loss": total, **losses, **after} if len(losses) > 1 else {"loss": total, **after}

    def _encode(self, batch: Batch, state: Any) -> Encoding:
        """The encoding of a batch; see `learned_tokens`.

        Backpropagation through time for text classification (Howard & Ruder 2018, section 3.3), with one cut a row.
        """
        if self.frozen:
            return self._read(batch, state)
        learned, plain = self.learned_tokens, batch.continues is not None or state is not None
        if plain or not (learned and learned < batch.ids.shape[1] and self.training and self.encoder.recurrent):
            encoding: Encoding = self.encoder(batch.ids, batch.mask, state, batch.causal)
            return encoding
        return _learned_at_the_end(self.encoder, batch, learned)

    @torch.no_grad()
    def _read(self, batch: Batch, state: Any = None) -> Encoding:
        """The encoding of a batch that the encoder does not learn from."""
        if self.frozen and self.states is not None and state is None and batch.continues is None:
            return self.states.read(self.encoder, batch)
        encoding: Encoding = self.encoder(batch.ids, batch.mask, state, batch.causal)
        return encoding

    @torch.no_grad()
    def probabilities(self, batch: Batch) -> Tensor:
        """Class probabilities of a batch's documents by the first task, (N, C)."""
        encoding = self._read(batch)
        result: Tensor = self.task.probabilities(mixed_encoding(self.mix, encoding), batch)
        return result

    @torch.no_grad()
    def guesses(self, batch: Batch) -> list[Any]:
        """What the first task, a supervised one, says of each of the batch's examples."""
        encoding = self._read(batch)
        found: list[Any] = self.task.guesses_by(self.encoder, mixed_encoding(self.mix, encoding), batch)
        return found

    def layer_weights(self) -> list[float] | None:
        """The learned share of each layer, embeddings first; None where only the top is read."""
        return self.mix.weights().tolist() if isinstance(self.mix, ScalarMix) else None


def _learned_at_the_end(encoder: Encoder, batch: Batch, learned: int) -> Encoding:
    """A batch of which each row's last tokens have gradients, `learned` of them or up to a quarter more.

    Rows are cut where they end, not where the longest does, else short ones beside it would teach nothing. Those that
    are cut at the same place are read together; places are rounded, so that there are few.
    """
    step = max(1, learned // 4)
    cuts = (batch.mask.sum(1) - learned).clamp_min(0) // step * step  # (B,)
    width, order, parts = batch.ids.shape[1], [], list[list[Tensor]]()
    for early in cuts.unique().tolist():
        rows = (cuts == early).nonzero()[:, 0]
        ids, mask = batch.ids[rows], batch.mask[rows]
        layers, state = list[Tensor](), None
        if early:
            with torch.no_grad():
                first = encoder(ids[:, :early], mask[:, :early])
            layers, state = first.layers, first.state
        until = int(mask.sum(1).max())
        second = encoder(ids[:, early:until], mask[:, early:until], state)
        whole = [torch.cat(both, dim=1) for both in zip(layers, second.layers, strict=True)] if early else second.layers
        parts.append([F.pad(layer, (0, 0, 0, width - until)) for layer in whole])
        order.append(rows)
    back = torch.cat(order).argsort()
    return Encoding([torch.cat(layers)[back] for layers in zip(*parts, strict=True)])
