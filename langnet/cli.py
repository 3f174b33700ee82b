"""The command line: every verb of langnet, each with worked examples in its help."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from langnet.errors import LangnetError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="rich", add_completion=False)
console = Console()

Sources = Annotated[list[str], typer.Argument(help="Files, folders, globs, archives, '-' for standard input.")]
TextColumn = Annotated[str, typer.Option(help="Column of tables that holds the text.")]
LabelColumn = Annotated[str, typer.Option(help="Column of tables that holds the label.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a model folder of the same name.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint of an interrupted run.")]
Minutes = Annotated[float | None, typer.Option(help="Budget in minutes; 10 where no budget is given.")]
Tokens = Annotated[int | None, typer.Option(help="Budget in tokens.")]
Steps = Annotated[int | None, typer.Option(help="Budget in steps.")]


def main() -> None:
    """Run the command line; a user's mistake is one line on standard error and exit code 2."""
    try:
        app()
    except LangnetError as error:
        print(f"langnet: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("langnet: interrupted; a run with an output folder goes on with --resume", file=sys.stderr)
        sys.exit(130)


@app.command()
def inspect(
    sources: Sources, text_column: TextColumn = "text", label_column: Annotated[str | None, typer.Option()] = None
) -> None:
    """Report on raw or labelled text before anything is trained.

    Example: langnet inspect reviews.csv --label-column label
    """
    from langnet.text.corpus import CorpusOptions
    from langnet.text.inspect import inspect_corpus

    report = inspect_corpus(sources, CorpusOptions(text_column=text_column), label_column=label_column)
    console.print(report.render())


@app.command()
def pretrain(
    sources: Sources,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the new model.")],
    encoder: Annotated[str, typer.Option(help="gpt or gpt-2018.")] = "gpt",
    size: Annotated[str, typer.Option(help="tiny, mini, small, medium, large, base.")] = "small",
    minutes: Minutes = None,
    tokens: Tokens = None,
    steps: Steps = None,
    text_column: TextColumn = "text",
    documents: Annotated[Literal["file", "line", "paragraph"], typer.Option(help="A document in text files.")] = "file",
    tokenizer: Annotated[str, typer.Option(help="bpe, unigram, words, characters, bytes.")] = "bpe",
    vocabulary_size: Annotated[int | None, typer.Option(help="Sized to the corpus by default.")] = None,
    seed: Seed = 0,
    resume: Resume = False,
    overwrite: Overwrite = False,
) -> None:
    """Train a language model on raw text.

    Example: langnet pretrain texts/ --output my-lm --minutes 10
    """
    from langnet.recipes.pretrain import PretrainOptions, Run
    from langnet.recipes.pretrain import pretrain as run_pretrain
    from langnet.text.corpus import CorpusOptions
    from langnet.text.prepare import PrepareOptions
    from langnet.training.progress import ConsoleProgress

    _check_output(output, overwrite)
    corpus = CorpusOptions(text_column=text_column, documents=documents)
    prepare = PrepareOptions(tokenizer=tokenizer, vocabulary_size=vocabulary_size, corpus=corpus, seed=seed)  # type: ignore[arg-type]
    options = PretrainOptions(
        encoder=encoder, size=size, minutes=minutes, tokens=tokens, steps=steps, prepare=prepare, seed=seed
    )
    run = Run(_run_folder(output), resume, ConsoleProgress("pretrain"))
    model = run_pretrain(sources, options, run)
    model.save(output, overwrite=overwrite)
    _say_written(output, model.facts)


@app.command()
def adapt(
    model: Annotated[str, typer.Argument(help="Folder or name of a language model.")],
    sources: Sources,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the new model.")],
    minutes: Minutes = None,
    tokens: Tokens = None,
    steps: Steps = None,
    text_column: TextColumn = "text",
    seed: Seed = 0,
    resume: Resume = False,
    overwrite: Overwrite = False,
) -> None:
    """Go on training a language model on the target domain's text.

    Example: langnet adapt my-lm letters/ --output letters-lm --minutes 5
    """
    from langnet.recipes.pretrain import PretrainOptions, Run
    from langnet.recipes.pretrain import adapt as run_adapt
    from langnet.text.corpus import CorpusOptions
    from langnet.text.prepare import PrepareOptions
    from langnet.training.progress import ConsoleProgress

    _check_output(output, overwrite)
    prepare = PrepareOptions(corpus=CorpusOptions(text_column=text_column), seed=seed)
    options = PretrainOptions(minutes=minutes, tokens=tokens, steps=steps, prepare=prepare, seed=seed)
    adapted = run_adapt(model, sources, options, Run(_run_folder(output), resume, ConsoleProgress("adapt")))
    adapted.save(output, overwrite=overwrite)
    _say_written(output, adapted.facts)


@app.command()
def finetune(
    model: Annotated[str, typer.Argument(help="Folder or name of a language model.")],
    labelled: Annotated[list[str], typer.Argument(help="Tables with text and label, or a folder a class.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the new classifier.")],
    method: Annotated[Literal["finetune", "frozen", "scratch"], typer.Option()] = "finetune",
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    epochs: Annotated[float | None, typer.Option(help="Passes over the texts.")] = None,
    learning_rate: Annotated[float, typer.Option(help="Peak rate of the top layer.")] = 3e-4,
    layer_decay: Annotated[float, typer.Option(help="How much slower each layer learns than the next.")] = 1.5,
    gradual_unfreezing: Annotated[bool, typer.Option("--gradual-unfreezing")] = False,
    auxiliary_lm: Annotated[float, typer.Option(help="Weight of the language-model loss.")] = 0.0,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Transfer a language model to classification.

    Example: langnet finetune my-lm train.csv --output my-classifier --method frozen
    """
    from langnet.recipes.finetune import FinetuneOptions
    from langnet.recipes.finetune import finetune as run_finetune
    from langnet.text.labelled import read_labelled
    from langnet.training.progress import ConsoleProgress

    _check_output(output, overwrite)
    data = read_labelled(list(labelled), text_column, label_column)
    options = FinetuneOptions(
        method, epochs, learning_rate=learning_rate, layer_decay=layer_decay,
        gradual_unfreezing=gradual_unfreezing, auxiliary_lm=auxiliary_lm, seed=seed,
    )  # fmt: skip
    progress = ConsoleProgress("fine-tune")
    run_finetune(model, data.texts, data.labels, options, progress=progress).save(output, overwrite=overwrite)
    console.print(f"{output}: a classifier of {len(data.label_names)} classes from {len(data):,} labelled texts")


@app.command()
def predict(
    model: Annotated[str, typer.Argument(help="Folder or name of a classifier.")],
    source: Annotated[Path, typer.Argument(help="A table with a text column, or a text file, a text a line.")],
    text_column: TextColumn = "text",
) -> None:
    """Predict the label of every text; one JSON object a line on standard output.

    Example: langnet predict my-classifier new.csv > predictions.jsonl
    """
    from langnet.recipes.model import load
    from langnet.text.labelled import read_texts

    classifier = load(model)
    texts = read_texts(source, text_column)
    probabilities = classifier.predict_proba(texts)
    names = classifier.labels or []
    for row in probabilities:
        best = int(row.argmax())
        print(json.dumps({"label": names[best], "probability": round(float(row[best]), 4)}, ensure_ascii=False))


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="Folder or name of a classifier.")],
    labelled: Annotated[list[str], typer.Argument(help="Labelled test texts.")],
    train: Annotated[list[str] | None, typer.Option(help="The training texts, for TF-IDF beside the model.")] = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
) -> None:
    """Score a classifier, with intervals and beside its neighbours.

    Example: langnet evaluate my-classifier test.csv --train train.csv
    """
    from langnet.evaluate.baselines import MajorityBaseline, Neighbour, TfidfBaseline
    from langnet.evaluate.metrics import classification_scores
    from langnet.recipes.model import load
    from langnet.text.labelled import read_labelled

    classifier = load(model)
    test = read_labelled(list(labelled), text_column, label_column)
    unknown = sorted(set(test.labels) - set(classifier.labels or []))
    if classifier.labels is not None and unknown:
        raise LangnetError(f"the test texts have labels that {model} does not know: {', '.join(unknown[:5])}")
    rows = {"this model": classifier.predict(test.texts)}
    source = read_labelled(list(train), text_column, label_column) if train else test
    neighbours: list[Neighbour] = [MajorityBaseline(), *([TfidfBaseline()] if train else [])]
    for baseline in neighbours:
        rows[baseline.name] = baseline.fit_predict(source.texts, source.labels, test.texts).labels
    table = Table("", "accuracy", "macro F1", "MCC", title=f"{len(test):,} test texts, 95 % intervals")
    for name, predicted in rows.items():
        table.add_row(name, *(str(score) for score in classification_scores(test.labels, predicted).values()))
    console.print(table)
    if not train:
        console.print("Give --train to see TF-IDF with a logistic regression beside it.")


@app.command()
def models(root: Annotated[Path | None, typer.Argument(help="Folder of model folders.")] = None) -> None:
    """List the models of a folder, by default this machine's.

    Example: langnet models .
    """
    from langnet.hub.folder import list_models
    from langnet.hub.names import models_root

    table = Table("model", "parameters", "created")
    for found in list_models(root or models_root()):
        table.add_row(found.name, f"{found.parameters or 0:,}", found.created or "")
    console.print(table)


@app.command()
def demo(
    minutes: Annotated[float, typer.Option(help="Minutes of pretraining.")] = 2.0,
    labels: Annotated[int, typer.Option(help="Labelled texts that each method sees.")] = 200,
    data: Annotated[Path | None, typer.Option(help="Your own labelled texts instead of 20 Newsgroups.")] = None,
    output: Annotated[Path, typer.Option(help="Folder of the language model.")] = Path("runs/demo-lm"),
    seed: Seed = 0,
) -> None:
    """Pretrain, transfer with few labels, and compare with neighbours; 20 Newsgroups unless told otherwise.

    Example: langnet demo --data my-labelled.csv --labels 100
    """
    from langnet.hub.names import home
    from langnet.recipes.demo import DemoOptions, run_demo
    from langnet.text.labelled import read_labelled
    from langnet.text.newsgroups import fetch_newsgroups
    from langnet.training.progress import ConsoleProgress

    if data is None:
        train, test = fetch_newsgroups(home() / "downloads")
    else:
        train, test = read_labelled([str(data)]).split(0.3, seed)
    output.parent.mkdir(parents=True, exist_ok=True)
    options = DemoOptions(minutes=minutes, n_labels=labels, seed=seed)
    rows = run_demo(train.texts, train, test, output, options, console.print, ConsoleProgress("pretrain"))
    table = Table("method", "accuracy", "95 % interval", title=f"{labels} labels, {options.draws} draws")
    for row in rows:
        table.add_row(row.method, f"{row.accuracy:.3f}", str(row.interval))
    console.print(table)


def _run_folder(output: Path) -> Path:
    """Where a run keeps its corpus, checkpoints and history: beside the model, not in it."""
    return output.with_name(output.name + ".run")


def _check_output(output: Path, overwrite: bool) -> None:
    """Say before the work, not after it, that the output exists."""
    if output.exists() and not overwrite:
        raise LangnetError(f"{output} exists already; choose another --output, or add --overwrite")


def _say_written(output: Path, facts: dict[str, object]) -> None:
    console.print(f"{output}: {facts['parameters']:,} parameters; validation {facts['validation']}")
