"""Word vectors of every kind on the same reviews, judged alike, and the speed of GloVe: `results/word_vectors.md`.

    python -m benchmarks.word_vectors --data aclImdb --sets sets --output results/word_vectors

`sets` is a folder with questions-words.txt, wordsim353.tsv and simlex999.txt. The vectors are kept in the folder
--work; interrupted, the same command goes on where it stood. The bar of the speed is Stanford's C program as the
project measured it on the same reviews elsewhere: 27.3 M pairs counted in 10 s, and 0.83 M pairs a second trained by
two threads, 100 wide.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sources import read_raw_imdb
from langnet.evaluate.intervals import bootstrap_cells
from langnet.evaluate.word_vectors import read_analogies, read_similarities, score_analogies, score_similarities
from langnet.recipes.model import load
from langnet.recipes.pretrain import Run
from langnet.recipes.word_vectors import Kind, WordVectorOptions, load_word_space, train_word_vectors
from langnet.text.cooccurrences import CountOptions, count_cooccurrences
from langnet.text.shards import TokenShards
from langnet.training.glove import GloveOptions, train_glove
from langnet.training.machine import describe_machine
from langnet.training.progress import ConsoleProgress

KINDS: tuple[Kind, ...] = ("word2vec-cbow", "glove", "word2vec-skipgram", "fasttext")
BAR = {"pairs": 27.3e6, "counting_seconds": 10.0, "pairs_per_second": 0.83e6}
Row = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments, run, and write `OUTPUT.md` and `OUTPUT.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder aclImdb")
    parser.add_argument("--sets", type=Path, required=True, help="the folder of the three files of questions")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--epochs", nargs="*", default=[], metavar="KIND=N", help="where it is not the kind's default")
    parser.add_argument("--texts", type=int, default=0, help="only so many reviews; 0 is all")
    parser.add_argument("--turns", type=int, default=3, help="of the measurement of speed")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help="folder for vectors; by default beside the output")
    parser.add_argument("--output", type=Path, required=True, help="path without suffix")
    chosen = parser.parse_args(arguments)
    work = chosen.work or chosen.output.with_name(chosen.output.name + ".work")
    work.mkdir(parents=True, exist_ok=True)
    texts = read_raw_imdb(chosen.data)[: chosen.texts or None]
    epochs = {name: int(number) for name, number in (entry.split("=") for entry in chosen.epochs)}
    rows = [_quality(kind, epochs.get(kind), texts, work, chosen) for kind in chosen.kinds]
    speeds = _speeds(TokenShards.open(work / "run" / "corpus" / "train"), rows[0]["words"], chosen)
    facts = {
        "command": shlex.join(["python", "-m", "benchmarks.word_vectors", *(arguments or sys.argv[1:])]),
        "date": time.strftime("%Y-%m-%d"),
        "machine": describe_machine(),
        "texts": len(texts),
        "dim": chosen.dim,
        "turns": chosen.turns,
    }
    write(chosen.output, rows, speeds, facts)


def _quality(kind: Kind, epochs: int | None, texts: list[str], work: Path, chosen: argparse.Namespace) -> Row:
    """Vectors of one kind, trained unless an earlier call has, and their scores."""
    folder, clock = work / kind, work / f"{kind}.json"
    if not clock.exists():
        options = WordVectorOptions(kind, chosen.dim, epochs=epochs, seed=chosen.seed)
        model = train_word_vectors(texts, options, Run(work / "run", progress=ConsoleProgress(kind)), texts=True)
        model.save(folder, overwrite=folder.exists())
        _score(kind, folder, chosen.sets, clock)
    row: Row = json.loads(clock.read_text(encoding="utf8"))
    return row


def _score(kind: Kind, folder: Path, sets: Path, clock: Path) -> None:
    space, facts = load_word_space(folder), load(folder).facts["vectors"]
    sections = score_analogies(space, read_analogies(sets / "questions-words.txt"))
    row: Row = {"kind": kind, "words": len(space), "tokens": facts["tokens"], "minutes": facts["minutes"]}
    row |= {
        "epochs": facts["epochs"],
        "window": facts["window"],
        "sections": [section.to_dict() for section in sections],
    }
    for name, file in (("wordsim353", "wordsim353.tsv"), ("simlex999", "simlex999.txt")):
        row[name] = score_similarities(space, read_similarities(sets / file)).to_dict()
    clock.write_text(json.dumps(row), encoding="utf8")


def _speeds(shards: TokenShards, n_words: int, chosen: argparse.Namespace) -> list[Row]:
    """Counting and one pass of training, in turns, by the clock and by the processor."""
    turns: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="langnet-") as place:
        # The first call compiles; a few rows are enough for that.
        for turn in range(chosen.turns + 1):
            for threads in chosen.threads:
                folder = Path(place) / f"{turn}-{threads}"
                options = CountOptions(threads=threads)
                pairs, counting = _timed(lambda: count_cooccurrences(shards, n_words, folder, options))  # noqa: B023
                passes = GloveOptions(chosen.dim, 1, threads=threads)
                _, training = _timed(lambda: train_glove(pairs, passes))  # noqa: B023
                if turn:
                    turns.append({"threads": threads, "pairs": len(pairs.words), "count": counting, "train": training})
                for file in folder.iterdir():
                    file.unlink()
    return [_median([t for t in turns if t["threads"] == threads]) for threads in chosen.threads]


def _timed(work: Callable[[], Any]) -> tuple[Any, Row]:
    clock, processor = time.perf_counter(), time.process_time()
    found = work()
    return found, {"seconds": time.perf_counter() - clock, "processor_seconds": time.process_time() - processor}


def _median(turns: list[Row]) -> Row:
    row: Row = {"threads": turns[0]["threads"], "pairs": turns[0]["pairs"]}
    for step in ("count", "train"):
        for measure in ("seconds", "processor_seconds"):
            row[f"{step}_{measure}"] = statistics.median(turn[step][measure] for turn in turns)
            row[f"{step}_{measure}_all"] = [turn[step][measure] for turn in turns]
    return row


def write(output: Path, rows: list[Row], speeds: list[Row], facts: Row) -> None:
    """Write the two tables."""
    lines = [
        f"# Word vectors, {facts['dim']} dimensions, on {facts['texts']:,} reviews",
        "",
        f"{rows[0]['tokens']:,} words of text, {rows[0]['words']:,} different ones (5 times or more, in small "
        "letters). Analogies: accuracy of 3CosAdd on questions all of whose words are known, with n; similarities: "
        "Spearman. 95 % bootstrap intervals over questions and pairs. fastText knows unseen words by their n-grams.",
        "",
        "| kind | window | passes | minutes | analogies | of them grammar | WordSim353 | SimLex-999 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        cells = [row["kind"], row["window"], row["epochs"], f"{row['minutes']:.1f}", _analogies(row["sections"][-1:])]
        cells += [_analogies([s for s in row["sections"] if s["name"].startswith("gram")])]
        cells += [_similarity(row["wordsim353"]), _similarity(row["simlex999"])]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    total = rows[0]["sections"][-1]
    lines += [
        "",
        f"{total['unknown']:,} of the {total['n'] + total['unknown']:,} questions have a word that the reviews lack.",
        "",
        f"## Speed of GloVe, medians of {facts['turns']} turns",
        "",
        "| | pairs | counting, s | processor, s | M pairs/s trained | M pairs a processor second |",
        "| --- | --- | --- | --- | --- | --- |",
        f"| bar: Stanford's program, 2 threads, elsewhere | {BAR['pairs'] / 1e6:.1f} M | {BAR['counting_seconds']:.1f} "
        f"| | {BAR['pairs_per_second'] / 1e6:.2f} | |",
    ]
    for row in speeds:
        rate, busy = (row["pairs"] / row[f"train_{m}"] / 1e6 for m in ("seconds", "processor_seconds"))
        lines.append(
            f"| langnet, {row['threads']} thread{'s' if row['threads'] > 1 else ''} | {row['pairs'] / 1e6:.1f} M | "
            f"{row['count_seconds']:.1f} | {row['count_processor_seconds']:.1f} | {rate:.2f} | {busy:.2f} |"
        )
    lines += ["", f"Machine: {facts['machine']}. Date: {facts['date']}. Command: `{facts['command']}`", ""]
    output.parent.mkdir(parents=True, exist_ok=True)
    output.with_suffix(".md").write_text("\n".join(lines), encoding="utf8")
    held = {"rows": rows, "speeds": speeds, "bar": BAR, **facts}
    output.with_suffix(".json").write_text(json.dumps(held, indent=1) + "\n", encoding="utf8")
    print("\n".join(lines))


def _analogies(sections: list[Row]) -> str:
    n, right = sum(s["n"] for s in sections), sum(s["right"] for s in sections)
    if not n:
        return "none known"
    interval = bootstrap_cells(np.array([right, n - right]), lambda cells: cells[:, 0] / n)
    return f"{right / n:.3f} {interval}, n {n:,}"


def _similarity(score: Row) -> str:
    return (
        f"{score['spearman']:.3f} [{score['interval']['low']:.3f}, {score['interval']['high']:.3f}], n {score['n']:,}"
    )


if __name__ == "__main__":
    main()
