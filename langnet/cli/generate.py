"""`langnet generate`: text that a language model writes."""

from __future__ import annotations

import itertools
import json
import sys
from typing import Annotated

import typer

from langnet.cli.app import app, examples
from langnet.cli.checks import check_models

PROMPT_HELP = "How the text begins, or ends for a model that reads backward; '-' reads it from standard input."


@app.command(
    epilog=examples(
        'langnet generate my-lm --prompt "The film" --tokens 100',
        'langnet generate my-lm -p "Once upon a time" --samples 3 --temperature 1',
        "langnet generate my-lm --temperature 0 --json > text.jsonl",
    )
)
def generate(
    model: Annotated[str, typer.Argument(help="Folder or name of a language model.")],
    prompt: Annotated[str, typer.Option("--prompt", "-p", help=PROMPT_HELP)] = "",
    tokens: Annotated[int, typer.Option(help="At most so many; fewer where the model ends the text.")] = 200,
    temperature: Annotated[float, typer.Option(help="Under 1 is safer, over 1 bolder; 0 takes the likeliest.")] = 0.8,
    top_k: Annotated[int | None, typer.Option(help="Draw from the k likeliest tokens only.")] = None,
    top_p: Annotated[float, typer.Option(help="Draw from the likeliest tokens that together reach p.")] = 0.95,
    seed: Annotated[int, typer.Option(help="The same seed gives the same text.")] = 0,
    samples: Annotated[int, typer.Option(min=1, help="How many texts, with the seeds from --seed on.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a text.")] = False,
) -> None:
    """Write text with a language model, shown as it is written.

    Past its context a model reads the last half of it anew and forgets what lies further back. A model that reads
    backward writes what stands before the prompt, which is then the end of the text.
    """
    check_models(model)
    from langnet.recipes.model import load
    from langnet.tasks.generation import GenerationOptions

    options = [GenerationOptions(tokens, temperature, top_k, top_p, seed + i) for i in range(samples)]
    if prompt == "-":
        prompt = sys.stdin.read()
    language_model = load(model)
    for number, option in enumerate(options, 1):
        pieces = language_model.stream(prompt, option)
        if as_json:
            record = {"seed": option.seed, "prompt": prompt, "text": "".join(pieces)}
            print(json.dumps(record, ensure_ascii=False), flush=True)
            continue
        if samples > 1:
            print(f"--- {number} of {samples}, seed {option.seed}")
        backward = language_model.direction == "backward"  # then the prompt is the end of the text
        for piece in itertools.chain(pieces, [prompt]) if backward else itertools.chain([prompt], pieces):
            print(piece, end="", flush=True)
        print()
