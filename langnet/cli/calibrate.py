"""`langnet calibrate`: probabilities that mean what they say, and a threshold to abstain below."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from langnet.cli.app import app, check_output, console, examples
from langnet.cli.checks import check_models, check_sources, matched_files
from langnet.cli.options import LabelColumn, Overwrite, SecondColumn, Separator, TextColumn
from langnet.cli.tasks import as_in_training, columns, refuse_for_classification, require_task
from langnet.errors import LangnetError

if TYPE_CHECKING:
    from langnet.evaluate.predictions import Predictions
    from langnet.recipes.kinds.kind import Columns
    from langnet.recipes.model import Model

OUTPUT_HELP = "Folder of the calibrated model; by default the model's own, which is rewritten."
_LEARNED = "these are the {} that the model has learned from; give others that it has not seen"
TARGET_HELP = "Also find the threshold above which so many of the answers are right, with 95 % certainty."


@app.command(
    epilog=examples(
        "langnet calibrate my-classifier dev.csv",
        "langnet calibrate my-classifier dev.csv --target-accuracy 0.95 --output my-careful-classifier",
        "langnet predict my-careful-classifier new.csv --abstain",
    )
)
def calibrate(
    model: Annotated[str, typer.Argument(help="Folder or name of a classifier.")],
    sources: Annotated[list[str], typer.Argument(help="Labelled texts that it neither learned from nor is tested on.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help=OUTPUT_HELP)] = None,
    target_accuracy: Annotated[float | None, typer.Option(help=TARGET_HELP)] = None,
    text_column: TextColumn = "text",
    second_column: SecondColumn = None,
    label_column: LabelColumn = "label",
    separator: Separator = None,
    overwrite: Overwrite = False,
) -> None:
    """Fit the temperature of a model's probabilities on held-out texts, and write it into the model's folder.

    The labels that it predicts stay the same. An earlier temperature is replaced.
    """
    check_models(model)
    check_sources(sources)
    sources = matched_files(sources)
    from langnet.evaluate.abstention import check_target
    from langnet.hub.names import resolve_model
    from langnet.recipes.calibrate import fit_temperature, uncalibrated
    from langnet.recipes.model import load

    check_target(target_accuracy)
    loaded, folder = load(model), resolve_model(model)
    require_task(loaded, model)
    if output is not None:
        check_output(output, overwrite)
    plain = uncalibrated(loaded)
    if plain.is_classifier:
        refuse_for_classification(separator=separator, second_column=second_column)
        gold, predictions, digest, warnings = _classifier(plain, folder, sources, (text_column, label_column))
    else:
        named = columns(text_column, second_column, label_column, None, separator)
        gold, predictions, digest, warnings = _task((plain, folder), sources, named, target_accuracy)
    found = fit_temperature(plain, gold, predictions, digest, target_accuracy)
    place = output or folder
    found.model.save(place, overwrite=overwrite or output is None)
    what = "decisions, one a label and text" if loaded.network.task.name == "multilabel" else "texts"
    console.print(f"{place}: temperature {found.temperature:.3f} from {len(gold):,} {what}", highlight=False)
    for name, one in (("before", found.before), ("after", found.after)):
        console.print(f"{name}: {one}", highlight=False, soft_wrap=True)
    if found.selective:
        console.print(str(found.selective), highlight=False, soft_wrap=True)
    for warning in [*warnings, *found.warnings]:
        console.print(f"! {warning}", style="yellow", highlight=False, soft_wrap=True)


def _classifier(
    model: Model, folder: Path, sources: list[str], names: tuple[str, str]
) -> tuple[list[str], Predictions, str, list[str]]:
    """True labels and predictions, a name for the texts, and a warning where the model has learned from some."""
    from langnet.evaluate.predictions import Predictions
    from langnet.recipes.training_items import count_known
    from langnet.recipes.training_texts import digest_of, find_training_texts
    from langnet.text.labelled import read_labelled

    data = read_labelled(list(sources), *names)
    remembered = (model.facts.get("finetune") or {}).get("training_texts") or {}
    learned = find_training_texts(remembered, folder)
    both = count_known(data.texts, learned.texts if learned else [])
    name = digest_of(data)
    if remembered and name == remembered.get("digest"):
        raise LangnetError(_LEARNED.format("texts"))
    predictions = Predictions.from_probabilities(model.predict_proba(data.texts), list(model.labels or []))
    return data.labels, predictions, name, _warning(both, len(data), "texts")


def _task(
    made: tuple[Model, Path], sources: list[str], names: Columns, target: float | None
) -> tuple[list[str], Predictions, str, list[str]]:
    """The same of a model for another task, and its folder."""
    from langnet.recipes.calibrate import digest_of_items
    from langnet.recipes.kinds.registry import find_kind
    from langnet.recipes.training_items import count_known, find_training_items

    (model, folder), facts = made, made[0].facts.get("finetune") or {}
    kind, names = find_kind(model.network.task.name), as_in_training(names, model)
    items = kind.read(sources, names)
    name = digest_of_items(items)
    if name == (facts.get("training_items") or {}).get("digest"):
        raise LangnetError(_LEARNED.format(kind.unit))
    both = count_known(items, find_training_items(facts, folder, kind, names) or [])
    if target is not None and kind.gold(items) is None:
        raise LangnetError(f"the task '{kind.name}' answers with no single class, so it cannot abstain from one")
    decisions = kind.decisions(items, model.guess(items))
    if decisions is None:
        raise LangnetError(f"the task '{kind.name}' has no probabilities of classes to calibrate")
    return *decisions, name, _warning(both, len(items), kind.unit)


def _warning(both: int, n: int, unit: str) -> list[str]:
    """Where some of the texts were learned from."""
    return [f"the model has learned from {both:,} of the {n:,} {unit}, and is too sure of them"] if both else []
