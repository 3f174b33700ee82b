"""`langnet pretrain` and `langnet adapt`: from raw text to a language model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from langnet.cli.app import app, check_output, console, run_folder
from langnet.cli.options import Minutes, Overwrite, Resume, Seed, Sources, Steps, TextColumn, Tokens


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

    check_output(output, overwrite)
    corpus = CorpusOptions(text_column=text_column, documents=documents)
    prepare = PrepareOptions(tokenizer=tokenizer, vocabulary_size=vocabulary_size, corpus=corpus, seed=seed)  # type: ignore[arg-type]
    options = PretrainOptions(
        encoder=encoder, size=size, minutes=minutes, tokens=tokens, steps=steps, prepare=prepare, seed=seed
    )
    run = Run(run_folder(output), resume, ConsoleProgress("pretrain"))
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

    check_output(output, overwrite)
    prepare = PrepareOptions(corpus=CorpusOptions(text_column=text_column), seed=seed)
    options = PretrainOptions(minutes=minutes, tokens=tokens, steps=steps, prepare=prepare, seed=seed)
    adapted = run_adapt(model, sources, options, Run(run_folder(output), resume, ConsoleProgress("adapt")))
    adapted.save(output, overwrite=overwrite)
    _say_written(output, adapted.facts)


def _say_written(output: Path, facts: dict[str, object]) -> None:
    console.print(f"{output}: {facts['parameters']:,} parameters; validation {facts['validation']}")
