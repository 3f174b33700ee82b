"""Translators from two texts that share no pairs, beside ones from pairs: `results/unsupervised_translation.md`.

    python -m benchmarks.unsupervised_translation --data multi30k --run runs --output results/unsupervised_translation

Of Multi30k's training captions the first half is read in English alone, the second in the other language alone, so that
no caption is read with its translation. Every round of back-translation is scored on the test captions; which one would
be kept was said without them, and without any pair, by held-out captions that are translated there and back. The same
network also learns from some true pairs. The page is written after every row, and the same command goes on where it was
interrupted. What was chosen by hand was chosen on the validation captions, English and German.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from langnet.evaluate.scoring import scores_with_intervals
from langnet.evaluate.translation_scores import signatures, translation_scores, translation_statistics
from langnet.recipes.back_translation import back_translate
from langnet.recipes.model import Model
from langnet.recipes.unsupervised_translation import (
    DIRECTIONS,
    BackTranslationOptions,
    BackTranslationRun,
    Direction,
    Round,
    learn_pairs,
    translated,
    untrained_translator,
)
from langnet.recipes.word_vectors import load_word_space
from langnet.text.translations import Translation
from langnet.training.machine import describe_machine
from langnet.training.progress import ConsoleProgress
from langnet.transfer.word_by_word import WordByWord, WordByWordOptions

BEAM = 4
EPOCHS = {500: 20.0, 2000: 10.0, 10_000: 3.0}  # of true pairs
NAMES = {"de": "German", "fr": "French", "cs": "Czech"}
CEILING = "the same network from"
Row = dict[str, Any]


@dataclass(frozen=True)
class Captions:
    """A pair of languages.

    Attributes:
        source, target: training captions, the halves that are read.
        pairs: true pairs, for the networks that may see them.
        test: by direction, what is translated and what is right.
    """

    source: list[str]
    target: list[str]
    pairs: list[tuple[str, str]]
    test: dict[Direction, tuple[list[str], list[str]]]


def read_captions(folder: Path, language: str, half: int, test: str) -> Captions:
    """English and another language; English from the first `half` lines, the other from as many behind them."""
    english, other = (_lines(folder / f"train.{name}.gz") for name in ("en", language))
    asked, right = (_lines(folder / f"{test}.{name}.gz") for name in ("en", language))
    pairs = list(zip(english, other, strict=True))
    return Captions(
        english[:half], other[half : 2 * half], pairs, {"forward": (asked, right), "backward": (right, asked)}
    )


def _lines(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf8") as text:
        return [line.strip() for line in text]


class Table:
    """The rows of one pair of languages, kept in a file from the first on.

    Args:
        path: of the file; rows that are in it are not made again.
        captions: what is translated.
        changed: called after every row.
    """

    def __init__(self, path: Path, captions: Captions, changed: Callable[[], None]):
        self.path, self.captions, self.changed = path, captions, changed
        self.rows: list[Row] = json.loads(path.read_text(encoding="utf8")) if path.is_file() else []

    def has(self, name: str) -> bool:
        return any(row["name"] == name for row in self.rows)

    def add(self, name: str, methods: Mapping[Direction, Callable[[list[str]], list[str]]], **facts: Any) -> None:
        """Score a method in both directions, unless that was done."""
        if self.has(name):
            return
        started, row = time.process_time(), {"name": name, **facts}
        for direction, method in methods.items():
            asked, right = self.captions.test[direction]
            found = scores_with_intervals(translation_statistics(method(asked), right), translation_scores)
            row[direction] = {metric: asdict(score) for metric, score in found.items()}
        self.rows.append({**row, "test_seconds": time.process_time() - started})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.rows), encoding="utf8")
        self.changed()


def run(captions: Captions, table: Table, folder: Path, chosen: argparse.Namespace) -> None:
    """Every row of one pair of languages."""
    options = BackTranslationOptions(rounds=chosen.rounds, sentences=chosen.sentences, seed=chosen.seed)
    table.add("the sentence itself", dict.fromkeys(DIRECTIONS, lambda texts: texts))

    def on_round(done: Round, models: Mapping[Direction, Model]) -> None:
        facts = {"round_trip": done.round_trip, "seconds": done.seconds}
        if models:
            table.add(f"round {done.number}", {d: _written(model) for d, model in models.items()}, **facts)
        else:
            _words(captions, table, folder, options, facts)

    progress = ConsoleProgress("rounds")
    back_translate(captions.source, captions.target, options, BackTranslationRun(folder, True, progress, on_round))
    one, other = (load_word_space(folder / "round-0" / name) for name in ("source", "target"))
    for count in chosen.supervised:
        name = f"{CEILING} {count:,} true pairs"
        if table.has(name):
            continue
        started, models = time.process_time(), {}
        for place, direction in enumerate(DIRECTIONS):
            items = [Translation(pair[place], pair[1 - place]) for pair in captions.pairs[:count]]
            spaces, texts = (
                ((one, other), captions.target) if direction == "forward" else ((other, one), captions.source)
            )
            models[direction] = untrained_translator(*spaces, texts, options)
            learn_pairs(
                models[direction], items, replace(options, epochs=EPOCHS.get(count, 10.0)), chosen.seed, progress
            )
        seconds = time.process_time() - started
        table.add(name, {d: _written(model) for d, model in models.items()}, seconds=seconds)


def _words(
    captions: Captions, table: Table, folder: Path, options: BackTranslationOptions, facts: dict[str, Any]
) -> None:
    """The translations word by word: the nearest word, and the one that also suits its neighbours."""
    one, other = (load_word_space(folder / "round-0" / name) for name in ("source", "target"))
    for name, how, more in (
        ("word by word, the nearest", WordByWordOptions(candidates=1), {}),
        ("word by word, by what follows what (round 0)", options.words, facts),
    ):
        there = WordByWord(one, other, captions.target, how)
        back = WordByWord(other, one, captions.source, how)
        table.add(name, {"forward": _by_words(there), "backward": _by_words(back)}, **more)


def _by_words(words: WordByWord) -> Callable[[list[str]], list[str]]:
    return lambda texts: [words.translate(text) for text in texts]


def _written(model: Model) -> Callable[[list[str]], list[str]]:
    return lambda texts: translated(model, texts, BEAM)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every pair of languages, and write `OUTPUT.md` and `OUTPUT.json` after every row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder multi30k, with train.en.gz and so on")
    parser.add_argument("--languages", nargs="+", default=["de", "fr"], help="beside English")
    parser.add_argument("--half", type=int, default=14_500, help="captions of each language")
    parser.add_argument("--test", default="test_2016_flickr")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sentences", type=int, default=10_000, help="of each side in a round")
    parser.add_argument("--supervised", type=int, nargs="*", default=[500, 2000], help="numbers of true pairs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--run", type=Path, required=True, help="folder of the rounds, where a run goes on")
    parser.add_argument("--output", type=Path, required=True, help="path without suffix")
    chosen = parser.parse_args(arguments)
    command = shlex.join(["python", "-m", "benchmarks.unsupervised_translation", *(arguments or sys.argv[1:])])
    held: dict[str, Any] = {
        "command": command,
        "date": time.strftime("%Y-%m-%d"),
        "machine": describe_machine(),
        "signatures": signatures(),
        **{name: getattr(chosen, name) for name in ("half", "test", "rounds", "sentences", "seed")},
        "languages": {},
    }
    for language in chosen.languages:
        captions = read_captions(chosen.data, language, chosen.half, chosen.test)
        table = Table(chosen.run / language / "rows.json", captions, lambda: write(held, chosen.output))
        held["languages"][language] = {"rows": table.rows, "n": len(captions.test["forward"][0])}
        run(captions, table, chosen.run / language, chosen)
    write(held, chosen.output)
    print(report(held))


def write(held: dict[str, Any], output: Path) -> None:
    """The page and its figures, as far as they are."""
    output.parent.mkdir(parents=True, exist_ok=True)
    output.with_suffix(".md").write_text(report(held), encoding="utf8")
    output.with_suffix(".json").write_text(json.dumps(held, indent=1, ensure_ascii=False) + "\n", encoding="utf8")


def report(held: dict[str, Any]) -> str:
    """The Markdown page."""
    lines = [
        "# Translation from two texts that share no pairs", "",
        f"Written by `{held['command']}` on {held['date']}.", "",
        f"Multi30k: captions 1 to {held['half']:,} are read in English alone, the {held['half']:,} behind them in the "
        f"other language alone. Scores on {held['test']}, with 95 % bootstrap intervals over sentences. "
        "`there and back` is the BLEU of 200 held-out captions of each side that are translated there and back "
        "again, by which the round is chosen that would be kept (*); no pair has a part in it. Seconds are of a "
        "processor, both directions, the test not counted. A round reads at most "
        f"{held['sentences']:,} captions of each side. `{CEILING} N true pairs` begins with the same vectors, in a "
        "space that was found without pairs, and learns from the first N training captions with their translations. "
        f"{'; '.join(held['signatures'])}.",
    ]  # fmt: skip
    for language, one in held["languages"].items():
        best = max((row for row in one["rows"] if row["name"].startswith("round ")), key=_trip, default={"name": ""})
        lines += [
            "", f"## English and {NAMES.get(language, language)}", "", f"{one['n']:,} test captions.", "",
            f"| | en-{language} BLEU | chrF | {language}-en BLEU | chrF | there and back | seconds |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]  # fmt: skip
        for row in sorted(one["rows"], key=lambda row: row["name"].startswith(CEILING)):
            cells = [_cell(row[direction][metric]) for direction in DIRECTIONS for metric in ("BLEU", "chrF")]
            trip = f"{row['round_trip']:.1f}" if "round_trip" in row else ""
            seconds = f"{row['seconds']:.0f}" if "seconds" in row else ""
            mark = " *" if row["name"] == best["name"] else ""
            lines.append(f"| {row['name']}{mark} | {' | '.join(cells)} | {trip} | {seconds} |")
    return "\n".join([*lines, "", f"Machine: {held['machine']}.", ""])


def _trip(row: Row) -> float:
    return float(row["round_trip"])


def _cell(score: Mapping[str, Any]) -> str:
    interval = score["interval"]
    return f"{score['value']:.1f} [{interval['low']:.1f}, {interval['high']:.1f}]"


if __name__ == "__main__":
    main()
