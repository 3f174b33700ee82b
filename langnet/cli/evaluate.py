"""`langnet evaluate`: scores with their intervals and neighbours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from langnet.cli.app import app, check_writable, console, examples, write_json
from langnet.cli.checks import check_models, check_one_each, check_sources, matched_files
from langnet.cli.options import (
    LAMBDA,
    THETA,
    Abstain,
    AbstainBelow,
    AlsoModels,
    CacheLambda,
    CacheTheta,
    CacheWindow,
    Documents,
    LabelColumn,
    SecondColumn,
    Separator,
    TextColumn,
    Where,
    cache_options,
)
from langnet.cli.tables import format_for, prediction_row, write_rows
from langnet.cli.tasks import columns, evaluate_task, refuse_for_classification, wanted_threshold
from langnet.errors import LangnetError

if TYPE_CHECKING:
    from langnet.evaluate.cache import CacheOptions
    from langnet.evaluate.language_model import LanguageModelScores
    from langnet.recipes.ensemble import Ensemble
    from langnet.recipes.model import Model
    from langnet.text.corpus import CorpusOptions

TRAIN_HELP = "The training texts, for TF-IDF beside the model; not needed where their files are still in place."


@app.command(
    epilog=examples(
        "langnet evaluate my-classifier test.csv",
        "langnet evaluate my-classifier test.csv --train train.csv --json scores.json --predictions predictions.csv",
        "langnet evaluate my-forward test.csv --with my-backward    (the mean of their probabilities)",
        "langnet evaluate my-nli xnli.test.tsv --where language=sw --train train.tsv",
        "langnet evaluate my-classifier test.csv --abstain-below 0.9",
        "langnet evaluate my-reader dev.json --train train.json --predictions predictions.json",
        "langnet evaluate my-lm heldout.txt --documents paragraph",
        "langnet evaluate my-lstm heldout.txt --cache-window 2000",
    )
)
def evaluate(
    model: Annotated[str, typer.Argument(help="Folder or name of a classifier or a language model.")],
    sources: Annotated[list[str], typer.Argument(help="Labelled test texts, or held-out raw text.")],
    also: AlsoModels = None,
    train: Annotated[list[str] | None, typer.Option(help=TRAIN_HELP)] = None,
    text_column: TextColumn = "text",
    second_column: SecondColumn = None,
    label_column: LabelColumn = "label",
    separator: Separator = None,
    where: Where = None,
    documents: Documents = "file",
    cache_window: CacheWindow = None,
    cache_theta: CacheTheta = THETA,
    cache_lambda: CacheLambda = LAMBDA,
    abstain_below: AbstainBelow = None,
    abstain: Abstain = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write everything into this file.")] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(help="Write every prediction: of rows .csv, .tsv or .jsonl; else in the task's format."),
    ] = None,
) -> None:
    """Score a classifier or a language model, with intervals and beside its neighbours.

    A classifier stands beside the majority class and TF-IDF with a logistic regression. Of several, the probabilities
    are averaged.

    A language model stands beside a unigram model and a compressor, in bits per byte, and beside further models.
    """
    check_writable(json_file, predictions, inputs=[*sources, *(train or [])])
    check_models(model, *(also or []))
    check_one_each(sources, "--train")
    check_sources(sources, train)
    from langnet.hub.names import resolve_model
    from langnet.recipes.ensemble import average
    from langnet.recipes.model import load
    from langnet.text.corpus import CorpusOptions

    cache = cache_options(cache_window, cache_theta, cache_lambda)
    names = [model, *(also or [])]
    loaded, folder = load(model), resolve_model(model)
    if cache and not loaded.is_language_model:
        raise LangnetError(f"{model} has learned a task, and a cache stands beside language models; leave it out")
    if loaded.is_classifier or loaded.is_language_model:
        refuse_for_classification(where=where, separator=separator, second_column=second_column)
    threshold = wanted_threshold(loaded, model, abstain_below, abstain)
    files = (json_file, predictions)
    labelled = sources, train or []
    if not loaded.is_language_model:
        labelled = matched_files(labelled[0]), matched_files(labelled[1])
    if loaded.is_classifier:
        together = average([loaded, *names[1:]]) if also else loaded
        _classifier((together, folder, threshold), labelled, (text_column, label_column), files)
        return
    if not loaded.is_language_model:
        if also:
            raise LangnetError(f"only classifiers are averaged, and {model} is none; leave --with out")
        named = columns(text_column, second_column, label_column, where, separator)
        evaluate_task(loaded, folder, labelled, named, files, threshold)
        return
    if threshold is not None:
        raise LangnetError(f"{model} is a language model: it answers nothing, so it cannot abstain")
    if predictions or train:
        raise LangnetError(f"{model} is a language model: it has no labels to predict or to learn from")
    models = {name: loaded if name == model else load(name) for name in names}
    _language_models(models, sources, CorpusOptions(text_column, documents), json_file, cache)


def _classifier(
    made: tuple[Model | Ensemble, Path, float | None],
    data: tuple[list[str], list[str]],
    columns: tuple[str, str],
    outputs: tuple[Path | None, Path | None],
) -> None:
    """Score a classifier; `made` is the model, its folder, and the probability below which it abstains."""
    from langnet.recipes.evaluate import evaluate_classifier
    from langnet.text.labelled import read_labelled

    (model, folder, threshold), (json_file, predictions_file) = made, outputs
    format = format_for(predictions_file, None) if predictions_file else "jsonl"
    test = read_labelled(list(data[0]), *columns)
    train = read_labelled(list(data[1]), *columns) if data[1] else None
    report, predictions = evaluate_classifier(model, test, train, folder, threshold)
    console.print(report.render())
    if json_file:
        write_json(json_file, report.to_dict())
    if predictions_file and predictions.probabilities is not None:
        rows = [
            {
                "source": source,
                "text": text,
                "true_label": gold,
                **prediction_row(predictions.label_names, p, True, threshold),
            }
            for source, text, gold, p in zip(
                test.sources, test.texts, test.labels, predictions.probabilities, strict=True
            )
        ]
        write_rows(rows, predictions_file, format)


def _language_models(
    models: dict[str, Model],
    sources: list[str],
    options: CorpusOptions,
    json_file: Path | None,
    cache: CacheOptions | None,
) -> None:
    from langnet.recipes.evaluate import evaluate_language_model

    reports = {name: evaluate_language_model(model, sources, options, cache) for name, model in models.items()}
    first = next(iter(reports.values()))
    alone = len(reports) == 1
    texts = "1 text" if first.model.n_documents == 1 else f"{first.model.n_documents:,} texts"
    tokens = f", {first.model.n_tokens:,} tokens" if alone else ""
    console.print(f"{texts}, {first.model.n_bytes:,} bytes{tokens}", highlight=False)
    table = Table("", box=None, pad_edge=False)
    for name in ("bits/byte", "95 % interval", "perplexity"):
        table.add_column(name, justify="right")
    for name, report in reports.items():
        table.add_row("this model" if alone else name, *_cells(report.model))
        if report.model.with_cache:
            table.add_row("  with cache", *_cells(report.model.with_cache))
    for name, bits in first.neighbours.items():
        table.add_row(name, f"{bits:.3f}", "", "")
    console.print(table)
    for name, report in reports.items():
        for warning in report.warnings:
            console.print(f"! {'' if alone else f'{name}: '}{warning}", style="yellow", highlight=False)
    if json_file:
        every = {name: report.to_dict() for name, report in reports.items()}
        write_json(json_file, first.to_dict() if alone else {"models": every})


def _cells(scores: LanguageModelScores) -> list[str]:
    interval = "-" if scores.n_documents == 1 else str(scores.interval)
    return [f"{scores.bits_per_byte:.3f}", interval, f"{scores.perplexity:,.1f}"]
