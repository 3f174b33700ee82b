"""Several tasks learned at once from one pretrained model: `langnet multitask`.

The tasks share the encoder, each keeps its own mix of layers and its own head, and every step is of one of them (Liu et
al. 2019: MT-DNN). What comes out is a model a task, each as if it had been made alone: it predicts, is judged and is
shared like any other, and can be fine-tuned further.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from langnet.errors import LangnetError
from langnet.recipes.base_model import check_base, say_what_is_kept
from langnet.recipes.fit import Fit
from langnet.recipes.forgetting import Forgetting
from langnet.recipes.kinds.kind import Kind
from langnet.recipes.kinds.registry import find_kind
from langnet.recipes.model import Model, load
from langnet.recipes.transfer import TransferJob, TransferOptions
from langnet.training.progress import Progress
from langnet.transfer.together import MixedBatches, TasksTogether, task_shares

TEMPERATURE = 2.0


def transfer_together(
    model: Model | str | Path,
    tasks: Mapping[str, tuple[Kind[Any, Any] | str, Sequence[Any]]],
    options: TransferOptions | None = None,
    temperature: float = TEMPERATURE,
    *,
    folder: Path | None = None,
    progress: Progress | None = None,
    resume: bool = False,
) -> dict[str, Model]:
    """Learn several tasks at once.

    `finetune` first lets every head learn by itself on the frozen encoder, then all together; `scratch` starts from
    random weights. A head on an encoder that stays as it is learns nothing from other tasks: `frozen` is refused.

    Args:
        model: a loaded model, or its folder or name; it is left as it is.
        tasks: by name, the kind of each and its labelled items.
        options: of every task alike; `epochs` count passes over the items of all.
        temperature: how even tasks of unequal sizes are drawn, see `langnet.transfer.together.task_shares`.
        folder: where checkpoints and histories are kept; None keeps none.
        progress: where progress is shown.
        resume: go on from the checkpoints in `folder`.

    Returns:
        A model of each task, by its name.

    Raises:
        LangnetError: fewer than two tasks, the method `frozen`, items that cannot be learned from, or an option that
            the encoder has no use for.
    """
    options = options or TransferOptions()
    base = load(model) if isinstance(model, str | Path) else model
    if len(tasks) < 2:
        raise LangnetError("tasks are learned together where there are two or more; learn one by: langnet finetune")
    if options.finetune.method == "frozen":
        raise LangnetError(
            "on a frozen encoder tasks learn nothing from each other; learn them one by one: langnet finetune --method "
            "frozen"
        )
    if (options.finetune.seeds or 1) > 1:
        raise LangnetError("tasks that are learned together are learned in one run; leave the number of seeds out")
    task_shares([1], temperature)  # a wrong temperature is said before anything is read
    check_base(base, options.finetune)
    say_what_is_kept(base, options.finetune, progress)
    jobs = {}
    for name, (kind, items) in tasks.items():
        found = find_kind(kind, together=True) if isinstance(kind, str) else kind
        jobs[name] = TransferJob(base, found, list(items), options, progress)
    forgetting = Forgetting.begin(base, options.finetune.forgetting)
    made = _learn(jobs, options, temperature, (folder, resume), progress)
    first = next(iter(made.values()))
    told = forgetting.facts(first.encoder, first.tokenizer) if forgetting else None
    for model_of_task in made.values() if told else []:
        model_of_task.facts["finetune"]["forgetting"] = told
    return made


def _learn(
    jobs: dict[str, TransferJob],
    options: TransferOptions,
    temperature: float,
    place: tuple[Path | None, bool],
    progress: Progress | None,
) -> dict[str, Model]:
    """Heads, then all together; `place` is the folder and whether to resume."""
    folder, resume = place
    shared, first = options.finetune, next(iter(jobs.values()))
    for name, job in jobs.items():
        job.begin(folder / "heads" / name if folder else None, resume)
    for job in jobs.values():
        job.share(first.encoder)
    network = TasksTogether([job.model.network for job in jobs.values()])
    batches = MixedBatches([job.batches for job in jobs.values()], temperature, shared.seed)

    def validate() -> dict[str, float]:
        """The mean over tasks of what each watches, then each."""
        values = {
            f"{name}: {key}": v for name, job in jobs.items() if job.held_out for key, v in job.validate().items()
        }
        return {"mean of 1 - score": sum(values.values()) / len(values), **values}

    held_out = any(job.held_out for job in jobs.values())
    fit = Fit(shared, options.course(), str(first.device), folder, progress, resume)
    history = fit.run(network, batches, validate if held_out else None)
    shares = {name: round(float(share), 4) for name, share in zip(jobs, batches.shares, strict=True)}
    made = {}
    for name, job in jobs.items():
        job.model.history = history
        made[name] = job.finish()
        made[name].facts["finetune"]["together"] = {"shares": shares, "temperature": temperature}
    return made
