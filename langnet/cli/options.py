"""Arguments and options that several verbs share, so that they are named and explained alike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from langnet.errors import LangnetError

if TYPE_CHECKING:
    from langnet.evaluate.cache import CacheOptions

# Defaults of `evaluate.cache.CacheOptions`, written out since importing it imports PyTorch; tests hold them together.
THETA, LAMBDA = 0.662, 0.1279

Sources = Annotated[list[str], typer.Argument(help="Files, folders, globs, archives, '-' for standard input.")]
LanguageModelName = Annotated[str, typer.Argument(metavar="MODEL", help="Folder or name of a pretrained model.")]
NewFolder = Annotated[Path, typer.Option("--output", "-o", help="Folder of the new model.")]
TextColumn = Annotated[str, typer.Option(help="Column of tables with the text; its number where there is no header.")]
SecondColumn = Annotated[
    str | None, typer.Option(help="Column of the second text of a pair, or of what else a task reads.")
]
Where = Annotated[
    list[str] | None, typer.Option("--where", metavar="COLUMN=VALUE", help="Only these rows of a task's tables.")
]
HeadSettings = Annotated[
    list[str] | None, typer.Option("--head", metavar="NAME=VALUE", help="A setting of the task's head, as in its page.")
]
LabelColumn = Annotated[str, typer.Option(help="Column of tables that holds the label; of multilabel also several.")]
Separator = Annotated[
    str | None, typer.Option(help="Between the labels of a cell, ';' by default; 'json' where cells are JSON lists.")
]
Documents = Annotated[Literal["file", "line", "paragraph"], typer.Option(help="What is one document in a text file.")]
KeepDuplicates = Annotated[bool, typer.Option("--keep-duplicates", help="Read equal documents each time.")]
HeldOut = Annotated[float, typer.Option(help="Part of the documents held out for validation.")]
AbstainBelow = Annotated[
    float | None, typer.Option(help="Answer only where the most probable label reaches this probability.")
]
Abstain = Annotated[
    bool, typer.Option("--abstain", help="Do so by the threshold that langnet calibrate --target-accuracy has found.")
]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a model folder of the same name.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint of an interrupted run.")]
Minutes = Annotated[float | None, typer.Option(help="Budget in minutes; 10 where no budget is given.")]
Tokens = Annotated[int | None, typer.Option(help="Budget in tokens.")]
Steps = Annotated[int | None, typer.Option(help="Budget in steps.")]
BatchTokens = Annotated[int | None, typer.Option(help="Tokens an update; the family's own by default.")]
FinetuningRate = Annotated[
    float | None,
    typer.Option(
        help="Peak rate of the top layer; by default 0.0003 to classify and 0.001 for other tasks, from scratch 0.001 "
        "and 0.002, of adapters 0.003."
    ),
]
LearningRate = Annotated[float | None, typer.Option(help="Peak rate of AdamW; the family's own by default.")]
Optimizer = Annotated[
    Literal["adamw", "muon", "adagrad", "nt-asgd"] | None, typer.Option(help="The family's own by default.")
]
MaskShare = Annotated[
    float | None, typer.Option(help="Part of the tokens that masked objectives hide; 0.15 if unsaid.")
]
CausalShare = Annotated[
    float | None, typer.Option(help="Part of the batches that causal+masked reads from the left; 0.5 if unsaid.")
]
Drop = Annotated[float | None, typer.Option(help="Probability that denoising drops a token; 0.1 if unsaid.")]
Swap = Annotated[float | None, typer.Option(help="Probability that denoising swaps two neighbours; 0.1 if unsaid.")]
SentenceTokens = Annotated[
    int | None, typer.Option(help="Tokens of a sentence at most, of denoising and skip-thoughts; 64 if unsaid.")
]
DropoutScale = Annotated[float | None, typer.Option(help="Factor on all dropouts of an awd-lstm.")]
Direction = Annotated[
    Literal["forward", "backward"], typer.Option(help="backward reads every text from its end to its beginning.")
]
LayerDecay = Annotated[float, typer.Option(help="How much slower each layer learns than the next.")]
NoDocumentVectors = Annotated[bool, typer.Option("--no-document-vectors", help="Do without document vectors.")]
Precision = Annotated[Literal["auto", "no", "bf16"], typer.Option(help="auto: bf16 where the hardware has it.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps; chosen by default.")]
CachedMegabytes = Annotated[
    int,
    typer.Option(min=0, help="Of a frozen encoder's states that are kept for a task's head; 0 reads them each time."),
]
TransferredLayers = Annotated[
    int | None, typer.Option("--layers", help="Take the embeddings and so many layers, and draw the others anew.")
]
Adapters = Annotated[
    int, typer.Option(min=0, metavar="RANK", help="Products of so low a rank learn beside the weights, which stay.")
]
Forgetting = Annotated[
    list[str] | None,
    typer.Option("--forgetting", metavar="RAW", help="Text whose bits per byte are measured before and after."),
]
Seeds = Annotated[
    int | None, typer.Option(min=1, help="Runs of a seed each, one of them kept; 3 for fewer than 500 items if unsaid.")
]
ScheduleName = Literal["slanted-triangular", "linear", "cosine", "trapezoid", "constant"]
Pseudo = Annotated[
    Literal["word", "token"] | None,
    typer.Option(
        help="Guess hidden tokens: each with what follows in its word, or alone. A masked model's own way is word."
    ),
]
CacheWindow = Annotated[
    int | None, typer.Option(help="Also score with a continuous cache of so many tokens (Grave et al. 2016).")
]
CacheTheta = Annotated[float, typer.Option(help="How sharply the cache tells states apart; choose on validation text.")]
CacheLambda = Annotated[float, typer.Option(help="Share of the cache; choose on validation text.")]
AlsoModels = Annotated[
    list[str] | None,
    typer.Option("--with", help="A further model; may be given several times. Classifiers are averaged."),
]


def cache_options(window: int | None, theta: float, weight: float) -> CacheOptions | None:
    """The cache that was asked for, or None.

    Raises:
        LangnetError: settings of a cache without one.
    """
    from langnet.evaluate.cache import CacheOptions

    if window is None and (theta, weight) != (THETA, LAMBDA):
        raise LangnetError(
            "--cache-theta and --cache-lambda are those of a cache; add --cache-window, or leave them out"
        )
    return None if window is None else CacheOptions(window, theta, weight)
