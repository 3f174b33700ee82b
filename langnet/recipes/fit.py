"""One run of the loop over labelled examples: what every transfer to every task shares."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langnet.recipes.finetune_options import Course, FinetuneOptions
from langnet.tasks.examples import ExampleBatches
from langnet.training.budget import Budget
from langnet.training.loop import LoopConfig, Trainer
from langnet.training.optimizer import OptimizerConfig
from langnet.training.progress import Progress
from langnet.transfer.adapters import adapters, describe_learned, learned_weights
from langnet.transfer.groups import GradualUnfreezing, model_groups
from langnet.transfer.model import TaskModel
from langnet.transfer.together import MixedBatches, TasksTogether


@dataclass(frozen=True)
class Fit:
    """How a network is trained on labelled examples.

    Attributes:
        options: the transfer's.
        course: rate and passes where the options leave them open.
        device: where.
        folder: of checkpoints and history; None keeps none.
        progress: where progress is shown.
        resume: go on from the checkpoint in `folder`.
    """

    options: FinetuneOptions
    course: Course
    device: str
    folder: Path | None = None
    progress: Progress | None = None
    resume: bool = False

    def run(
        self,
        network: TaskModel | TasksTogether,
        batches: ExampleBatches[Any] | MixedBatches,
        validate: Callable[[], dict[str, float]] | None = None,
    ) -> list[dict[str, Any]]:
        """Train, and return the history of the run.

        Args:
            network: trained in place; a frozen encoder stays as it is.
            batches: of the examples, of one task or of several.
            validate: on held-out examples; the best weights by its first value are then kept.
        """
        rank = 0 if network.frozen else self.options.adapters
        if rank and self.progress:
            self.progress.note(describe_learned(learned_weights(network, rank)))
        with adapters(network.encoder, rank, self.options.seed) if rank else nullcontext():
            return self._train(network, batches, validate)

    def _train(
        self,
        network: TaskModel | TasksTogether,
        batches: ExampleBatches[Any] | MixedBatches,
        validate: Callable[[], dict[str, float]] | None,
    ) -> list[dict[str, Any]]:
        """The run itself; see `run`."""
        options = self.options
        epochs = self.course.passes(options, batches.batches_per_epoch)
        steps = max(1, round(epochs * batches.batches_per_epoch))
        unfreeze = None
        if options.gradual_unfreezing and not network.frozen:
            head = any(True for part in (network.mix, network.tasks) for _ in part.parameters())
            unfreeze = GradualUnfreezing(network.encoder, head=head)
        config = LoopConfig(
            Budget(steps=steps),
            OptimizerConfig("adamw", self.course.peak(options), weight_decay=0.01, betas=options.betas),
            options.schedule,
            seed=options.seed,
            validations=10 if validate else 0,
            keep_best=validate is not None,
            precision=options.precision,
            device=self.device,
        )
        groups = model_groups(network, options.layer_decay)
        trainer = Trainer(
            network,
            groups,
            batches,
            config,
            validate=validate,
            on_fraction=unfreeze,
            folder=self.folder,
            progress=self.progress,
        )
        history = trainer.run(self.resume).history
        if unfreeze:
            unfreeze.thaw()
        return history
