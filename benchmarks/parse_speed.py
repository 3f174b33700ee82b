"""How long it takes to find a tree, beside what the encoder and the network over the words take.

    python -m benchmarks.parse_speed my-lm
    python -m benchmarks.parse_speed my-lm --words 20 100 --labels 76 --threads 1

Sentences are drawn from the tokenizer's own entries, and heads are untrained: a chart's time does not hang on its
scores. A tree that an untrained linear decoder writes is of no usual length, so its time is that of teaching: a
sequence that is known, of as many brackets as words, forward and backward.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from langnet.recipes.model import load
from langnet.tasks.parse import Parse, ParseConfig
from langnet.tasks.tree_decoders import ChartDecoder
from langnet.text.tree_files import ParseItem


def seconds(work: Callable[[], object], least: float) -> float:
    """Processor seconds of one call: the least of three rounds, each of as many calls as take `least` seconds."""
    work()
    found, calls = list[float](), 1
    while len(found) < 3:
        started = time.process_time()
        for _ in range(calls):
            work()
        spent = time.process_time() - started
        if spent < least:
            calls *= 2
            continue
        found.append(spent / calls)
    return min(found)


def chain(n: int) -> list[tuple[int, int, int]]:
    """As many brackets as words: each reaches from a word to the end."""
    return [(start, n, start % 2) for start in range(n - 1)] + [(n - 1, n, 0)]


def row(name: str, n: int, labels: int, batch: int, least: float) -> str:
    """The times of one sentence of n words, in milliseconds."""
    model = load(name)
    generator = np.random.default_rng(0)
    words = [entry for entry in model.tokenizer.entries() if entry.isalpha()] or ["word"]
    items = [ParseItem(tuple(str(w) for w in generator.choice(words, n))) for _ in range(batch)]
    names = [(f"L{i}",) for i in range(labels)]
    heads = {}
    for decoder in ("chart", "linear"):
        torch.manual_seed(0)
        heads[decoder] = Parse(ParseConfig(names, ["N", "V"], decoder=decoder), model.encoder.mixed_dim).eval()
    head = heads["chart"]
    examples = head.examples(items, model.writer, labelled=False)
    made = head.collate(examples, model.encoder.context, model.tokenizer.pad_id)
    with torch.no_grad():
        encoding = model.encoder(made.ids, made.mask)
        encoding.layers[-1] = torch.nn.functional.pad(
            encoding.top, (0, model.encoder.mixed_dim - encoding.top.shape[-1])
        )
        states, lengths = head.states(encoding, made)
        times = [
            seconds(work, least)
            for work in (lambda: model.encoder(made.ids, made.mask), lambda: head.states(encoding, made))
        ]
    assert isinstance(head.decoder, ChartDecoder)
    times.append(seconds(lambda: head.decoder.decode(states, lengths), least))
    trees = [chain(n)] * batch
    for decoder in ("chart", "linear"):
        own = heads[decoder].decoder
        times.append(seconds(lambda own=own: own.log_probabilities(states, lengths, trees).sum().backward(), least))
    each = [1000 * value / batch for value in times]
    return f"| {n} | " + " | ".join(f"{value:.2f}" for value in each) + f" | {1000 / each[2]:,.0f} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--words", type=int, nargs="+", default=[20, 40, 100])
    parser.add_argument("--labels", type=int, default=76)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--least", type=float, default=0.2, help="seconds of a round")
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    print("milliseconds of processor a sentence, and sentences a second of the chart")
    print("| words | encoder | network | best tree by chart | chart, learning | linear, learning | trees/s |")
    print("| --- " * 7 + "|")
    for n in given.words:
        print(row(given.model, n, given.labels, given.batch, given.least), flush=True)


if __name__ == "__main__":
    main()
