"""A task by frozen features, fine-tuning and from scratch with equal labels, beside its neighbours.

    python -m benchmarks.task_transfer my-lm entail SNLI/s1.dev --count 1000 --test-count 2000
    python -m benchmarks.task_transfer my-lm choose copa/train.jsonl --test copa/val.jsonl

Training and test items are drawn once by the seed, from the same files where no test files are named. Texts may come in
several items (SNLI's premises come in three): items that share their first text stay on one side.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from langnet.cli.tasks import assignments
from langnet.evaluate.scoring import TaskRow
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.kinds.kind import Columns, HeadOptions, Kind
from langnet.recipes.kinds.registry import KINDS, find_kind
from langnet.recipes.model import load
from langnet.recipes.transfer import TransferOptions, evaluate_task, transfer

METHODS = ("frozen", "finetune", "scratch")


def draw(
    items: Sequence[Any], count: int, test: Sequence[Any], test_count: int, seed: int
) -> tuple[list[Any], list[Any]]:
    """Training and test items; from `items` alone, apart by their first texts, where there is no `test`."""
    generator = np.random.default_rng(seed)
    if test:
        chosen = (generator.permutation(len(part)) for part in (items, test))
        train, held = ([part[i] for i in order] for part, order in zip((items, test), chosen, strict=True))
        return train[:count], held[:test_count]
    names = sorted({_first_text(item) for item in items})
    place = dict(zip([names[i] for i in generator.permutation(len(names))], range(len(names)), strict=True))
    order = [items[i] for i in generator.permutation(len(items))]
    share = count / (count + test_count)
    train = [item for item in order if place[_first_text(item)] < share * len(names)]
    held = [item for item in order if place[_first_text(item)] >= share * len(names)]
    return train[:count], held[:test_count]


def _first_text(item: Any) -> str:
    words = " ".join(getattr(item, "words", ()))
    return str(getattr(item, "first", getattr(item, "context", words)))


Drawn = tuple[list[Any], list[Any]]


def rows(
    model: str, kind: Kind[Any, Any], data: Drawn, methods: Sequence[str], options: TransferOptions
) -> list[TaskRow]:
    """Every method's scores, then the neighbours'; printed as they come."""
    train, test = data
    base, found, neighbours = load(model), [], list[TaskRow]()
    for index, method in enumerate(methods):
        started = time.process_time()
        shared = replace(options.finetune, method=method)  # type: ignore[arg-type]  # the parser has compared it
        made = transfer(base, kind, train, replace(options, finetune=shared))
        seconds = time.process_time() - started
        report, _ = evaluate_task(made, kind, test, train if index == 0 else [])
        neighbours = neighbours or report.rows[1:]
        row = replace(report.rows[0], name=method)
        print(_line(row), f"{seconds:.0f} s of processor |", "; ".join(report.details), flush=True)
        found.append(row)
    for row in neighbours:
        print(_line(row), flush=True)
    return [*found, *neighbours]


def _line(row: TaskRow) -> str:
    return f"| {row.name} | " + " | ".join(str(score) for score in row.scores.values()) + " |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Read, draw, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("task", choices=sorted(KINDS))
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--test", nargs="+", default=[])
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--test-count", type=int, default=1000)
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=METHODS)
    parser.add_argument("--head", action="append", metavar="NAME=VALUE")
    parser.add_argument("--hidden", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--head-learning-rate", type=float, default=TransferOptions().head_learning_rate)
    parser.add_argument("--epochs", type=float)
    parser.add_argument("--head-epochs", type=float)
    parser.add_argument("--auxiliary-lm", type=float, default=0.0)
    parser.add_argument("--layers", type=int)
    parser.add_argument("--cached-megabytes", type=int, default=FinetuneOptions().cached_megabytes)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    kind = find_kind(given.task)
    items = kind.read(given.sources, Columns())
    held = kind.read(given.test, Columns()) if given.test else []
    train, test = draw(items, given.count, held, given.test_count, given.seed)
    print(f"{given.task}: {len(train):,} {kind.unit} to learn from, {len(test):,} to be judged, seed {given.seed}")
    finetune = FinetuneOptions(
        epochs=given.epochs, learning_rate=given.learning_rate, auxiliary_lm=given.auxiliary_lm, seed=given.seed,
        seeds=1, cached_megabytes=given.cached_megabytes,
    )  # fmt: skip
    head = HeadOptions(hidden=given.hidden, settings=assignments(given.head, "--head"))
    options = TransferOptions(finetune, head, given.head_learning_rate, given.head_epochs)
    rows(given.model, kind, (train, test), given.methods, options)


if __name__ == "__main__":
    main()
