"""The one training loop: pretraining, adaptation and every kind of fine-tuning run through here."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn

from langnet.errors import LangnetError, warn
from langnet.text.batches import Batch
from langnet.training.averaged_sgd import AveragedSGD, averages_in_place
from langnet.training.budget import Budget
from langnet.training.carried import detached, on_device
from langnet.training.checkpoint import read_checkpoint, write_checkpoint
from langnet.training.interrupts import Interrupts, interrupts_held
from langnet.training.machine import default_precision, keep_freed_memory
from langnet.training.optimizer import OptimizerConfig, build_optimizers, set_rates
from langnet.training.processes import (
    average_gradients,
    connect,
    is_main_process,
    n_processes,
    shared_sums,
)
from langnet.training.progress import Progress, SilentProgress
from langnet.training.records import History
from langnet.transfer.groups import ParameterGroup
from langnet.transfer.schedule import ScheduleConfig

LARGEST_RUN_OF_BAD_STEPS = 10


class Batches(Protocol):
    """Training data: any batch by its number, so that a resumed run sees what it would have seen."""

    def batch(self, step: int) -> Batch:
        """The batch of a step; the same at every call."""
        ...


@dataclass(frozen=True)
class LoopConfig:
    """How a run goes.

    Attributes:
        budget: when it ends.
        optimizer: how weights are updated.
        schedule: how the rates change.
        seed: of dropout; data and heads have seeds of their own.
        accumulation: batches a step.
        clip: largest gradient norm; 0 switches clipping off.
        precision: `no` for float32, `bf16`, or `auto` for bf16 where the machine multiplies in it.
        validations: how many times the run is validated, evenly over the budget, the end included.
        patience: validations without a better value after which the run stops; 0 never stops early.
        keep_best: end with the weights of the best validation instead of the last.
        checkpoint_minutes: a checkpoint is written at most this often; the end is not one.
        device: where to train; None chooses CUDA, MPS, CPU in this order.
    """

    budget: Budget
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    seed: int = 0
    accumulation: int = 1
    clip: float = 1.0
    precision: Literal["auto", "no", "bf16"] = "auto"
    validations: int = 10
    patience: int = 0
    keep_best: bool = False
    checkpoint_minutes: float = 5.0
    device: str | None = None


@dataclass
class LoopState:
    """Where a run stands; all of it is in the checkpoint."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    validations: int = 0
    best: float = math.inf
    best_step: int = 0
    validations_without_gain: int = 0
    bad_steps: int = 0
    stopped_early: bool = False


@dataclass
class TrainingResult:
    """What a run left: its history of records, and the state in which it ended."""

    history: list[dict[str, Any]]
    state: LoopState
    device: torch.device


class Trainer:
    """Trains a module whose call returns the losses of a batch, `loss` among them.

    Where batches are streams that go on from one to the next, the state in which one ends is held here, given to the
    next without its history of gradients, and kept in the checkpoint.

    Args:
        model: called with a `Batch`; returns a dict of scalar tensors. With streams it is called with the state too
            and returns the new one as `state`.
        groups: which weights learn, and how fast.
        batches: the training data.
        config: how the run goes.
        validate: returns the values to log; the first one is watched, lower is better.
        on_fraction: called with the spent fraction before each step, for gradual unfreezing.
        folder: where checkpoints, history and TensorBoard events are written; None writes nothing.
        progress: where progress is shown.
    """

    def __init__(
        self,
        model: nn.Module,
        groups: list[ParameterGroup],
        batches: Batches,
        config: LoopConfig,
        *,
        validate: Callable[[], dict[str, float]] | None = None,
        on_fraction: Callable[[float], None] | None = None,
        folder: Path | None = None,
        progress: Progress | None = None,
    ):
        keep_freed_memory()
        self.config, self.batches = config, batches
        self.validate, self.on_fraction = validate, on_fraction
        self.folder, self.progress = folder, progress if progress and is_main_process() else SilentProgress()
        self.accelerator = _accelerator(config)
        self.device = self.accelerator.device
        self.model = model.to(self.device)
        half = self.accelerator.mixed_precision == "bf16"
        self.optimizers = build_optimizers(groups, config.optimizer, torch.bfloat16 if half else torch.float32)
        self.parameters = [parameter for group in groups for parameter in group.parameters]
        self.state = LoopState()
        self.history = History(folder if is_main_process() else None)
        self.best_weights: dict[str, Tensor] | None = None
        self.carried: Any = None  # the recurrent state between batches of streams
        self._inside_a_step = False

    def run(self, resume: bool = False) -> TrainingResult:
        """Train to the end of the budget; with `resume`, go on from the checkpoint in `folder` where there is one.

        Raises:
            LangnetError: the loss was not a number for ten steps in a row.
        """
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):  # a caller's own random state stays as it was
            torch.manual_seed(self.config.seed + self.accelerator.process_index)  # each drops other units
            if resume:
                self._restore()
            self.history.open()
            self.progress.start(str(self.config.budget))
            try:
                with interrupts_held(patient=n_processes() > 1) as interrupts:
                    self._loop(interrupts)
            except KeyboardInterrupt:
                if not self._inside_a_step:  # half a step would not go on as the whole run does
                    self._checkpoint()
                raise
            finally:
                self.progress.stop()
                self.history.close()
        for optimizer in self.optimizers:
            if isinstance(optimizer, AveragedSGD):
                optimizer.swap()
        if self.best_weights is not None and self.config.keep_best:
            self.model.load_state_dict(self.best_weights)
        return TrainingResult(self.history.records, self.state, self.device)

    @property
    def fraction(self) -> float:
        """The part of the budget that is spent."""
        return self.config.budget.fraction(self.state.tokens, self.state.step, self.state.seconds)

    def _loop(self, interrupts: Interrupts) -> None:
        state, started = self.state, time.monotonic() - self.state.seconds
        last_checkpoint = started + state.seconds
        while self.fraction < 1 and not state.stopped_early:
            before = self.fraction
            self._inside_a_step = True
            losses = self._step(before)
            self._inside_a_step = False
            state.seconds = self._of_main([time.monotonic() - started])[0]
            self.history.step(state, losses, self.optimizers)
            self.progress.update(self.fraction, state.tokens, state.seconds, losses["loss"])
            if self._validation_is_due():
                self._validate()
                state.seconds = self._of_main([time.monotonic() - started])[0]
            if time.monotonic() - last_checkpoint > 60 * self.config.checkpoint_minutes:
                self._checkpoint()
                last_checkpoint = time.monotonic()
            if any(shared_sums([interrupts.asked], self.device)):
                raise KeyboardInterrupt

    def _step(self, fraction: float) -> dict[str, float]:
        """One update from `accumulation` batches of every process; returns the mean losses."""
        self.model.train()
        if self.on_fraction:
            self.on_fraction(fraction)
        sums: dict[str, Tensor] = {}
        n_tokens, rate = 0, 0.0
        for micro in range(self.config.accumulation):
            batch = self._batch(micro)
            n_tokens += int(batch.mask.sum())
            rate += batch.rate / self.config.accumulation
            losses = self._losses(batch.to(self.device))
            self.accelerator.backward(losses["loss"] / self.config.accumulation)
            for name, value in losses.items():
                sums[name] = sums.get(name, 0) + value.detach() / self.config.accumulation
        # The rate in the middle of the step, so that neither the first nor the last step of a short run is lost.
        set_rates(self.optimizers, rate * self.config.schedule.factor(min(1.0, fraction + self._half_step(n_tokens))))
        average_gradients(self.parameters)
        *shared, every_token = shared_sums([*map(float, sums.values()), n_tokens], self.device)
        means = {name: value / n_processes() for name, value in zip(sums, shared, strict=True)}
        self._update(means["loss"])
        self.state.tokens += int(every_token)
        self.state.step += 1
        return means

    def _of_main(self, values: Sequence[float]) -> list[float]:
        """The main process's values, since every process has to decide alike."""
        return shared_sums([value if is_main_process() else 0.0 for value in values], self.device)

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        """Of a batch; a state that goes on from one batch to the next stays here."""
        with self.accelerator.autocast():
            if batch.continues is None:
                losses: dict[str, Tensor] = self.model(batch)
                return losses
            if n_processes() > 1:
                raise LangnetError("text in streams is trained on by one process; use an encoder that reads windows")
            start = on_device(self.carried, self.device) if batch.continues else None
            found = self.model(batch, start)
        self.carried = detached(found.pop("state"))
        return {name: value for name, value in found.items() if isinstance(value, Tensor)}

    def _half_step(self, n_tokens: int) -> float:
        """Half of the fraction of the budget that a step takes: those so far, or the first, of minutes unknown."""
        if self.state.step:
            return 0.5 * self.fraction / self.state.step
        return 0.5 * self.config.budget.fraction(n_tokens, 1, 0.0)

    def _batch(self, micro: int) -> Batch:
        number = self.state.step * self.config.accumulation + micro
        return self.batches.batch(number * n_processes() + self.accelerator.process_index)

    def _update(self, loss: float) -> None:
        """Clip and step; a loss or gradient that is not a number skips the update, ten in a row stop the run."""
        # The norm is also what tells a gradient that is no number, so it is taken where nothing is clipped too.
        norm = nn.utils.clip_grad_norm_(self.parameters, self.config.clip or math.inf)
        if math.isfinite(loss) and torch.isfinite(norm):
            self.state.bad_steps = 0
            for optimizer in self.optimizers:
                optimizer.step()
        else:
            self.state.bad_steps += 1
            if self.state.bad_steps >= LARGEST_RUN_OF_BAD_STEPS:
                raise LangnetError(
                    f"the loss was not a number for {self.state.bad_steps} steps up to step {self.state.step}; "
                    "lower the learning rate or use precision 'no'"
                )
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)

    def _validation_is_due(self) -> bool:
        if self.validate is None or self.config.validations == 0:
            return False
        return self.fraction * self.config.validations >= self.state.validations + 1 or self.fraction >= 1

    def _validate(self) -> None:
        """Validate, log, and remember the best weights; the first value that `validate` returns is watched."""
        with averages_in_place(self.optimizers) as averaged:
            watched = self._validate_weights()
        for optimizer in averaged:
            optimizer.validated(watched)

    def _validate_weights(self) -> float:
        assert self.validate is not None
        self.model.eval()
        with torch.no_grad(), self.accelerator.autocast():
            values = self.validate()
        values = dict(zip(values, self._of_main(list(values.values())), strict=True))
        state = self.state
        state.validations = max(state.validations + 1, int(self.fraction * self.config.validations))
        self.history.validation(state, values)
        self.progress.note(", ".join(f"{name} {value:.4f}" for name, value in values.items()))
        watched = next(iter(values.values()))
        if watched < state.best:
            state.best, state.best_step, state.validations_without_gain = watched, state.step, 0
            if self.config.keep_best or self.config.patience:
                self.best_weights = {k: v.detach().cpu().clone() for k, v in self.model.state_dict().items()}
        else:
            state.validations_without_gain += 1
            state.stopped_early = 0 < self.config.patience <= state.validations_without_gain
        return watched

    def _checkpoint(self) -> None:
        if self.folder is None or not is_main_process():
            return
        if self.config.keep_best and self.best_weights is not None:
            best = self.best_weights
        else:
            best = {}
        state, history = asdict(self.state), self.history.records
        write_checkpoint(self.folder, self.model, self.optimizers, state, history, best, self.carried)

    def _restore(self) -> None:
        if self.folder is None:
            raise LangnetError("a run without a folder has no checkpoint to resume from; name an output folder")
        found = read_checkpoint(self.folder, self.model, self.optimizers)
        if found is None:
            warn(f"{self.folder} holds no checkpoint; the run starts from its beginning")
            return
        self.state = LoopState(**found.state)
        self.history.records = found.history
        self.best_weights = found.best_weights or None
        self.carried = found.carried
        if not is_main_process():  # the checkpoint has the main process's random state
            torch.manual_seed(self.config.seed + self.accelerator.process_index + self.state.step)


def _accelerator(config: LoopConfig) -> Accelerator:
    """Accelerate's handle on devices, processes and precision; its process-wide precision follows this run's."""
    device = connect(config.device)
    precision = default_precision(device) if config.precision == "auto" else config.precision
    if AcceleratorState._shared_state and AcceleratorState().mixed_precision != precision:
        AcceleratorState._reset_state()
    return Accelerator(cpu=device.type == "cpu", mixed_precision=precision)
