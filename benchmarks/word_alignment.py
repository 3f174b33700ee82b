"""Two languages in one space, learned from texts that are no translations: `results/word_alignment.md`.

    python -m benchmarks.word_alignment --data multi30k --output results/word_alignment

Multi30k's captions are cut in two: the English vectors are trained on one half, the other language's on the other, so
that no caption is read with its translation. What is right is told by a dictionary out of all aligned captions (IBM
model 1 in both directions, `benchmarks.aligned_words`), which no method sees but for the pairs it is given; the words
of those are in no test. The settings of the vectors and of self-learning were chosen on English and Czech.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.aligned_words import translations
from langnet.encoders.vectors import KINDS, space_of
from langnet.encoders.word_space import WordSpace
from langnet.evaluate.intervals import bootstrap_cells
from langnet.evaluate.translation_pairs import identical_pairs, known_pairs
from langnet.recipes.word_vectors import WordVectorOptions, train_word_vectors
from langnet.text.tokenizer import SPECIAL_TOKENS, Tokenizer
from langnet.training.machine import describe_machine
from langnet.transfer.alignment import (
    Alignment,
    AlignOptions,
    align_supervised,
    align_unsupervised,
    nearest_targets,
)

PARTS = ("train", "val")
GIVEN = (100, 400)  # pairs of the dictionary that Procrustes is given
DEVELOPED_ON = "cs"
SEEDS = 2  # of self-learning from nothing, which is a matter of luck
SHOWN = 40  # pairs of the dictionary on the page
Pairs = list[tuple[str, str]]
Score = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """Two spaces and what is asked of them.

    Attributes:
        source, target: trained on different captions.
        given: pairs that a method may see.
        asked: for the places of source words, the places of their right translations; none of them is in `given`.
        alike: those of the asked whose right translation is spelled like them.
    """

    source: WordSpace
    target: WordSpace
    given: Pairs
    asked: dict[int, set[int]]
    alike: frozenset[int]


def read_captions(folder: Path, language: str) -> list[str]:
    """A caption a line, in the same order for all languages."""
    lines: list[str] = []
    for part in PARTS:
        with gzip.open(folder / f"{part}.{language}.gz", "rt", encoding="utf8") as text:
            lines += [line.strip() for line in text]
    return lines


def make_task(source: list[str], target: list[str], chosen: argparse.Namespace) -> Task:
    """Train both sides, make the dictionary, and part it into what is given and what is asked."""
    generator = np.random.default_rng(chosen.seed)
    order = generator.permutation(len(source))
    half = len(order) // 2
    one, other = (_space([side[i] for i in part], chosen) for side, part in
                  ((source, order[:half]), (target, order[half:])))  # fmt: skip
    pairs = [pair for pair in translations(_words(source), _words(target)) if all(map(_is_word, pair))]
    pairs = [pair for pair in pairs if known_pairs(one, other, [pair])]
    words = list(dict.fromkeys(first for first, _ in pairs))
    shown = {words[i] for i in generator.permutation(len(words))[: max(GIVEN)]}
    asked: dict[int, set[int]] = {}
    alike = set()
    for (first, second), (row, column) in zip(pairs, known_pairs(one, other, pairs), strict=True):
        if first not in shown:
            asked.setdefault(row, set()).add(column)
            alike |= {row} if first == second else set()
    given = [pair for pair in pairs if pair[0] in shown]
    given = [given[i] for i in generator.permutation(len(given))]
    return Task(one, other, given, asked, frozenset(alike))


def _space(texts: list[str], chosen: argparse.Namespace) -> WordSpace:
    options = WordVectorOptions(
        chosen.kind, chosen.dim, chosen.window, chosen.epochs, min_count=chosen.min_count, seed=chosen.seed
    )
    model = train_word_vectors(texts, options, texts=True)
    return space_of(model.encoder, model.tokenizer, "the vectors")


def _words(lines: list[str]) -> list[list[str]]:
    tokenizer = Tokenizer.train_words(lines, min_count=1, lowercase=True)
    names = [*SPECIAL_TOKENS, *tokenizer.words()]
    return [[names[i] for i in ids] for ids in tokenizer.encode_batch(lines)]


def _is_word(word: str) -> bool:
    return any(sign.isalpha() for sign in word)


def score(task: Task, found: np.ndarray) -> Score:
    """Precision at 1 of the answers to `task.asked`, (n,): of all, and of the words that are spelled differently."""
    right = np.array([int(best) in wanted for best, wanted in zip(found, task.asked.values(), strict=True)])
    other = np.array([row not in task.alike for row in task.asked])
    return {"all": _part(right), "differently": _part(right[other])}


def _part(right: np.ndarray) -> Score:
    hits, n = int(right.sum()), len(right)
    interval = bootstrap_cells(np.array([hits, n - hits]), lambda cells: cells[:, 0] / max(n, 1))
    return {"precision": hits / max(n, 1), "low": interval.low, "high": interval.high, "n": n}


def answers(task: Task, maps: Alignment, neighbours: int) -> np.ndarray:
    """The nearest target word of each asked word, (n,)."""
    x, y = maps.map_source(task.source.vectors), maps.map_target(task.target.vectors)
    return nearest_targets(x[list(task.asked)], y, 1, neighbours, crowd=x)[:, 0]


def run(task: Task, chosen: argparse.Namespace) -> dict[str, Score]:
    """Every method's score, by its name."""
    x, y = task.source.vectors, task.target.vectors
    options = AlignOptions(seed=chosen.seed)
    rows = list(task.asked)
    same = np.array([_or_none(task.target.find(task.source.words[row])) for row in rows])
    alike = known_pairs(task.source, task.target, identical_pairs(task.source, task.target))
    scores = {
        "baseline: the same spelling": score(task, same),
        "baseline: the same rank of frequency": score(task, np.array(rows)),
    }
    for count in GIVEN:
        given = known_pairs(task.source, task.target, task.given[:count])
        maps = align_supervised(x, y, given, options)
        scores[f"Procrustes, {count} pairs"] = score(task, answers(task, maps, 10))
        if count == max(GIVEN):
            scores[f"Procrustes, {count} pairs, cosine instead of CSLS"] = score(task, answers(task, maps, 0))
            maps = align_supervised(x, y, given, replace(options, reweight=True))
            scores[f"Procrustes, {count} pairs, reweighted"] = score(task, answers(task, maps, 10))
        maps = align_unsupervised(x, y, options, pairs=given)
        scores[f"self-learning from {count} pairs"] = score(task, answers(task, maps, 10))
    if alike:
        maps = align_supervised(x, y, alike, options)
        scores[f"Procrustes, {len(alike):,} words spelled alike"] = score(task, answers(task, maps, 10))
        maps = align_unsupervised(x, y, options, pairs=alike)
        scores["self-learning from words spelled alike"] = score(task, answers(task, maps, 10))
    for seed in range(SEEDS):
        maps = align_unsupervised(x, y, replace(options, seed=seed))
        scores[f"self-learning from nothing, seed {seed} (mean cosine {maps.similarity:.3f})"] = score(
            task, answers(task, maps, 10)
        )
    return scores


def _or_none(place: int | None) -> int:
    return -1 if place is None else place


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every pair of languages, and write `OUTPUT.md` and `OUTPUT.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder multi30k, with train.en.gz and so on")
    parser.add_argument("--languages", nargs="+", default=["de", "fr", DEVELOPED_ON], help="beside English")
    parser.add_argument("--kind", choices=KINDS, default="word2vec-skipgram")
    for name, default in {"dim": 50, "window": 5, "epochs": 15, "min-count": 5, "seed": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--output", type=Path, required=True, help="path without suffix")
    chosen = parser.parse_args(arguments)
    english = read_captions(chosen.data, "en")
    found = {}
    for language in chosen.languages:
        task = make_task(english, read_captions(chosen.data, language), chosen)
        found[language] = {"scores": run(task, chosen), **described(task)}
        for name, scores in found[language]["scores"].items():
            print(f"en-{language} {name}: {scores['all']['precision']:.3f}", flush=True)
    held = {
        "command": shlex.join(["python", "-m", "benchmarks.word_alignment", *(arguments or sys.argv[1:])]),
        "date": time.strftime("%Y-%m-%d"),
        "machine": describe_machine(),
        "captions": len(english),
        **{name: getattr(chosen, name) for name in ("kind", "dim", "window", "epochs", "min_count", "seed")},
        "languages": found,
    }
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.with_suffix(".md").write_text(report(held), encoding="utf8")
    text = json.dumps(held, indent=1, ensure_ascii=False)
    chosen.output.with_suffix(".json").write_text(text + "\n", encoding="utf8")
    print(report(held))


def described(task: Task) -> dict[str, Any]:
    """Sizes, and pairs of the dictionary drawn at random, for the reader to judge it by."""
    pairs = [(task.source.words[row], task.target.words[c]) for row, wanted in task.asked.items() for c in wanted]
    drawn = np.random.default_rng(0).permutation(len(pairs))[:SHOWN]
    return {
        "words": [len(task.source), len(task.target)],
        "asked": len(task.asked),
        "alike": len(task.alike),
        "sample": [list(pairs[i]) for i in sorted(drawn)],
    }


def report(held: dict[str, Any]) -> str:
    """The Markdown page."""
    lines = [
        "# Two languages in one space, from texts that are no translations", "",
        f"Written by `{held['command']}` on {held['date']}.", "",
        f"{held['captions']:,} captions of Multi30k. Each language's vectors ({held['kind']}, {held['dim']} wide, "
        f"window {held['window']}, {held['epochs']} passes, words of {held['min_count']} occurrences or more) are from "
        "one half, and no caption is read with its translation. Precision at 1 by CSLS: the part of the English words "
        "whose nearest word is a right translation by a dictionary from all aligned captions, with 95 % bootstrap "
        "intervals over words. The pairs that a method is given are from that dictionary, and their words are not "
        "asked. `other spelling` leaves out the words whose translation is spelled like them.",
    ]  # fmt: skip
    for language, one in held["languages"].items():
        sizes = " and ".join(f"{n:,}" for n in one["words"])
        lines += [
            "", f"## English to {language}{', on which the settings were chosen' * (language == DEVELOPED_ON)}", "",
            f"{sizes} words with vectors, {one['asked']:,} asked, {one['alike']:,} of them spelled alike.", "",
            "| method | precision at 1 | other spelling |", "| --- | --- | --- |",
        ]  # fmt: skip
        lines += [f"| {name} | {_cell(s['all'])} | {_cell(s['differently'])} |" for name, s in one["scores"].items()]
        sample = ", ".join(f"{first} {second}" for first, second in one["sample"])
        lines += ["", f"{len(one['sample'])} pairs of the dictionary, drawn at random: {sample}."]
    return "\n".join([*lines, "", f"Machine: {held['machine']}.", ""])


def _cell(part: Score) -> str:
    return f"{part['precision']:.3f} [{part['low']:.3f}, {part['high']:.3f}], n {part['n']:,}"


if __name__ == "__main__":
    main()
