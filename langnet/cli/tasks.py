"""What `finetune`, `predict` and `evaluate` do for the tasks beside text classification."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langnet.cli.app import console, run_folder, tell_facts, write_bytes, write_json
from langnet.errors import LangnetError

if TYPE_CHECKING:
    from langnet.recipes.finetune_options import FinetuneOptions
    from langnet.recipes.kinds.kind import Columns, Kind
    from langnet.recipes.model import Model

# Of `recipes.kinds.registry`, which would load torch; a test compares them.
TASKS = (
    "multilabel", "regress", "entail", "similarity", "choose", "tag", "label_roles", "parse", "answer", "corefer",
    "translate",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where the new model goes."""

    output: Path
    overwrite: bool
    resume: bool


@dataclass(frozen=True)
class Outputs:
    """Where guesses go; without any, to standard output.

    Attributes:
        file: in the format that its name says, else in that of the items.
        page: on which they are drawn.
        pictures: the folder of the same as SVG.
        format: "csv", say, in place of what the file's name says.
    """

    file: Path | None = None
    page: Path | None = None
    pictures: Path | None = None
    format: str | None = None

    @property
    def suffix(self) -> str:
        """The ending of a file of the format that is asked for; empty for that of the items."""
        if self.format:
            return f".{self.format}"
        return self.file.suffix.lower() if self.file else ""


def task_help() -> str:
    """The tasks' names, for the command line."""
    return f"classify, {', '.join(TASKS)}."


def columns(
    text: str, second: str | None, label: str, where: list[str] | None = None, separator: str | None = None
) -> Columns:
    """The columns of a task's tables; where the defaults of classification stand, the format decides."""
    from langnet.recipes.kinds.kind import Columns

    chosen = assignments(where, "--where")
    named = (None if text == "text" else text, second, None if label == "label" else label)
    return Columns(*named, chosen, separator)


def assignments(values: list[str] | None, option: str) -> dict[str, str]:
    """`NAME=VALUE` arguments by name.

    Raises:
        LangnetError: one without a name or an equals sign.
    """
    found = {}
    for value in values or []:
        name, equals, word = value.partition("=")
        if not name or not equals:
            raise LangnetError(f"{option} {value}: expected a name and a value, as {option} name=value")
        found[name] = word
    return found


def refuse_for_classification(**given: Any) -> None:
    """Nothing, where no option of other tasks was given.

    Raises:
        LangnetError: one was.
    """
    for name, value in given.items():
        if value:
            option = f"--{name.replace('_', '-')}"
            raise LangnetError(f"{option} is for the tasks beside classification; leave it out, or name one by --task")


def finetune_task(
    model: str,
    task: str,
    data: tuple[list[str], list[str]],
    names: Columns,
    options: tuple[FinetuneOptions, list[str] | None],
    place: Place,
) -> None:
    """Learn the task, save the model, and say so.

    Args:
        model: what is started from.
        task: its name.
        data: the files of labelled items, and of unlabelled ones.
        names: columns of both.
        options: the transfer's, and the head's own settings.
        place: where the model goes.

    Raises:
        LangnetError: a pooling, which is classification's.
    """
    from langnet.recipes.finetune_options import FinetuneOptions
    from langnet.recipes.kinds.kind import HeadOptions
    from langnet.recipes.kinds.registry import find_kind
    from langnet.recipes.seeds import forget_runs
    from langnet.recipes.training_items import describe_training_items
    from langnet.recipes.transfer import TransferOptions, transfer
    from langnet.training.progress import ConsoleProgress

    kind, (sources, others) = find_kind(task), data
    if (pooling := options[0].pooling) != FinetuneOptions().pooling:
        raise LangnetError(f"--pooling is for classification; for the task '{task}' it is --head pooling={pooling}")
    items = kind.read(sources, names)
    more = kind.read(others, names, labelled=False) if others else None
    _say(kind.remarks(items))
    folder = run_folder(place.output)
    progress = ConsoleProgress(task)
    shared, head = options[0], HeadOptions(options[0].dropout, settings=assignments(options[1], "--head"))
    how = TransferOptions(shared, head)
    made = transfer(model, kind, items, how, unlabelled=more, folder=folder, progress=progress, resume=place.resume)
    forget_runs(folder)
    made.facts["finetune"]["training_items"] = describe_training_items(items, sources, place.output)
    made.facts["finetune"]["columns"] = asdict(kind.as_read(items, names))
    made.save(place.output, overwrite=place.overwrite)
    console.print(f"{place.output}: a model for the task '{task}' from {len(items):,} {kind.unit}", highlight=False)
    tell_facts(made)


def predict_task(
    model: Model,
    sources: list[str],
    names: Columns,
    outputs: Outputs,
    abstain_below: float | None = None,
) -> None:
    """Write the guesses for the items of the files, in their format; empty labels where the model abstains.

    Args:
        model: for a task beside classification.
        sources: files of items.
        names: columns.
        outputs: what is written, and where.
        abstain_below: probability from which on a model with classes answers; None: always.

    Raises:
        LangnetError: standard input, whose format nothing says.
    """
    from langnet.recipes.kinds.registry import find_kind

    kind = find_kind(model.network.task.name)
    if "-" in sources:
        raise LangnetError(
            f"standard input is for text classifiers; for the task '{kind.name}' write it into a file, whose name says "
            "the format, and name that"
        )
    items = kind.read(sources, as_in_training(names, model, numbers=False), labelled=False)
    output = outputs.file
    drawn = outputs.page or outputs.pictures
    kind.check_output(items, outputs.suffix)
    if drawn:
        kind.drawings(model, [], [])  # before the work, where it draws nothing
    guesses = _sure_enough(model.guess(items), abstain_below)
    if output or not drawn:
        text = kind.written_as(outputs.suffix, items, guesses)
        if output is None:
            sys.stdout.write(text)
        else:
            write_bytes(output, text.encode("utf8"))
    if drawn:
        _draw((model, kind), items, guesses, outputs)


def _draw(made: tuple[Model, Kind[Any, Any]], items: list[Any], guesses: list[Any], outputs: Outputs) -> None:
    """What is said of words, on a page and as pictures; `made` is the model and its kind."""
    from langnet.study.drawings import MOST, write_pictures
    from langnet.study.structure_page import structure_page

    model, kind = made
    drawings = kind.drawings(model, items[:MOST], guesses[:MOST])
    if outputs.page:
        places = [str(getattr(item, "source", "")) for item in items]
        page = structure_page(kind.summary, drawings, places, (len(items), kind.unit))
        write_bytes(outputs.page, page.encode("utf8", "replace"))
    if outputs.pictures:
        write_pictures(outputs.pictures, drawings)
        if len(drawings) < len(items):
            print(f"langnet: {outputs.pictures} has the first {MOST:,} of {len(items):,} {kind.unit}", file=sys.stderr)


def evaluate_task(
    model: Model,
    folder: Path,
    data: tuple[list[str], list[str]],
    names: Columns,
    outputs: tuple[Path | None, Path | None],
    abstain_below: float | None = None,
) -> None:
    """Print the model's scores beside its neighbours'.

    Args:
        model: for a task beside classification.
        folder: the model's, from where its training files are looked for.
        data: the files of the test items and of the training items, from which the neighbours learn.
        names: columns of both.
        outputs: of everything as JSON, and of the guesses in the items' format.
        abstain_below: probability from which on a model with classes answers; None: always.
    """
    from langnet.recipes.kinds.registry import find_kind
    from langnet.recipes.training_items import find_training_items
    from langnet.recipes.transfer import evaluate_task as evaluate

    kind, facts = find_kind(model.network.task.name), model.facts.get("finetune") or {}
    names = as_in_training(names, model)
    test = kind.read(data[0], names)
    if outputs[1]:
        kind.check_output(test, outputs[1].suffix.lower())
    train = kind.read(data[1], names) if data[1] else find_training_items(facts, folder, kind, names)
    report, guesses = evaluate(model, kind, test, train or [], abstain_below)
    if train is None:
        report.warnings.append(
            "no neighbours: the training files are not where they were, or hold something else; name them by --train"
        )
    report.warnings += kind.remarks(test)
    console.print(report.render())
    if outputs[0]:
        write_json(outputs[0], report.to_dict())
    if outputs[1]:
        text = kind.written_as(outputs[1].suffix.lower(), test, _sure_enough(guesses, abstain_below))
        write_bytes(outputs[1], text.encode("utf8"))


def _say(remarks: list[str]) -> None:
    """What reading found, where results on standard output are not disturbed by it."""
    for line in remarks:
        print(f"langnet: {line}", file=sys.stderr)


def as_in_training(names: Columns, model: Model, numbers: bool = True) -> Columns:
    """The columns, those that are not named being the ones that the training files had.

    Args:
        names: as they were given.
        model: knows what was given for its training.
        numbers: whether columns that were given by number are meant too: a file to predict on may have others.
    """
    held = (model.facts.get("finetune") or {}).get("columns") or {}
    unnamed = [name for name in ("text", "second", "label", "separator") if not getattr(names, name)]
    known = {name: held[name] for name in unnamed if held.get(name)}
    return replace(names, **{k: v for k, v in known.items() if numbers or not str(v).lstrip("-").isdigit()})


def wanted_threshold(model: Model, name: str, below: float | None, stored: bool) -> float | None:
    """The probability below which the model is to abstain; None: never.

    Raises:
        LangnetError: no probability, two thresholds, or none in the model's folder.
    """
    if below is None and not stored:
        return None
    from langnet.evaluate.abstention import check_threshold
    from langnet.recipes.calibrate import stored_threshold

    if below is not None and stored:
        raise LangnetError("give either --abstain-below or --abstain, which takes the model's own threshold")
    check_threshold(below)
    return stored_threshold(model, name) if below is None else below


def _sure_enough(guesses: list[Any], threshold: float | None) -> list[Any]:
    """The guesses, those below the threshold as abstentions.

    Raises:
        LangnetError: the guesses are of another kind than one class of several.
    """
    from langnet.tasks.task import ClassGuess

    if threshold is None:
        return guesses
    if not all(isinstance(guess, ClassGuess) for guess in guesses):
        raise LangnetError("this model's task has no probabilities of classes, so it cannot abstain by them")
    return [guess.above(threshold) for guess in guesses]


def require_task(model: Model, name: str) -> None:
    """Nothing, where the model has learned a task.

    Raises:
        LangnetError: it is a language model.
    """
    if model.is_language_model:
        raise LangnetError(f"{name} is a language model without labels; fine-tune it first: langnet finetune")
