"""Word vectors of every kind on the same reviews, judged alike: `results/word_vectors.md`.

    python -m benchmarks.word_vectors --data aclImdb --sets sets --output results/word_vectors

`sets` is a folder with questions-words.txt, wordsim353.tsv and simlex999.txt. The vectors are kept in the folder
--work; interrupted, the same command goes on where it stood. Of the analogies only every second question is asked: the
others are what the settings of GloVe were chosen on (`benchmarks.glove_settings`, on other texts).
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sources import read_raw_imdb
from langnet.encoders.word_space import WordSpace
from langnet.evaluate.intervals import bootstrap_cells
from langnet.evaluate.word_vectors import read_analogies, read_similarities, score_analogies, score_similarities
from langnet.recipes.model import load
from langnet.recipes.pretrain import Run
from langnet.recipes.word_vectors import Kind, WordVectorOptions, load_word_space, train_word_vectors
from langnet.training.machine import describe_machine
from langnet.training.progress import ConsoleProgress

KINDS: tuple[Kind, ...] = ("word2vec-cbow", "glove", "word2vec-skipgram", "fasttext")
SIMILARITIES = {"wordsim353": "wordsim353.tsv", "simlex999": "simlex999.txt"}
Row = dict[str, Any]


def judge(space: WordSpace, sets: Path, half: int = 1) -> Row:
    """Scores on the three sets; of the analogies those of one half, every second question: 0 to choose, 1 to report."""
    sections = score_analogies(space, read_analogies(sets / "questions-words.txt")[half::2])
    row: Row = {"sections": [section.to_dict() for section in sections]}
    for name, file in SIMILARITIES.items():
        row[name] = score_similarities(space, read_similarities(sets / file)).to_dict()
    return row


def total_cell(row: Row, prefix: str = "") -> str:
    """The accuracy on the sections whose names begin so, with interval and n."""
    sections = [s for s in row["sections"] if s["name"] != "total" and s["name"].startswith(prefix)]
    n, right = sum(s["n"] for s in sections), sum(s["right"] for s in sections)
    if not n:
        return "none known"
    interval = bootstrap_cells(np.array([right, n - right]), lambda cells: cells[:, 0] / n)
    return f"{right / n:.3f} {interval}, n {n:,}"


def similarity_cell(score: Row) -> str:
    """Spearman's correlation with interval and n."""
    low, high = score["interval"]["low"], score["interval"]["high"]
    return f"{score['spearman']:.3f} [{low:.3f}, {high:.3f}], n {score['n']:,}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments, run, and write `OUTPUT.md` and `OUTPUT.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder aclImdb")
    parser.add_argument("--sets", type=Path, required=True, help="the folder of the three files of questions")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--epochs", nargs="*", default=[], metavar="KIND=N", help="where it is not the kind's default")
    parser.add_argument("--texts", type=int, default=0, help="only so many reviews; 0 is all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help="folder for vectors; by default beside the output")
    parser.add_argument("--output", type=Path, required=True, help="path without suffix")
    chosen = parser.parse_args(arguments)
    work = chosen.work or chosen.output.with_name(chosen.output.name + ".work")
    work.mkdir(parents=True, exist_ok=True)
    texts = read_raw_imdb(chosen.data)[: chosen.texts or None]
    epochs = {name: int(number) for name, number in (entry.split("=") for entry in chosen.epochs)}
    rows = [_trained(kind, epochs.get(kind), texts, work, chosen) for kind in chosen.kinds]
    rows.append(_random(load_word_space(work / chosen.kinds[0]), chosen))
    facts = {
        "command": shlex.join(["python", "-m", "benchmarks.word_vectors", *(arguments or sys.argv[1:])]),
        "date": time.strftime("%Y-%m-%d"),
        "machine": describe_machine(),
        "texts": len(texts),
        "dim": chosen.dim,
    }
    write(chosen.output, rows, facts)


def _trained(kind: Kind, epochs: int | None, texts: list[str], work: Path, chosen: argparse.Namespace) -> Row:
    """Vectors of one kind, trained unless an earlier call has, and their scores."""
    folder, kept = work / kind, work / f"{kind}.json"
    if not kept.exists():
        options = WordVectorOptions(kind, chosen.dim, epochs=epochs, threads=chosen.threads, seed=chosen.seed)
        busy = time.process_time()
        model = train_word_vectors(texts, options, Run(work / "run", progress=ConsoleProgress(kind)), texts=True)
        busy = time.process_time() - busy
        model.save(folder, overwrite=folder.exists())
        facts = load(folder).facts["vectors"]
        row = {"kind": kind, "processor_minutes": busy / 60, **judge(load_word_space(folder), chosen.sets)}
        row |= {name: facts[name] for name in ("words", "tokens", "minutes", "epochs", "window")}
        kept.write_text(json.dumps(row), encoding="utf8")
    held: Row = json.loads(kept.read_text(encoding="utf8"))
    return held


def _random(space: WordSpace, chosen: argparse.Namespace) -> Row:
    """What vectors drawn at random score, for the same words."""
    drawn = np.random.default_rng(chosen.seed).standard_normal(space.vectors.shape).astype(np.float32)
    return {"kind": "random vectors", **judge(WordSpace(space.words, drawn, lowercase=True), chosen.sets)}


def write(output: Path, rows: list[Row], facts: Row) -> None:
    """Write the table."""
    total = rows[0]["sections"][-1]
    unknown = [
        f"{rows[0][name]['unknown']} of {rows[0][name]['n'] + rows[0][name]['unknown']}" for name in SIMILARITIES
    ]
    lines = [
        f"# Word vectors, {facts['dim']} dimensions, on {facts['texts']:,} reviews", "",
        f"Written by `{facts['command']}` on {facts['date']}.", "",
        f"{rows[0]['tokens']:,} words of text, {rows[0]['words']:,} different ones (5 times or more, in small "
        "letters). Analogies: accuracy of 3CosAdd on the questions all of whose words are known, of every second "
        "question (the other half chose the settings of GloVe, on other texts); similarities: Spearman. 95 % bootstrap "
        "intervals over questions and pairs. fastText knows unseen words by their n-grams.", "",
        "| kind | window | passes | minutes | analogies | of them grammar | WordSim353 | SimLex-999 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for row in rows:
        cells = [row["kind"], row.get("window", ""), row.get("epochs", "")]
        cells.append(f"{row['minutes']:.1f}" if "minutes" in row else "")
        cells += [total_cell(row), total_cell(row, "gram"), *(similarity_cell(row[name]) for name in SIMILARITIES)]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    lines += [
        "", f"Out of the vocabulary: {total['unknown']:,} of the {total['n'] + total['unknown']:,} questions, "
        f"{unknown[0]} pairs of WordSim353, {unknown[1]} of SimLex-999; they are in no score.",
        "", f"Machine: {facts['machine']}.", "",
    ]  # fmt: skip
    output.parent.mkdir(parents=True, exist_ok=True)
    output.with_suffix(".md").write_text("\n".join(lines), encoding="utf8")
    output.with_suffix(".json").write_text(json.dumps({"rows": rows, **facts}, indent=1) + "\n", encoding="utf8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
