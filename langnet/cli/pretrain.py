"""`langnet pretrain`: from raw text to a pretrained model."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from langnet.cli.app import app, check_device, check_output, examples, save_language_model, training_run
from langnet.cli.checks import ENCODERS, check_budget, check_encoder, check_sources
from langnet.cli.options import (
    BatchTokens,
    CausalShare,
    Device,
    Direction,
    Documents,
    Drop,
    DropoutScale,
    HeldOut,
    KeepDuplicates,
    LearningRate,
    MaskShare,
    Minutes,
    NewFolder,
    NoDocumentVectors,
    Optimizer,
    Overwrite,
    Precision,
    Resume,
    Seed,
    SentenceTokens,
    Sources,
    Steps,
    Swap,
    TextColumn,
    Tokens,
)

# What `encoders.registry` says of itself, written out since importing it imports PyTorch; tests hold them together.
SIZES = (
    "tiny, mini, small, medium, base; gpt, gpt-2018 also large; gpt-2 also large, 124m, 355m, 774m, 1558m; "
    "awd-lstm also ulmfit."
)
# Likewise of `recipes.objectives`.
OBJECTIVES = "causal, bidirectional, masked, causal+masked, denoising, skip-thoughts; the family's own by default."
TokenizerKind = Literal["bpe", "unigram", "words", "characters", "bytes"]


@app.command(
    epilog=examples(
        "langnet pretrain texts/ --output my-lm --minutes 10",
        "langnet pretrain reviews.csv --text-column body --output my-lm --size tiny --minutes 2",
        "langnet pretrain corpus.txt.gz --documents paragraph --output my-lm --tokens 20000000",
        "langnet pretrain texts/ --output my-lstm --encoder awd-lstm --minutes 10",
        "langnet pretrain texts/ --output my-bert --objective masked --minutes 10",
        "langnet pretrain texts/ --output my-both --objective causal+masked --causal-share 0.25 --minutes 10",
        "langnet pretrain texts/ --output my-backward-lstm --encoder awd-lstm --direction backward --minutes 10",
        "langnet pretrain texts/ --output my-lm --minutes 10 --resume    (after an interruption)",
    )
)
def pretrain(
    sources: Sources,
    output: NewFolder,
    encoder: Annotated[str, typer.Option(help=f"{', '.join(ENCODERS)}.")] = "gpt",
    size: Annotated[str, typer.Option(help=SIZES)] = "small",
    context: Annotated[int | None, typer.Option(help="Tokens seen at once; the size's own by default.")] = None,
    minutes: Minutes = None,
    tokens: Tokens = None,
    steps: Steps = None,
    text_column: TextColumn = "text",
    documents: Documents = "file",
    keep_duplicates: KeepDuplicates = False,
    validation_fraction: HeldOut = 0.02,
    tokenizer: Annotated[TokenizerKind | None, typer.Option(help="What a token is; by default bpe.")] = None,
    vocabulary_size: Annotated[int | None, typer.Option(help="Sized to the corpus by default.")] = None,
    direction: Direction = "forward",
    batch_tokens: BatchTokens = None,
    learning_rate: LearningRate = None,
    optimizer: Optimizer = None,
    objective: Annotated[str | None, typer.Option(help=OBJECTIVES)] = None,
    mask_share: MaskShare = None,
    causal_share: CausalShare = None,
    drop: Drop = None,
    swap: Swap = None,
    sentence_tokens: SentenceTokens = None,
    no_document_vectors: NoDocumentVectors = False,
    dropout_scale: DropoutScale = None,
    precision: Precision = "auto",
    device: Device = None,
    seed: Seed = 0,
    resume: Resume = False,
    overwrite: Overwrite = False,
) -> None:
    """Pretrain a model on raw text: a language model, or by another objective.

    The corpus, checkpoints and TensorBoard events of the run are kept in OUTPUT.run.
    """
    check_encoder(encoder)
    check_budget(tokens, steps, minutes)
    check_sources(sources)
    check_output(output, overwrite)
    from langnet.encoders.registry import find_family
    from langnet.recipes.objectives import options_of_objective
    from langnet.recipes.pretrain import PretrainOptions
    from langnet.recipes.pretrain import pretrain as run_pretrain
    from langnet.text.corpus import CorpusOptions
    from langnet.text.prepare import PrepareOptions

    check_device(device)
    corpus = CorpusOptions(text_column, documents, drop_duplicates=not keep_duplicates)
    shares = {"mask_share": mask_share, "causal_share": causal_share, "drop": drop, "swap": swap}
    settings = {**shares, "sentence_tokens": sentence_tokens}
    options = PretrainOptions(
        encoder=encoder, size=size, context=context, minutes=minutes, tokens=tokens, steps=steps,
        batch_tokens=batch_tokens, learning_rate=learning_rate, optimizer=optimizer, objective=objective,
        objective_options=options_of_objective(find_family(encoder), objective, settings),
        document_vectors=not no_document_vectors, seed=seed, dropout_scale=dropout_scale, precision=precision,
        prepare=PrepareOptions(tokenizer, vocabulary_size, validation_fraction, corpus, seed), device=device,
        direction=direction,
    )  # fmt: skip
    with training_run(output, resume, "pretrain") as run:
        model = run_pretrain(sources, options, run)
    save_language_model(model, output, overwrite)
