"""`langnet zero`: what a language model knows without a single label, by likelihood."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from langnet.cli.app import app, check_writable, console, examples, write_json
from langnet.cli.checks import check_models, check_sources, matched_files
from langnet.cli.options import LabelColumn, Pseudo, TextColumn
from langnet.cli.tables import Format, format_for, write_rows
from langnet.errors import LangnetError

if TYPE_CHECKING:
    from langnet.evaluate.scoring import TaskReport
    from langnet.recipes.model import Model
    from langnet.recipes.zero_labels import Verbaliser, ZeroOptions

TEMPLATE = "{text} It was {label}"  # of `recipes.zero_labels`, which would load torch; a test compares them

zero_app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", add_completion=False)
app.add_typer(zero_app, name="zero", help="Without labels, by likelihood: classes, minimal pairs, choices.")

LanguageModel = Annotated[str, typer.Argument(metavar="MODEL", help="Folder or name of a language model.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Also write everything into this file.")]
Predictions = Annotated[Path | None, typer.Option(help="Write every answer: a .csv, .tsv or .jsonl file.")]
Unigram = Annotated[
    list[str] | None, typer.Option(help="Raw text whose word frequencies the unigram neighbour takes; else the set's.")
]
NormaliseName = Literal["none", "tokens", "bytes"]
Normalise = Annotated[NormaliseName, typer.Option(help="Log-probabilities whole, or a token or a byte.")]
WORD_HELP = "LABEL=words, once or more for every label; several phrases of a label: LABEL=good,fine."
TEMPLATE_HELP = "Holds {text} and behind it {label}; of a long text the beginning is left out."
PRIOR_HELP = (
    "What the words have without the text, to be divided out: behind the template alone, behind content-free texts, on "
    "average over all texts, or nothing."
)
DOMAIN_HELP = "What stands before the words for --prior domain; the template without its text by default."
UNLABELLED_HELP = "The texts have no labels: write one for each instead of scores."


@zero_app.command(
    epilog=examples(
        "langnet zero labels my-lm reviews.csv --word pos=great --word neg=terrible --template '{text} It was {label}'",
        "langnet zero labels my-lm news.csv --word 1=politics --word 2=sport,football --prior content-free",
        "langnet zero labels my-lm new.csv --word pos=great --word neg=bad --unlabelled --predictions labels.csv",
    )
)
def labels(
    model: LanguageModel,
    sources: Annotated[list[str], typer.Argument(help="Tables with a text column, or a folder a class.")],
    word: Annotated[list[str], typer.Option(help=WORD_HELP)],
    template: Annotated[str, typer.Option(help=TEMPLATE_HELP)] = TEMPLATE,
    prior: Annotated[Literal["domain", "content-free", "batch", "none"], typer.Option(help=PRIOR_HELP)] = "domain",
    domain: Annotated[str | None, typer.Option(help=DOMAIN_HELP)] = None,
    normalise: Normalise = "none",
    pseudo: Pseudo = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    unlabelled: Annotated[bool, typer.Option("--unlabelled", help=UNLABELLED_HELP)] = False,
    unigram: Unigram = None,
    json_file: JsonFile = None,
    predictions: Predictions = None,
) -> None:
    """Label texts by how likely the model finds each label's words behind them."""
    check_writable(json_file, predictions, inputs=[*sources, *(unigram or [])])
    check_models(model)
    check_sources(sources, unigram)
    sources = matched_files(sources)
    from langnet.recipes.model import load
    from langnet.recipes.zero_labels import Verbaliser, ZeroOptions, evaluate_zero_labels, label_rows
    from langnet.text.labelled import read_labelled

    format = format_for(predictions, None) if predictions else "jsonl"
    verbaliser, options = Verbaliser(_words(word), template), ZeroOptions(prior, normalise, domain, pseudo=pseudo)
    loaded = load(model)
    if unlabelled:
        if json_file:
            raise LangnetError("--json holds scores, and without labels there are none; give --predictions")
        _label(loaded, sources, (verbaliser, options), text_column, (predictions, format))
        return
    data = read_labelled(list(sources), text_column, label_column)
    with _progress("texts", len(data)) as told:
        report, found = evaluate_zero_labels(
            loaded, data.texts, data.labels, verbaliser, options, _raw(unigram), on_text=told
        )
    _show(report, json_file)
    if predictions:
        rows = label_rows(found, data.sources)
        write_rows(
            [{**row, "true_label": gold} for row, gold in zip(rows, data.labels, strict=True)], predictions, format
        )


def _label(
    model: Model,
    sources: list[str],
    how: tuple[Verbaliser, ZeroOptions],
    text_column: str,
    output: tuple[Path | None, Format],
) -> None:
    """Write a label for every text."""
    from langnet.recipes.zero_labels import label_rows, zero_labels
    from langnet.text.clean import clean_text
    from langnet.text.corpus import CorpusReport, read_documents
    from langnet.text.text_items import ItemOptions

    documents = list(read_documents(sources, ItemOptions(text_column), CorpusReport()))
    with _progress("texts", len(documents)) as told:
        found = zero_labels(model, [clean_text(document.text).text for document in documents], *how, told)
    write_rows(label_rows(found, [document.source for document in documents]), *output)


@zero_app.command(
    epilog=examples(
        "langnet zero pairs my-lm blimp.zip --json blimp.json",
        "langnet zero pairs my-lm pairs.jsonl    (rows with sentence_good and sentence_bad)",
        "langnet zero pairs my-bert blimp.zip    (of --objective masked: by pseudo-log-probabilities)",
    )
)
def pairs(
    model: LanguageModel,
    sources: Annotated[list[str], typer.Argument(help="Tables with sentence_good and sentence_bad; BLiMP's archive.")],
    normalise: Normalise = "none",
    pseudo: Pseudo = None,
    unigram: Unigram = None,
    json_file: JsonFile = None,
    predictions: Predictions = None,
) -> None:
    """Ask which sentence of a minimal pair is the more probable one, by phenomenon.

    A tie counts as wrong.
    """
    check_writable(json_file, predictions, inputs=[*sources, *(unigram or [])])
    check_models(model)
    check_sources(sources, unigram)
    sources = matched_files(sources)
    from langnet.recipes.model import load
    from langnet.recipes.zero_choices import zero_pairs
    from langnet.text.choices import read_minimal_pairs

    format = format_for(predictions, None) if predictions else "jsonl"
    loaded = load(model)
    if loaded.way_of_scoring(pseudo) is None:  # before the pairs are read, which takes a while
        loaded.require_language_model("compare sentences")
    read = read_minimal_pairs(list(sources))
    with _progress("pairs", len(read)) as told:
        found = zero_pairs(loaded, read, normalise, _raw(unigram), told, pseudo)
    _show(found.report, json_file)
    if predictions:
        write_rows(found.rows, predictions, format)


@zero_app.command(
    epilog=examples(
        "langnet zero choices my-lm copa.jsonl",
        "langnet zero choices my-lm winograd.jsonl --scoring partial    (sentence with _, option1, option2, answer)",
        "langnet zero choices my-lm cloze.jsonl --unlabelled > answers.jsonl    (text with _, and a list of choices)",
    )
)
def choices(
    model: LanguageModel,
    sources: Annotated[list[str], typer.Argument(help="Tables: COPA's, WinoGrande's, or a text with choices.")],
    scoring: Annotated[
        Literal["auto", "full", "partial", "pmi"],
        typer.Option(help="What is compared: all that follows, what follows the alternative, or all less its prior."),
    ] = "auto",
    normalise: Normalise = "none",
    pseudo: Pseudo = None,
    unlabelled: Annotated[bool, typer.Option("--unlabelled", help="There are no answers: write them.")] = False,
    unigram: Unigram = None,
    json_file: JsonFile = None,
    predictions: Predictions = None,
) -> None:
    """Fill a place in a text with the likeliest alternative: cloze, Winograd schemas, COPA.

    A run of underscores is the place; without one the alternatives end the text. A tie counts as wrong.
    """
    check_writable(json_file, predictions, inputs=[*sources, *(unigram or [])])
    check_models(model)
    check_sources(sources, unigram)
    sources = matched_files(sources)
    from langnet.recipes.model import load
    from langnet.recipes.zero_choices import ChoiceOptions, answer_rows, choose, zero_choices
    from langnet.text.choices import read_choices

    format = format_for(predictions, None) if predictions else "jsonl"
    read = read_choices(list(sources), labelled=not unlabelled)
    options, loaded = ChoiceOptions(scoring, normalise, pseudo), load(model)
    if unlabelled:
        if json_file:
            raise LangnetError("--json holds scores, and without answers there are none; give --predictions")
        write_rows(answer_rows(read, choose(loaded, read, options)), predictions, format)
        return
    found = zero_choices(loaded, read, options, _raw(unigram))
    _show(found.report, json_file)
    if predictions:
        write_rows(found.rows, predictions, format)


@zero_app.command(
    epilog=examples(
        "langnet zero acceptability my-lm out_of_domain_dev.tsv --dev in_domain_dev.tsv",
        "langnet zero acceptability my-lm test.csv --dev dev.csv --score tokens    (columns sentence and label)",
    )
)
def acceptability(
    model: LanguageModel,
    sources: Annotated[list[str], typer.Argument(help="Sentences judged 1 or 0: CoLA's files, or tables.")],
    dev: Annotated[list[str], typer.Option(help="Other such sentences, by which the threshold is chosen.")],
    score: Annotated[
        Literal["slor", "none", "tokens", "bytes"],
        typer.Option(help="Log-probability, whole, a token, a byte, or a token less the unigrams' (slor)."),
    ] = "slor",
    pseudo: Pseudo = None,
    unigram: Unigram = None,
    json_file: JsonFile = None,
    predictions: Predictions = None,
) -> None:
    """Judge sentences by a threshold on their probability: CoLA, by Matthews correlation."""
    check_writable(json_file, predictions, inputs=[*sources, *dev, *(unigram or [])])
    check_models(model)
    check_sources(sources, dev, unigram)
    sources, dev = matched_files(sources), matched_files(dev)
    from langnet.recipes.model import load
    from langnet.recipes.zero_choices import zero_acceptability
    from langnet.text.choices import read_judged

    format = format_for(predictions, None) if predictions else "jsonl"
    test, chosen = read_judged(list(sources)), read_judged(list(dev))
    found = zero_acceptability(load(model), test, chosen, score, _raw(unigram), pseudo)
    both = {one.sentence for one in chosen} & {one.sentence for one in test}
    if both:
        found.report.warnings.append(f"{len(both):,} of the sentences are among those that chose the threshold")
    _show(found.report, json_file)
    if predictions:
        write_rows(found.rows, predictions, format)


def _words(given: list[str]) -> dict[str, list[str]]:
    """Labels and their phrases, of LABEL=words."""
    words: dict[str, list[str]] = {}
    for one in given:
        label, sign, phrases = one.partition("=")
        if not sign or not label.strip():
            raise LangnetError(f"--word {one}: write LABEL=words, as in --word pos=great")
        words.setdefault(label.strip(), []).extend(phrase.strip() for phrase in phrases.split(","))
    return words


def _raw(sources: list[str] | None) -> Iterator[str] | None:
    """Raw texts for the unigram neighbour."""
    if not sources:
        return None
    from langnet.text.clean import clean_text
    from langnet.text.corpus import CorpusOptions, CorpusReport, read_documents

    return (clean_text(document.text).text for document in read_documents(sources, CorpusOptions(), CorpusReport()))


def _show(report: TaskReport, json_file: Path | None) -> None:
    console.print(report.render())
    if json_file:
        write_json(json_file, report.to_dict())


@contextmanager
def _progress(what: str, total: int) -> Iterator[Any]:
    """A line of progress on a terminal that is shown and forgotten."""
    from rich.console import Console

    with Console(stderr=True).status(f"0 of {total:,} {what}") as shown:
        yield lambda done: shown.update(f"{min(done, total):,} of {total:,} {what}")
