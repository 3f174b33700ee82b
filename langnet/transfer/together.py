"""Several tasks learned at once by one encoder: the module that the loop trains, and which task each step is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from torch import nn

from langnet.errors import LangnetError
from langnet.tasks.examples import ExampleBatches
from langnet.text.batches import Batch
from langnet.transfer.model import TaskModel

_BLOCK = 1024  # steps whose tasks are drawn together


class TasksTogether(nn.Module):
    """Models of several tasks that share one encoder; a batch is of the task that it names.

    Each keeps its own mix of the layers and its own head (Liu et al. 2019: MT-DNN; Peters et al. 2018: a mix a task),
    so that afterwards each is a model by itself.

    Args:
        parts: one a task, in the order of `Batch.task`.

    Raises:
        LangnetError: their encoders differ, or there are none.
    """

    def __init__(self, parts: Sequence[TaskModel]):
        super().__init__()
        if not parts or any(part.encoder is not parts[0].encoder for part in parts):
            raise LangnetError("tasks that are learned together need one encoder")
        self.encoder = parts[0].encoder
        self.mixes = nn.ModuleList(part.mix for part in parts)
        self.tasks = nn.ModuleList(task for part in parts for task in part.tasks)
        self.parts = tuple(parts)  # not modules of this one: each would hold the encoder's weights once more

    @property
    def mix(self) -> nn.Module:
        """All mixes, as the one of a model of one task."""
        return self.mixes

    @property
    def frozen(self) -> bool:
        """Whether the encoder is only read."""
        return self.parts[0].frozen

    @frozen.setter
    def frozen(self, value: bool) -> None:
        for part in self.parts:
            part.frozen = value

    def train(self, mode: bool = True) -> Self:
        """As every module, and its parts with it."""
        self.training = mode
        for part in self.parts:
            part.train(mode)
        return self

    def forward(self, batch: Batch) -> dict[str, Any]:
        """The losses of the batch's task; see `TaskModel.forward`."""
        losses: dict[str, Any] = self.parts[batch.task](batch)
        return losses


def task_shares(counts: Sequence[int], temperature: float) -> np.ndarray:
    """How often each of K tasks is drawn, in proportion to n^(1 / temperature) of its n examples, (K,).

    1 draws every example equally often; the higher, the more even the tasks (Devlin et al. 2019 for languages; Raffel
    et al. 2020, section 3.5.2, for tasks); infinity draws all tasks equally often.

    Raises:
        LangnetError: the temperature is below 1.
    """
    if not temperature >= 1:
        raise LangnetError(f"the temperature must be 1 or more, not {temperature:g}; inf draws all tasks equally often")
    weights = np.asarray(counts, dtype=np.float64) ** (1 / temperature)
    shares: np.ndarray = weights / weights.sum()
    return shares


class MixedBatches:
    """Batches of several tasks, one task a step; any batch can be had by its number, as the loop asks.

    Args:
        parts: the batches of each task.
        temperature: see `task_shares`.
        seed: of the order of tasks.
    """

    def __init__(self, parts: Sequence[ExampleBatches[Any]], temperature: float, seed: int):
        self.parts, self.seed = list(parts), seed
        self.shares = task_shares([len(part.examples) for part in self.parts], temperature)
        self.batches_per_epoch = sum(part.batches_per_epoch for part in self.parts)
        self._tasks = np.zeros(0, dtype=np.int64)  # of the first steps
        self._turns = np.zeros(0, dtype=np.int64)  # how often its task was drawn before each of them
        self._counts = np.zeros(len(self.parts), dtype=np.int64)

    def batch(self, step: int) -> Batch:
        """The batch of a step, a function of the step alone."""
        while step >= len(self._tasks):
            self._draw()
        task = int(self._tasks[step])
        return replace(self.parts[task].batch(int(self._turns[step])), task=task)

    def _draw(self) -> None:
        """The tasks of the next steps."""
        generator = np.random.default_rng([self.seed, len(self._tasks) // _BLOCK])
        drawn = generator.choice(len(self.parts), size=_BLOCK, p=self.shares)
        turns = np.zeros(_BLOCK, dtype=np.int64)
        for task in range(len(self.parts)):
            steps = np.flatnonzero(drawn == task)
            turns[steps] = self._counts[task] + np.arange(len(steps))
            self._counts[task] += len(steps)
        self._tasks, self._turns = np.concatenate([self._tasks, drawn]), np.concatenate([self._turns, turns])
