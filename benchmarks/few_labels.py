"""langnet and its neighbours with few labels, on IMDB and 20 Newsgroups: the tables in `results/`.

    python -m benchmarks.few_labels newsgroups --output results/few_labels_newsgroups
    python -m benchmarks.few_labels imdb --data aclImdb --output results/few_labels_imdb

Every neighbour sees what langnet sees: the same labelled texts, the same raw text, the same test texts. Labelled texts
are drawn from the training part; the test part is nobody's raw text, and no setting was chosen on it (LOG.md tells on
what they were). Interrupted, the same command goes on where it stood.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sources import fetch_minilm, read_imdb
from langnet.evaluate.baselines import SentenceEncoderBaseline
from langnet.evaluate.intervals import seeds_interval
from langnet.hub.names import home
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.model import Model, load
from langnet.recipes.pretrain import PretrainOptions, Run, pretrain
from langnet.study.methods import KINDS, MethodOptions
from langnet.study.sample_efficiency import SampleEfficiencyOptions, Standing, study_sample_efficiency
from langnet.text.labelled import LabelledData
from langnet.text.newsgroups import fetch_newsgroups
from langnet.training.machine import describe_machine
from langnet.training.progress import ConsoleProgress
from langnet.transfer.co_training import Documents, co_train
from langnet.transfer.pseudo_labels import PseudoLabelOptions

METHODS = ("majority", "tfidf", "svd", "word2vec", "scratch", "frozen", "unlabelled", "finetune")


@dataclass
class Row:
    """A method over the draws of labelled texts.

    Attributes:
        key: of the method.
        name: for people.
        accuracy: one a draw.
        seconds: of a draw, where it was measured.
    """

    key: str
    name: str
    accuracy: list[float] = field(default_factory=list)
    seconds: float | None = None


def main() -> None:
    """Read the arguments, run, and write `OUTPUT.md` and `OUTPUT.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=("imdb", "newsgroups"))
    parser.add_argument("--data", type=Path, help="imdb: the folder aclImdb")
    parser.add_argument("--labels", type=int, help="labelled texts; 100 of imdb, 200 of newsgroups")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--tests", type=int, default=5000, help="test texts, drawn evenly by class")
    parser.add_argument("--minutes", type=float, default=20.0, help="of pretraining the language model")
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--context", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help="folder for models and finished cells; by default beside the output")
    parser.add_argument("--output", type=Path, required=True, help="path without suffix")
    run(parser.parse_args())


def run(arguments: argparse.Namespace) -> None:
    """Pretrain, compare, write."""
    if importlib.util.find_spec("transformers") is None:
        raise SystemExit("MiniLM, a row of the table, is read by transformers: pip install transformers first")
    n_labels = arguments.labels or (100 if arguments.set == "imdb" else 200)
    raw, train, test = _read(arguments)
    work = arguments.work or arguments.output.with_name(arguments.output.name + ".work")
    model, minutes = _pretrained(raw, work, arguments)
    options = SampleEfficiencyOptions(
        sizes=(n_labels,),
        draws=arguments.draws,
        methods=METHODS,
        n_test=arguments.tests,
        seed=arguments.seed,
        settings=MethodOptions(finetune=FinetuneOptions(max_tokens=256)),
    )
    found = study_sample_efficiency(model, raw, train, test, options, folder=work, told=_tell)
    rows = []
    for key in METHODS:
        point = found.point(key, n_labels)
        cells = found.cells_of(key, n_labels)
        if point and cells:
            rows.append(Row(key, KINDS[key].name, [cell.scores["accuracy"] for cell in cells], point.seconds))
    draws = [train.subset(n_labels, arguments.seed + draw) for draw in range(arguments.draws)]
    rows += [_minilm(draws, found.test), _without_word_classes(model, raw, draws, found.test, arguments.seed)]
    facts = {
        "command": shlex.join(["python", "-m", "benchmarks.few_labels", *sys.argv[1:]]),
        "date": time.strftime("%Y-%m-%d"),
        "machine": describe_machine(),
        "n_labels": n_labels,
        "n_test": len(found.test),
        "n_raw": len(raw),
        "pretraining": model.facts["pretrain"],
        "minutes_from_raw_text_to_model": minutes,
        "bits_per_byte": model.facts["validation"]["bits_per_byte"],
    }
    write(arguments.output, rows, facts)


def _read(arguments: argparse.Namespace) -> tuple[list[str], LabelledData, LabelledData]:
    if arguments.set == "imdb":
        if arguments.data is None:
            raise SystemExit("few_labels: imdb needs --data, the folder aclImdb")
        return read_imdb(arguments.data)
    train, test = fetch_newsgroups(home() / "downloads")
    return train.texts, train, test


def _pretrained(raw: list[str], work: Path, arguments: argparse.Namespace) -> tuple[Model, float]:
    """The language model of an earlier call where there is one, and the minutes that all of it took."""
    folder, clock = work / "model", work / "minutes.json"
    if not folder.exists():
        started = time.monotonic()
        options = PretrainOptions(
            size=arguments.size, context=arguments.context, minutes=arguments.minutes, seed=arguments.seed
        )
        model = pretrain(raw, options, Run(work / "run", True, ConsoleProgress("pretrain")), texts=True)
        model.save(folder)
        clock.write_text(json.dumps((time.monotonic() - started) / 60), encoding="utf8")
    return load(folder), json.loads(clock.read_text(encoding="utf8"))


def _tell(standing: Standing) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {standing.done + 1}/{standing.total}  {standing.doing}", flush=True)


def _minilm(draws: list[LabelledData], test: LabelledData) -> Row:
    """A sentence encoder that was trained on a billion pairs elsewhere, frozen."""
    neighbour = SentenceEncoderBaseline(str(fetch_minilm(home() / "downloads")))
    neighbour.fit([])
    row = Row("minilm", "MiniLM, frozen (pretrained elsewhere)")
    for draw in draws:
        row.accuracy.append(_accuracy(neighbour.fit_predict(draw.texts, draw.labels, test.texts).labels, test))
    return row


def _without_word_classes(
    model: Model, raw: list[str], draws: list[LabelledData], test: LabelledData, seed: int
) -> Row:
    """An ablation: the same student, but what teaches it is the whole space of document vectors."""
    space, options = model.document_vectors, PseudoLabelOptions()
    assert space is not None

    def read(texts: list[str]) -> Documents:
        found = Documents.read(model.token_ids(texts), space)
        return Documents(found.terms, found.whole, found.views[:, :0])

    pool, tested = read(options.sample(raw, 0, False)), read(test.texts)
    row = Row("no_word_classes", "ablation: the same without word classes (document vectors teach)")
    for draw in draws:
        names, classes = np.unique(draw.labels, return_inverse=True)
        student = co_train(space, read(draw.texts), classes, len(names), pool, seed, options.co_training)
        scores = tested.terms @ student.space.vectors[:, space.dim :] + student.space.bias
        row.accuracy.append(_accuracy(names[scores.argmax(1)], test))
    return row


def _accuracy(predicted: Sequence[str] | np.ndarray, test: LabelledData) -> float:
    return float(np.mean(np.asarray(predicted) == np.asarray(test.labels)))


def write(output: Path, rows: list[Row], facts: dict[str, Any]) -> None:
    """Write the table, with every neighbour's paired difference to the best row of langnet's."""
    ours = max((row for row in rows if row.name.startswith("langnet")), key=lambda row: float(np.mean(row.accuracy)))
    lines = [
        f"# {facts['n_labels']} labels, {facts['n_test']:,} test texts, {len(ours.accuracy)} draws",
        "",
        f"Accuracy: mean over draws of the labelled texts and its 95 % t interval. Last column: {ours.name} minus the "
        "row, paired by draw.",
        "",
        f"| method | accuracy | 95 % interval | {ours.name} minus this |",
        "| --- | --- | --- | --- |",
    ]
    for row in sorted(rows, key=lambda row: float(np.mean(row.accuracy))):
        gap = "" if row is ours else _signed(np.subtract(ours.accuracy, row.accuracy))
        mean, interval = float(np.mean(row.accuracy)), seeds_interval(row.accuracy)
        lines.append(f"| {row.name} | {mean:.3f} | {interval} | {gap} |")
    training = facts["pretraining"]
    lines += [
        "",
        f"From raw text ({facts['n_raw']:,} documents) to the model, document vectors and validation included: "
        f"{facts['minutes_from_raw_text_to_model']:.1f} minutes, of them {training['minutes']:.1f} of the language "
        f"model's training: {training['tokens']:,} tokens, {facts['bits_per_byte']:.3f} bits per byte.",
        "",
        f"Machine: {facts['machine']}. Date: {facts['date']}. Command: `{facts['command']}`",
        "",
    ]
    output.parent.mkdir(parents=True, exist_ok=True)
    output.with_suffix(".md").write_text("\n".join(lines), encoding="utf8")
    table = [asdict(row) for row in rows]
    output.with_suffix(".json").write_text(json.dumps({"rows": table, **facts}, indent=1) + "\n", encoding="utf8")
    print("\n".join(lines))


def _signed(differences: np.ndarray) -> str:
    interval = seeds_interval(differences.tolist())
    return f"{differences.mean():+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"


if __name__ == "__main__":
    main()
