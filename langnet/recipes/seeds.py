"""Several runs of one transfer from few labels, each with a seed of its own, and which of them is kept.

From few labelled items a run may fail: the head's first weights and the order of the items decide whether anything is
learned (Dodge et al. 2020, "Fine-Tuning Pretrained Language Models: Weight Initializations, Data Orders, and Early
Stopping"; Mosbach et al. 2021, "On the Stability of Fine-tuning BERT"). A run is degenerate where it does no better
than the majority on the very items that it learned from.

Of the runs, the best on held-out items is kept. Where nothing is held out, it is the one with the median training loss
among those that are not degenerate: no label is spent on the choice, and the least loss would choose the run that has
learned most by heart.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from langnet.errors import LangnetError, warn
from langnet.hub.folder import is_model_folder
from langnet.hub.json_text import to_json
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.model import Model, load
from langnet.tasks.examples import ExampleBatches
from langnet.training.checkpoint import has_checkpoint, remove_checkpoint
from langnet.training.progress import Progress
from langnet.transfer.model import TaskModel

FINISHED = "model"  # in a run's folder: what it has made
FIRST = "first"  # where unlabelled items are guessed: what learns from the labelled ones alone
JUDGED = 500  # items that were learned from, by which a run is judged, at most
RUN = "seed-"  # and the run's seed: its folder

T = TypeVar("T")


@dataclass(frozen=True)
class Judged:
    """What one run reached.

    Attributes:
        score_name: of the task's first score, higher is better.
        score: on the items that it learned from.
        neighbour_name: of the method that knows the most frequent label only.
        neighbour: its score on the same items.
        loss: mean over these items, nothing dropped out; NaN of a single run, which is not chosen.
        held_out: what is watched of held-out items by name, lower is better; None where there are none.
        seed: of the run.
    """

    score_name: str
    score: float
    neighbour_name: str
    neighbour: float
    loss: float
    held_out: Mapping[str, float] | None = None
    seed: int = 0

    @property
    def degenerate(self) -> bool:
        """Whether the run is no better than the majority, which a perfect one may be."""
        return not (self.score > self.neighbour or self.score == 1)

    @property
    def watched(self) -> float | None:
        """Of the held-out items, lower is better."""
        return next(iter(self.held_out.values())) if self.held_out else None


@dataclass(frozen=True)
class Place:
    """Where runs keep their things.

    Attributes:
        folder: with a sub-folder a run where there are several; None keeps nothing.
        resume: take the runs that are finished, and go on with the one that was interrupted.
        progress: where it is told that there are several.
    """

    folder: Path | None
    resume: bool
    progress: Progress | None


def run_seeds(
    options: FinetuneOptions,
    n_items: int,
    place: Place,
    run: Callable[[int, Path | None, bool, bool], Model],
    judge_one: bool = True,
) -> Model:
    """The model of the run that is kept, with what every run reached in its facts.

    Args:
        options: `seeds` says how many runs, `seed` the first one's seed; those after it count up from there.
        n_items: labelled items; see `FinetuneOptions.runs`.
        place: of the runs.
        run: makes a model by its seed, in a folder, resumed or not; the last argument is whether the run is to be
            judged: then it leaves its `Judged` in the model's facts, under `judged`.
        judge_one: whether a single run is judged too, so that it can be said to be degenerate.
    """
    count = options.runs(n_items)
    if count == 1:
        alone = run(options.seed, place.folder, place.resume, judge_one)
        found = alone.facts["finetune"].pop("judged", None)
        if found and Judged(**found).degenerate:
            alone.facts["finetune"]["degenerate"] = True
            warn(_hint("this run is", "it does no better than", found["neighbour_name"], options.method))
        return alone
    if place.progress:
        why = "" if options.seeds else f" since {n_items:,} labelled items are few; --seeds 1 makes one"
        place.progress.note(f"{count} runs of a seed each, so {count} times as long as one{why}")
    made: list[tuple[Model, Judged]] = []
    for number in range(count):
        seed = options.seed + number
        model = _finished_or_made(replace(options, seed=seed), place, number == 0, run)
        judged = replace(Judged(**model.facts["finetune"].pop("judged")), seed=seed)
        made.append((model, judged))
        if place.progress:
            place.progress.note(_said(judged, number + 1, count))
    kept = chosen([judged for _, judged in made])
    model = made[kept][0]
    model.facts["finetune"]["seeds"] = _facts([judged for _, judged in made], kept)
    if all(judged.degenerate for _, judged in made):
        warn(_hint(f"all {count} runs are", "none does better than", made[0][1].neighbour_name, options.method))
    return model


def _hint(who: str, does: str, neighbour: str, method: str) -> str:
    """What is said of degenerate runs."""
    frozen = "" if method == "frozen" else "--method frozen, "
    return (
        f"{who} degenerate: on items learned from, {does} '{neighbour}'; try {frozen}another --learning-rate, more "
        "--epochs, or more labels"
    )


def sampled(items: Sequence[T]) -> list[T]:
    """Those by which a run is judged: all of few, a part of many, drawn alike for every run."""
    if len(items) <= JUDGED:
        return list(items)
    return [items[i] for i in np.sort(np.random.default_rng(0).choice(len(items), JUDGED, replace=False))]


def chosen(runs: list[Judged]) -> int:
    """The place of the run that is kept: the best on held-out items, or that with the median training loss."""
    watched = [run.watched for run in runs]
    if all(value is not None for value in watched):
        return min(range(len(runs)), key=lambda place: (watched[place], place))
    sound = [place for place, run in enumerate(runs) if not run.degenerate] or list(range(len(runs)))
    return sorted(sound, key=lambda place: (runs[place].loss, place))[(len(sound) - 1) // 2]


def forget_runs(folder: Path) -> None:
    """Delete what only a resumed transfer needs of its folder: checkpoints, and the models of single runs."""
    for stage in _stages(folder):
        remove_checkpoint(stage)
    for run in folder.glob(f"{RUN}*"):
        shutil.rmtree(run / FINISHED, ignore_errors=True)
        forget_runs(run)


@torch.no_grad()
def mean_loss(network: TaskModel, batches: ExampleBatches[Any]) -> float:
    """Of the network's own task over all examples, each counted once, with nothing dropped out."""
    network.eval()
    device, total, n = next(network.parameters()).device, 0.0, 0
    for step in range(batches.batches_per_epoch):
        batch = batches.batch(step)
        losses = network(batch.to(device))
        total += float(losses.get(f"{network.task.name}_loss", losses["loss"])) * batch.n_examples
        n += batch.n_examples
    return total / max(n, 1)


def _finished_or_made(
    options: FinetuneOptions, place: Place, first: bool, run: Callable[[int, Path | None, bool, bool], Model]
) -> Model:
    """A run's model: what an interrupted transfer has left of it, or made now and left for one that is resumed.

    Raises:
        LangnetError: what was left was made with other settings.
    """
    seed = options.seed
    if place.folder is None:
        return run(seed, None, place.resume and first, True)
    folder = place.folder / f"{RUN}{seed}"
    if place.resume and is_model_folder(folder / FINISHED):
        model = load(folder / FINISHED)
        if model.facts["finetune"]["options"] != json.loads(to_json(asdict(options), "options")):
            raise LangnetError(
                f"{folder / FINISHED} was made with other settings; resume with the settings that the run was started "
                "with, or choose another output folder"
            )
        return model
    # Where there is nothing at all, the first run says so.
    begun = any(map(has_checkpoint, _stages(folder))) or (first and not folder.exists())
    shutil.rmtree(folder / FINISHED, ignore_errors=True)
    model = run(seed, folder, place.resume and begun, True)
    model.save(folder / FINISHED, overwrite=True)
    return model


def _stages(folder: Path) -> list[Path]:
    """Where a run may have left checkpoints."""
    return [folder, folder / "head", folder / FIRST, folder / FIRST / "head"]


def _said(judged: Judged, number: int, count: int) -> str:
    """A line on a run."""
    found = f"run {number} of {count}, seed {judged.seed}: {judged.score_name} {judged.score:.3f} on its own items"
    if judged.degenerate:
        found += f", no better than {judged.neighbour_name} ({judged.neighbour:.3f}): degenerate"
    return found


def _facts(runs: list[Judged], kept: int) -> dict[str, Any]:
    """What is written down of all runs."""
    shared = {"score": runs[0].score_name, "neighbour": runs[0].neighbour_name}
    rows = []
    for run in runs:
        row = {name: value for name, value in asdict(run).items() if name not in ("score_name", "neighbour_name")}
        rows.append({**row, "degenerate": run.degenerate})
    return {**shared, "kept": runs[kept].seed, "by_held_out": runs[kept].watched is not None, "runs": rows}
