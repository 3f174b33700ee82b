"""What a continuous cache adds to a language model: its settings chosen on validation text, its figures on test text.

    python -m benchmarks.continuous_cache MODEL --validation valid.txt --test test.txt --output results/cache.md

Every window, theta and lambda of the grid is tried on the validation text; the best by bits per byte is what the test
text is scored with, once. Each file is one document, so that the cache goes on through all of it.
"""

from __future__ import annotations

import argparse
import itertools
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from langnet.evaluate.cache import CacheOptions, ContinuousCache, mixed_losses
from langnet.evaluate.language_model import LanguageModelScores, scoring_windows, sum_up
from langnet.recipes.model import Model, load
from langnet.tasks.cross_entropy import token_losses
from langnet.text.clean import clean_text
from langnet.text.prepare import encode_documents


def grid(model: Model, text: str, windows: Sequence[int], thetas: Sequence[float], weights: Sequence[float]) -> dict:
    """Nats of a text for every (window, theta, lambda); the encoder reads it once."""
    caches = {key: ContinuousCache(*key) for key in itertools.product(windows, thetas)}
    nats = {(*key, weight): 0.0 for key in caches for weight in weights}
    encoder = model.encoder.eval()
    documents: list[np.ndarray] = encode_documents([text], model.tokenizer)
    with torch.no_grad():
        for batch in scoring_windows(encoder, documents):
            assert batch.targets is not None
            hidden = encoder(batch.ids, batch.mask).top  # (B, T, D)
            bias, targets = encoder.output_bias(), batch.targets
            losses = token_losses(hidden.flatten(0, 1), encoder.output_weight(), targets.flatten(), bias)
            losses = losses.view(targets.shape)  # (B, T)
            for key, cache in caches.items():
                given = cache.probabilities(batch, hidden)  # (B, T)
                for weight in weights:
                    nats[*key, weight] += float(mixed_losses(losses, given, weight).sum())
    return nats


def report(command: str, chosen: CacheOptions, tried: int, rows: dict[str, LanguageModelScores]) -> str:
    """The Markdown page."""
    lines = [
        "# A continuous cache", "", f"Written by `{command}`.", "",
        f"Of {tried} settings, the best on the validation text: {chosen.window:,} tokens, theta {chosen.theta:g}, "
        f"lambda {chosen.weight:g}.", "",
        "| text | bits/byte | with cache | perplexity | with cache | tokens |", "| --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for name, scores in rows.items():
        cached = scores.with_cache
        assert cached is not None
        lines.append(
            f"| {name} | {scores.bits_per_byte:.3f} | {cached.bits_per_byte:.3f} | {scores.perplexity:,.1f} | "
            f"{cached.perplexity:,.1f} | {scores.n_tokens:,} |"
        )
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Choose, score, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="folder or name of a language model of one direction")
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--windows", type=int, nargs="+", default=[500, 2000, 3785])
    parser.add_argument("--thetas", type=float, nargs="+", default=[0.0, 0.1, 0.3, 0.662, 1.0])
    parser.add_argument("--lambdas", type=float, nargs="+", default=[0.05, 0.1, 0.1279, 0.2, 0.3])
    given = parser.parse_args(arguments)
    model = load(given.model)
    validation, test = (clean_text(path.read_text(encoding="utf8")).text for path in (given.validation, given.test))
    nats = grid(model, validation, given.windows, given.thetas, given.lambdas)
    chosen = CacheOptions(*min(nats, key=nats.__getitem__))
    rows = {name: sum_up(model.score_texts([t], chosen)) for name, t in (("validation", validation), ("test", test))}
    said = sys.argv[1:] if arguments is None else arguments
    command = shlex.join(["python", "-m", "benchmarks.continuous_cache", *said])
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(report(command, chosen, len(nats), rows), encoding="utf8")
    print(given.output.read_text(encoding="utf8"))


if __name__ == "__main__":
    main()
