"""`langnet explain`: which words speak for what a model says."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from langnet.cli.app import app, check_writable, console, examples, write_bytes, write_json
from langnet.cli.checks import check_models, check_sources, matched_files
from langnet.cli.options import SecondColumn, TextColumn
from langnet.cli.tasks import as_in_training, columns, refuse_for_classification, require_task
from langnet.errors import LangnetError

if TYPE_CHECKING:
    from rich.text import Text

    from langnet.recipes.explain import Contribution, ExplainOptions, Explanation
    from langnet.recipes.model import Model

METHOD_HELP = "occlusion asks again without each word; gradient takes slope times embedding, in one pass."
OCCLUDE_HELP = "What takes a word's place: nothing, the unknown word, padding; remove for texts by default."
FAINTEST, SHOWN = 0.1, 10  # of the strongest contribution; rows of the table


@app.command(
    epilog=examples(
        'langnet explain my-classifier "The acting was superb, the story a waste."',
        "langnet explain my-classifier --file new.csv --limit 5 --html explained.html",
        "langnet explain my-classifier --file new.csv --method gradient --json explained.json",
        "langnet explain my-nli --file pairs.jsonl --limit 3",
    )
)
def explain(
    model: Annotated[str, typer.Argument(help="Folder or name of a classifier, or of a model for another task.")],
    texts: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help="Texts, in quotes.")] = None,
    file: Annotated[list[str] | None, typer.Option(help="Read the texts, or a task's items, from files.")] = None,
    method: Annotated[Literal["occlusion", "gradient"], typer.Option(help=METHOD_HELP)] = "occlusion",
    unit: Annotated[Literal["token", "word", "sentence"], typer.Option(help="What is explained together.")] = "word",
    occlude: Annotated[Literal["remove", "unknown", "pad"] | None, typer.Option(help=OCCLUDE_HELP)] = None,
    label: Annotated[str | None, typer.Option(help="Explain this label; by default the predicted one.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Of a file, explain so many, the first ones.")] = 20,
    text_column: TextColumn = "text",
    second_column: SecondColumn = None,
    html: Annotated[Path | None, typer.Option(help="Write a page that opens in any browser.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all contributions into this file.")] = None,
) -> None:
    """Show which words speak for what a model says, and which against.

    Where a terminal has no colours, numbers stand behind the words.
    """
    check_writable(html, json_file, inputs=file)
    if bool(texts) == bool(file):
        raise LangnetError('give either texts in quotes, as in langnet explain MODEL "a fine film", or --file FILE')
    check_models(model)
    check_sources(file)
    from langnet.recipes.explain import ExplainOptions, explain_items, explain_texts, reads_texts
    from langnet.recipes.model import load

    loaded = load(model)
    require_task(loaded, model)
    options = ExplainOptions(method, unit, occlude, label)
    _check(options)
    if loaded.is_classifier:
        refuse_for_classification(second_column=second_column)
    if loaded.is_classifier or (texts and reads_texts(loaded)):
        read, sources = _texts(texts, matched_files(file or []), text_column, limit)
        found = explain_texts(loaded, read, options)
    else:
        names = as_in_training(columns(text_column, second_column, "label"), loaded, numbers=False)
        items, sources = _items(loaded, matched_files(file or []), names, limit)
        found = explain_items(loaded, items, options)
    for one, source in zip(found, sources, strict=True):
        _show(one, source)
    if html:
        from langnet.study.explain_page import explanation_page

        write_bytes(html, explanation_page(model, found, sources).encode("utf8", "replace"))
    if json_file:
        write_json(json_file, [{"source": s, **asdict(one)} for one, s in zip(found, sources, strict=True)])


def _check(options: ExplainOptions) -> None:
    if options.method == "gradient" and options.occlude:
        raise LangnetError("--occlude is for --method occlusion; a gradient replaces nothing")


def _texts(given: list[str] | None, files: list[str], column: str, limit: int) -> tuple[list[str], list[str]]:
    """Texts and where each came from."""
    from itertools import islice

    from langnet.text.clean import clean_text
    from langnet.text.corpus import CorpusReport, read_documents
    from langnet.text.text_items import ItemOptions

    if given:
        return [clean_text(text).text for text in given], [""] * len(given)
    documents = list(islice(read_documents(files, ItemOptions(column), CorpusReport()), limit))
    if not documents:
        raise LangnetError(f"{', '.join(files)}: there is no text to explain")
    return [clean_text(document.text).text for document in documents], [document.source for document in documents]


def _items(model: Model, files: list[str], names: Any, limit: int) -> tuple[list[Any], list[str]]:
    """A task's items and where each came from."""
    from langnet.recipes.kinds.registry import find_kind

    kind = find_kind(model.network.task.name)
    if not files:
        raise LangnetError(f"the task '{kind.name}' reads its {kind.unit} from files; name one by --file")
    items = kind.read(files, names, labelled=False)[:limit]
    return items, [str(getattr(item, "source", "")) for item in items]


def _show(one: Explanation, source: str) -> None:
    from rich.table import Table
    from rich.text import Text

    sure = "" if one.probability is None else f"  {one.probability:.3f}"
    console.print(Text(f"{source + '  ' if source else ''}{one.guess}{sure}", style="bold"))
    plain = [c for c in one.contributions if not c.special]
    strongest = max((abs(c.shown) for c in plain), default=0.0)
    for part in one.texts():
        console.print(Text.assemble(*(_word(c, strongest) for c in part)), soft_wrap=True)
    shown = Table(one.unit, box=None, pad_edge=False)
    changes = any(c.probability is not None for c in plain)
    for title in (["probability"] if changes else []) + ["score"]:
        shown.add_column(title, justify="right", no_wrap=True)
    for c in sorted(plain, key=lambda c: -abs(c.shown))[:SHOWN]:
        change = [f"{c.probability:+.3f}"] if c.probability is not None else []
        shown.add_row(Text(" ".join(c.text.split()) or "(blank)"), *change, f"{c.score:+.3f}")
    console.print(shown)
    if one.terms:
        terms = ", ".join(f"{' '.join(name.split())} {value:+.3f}" for name, value in one.terms[:SHOWN])
        console.print(Text(f"of that, terms of the document vector: {terms}"), soft_wrap=True)
    against = "" if one.baseline is None else f" of a difference of {one.score - one.baseline:+.3f} to nothing"
    console.print(Text(f"score {one.score:+.3f}; contributions sum to {one.total:+.3f}{against}\n"))


def _word(one: Contribution, strongest: float) -> Text:
    """A word on a ground of its contribution's colour; with its number where there are no colours."""
    from rich.style import Style
    from rich.text import Text

    share = abs(one.shown) / strongest if strongest else 0.0
    if share < FAINTEST:
        return Text(one.text)
    body = one.text.lstrip()
    blank = one.text[: len(one.text) - len(body)]
    if console.color_system is None or console.no_color:
        return Text(f"{blank}{body}({one.shown:+.2f})")
    base = (36, 104, 173) if one.shown > 0 else (176, 84, 20)  # blue and orange, which all eyes tell apart
    shades = [round(255 - (255 - value) * (0.25 + 0.75 * share)) for value in base]
    ink = "white" if share > 0.55 else "black"
    return Text.assemble(blank, (body, Style(color=ink, bgcolor="rgb({},{},{})".format(*shades))))
