"""GloVe beside Stanford's C program on the same words: time of counting and of training, cost reached, quality.

    python -m benchmarks.glove_speed --data aclImdb --stanford GloVe/build --sets sets --output results/glove_speed.md

`GloVe/build` is what `make` leaves in a copy of github.com/stanfordnlp/GloVe: the programs `cooccur`, `shuffle` and
`glove`. Both sides get the same tokenised reviews and the same vocabulary, and take turns, so that what else the
machine does falls on both alike; ratios are taken within a turn. Counting is `cooccur` and `shuffle`, and langnet's
`count_cooccurrences`, which shuffles too. Training is the time of the passes alone: of the C program from the line on
its settings to the line on its last pass. The last turn's training is the long one, whose vectors are judged.
"""

from __future__ import annotations

import argparse
import json
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sources import read_raw_imdb
from benchmarks.word_vectors import judge, similarity_cell, total_cell
from langnet.encoders.word_space import WordSpace
from langnet.hub.importers.word_vectors import read_word_vectors
from langnet.text.cooccurrences import CountOptions, count_cooccurrences
from langnet.text.prepare import PrepareOptions, prepare_corpus
from langnet.text.prepared import PreparedCorpus
from langnet.text.tokenizer import SPECIAL_TOKENS
from langnet.training.glove import GloveOptions, train_glove
from langnet.training.machine import describe_machine
from langnet.training.word2vec import word_counts

RECORD = 16  # bytes of a pair in the C program's files: two int32 and a double
Turn = dict[str, float]


class Stanford:
    """The C program on one corpus, in a folder of its own."""

    def __init__(self, build: Path, corpus: PreparedCorpus, folder: Path, chosen: argparse.Namespace):
        self.build, self.folder, self.chosen = build.absolute(), folder, chosen
        words = corpus.tokenizer.words()
        counts = word_counts(corpus.train, len(words))
        lines = (f"{word} {count}\n" for word, count in zip(words, counts, strict=True))
        (folder / "vocab.txt").write_text("".join(lines), encoding="utf8")
        names = np.array(["<special>", "<unseen>", *SPECIAL_TOKENS[2:], *words], dtype=object)
        with (folder / "corpus.txt").open("w", encoding="utf8") as out:
            for index in range(corpus.train.n_documents):
                out.write(" ".join(names[corpus.train.document(index)[1:-1]]) + "\n")

    def count(self) -> int:
        """Count and shuffle; returns the pairs."""
        window = ["-window-size", str(self.chosen.window), "-vocab-file", "vocab.txt", "-memory", "4.0"]
        self._run("cooccur", [*window, "-verbose", "0"], "corpus.txt", "pairs.bin")
        self._run("shuffle", ["-memory", "4.0", "-verbose", "0"], "pairs.bin", "shuffled.bin")
        return (self.folder / "shuffled.bin").stat().st_size // RECORD

    def train(self, passes: int) -> tuple[float, float]:
        """Seconds of the passes by the clock, and the mean cost of the last."""
        chosen = self.chosen
        arguments = {"input-file": "shuffled.bin", "vocab-file": "vocab.txt", "save-file": "vectors", "iter": passes}
        arguments |= {"vector-size": chosen.dim, "threads": chosen.threads, "x-max": chosen.cap, "alpha": 0.75}
        arguments |= {"eta": 0.05, "seed": chosen.seed + 1, "verbose": 2}
        flags = [part for name, value in arguments.items() for part in (f"-{name}", str(value))]
        command = [str(self.build / "glove"), *flags]
        started = ended = cost = float("nan")
        with subprocess.Popen(command, cwd=self.folder, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            for line in process.stderr:
                if line.startswith("alpha:"):
                    started = time.perf_counter()
                if ", iter:" in line:
                    ended, cost = time.perf_counter(), float(line.rsplit("cost:", 1)[1])
        if process.returncode or not ended >= started:
            sys.exit(f"glove_speed: {shlex.join(command)} ended with {process.returncode}")
        return ended - started, cost

    def _run(self, name: str, flags: list[str], source: str, target: str) -> None:
        with (self.folder / source).open("rb") as read, (self.folder / target).open("wb") as write:
            command = [str(self.build / name), *flags]
            subprocess.run(command, cwd=self.folder, stdin=read, stdout=write, stderr=subprocess.DEVNULL, check=True)

    def vectors(self) -> WordSpace:
        """What the last training wrote, without the vector of unknown words."""
        space = read_word_vectors(self.folder / "vectors.txt").space
        kept = [index for index, word in enumerate(space.words) if word != "<unk>"]
        return WordSpace([space.words[i] for i in kept], space.vectors[kept], lowercase=True)


def measure(corpus: PreparedCorpus, chosen: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Turns of both sides, then the long training of each, whose vectors are judged."""
    words = corpus.tokenizer.words()
    turns: list[Turn] = []
    with tempfile.TemporaryDirectory(prefix="langnet-") as place:
        other = Stanford(chosen.stanford, corpus, Path(place), chosen)
        _compile(Path(place) / "compile")
        for number in range(chosen.rounds + 1):
            last = number == chosen.rounds
            passes = chosen.passes if last else 1
            turn: Turn = {}
            turn["c_pairs"] = _timed(turn, "c_count", other.count)
            (clock, turn["c_cost"]) = _timed(turn, "c_train", lambda: other.train(passes))  # noqa: B023
            turn["c_train_clock"] = clock  # without reading and writing files
            counting = CountOptions(chosen.window, 4096, chosen.threads)
            folder = Path(place) / f"pairs-{number}"
            pairs = _timed(turn, "count", lambda: count_cooccurrences(corpus.train, len(words), folder, counting))  # noqa: B023
            options = GloveOptions(chosen.dim, passes, cap=chosen.cap, threads=chosen.threads, seed=chosen.seed)
            found = _timed(turn, "train", lambda: train_glove(pairs, options))  # noqa: B023
            turn |= {"pairs": len(pairs.words), "cost": found.losses[-1], "passes": passes}
            turns.append(turn)
            say(f"turn {number + 1} of {chosen.rounds + 1}: " + json.dumps({k: round(v, 3) for k, v in turn.items()}))
            for file in folder.iterdir():
                file.unlink()
        spaces = {"c": other.vectors(), "langnet": WordSpace(words, found.vectors, lowercase=True)}
    judged = {name: judge(space, chosen.sets) for name, space in spaces.items()}
    return {"turns": turns, "judged": judged, "words": len(words)}


def _compile(folder: Path) -> None:
    """Have langnet's loops compiled before anything is timed; numba keeps them for later runs."""
    corpus = prepare_corpus(["a b a b"], folder / "corpus", PrepareOptions("words", None, 0.0, min_count=1), texts=True)
    train_glove(count_cooccurrences(corpus.train, 2, folder / "pairs"), GloveOptions(2, 1))


def _timed(turn: Turn, name: str, work: Callable[[], Any]) -> Any:
    """Run, and put down seconds by the clock and of the processor, of this process and its children."""
    clock, busy = time.perf_counter(), _processor()
    found = work()
    turn[f"{name}_clock"], turn[f"{name}_processor"] = time.perf_counter() - clock, _processor() - busy
    return found


def _processor() -> float:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def summarise(turns: list[Turn]) -> dict[str, dict[str, list[float]]]:
    """Of each measure the median, least and most: of the C program, of langnet, and of their ratio within a turn.

    Counting is in seconds, training in million pairs a second; a ratio above one says that langnet is the faster.
    """
    found: dict[str, dict[str, list[float]]] = {}
    for kind in ("clock", "processor"):
        counted = [(turn[f"c_count_{kind}"], turn[f"count_{kind}"]) for turn in turns]
        rates = [
            tuple(turn["passes"] * turn["pairs"] / turn[f"{side}_{kind}"] / 1e6 for side in ("c_train", "train"))
            for turn in turns
        ]
        found[f"counting, s, {kind}"] = _spreads(counted, [c / own for c, own in counted])
        found[f"training, M pairs/s, {kind}"] = _spreads(rates, [own / c for c, own in rates])
    return found


def _spreads(both: Sequence[Sequence[float]], ratios: Sequence[float]) -> dict[str, list[float]]:
    columns = {"c": [row[0] for row in both], "langnet": [row[1] for row in both], "ratio": list(ratios)}
    return {name: [statistics.median(values), min(values), max(values)] for name, values in columns.items()}


def report(held: dict[str, Any]) -> str:
    """The Markdown page."""
    last = held["turns"][-1]
    sides = (("Stanford's C program", "c", "c_"), ("langnet", "langnet", ""))
    lines = [
        "# GloVe beside Stanford's C program", "",
        f"Written by `{held['command']}` on {held['date']}.", "",
        f"{held['texts']:,} reviews of IMDB, {held['tokens']:,} words, {held['words']:,} different ones "
        f"({held['min_count']} times or more, in small letters), window {held['window']}, {held['dim']} dimensions, "
        f"cap (x_max) {held['cap']:g}, {held['threads']} threads where a program has them (`cooccur`, `shuffle` have "
        f"one). Medians of {len(held['turns'])} turns, in brackets the least and the most; a ratio above one says that "
        "langnet is the faster. The C program computes in float64, langnet in float32.", "",
        "| | C program | langnet | ratio |", "| --- | --- | --- | --- |",
    ]  # fmt: skip
    for name, row in held["summary"].items():
        lines.append(f"| {name} | " + " | ".join(_spread(row[side]) for side in ("c", "langnet", "ratio")) + " |")
    lines += [
        "",
        f"Pairs: {last['c_pairs']:,.0f} by the C program, {last['pairs']:,.0f} by langnet. The processor time of the C"
        " program's training includes reading its pairs and writing its vectors as text.",
        "", f"## After {last['passes']:.0f} passes", "",
        "| | mean cost of the last pass | analogies | WordSim353 | SimLex-999 |", "| --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for title, name, prefix in sides:
        scores = held["judged"][name]
        cells = [title, f"{last[f'{prefix}cost']:.5f}", total_cell(scores), similarity_cell(scores["wordsim353"])]
        lines.append("| " + " | ".join([*cells, similarity_cell(scores["simlex999"])]) + " |")
    lines += [
        "", "95 % bootstrap intervals over questions and pairs.", "",
        f"Machine: {held['machine']}; load average at start and end {held['load']}. {held['compiler']}.", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _spread(values: list[float]) -> str:
    return "{:.2f} [{:.2f}, {:.2f}]".format(*values)


def _load() -> str:
    try:
        return Path("/proc/loadavg").read_text(encoding="ascii").split()[0]
    except OSError:
        return "unknown"


def _compiler() -> str:
    try:
        return subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError):
        return "The compiler of the C program is not known"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the page and its JSON beside it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder aclImdb")
    parser.add_argument("--stanford", type=Path, required=True, help="the folder with cooccur, shuffle and glove")
    parser.add_argument("--sets", type=Path, required=True, help="the folder of the three files of questions")
    parser.add_argument("--rounds", type=int, default=3, help="turns of one pass, before the turn of --passes")
    parser.add_argument("--passes", type=int, default=15)
    for name, default in {"threads": 2, "window": 10, "dim": 100, "cap": 100, "min-count": 10, "seed": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--texts", type=int, default=0, help="only so many reviews; 0 is all")
    parser.add_argument("--work", type=Path, help="folder of the tokenised reviews; by default beside the output")
    parser.add_argument("--output", type=Path, default=Path("results/glove_speed.md"))
    chosen = parser.parse_args(arguments)
    before = _load()
    texts = read_raw_imdb(chosen.data)[: chosen.texts or None]
    prepare = PrepareOptions("words", validation_fraction=0.0, min_count=chosen.min_count, lowercase=True)
    work = chosen.work or chosen.output.with_suffix(".work")
    corpus = prepare_corpus(texts, work / "corpus", prepare, texts=True)
    held = measure(corpus, chosen, lambda line: print(line, flush=True))
    given = sys.argv[1:] if arguments is None else arguments
    held |= {
        "summary": summarise(held["turns"]),
        "command": shlex.join(["python", "-m", "benchmarks.glove_speed", *given]),
        "date": time.strftime("%Y-%m-%d"),
        "machine": describe_machine(),
        "load": f"{before}, {_load()}",
        "compiler": _compiler(),
        "texts": len(texts),
        "tokens": corpus.train.n_tokens - 2 * corpus.train.n_documents,
        **{name: getattr(chosen, name) for name in ("min_count", "window", "dim", "cap", "threads")},
    }
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text(report(held), encoding="utf8")
    chosen.output.with_suffix(".json").write_text(json.dumps(held, indent=1) + "\n", encoding="utf8")
    print(report(held))


if __name__ == "__main__":
    main()
