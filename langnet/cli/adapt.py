"""`langnet adapt`: from a language model to one of another domain."""

from __future__ import annotations

from langnet.cli.app import app, check_device, check_output, examples, say_written, training_run
from langnet.cli.options import (
    BatchTokens,
    Device,
    Documents,
    DropoutScale,
    HeldOut,
    KeepDuplicates,
    LanguageModelName,
    LearningRate,
    Minutes,
    NewFolder,
    NoDocumentVectors,
    Optimizer,
    Overwrite,
    Precision,
    Resume,
    Seed,
    Sources,
    Steps,
    TextColumn,
    Tokens,
)


@app.command(
    epilog=examples(
        "langnet adapt my-lm letters/ --output letters-lm --minutes 5",
        "langnet adapt my-lm unlabelled.csv --text-column body --output target-lm --minutes 5",
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
    batch_tokens: BatchTokens = None,
    learning_rate: LearningRate = None,
    optimizer: Optimizer = None,
    no_document_vectors: NoDocumentVectors = False,
    dropout_scale: DropoutScale = None,
    precision: Precision = "auto",
    device: Device = None,
    seed: Seed = 0,
    resume: Resume = False,
    overwrite: Overwrite = False,
) -> None:
    """Go on training a language model on the target domain's text.

    Tokenizer and architecture stay the model's own; the document vectors are made anew from the new text.
    """
    from langnet.recipes.pretrain import PretrainOptions
    from langnet.recipes.pretrain import adapt as run_adapt
    from langnet.text.corpus import CorpusOptions
    from langnet.text.prepare import PrepareOptions

    check_output(output, overwrite)
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
        prepare=PrepareOptions(validation_fraction=validation_fraction, corpus=corpus, seed=seed),
        seed=seed,
        dropout_scale=dropout_scale,
        precision=precision,
        device=device,
    )
    with training_run(output, resume, "adapt") as run:
        adapted = run_adapt(model, sources, options, run)
    adapted.save(output, overwrite=overwrite)
    say_written(output, adapted.facts)
