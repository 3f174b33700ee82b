"""`langnet adapt`: from a language model to one of another domain."""

from __future__ import annotations

from typing import Annotated

import typer

from langnet.cli.app import app, check_device, check_output, examples, save_language_model, training_run
from langnet.cli.checks import check_budget, check_models, check_sources
from langnet.cli.options import (
    BatchTokens,
    Device,
    Documents,
    DropoutScale,
    Forgetting,
    HeldOut,
    KeepDuplicates,
    LanguageModelName,
    LayerDecay,
    LearningRate,
    Minutes,
    NewFolder,
    NoDocumentVectors,
    Optimizer,
    Overwrite,
    Precision,
    Resume,
    ScheduleName,
    Seed,
    Sources,
    Steps,
    TextColumn,
    Tokens,
)
from langnet.errors import LangnetError

NEW_VOCABULARY_HELP = "Learn the vocabulary of the new text; entries that the model knows keep their rows."


@app.command(
    epilog=examples(
        "langnet adapt my-lm letters/ --output letters-lm --minutes 5",
        "langnet adapt my-lm unlabelled.csv --text-column body --output target-lm --minutes 5",
        "langnet adapt wt103-lm letters/ --output letters-lm --new-vocabulary --minutes 5",
    )
)
def adapt(
    model: LanguageModelName,
    sources: Sources,
    output: NewFolder,
    minutes: Minutes = None,
    tokens: Tokens = None,
    steps: Steps = None,
    text_column: TextColumn = "text",
    documents: Documents = "file",
    keep_duplicates: KeepDuplicates = False,
    validation_fraction: HeldOut = 0.02,
    new_vocabulary: Annotated[bool, typer.Option("--new-vocabulary", help=NEW_VOCABULARY_HELP)] = False,
    vocabulary_size: Annotated[
        int | None, typer.Option(help="Of --new-vocabulary; sized to the texts if unsaid.")
    ] = None,
    batch_tokens: BatchTokens = None,
    learning_rate: LearningRate = None,
    layer_decay: LayerDecay = 1.0,
    schedule: Annotated[ScheduleName | None, typer.Option(help="Of the rates; the family's own by default.")] = None,
    optimizer: Optimizer = None,
    no_document_vectors: NoDocumentVectors = False,
    dropout_scale: DropoutScale = None,
    forgetting: Forgetting = None,
    precision: Precision = "auto",
    device: Device = None,
    seed: Seed = 0,
    resume: Resume = False,
    overwrite: Overwrite = False,
) -> None:
    """Go on training a language model on the target domain's text.

    Architecture and direction stay the model's own, and so does the tokenizer without --new-vocabulary; the document
    vectors are made anew from the new text.
    """
    if vocabulary_size is not None and not new_vocabulary:
        raise LangnetError("--vocabulary-size is that of a new vocabulary; add --new-vocabulary, or leave it out")
    check_budget(tokens, steps, minutes)
    check_models(model)
    check_sources(sources, forgetting)
    check_output(output, overwrite)
    from langnet.recipes.pretrain import PretrainOptions
    from langnet.recipes.pretrain import adapt as run_adapt
    from langnet.recipes.raw_text import RawText
    from langnet.text.corpus import CorpusOptions
    from langnet.text.prepare import PrepareOptions
    from langnet.transfer.schedule import named_schedule

    check_device(device)
    corpus = CorpusOptions(text_column, documents, drop_duplicates=not keep_duplicates)
    options = PretrainOptions(
        minutes=minutes,
        tokens=tokens,
        steps=steps,
        batch_tokens=batch_tokens,
        learning_rate=learning_rate,
        optimizer=optimizer,
        document_vectors=not no_document_vectors,
        prepare=PrepareOptions(None, vocabulary_size, validation_fraction, corpus, seed, new_vocabulary=new_vocabulary),
        layer_decay=layer_decay,
        schedule=None if schedule is None else named_schedule(schedule),
        seed=seed,
        dropout_scale=dropout_scale,
        precision=precision,
        device=device,
        forgetting=RawText(tuple(forgetting), corpus) if forgetting else None,
    )
    with training_run(output, resume, "adapt") as run:
        adapted = run_adapt(model, sources, options, run)
    save_language_model(adapted, output, overwrite)
