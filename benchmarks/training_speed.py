"""How fast langnet trains on this machine's CPU, beside transformers' GPT-2, in tokens a second.

    python -m benchmarks.training_speed --output results/training_speed.md

One training step is forward, backward and update at the same shape for all. The variants take turns, A B C A B C ...,
so that what else the machine does falls on all alike; ratios are taken within a turn. Each is a process of its own.
Needs `pip install "langnet[reference]"` for transformers.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.variants import CPU, VARIANTS, Shape, command
from langnet.training.machine import default_precision, describe_machine

DISTRIBUTIONS = ("langnet", "torch", "transformers", "numpy")


@dataclass(frozen=True)
class Spread:
    """Median, least and most of several turns."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """From at least one value."""
        return cls(statistics.median(values), min(values), max(values))


def measure(
    shape: Shape, rounds: int, names: Sequence[str], say: Callable[[str], None], module: str = "benchmarks.variants"
) -> list[dict[str, Any]]:
    """Answers of every process of a module's variants in every round, taken in turns: [{name: answer}]."""
    workers = {
        name: subprocess.Popen(command(name, shape, module), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in names
    }
    try:
        turns = []
        for number in range(-1, rounds):  # round -1 warms every process up, imports included, and is not counted
            turn = {name: _ask(name, worker) for name, worker in workers.items()}
            if number >= 0:
                turns.append(turn)
                speeds = (f"{name} {shape.tokens / turn[name]['seconds']:,.0f}" for name in turn if name != "peak")
                say(f"round {number + 1} of {rounds}, tokens/s: {', '.join(speeds)}")
        return turns
    finally:
        for worker in workers.values():
            worker.terminate()
            worker.wait()


def _ask(name: str, worker: subprocess.Popen[str]) -> dict[str, float]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write("go\n")
    worker.stdin.flush()
    line = worker.stdout.readline()
    if not line:
        sys.exit(f"training_speed: the process of '{name}' ended; its error stands above")
    answer: dict[str, float] = json.loads(line)
    return answer


def summarise(
    turns: list[dict[str, Any]],
    shape: Shape,
    rivals: Sequence[str] = ("gpt2-default", "gpt2-tuned"),
    exact: Sequence[str] = ("gpt2-default",),
) -> dict[str, Any]:
    """Speeds, ratios within a turn to each of the rivals, and the share of the same turn's peak.

    Of the variants in `exact`, which train in float32 whatever the processor, it is the peak in float32.
    """
    precision = default_precision(CPU)
    rows = {}
    for name in [name for name in turns[0] if name != "peak"]:
        seconds = [turn[name]["seconds"] for turn in turns]
        row = {"tokens_per_second": asdict(Spread.of([shape.tokens / s for s in seconds]))}
        for other in rivals:
            if other in turns[0]:
                row[f"times_{other}"] = asdict(
                    Spread.of([turn[other]["seconds"] / turn[name]["seconds"] for turn in turns])
                )
        if "peak" in turns[0]:
            used = "no" if name in exact else precision
            shares = [shape.operations() / turn[name]["seconds"] / turn["peak"][used] for turn in turns]
            row["share_of_peak"] = asdict(Spread.of(shares))
        rows[name] = row
    peaks = {}
    if "peak" in turns[0]:
        peaks = {name: asdict(Spread.of([turn["peak"][name] / 1e9 for turn in turns])) for name in turns[0]["peak"]}
    return {"rows": rows, "peak_gflops": peaks}


def report(summary: dict[str, Any], facts: dict[str, Any], shape: Shape) -> str:
    """The Markdown page."""
    clock = "One thread, processor time, since the machine had other work. " if shape.busy else ""
    precision = "bfloat16" if facts["precision"] == "bf16" else "float32 (this processor has no bfloat16 in hardware)"
    lines = [
        "# Training speed on a CPU", "",
        f"Written by `{facts['command']}` on {facts['date']}.", "",
        f"One step = forward, backward, update: {shape.layers} layers, {shape.dim} wide, {shape.heads} heads, "
        f"vocabulary {shape.vocabulary:,}, context {shape.context}, batch {shape.batch}. Medians of {facts['rounds']} "
        f"rounds of {shape.steps} steps, the variants in turns; in brackets the least and the most. Ratios are taken "
        f"within a round. {clock}All but the first row train in {precision}.", "",
        "| | tokens/s | times GPT-2, default | times GPT-2, tuned | share of peak |", "| --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for name, row in summary["rows"].items():
        cells = [cell(row["tokens_per_second"], ",.0f")]
        cells += [cell(row.get(f"times_{other}"), ".2f") for other in ("gpt2-default", "gpt2-tuned")]
        cells.append(cell(row.get("share_of_peak"), ".0%"))
        lines.append(f"| {VARIANTS[name][0]} | {' | '.join(cells)} |")
    lines += peak_lines(summary, shape)
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    lines += [
        "", f"Operations counted a step: {shape.operations() / 1e9:,.1f} G (6 a weight and token, softmax included, "
        "and the causal half of attention). The share is of the peak in the row's own precision.",
        "", f"Machine: {facts['machine']}; load average at start and end {facts['load']}. Versions: {versions}.", "",
    ]  # fmt: skip
    return "\n".join(lines)


def peak_lines(summary: dict[str, Any], shape: Shape) -> list[str]:
    """What the machine reached in one large product, in each precision that it has."""
    lines = []
    for name, spread in summary["peak_gflops"].items():
        kind = "float32" if name == "no" else "bfloat16"
        size = f"{shape.matrix} x {shape.matrix}"
        lines += ["", f"Peak in {kind}, one product of {size} matrices: {cell(spread, ',.0f')} GFLOP/s."]
    return lines


def cell(spread: dict[str, float] | None, form: str) -> str:
    """Median, least and most for a table."""
    if spread is None:
        return ""
    return f"{spread['median']:{form}} [{spread['least']:{form}}, {spread['most']:{form}}]"


def load_average() -> str:
    """Of the last minute, as the kernel has it."""
    try:
        return Path("/proc/loadavg").read_text(encoding="ascii").split()[0]
    except OSError:
        return "unknown"


def is_installed(name: str) -> bool:
    """Whether a distribution is there; transformers is needed for its own variants alone."""
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the page and its JSON beside it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("results/training_speed.md"))
    parser.add_argument("--rounds", type=int, default=7, help="how many turns each variant has")
    parser.add_argument("--only", nargs="*", choices=list(VARIANTS), default=list(VARIANTS), help="some variants")
    for name, value in asdict(Shape()).items():
        parser.add_argument(f"--{name}", type=int, default=value)
    chosen = parser.parse_args(arguments)
    shape = Shape(**{name: getattr(chosen, name) for name in asdict(Shape())})
    before = load_average()
    turns = measure(shape, chosen.rounds, chosen.only, lambda line: print(line, flush=True))
    summary = summarise(turns, shape)
    given = sys.argv[1:] if arguments is None else arguments
    facts = {
        "command": shlex.join(["python", "-m", "benchmarks.training_speed", *given]),
        "date": time.strftime("%Y-%m-%d"),
        "machine": describe_machine(),
        "precision": default_precision(CPU),
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
