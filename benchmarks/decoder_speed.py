"""How many sentences a second each structured task answers, beside what its encoder costs by itself.

    python -m benchmarks.decoder_speed my-lm --output results/decoder_speed.md

Every head learns for a few passes on the encoder as it is, so that what it writes is of the usual length; then it
answers test items of a real set, in batches as `langnet predict` makes them. All of it on one thread, in processor
time. `benchmarks.parse_speed` measures the parts of the parser by the length of a sentence.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.structure_sets import STRUCTURES
from benchmarks.transfer_sets import TaskSet, find_sets
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.kinds.kind import HeadOptions
from langnet.recipes.model import TOKENS_AT_ONCE, Model, load
from langnet.recipes.transfer import TransferOptions, transfer
from langnet.tasks.examples import in_order
from langnet.training.machine import describe_machine, keep_freed_memory


@dataclass(frozen=True)
class Decoder:
    """What is measured: a set, and settings of its head."""

    name: str
    set: str
    head: Mapping[str, str] = field(default_factory=dict)


DECODERS: Sequence[Decoder] = (
    Decoder("roles, constrained BIO", "UP English"),
    Decoder("roles, CRF", "UP English", {"crf": "on"}),
    Decoder("trees, chart", "GUM trees"),
    Decoder("trees, linear, beam 5", "GUM trees", {"decoder": "linear"}),
    Decoder("trees, linear, greedy", "GUM trees", {"decoder": "linear", "beam": "1"}),
    Decoder("chains", "LitBank"),
    Decoder("translation, beam 5", "Multi30k en-de"),
    Decoder("translation, greedy", "Multi30k en-de", {"beam": "1"}),
)


@dataclass(frozen=True)
class Speed:
    """Of one decoder, medians over rounds.

    Attributes:
        decoder: its name.
        unit: of the items.
        n_items: that were answered in a round.
        n_tokens: that the encoder read in them, padding left out.
        seconds: of the processor, a round.
        encoder_seconds: that the encoder takes of it.
        learning_seconds: of one pass of learning over as many items, the encoder's states being read anew.
    """

    decoder: str
    unit: str
    n_items: int
    n_tokens: int
    seconds: float
    encoder_seconds: float
    learning_seconds: float

    def row(self) -> str:
        """In the page."""
        cells = [
            self.decoder, f"{self.n_items:,} {self.unit}", f"{self.n_tokens / self.n_items:,.0f}",
            f"{self.n_items / self.seconds:,.1f}", f"{self.n_tokens / self.seconds:,.0f}",
            f"{1000 * self.encoder_seconds / self.n_items:,.1f}",
            f"{1000 * (self.seconds - self.encoder_seconds) / self.n_items:,.1f}",
            f"{self.seconds / self.encoder_seconds:.1f}", f"{1000 * self.learning_seconds / self.n_items:,.1f}",
        ]  # fmt: skip
        return f"| {' | '.join(cells)} |"


HEAD = (
    "| decoder | answered | tokens an item | items/s | tokens/s | encoder, ms an item | head and search, ms an item | "
    "times the encoder alone | learning, ms an item |"
)


def measure(model: Model, decoder: Decoder, task: TaskSet, given: argparse.Namespace) -> Speed:
    """Learn briefly, then answer `given.items` items, `given.rounds` times."""
    train = task.train_items(given.data, 0)[: given.train]
    test = task.test_items(given.data)[: given.items]
    options = FinetuneOptions("frozen", epochs=given.epochs, least_steps=1, device="cpu", **task.changes)
    head = HeadOptions(settings={**task.head, **decoder.head})
    made = transfer(model, task.kind, train, TransferOptions(options, head))
    examples = made.network.task.examples(test, made.writer, labelled=False)
    batches = [batch for _, batch in in_order(examples, TOKENS_AT_ONCE, made.collate)]

    @torch.no_grad()
    def encode() -> None:
        for batch in batches:
            made.encoder(batch.ids, batch.mask)

    def learn() -> None:
        transfer(model, task.kind, train, TransferOptions(options, head))

    answers, reads = (_median(work, given.rounds) for work in (lambda: made.guesses_of(examples), encode))
    learning = _median(learn, 1) / (given.epochs * len(train)) * len(test)
    n_tokens = sum(int(batch.mask.sum()) for batch in batches)
    unit = "documents" if task.kind == "corefer" else "sentences"
    return Speed(decoder.name, unit, len(test), n_tokens, answers, reads, learning)


def _median(work: Callable[[], Any], rounds: int) -> float:
    found = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return float(np.median(found))


def write(output: Path, speeds: Sequence[Speed], facts: Mapping[str, Any]) -> None:
    """The page, and its figures as JSON beside it."""
    lines = [
        "# Speed of structured tasks", "",
        f"Written by `{facts['command']}` on {facts['date']}. Machine: {facts['machine']}.", "",
        f"Processor time of one thread, medians of {facts['rounds']} rounds, in batches of {TOKENS_AT_ONCE:,} tokens. "
        f"Encoder: {facts['encoder']}. What the encoder costs is measured by itself on the same batches; the rest is "
        "the network of the task, its search, and what becomes of it in Python. Learning is of the head alone, with "
        "the reading of the encoder's states once for all passes.", "", HEAD, "| --- " * 9 + "|",
        *(speed.row() for speed in speeds), "",
    ]  # fmt: skip
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("\n".join(lines), encoding="utf8")
    held = {**facts, "decoders": [asdict(speed) for speed in speeds]}
    output.with_suffix(".json").write_text(json.dumps(held, indent=1) + "\n", encoding="utf8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of all data sets")
    parser.add_argument("--sets", nargs="+", default=[], help="only decoders of these")
    parser.add_argument("--train", type=int, default=400, help="items that a head learns from, at most")
    parser.add_argument("--items", type=int, default=400, help="that are answered, at most")
    parser.add_argument("--epochs", type=float, default=4.0, help="of the head")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, required=True, help="the page; .json lies beside it")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    keep_freed_memory()
    model, sets = load(given.model), {task.name: task for task in find_sets(given.sets, STRUCTURES)}
    speeds = []
    for decoder in DECODERS:
        if decoder.set in sets:
            speeds.append(measure(model, decoder, sets[decoder.set], given))
            print(speeds[-1].row(), flush=True)
    n_weights = sum(weight.numel() for weight in model.encoder.parameters())
    words = list(sys.argv[1:] if arguments is None else arguments)
    facts = {
        "command": shlex.join(["python", "-m", "benchmarks.decoder_speed", *words]),
        "date": time.strftime("%Y-%m-%d"), "machine": describe_machine(), "rounds": given.rounds,
        "encoder": f"{model.family} {model.size or ''}, {n_weights:,} weights",
    }  # fmt: skip
    write(given.output, speeds, facts)


if __name__ == "__main__":
    main()
