"""What GloVe's settings do on small corpora: the evidence for its defaults.

    python -m benchmarks.glove_settings --data novels --sets sets --settings cap=100 cap=10 --output out

The texts are not those that the results are reported on, and of the analogies the half is asked that the results leave
out. --share takes a part of the texts, to see whether the best setting moves with the size of the corpus. Scores are
kept in the folder --work: interrupted, or with further settings, the same command goes on where it stood.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.word_vectors import judge, similarity_cell, total_cell
from langnet.encoders.word_space import WordSpace
from langnet.text.cooccurrences import Cooccurrences, CountOptions, count_cooccurrences
from langnet.text.corpus import CorpusOptions, CorpusReport, read_documents
from langnet.text.prepare import PrepareOptions, prepare_corpus
from langnet.text.prepared import PreparedCorpus
from langnet.training.glove import GloveOptions, train_glove
from langnet.training.machine import describe_machine

USUAL = {"window": 10, "cap": 100.0, "epochs": 25, "learning_rate": 0.05}


def _setting(text: str) -> dict[str, Any]:
    """`window=10,cap=10` with the rest as usual."""
    given = dict(part.split("=") for part in text.split(",") if part)
    if unknown := set(given) - set(USUAL):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose among {', '.join(USUAL)}")
    return {name: type(usual)(given.get(name, usual)) for name, usual in USUAL.items()}


def _corpus(chosen: argparse.Namespace) -> PreparedCorpus:
    """A part of the texts, evenly taken from all documents, as word ids."""
    documents = [
        d.text for d in read_documents([chosen.data], CorpusOptions(documents=chosen.documents), CorpusReport())
    ]
    step = max(1, round(1 / chosen.share))
    prepare = PrepareOptions("words", validation_fraction=0.0, min_count=5, lowercase=True)
    return prepare_corpus(documents[::step], chosen.work / f"corpus-{step}", prepare, texts=True)


def _score(
    pairs: Cooccurrences, words: list[str], setting: dict[str, Any], chosen: argparse.Namespace
) -> dict[str, Any]:
    options = GloveOptions(
        chosen.dim, setting["epochs"], setting["learning_rate"], setting["cap"],
        threads=chosen.threads, seed=chosen.seed,
    )  # fmt: skip
    found = train_glove(pairs, options)
    space = WordSpace(words, found.vectors, lowercase=True)
    return {**setting, "loss": found.losses[-1], "seconds": found.seconds, **judge(space, chosen.sets, half=0)}


def _find(rows: list[dict[str, Any]], setting: dict[str, Any]) -> dict[str, Any] | None:
    """The row of a setting that was scored already."""
    return next((row for row in rows if setting.items() <= row.items()), None)


def report(rows: list[dict[str, Any]], facts: dict[str, Any]) -> str:
    """The Markdown page."""
    lines = [
        "# GloVe's settings on a small corpus", "",
        f"Written by `{facts['command']}` on {facts['date']}.", "",
        f"{facts['tokens']:,} words, {facts['words']:,} different ones (5 times or more, in small letters), "
        f"{facts['dim']} dimensions. The half of the analogies that the results leave out; 95 % bootstrap intervals.",
        "",
        "| window | cap | passes | rate | analogies | WordSim353 | SimLex-999 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for row in rows:
        cells = [row["window"], f"{row['cap']:g}", row["epochs"], row["learning_rate"], total_cell(row)]
        cells += [similarity_cell(row[name]) for name in ("wordsim353", "simlex999")]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join([*lines, "", f"Machine: {facts['machine']}.", ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Train every setting on the same counts, and write `OUTPUT.md` and `OUTPUT.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="files or a folder of raw text")
    parser.add_argument("--documents", default="paragraph", help="how files are cut into documents")
    parser.add_argument("--share", type=float, default=1.0, help="part of the documents")
    parser.add_argument("--sets", type=Path, required=True, help="the folder of the three files of questions")
    parser.add_argument("--settings", nargs="+", type=_setting, required=True, metavar="NAME=VALUE,...")
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help="folder of the tokenised texts; by default beside the output")
    parser.add_argument("--output", type=Path, required=True, help="path without suffix")
    chosen = parser.parse_args(arguments)
    chosen.work = chosen.work or chosen.output.with_name(chosen.output.name + ".work")
    corpus = _corpus(chosen)
    words = corpus.tokenizer.words()
    facts = {
        "command": shlex.join(["python", "-m", "benchmarks.glove_settings", *(arguments or sys.argv[1:])]),
        "date": time.strftime("%Y-%m-%d"), "machine": describe_machine(), "words": len(words), "dim": chosen.dim,
        "tokens": corpus.train.n_tokens - 2 * corpus.train.n_documents,
    }  # fmt: skip
    kept = chosen.work / f"scores-{len(words)}-{chosen.dim}-{chosen.seed}.json"
    rows: list[dict[str, Any]] = json.loads(kept.read_text(encoding="utf8")) if kept.exists() else []
    new = [setting for setting in chosen.settings if _find(rows, setting) is None]
    for window in dict.fromkeys(setting["window"] for setting in new):
        with tempfile.TemporaryDirectory(prefix="langnet-") as place:
            counting = CountOptions(window, threads=chosen.threads)
            pairs = count_cooccurrences(corpus.train, len(words), Path(place), counting)
            for setting in (s for s in new if s["window"] == window):
                rows.append(_score(pairs, words, setting, chosen))
                kept.write_text(json.dumps(rows), encoding="utf8")
                print(f"{setting}: loss {rows[-1]['loss']:.4f}, {rows[-1]['seconds']:.0f} s, {total_cell(rows[-1])}")
    rows = [row for setting in chosen.settings if (row := _find(rows, setting))]
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.with_suffix(".md").write_text(report(rows, facts), encoding="utf8")
    held = json.dumps({"rows": rows, **facts}, indent=1)
    chosen.output.with_suffix(".json").write_text(held + "\n", encoding="utf8")
    print(report(rows, facts))


if __name__ == "__main__":
    main()
