"""How fast langnet's AWD-LSTM trains on this machine's CPU, beside fastai's and a plain nn.LSTM, in tokens a second.

    python -m benchmarks.awd_lstm_speed --output results/awd_lstm_speed.md

One training step is forward, backward, clipping and update, the state going on from step to step, at the same shape for
all: fastai's own for ULMFiT. The variants take turns; see `benchmarks.training_speed`. fastai comes with
`pip install "langnet[reference]"`; `--only langnet plain plain-tuned peak` does without it.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from benchmarks.lstm_variants import VARIANTS, LSTMShape
from benchmarks.training_speed import cell, is_installed, load_average, measure, peak_lines, summarise
from benchmarks.variants import CPU
from langnet.training.machine import default_precision, describe_machine

RIVALS = ("fastai", "fastai-tuned")
EXACT = ("fastai", "plain")  # in float32, as they come
DISTRIBUTIONS = ("langnet", "torch", "fastai", "numpy")


def report(summary: dict[str, Any], facts: dict[str, Any], shape: LSTMShape) -> str:
    """The Markdown page."""
    clock = "One thread, processor time, since the machine had other work. " if shape.busy else ""
    precision = "bfloat16" if facts["precision"] == "bf16" else "float32 (this processor has no bfloat16 in hardware)"
    lines = [
        "# Training speed of an AWD-LSTM on a CPU", "",
        f"Written by `{facts['command']}` on {facts['date']}.", "",
        f"One step = forward, backward, clipping, update: {shape.layers} layers, {shape.dim} wide and {shape.hidden:,} "
        f"within, vocabulary {shape.vocabulary:,}, {shape.batch} rows of {shape.context} tokens. Medians of "
        f"{facts['rounds']} rounds, {shape.steps} steps each, in turns; in brackets the least and the most. "
        f"Ratios are taken within a round. {clock}Rows that say \"as it comes\" train in float32, the others in "
        f"{precision}, on {facts['threads']} threads.", "",
        "| | tokens/s | times fastai, as it comes | times fastai, tuned | share of peak |",
        "| --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for name, row in summary["rows"].items():
        cells = [cell(row["tokens_per_second"], ",.0f")]
        cells += [cell(row.get(f"times_{other}"), ".2f") for other in RIVALS]
        cells.append(cell(row.get("share_of_peak"), ".0%"))
        lines.append(f"| {VARIANTS[name][0]} | {' | '.join(cells)} |")
    lines += peak_lines(summary, shape)
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    lines += [
        "", f"Operations counted a step: {shape.operations() / 1e9:,.1f} G (6 a weight and token, softmax included). "
        "The share is of the peak in the row's own precision.",
        "", f"Machine: {facts['machine']}; load average at start and end {facts['load']}. Versions: {versions}.", "",
    ]  # fmt: skip
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the page and its JSON beside it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("results/awd_lstm_speed.md"))
    parser.add_argument("--rounds", type=int, default=7, help="how many turns each variant has")
    parser.add_argument("--only", nargs="*", choices=list(VARIANTS), default=list(VARIANTS), help="some variants")
    for name, value in asdict(LSTMShape()).items():
        if name != "heads":
            parser.add_argument(f"--{name}", type=int, default=value)
    chosen = parser.parse_args(arguments)
    shape = LSTMShape(**{name: getattr(chosen, name) for name in asdict(LSTMShape()) if name != "heads"})
    before = load_average()
    turns = measure(shape, chosen.rounds, chosen.only, lambda line: print(line, flush=True), "benchmarks.lstm_variants")
    summary = summarise(turns, shape, RIVALS, EXACT)
    given = sys.argv[1:] if arguments is None else arguments
    facts = {
        "command": shlex.join(["python", "-m", "benchmarks.awd_lstm_speed", *given]),
        "date": time.strftime("%Y-%m-%d"),
        "machine": describe_machine(),
        "precision": default_precision(CPU),
        "threads": 1 if shape.busy else torch.get_num_threads(),
        "load": f"{before}, {load_average()}",
        "versions": {name: version(name) for name in DISTRIBUTIONS if is_installed(name)},
        "rounds": chosen.rounds,
    }
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text(report(summary, facts, shape), encoding="utf8")
    everything = {**facts, "shape": asdict(shape), **summary, "turns": turns}
    chosen.output.with_suffix(".json").write_text(json.dumps(everything, indent=1) + "\n", encoding="utf8")
    print(f"{chosen.output} and {chosen.output.with_suffix('.json').name} are written")


if __name__ == "__main__":
    main()
