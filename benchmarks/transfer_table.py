"""Tasks x encoders x methods: the page `results/transfer.md`, its figures and its HTML.

    python -m benchmarks.transfer_table --output results/transfer.md
    python -m benchmarks.transfer_table --output results/transfer.md --sets SNLI TREC --encoders gpt --draws 1
    python -m benchmarks.transfer_table --output results/structures.md --group structures

Each encoder learns once from raw text. Each set is then learned from a few hundred labelled items, drawn anew for each
draw: from scratch, by a head on frozen states, and by fine-tuning; text classification also with document vectors
beside the states, langnet's default. Beside them stand a kind's neighbours: the majority, rules, bags of words. Every
cell is kept as it is finished, so the same command goes on where it stood, and several processes may share the work by
`--encoders` or `--sets`; the page is written from all cells that are there. A file `.cells.npz` beside the page holds
them too, so that rows of further encoders can be added on another machine, which need not compute the others anew.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from benchmarks.structure_sets import STRUCTURES
from benchmarks.transfer_cells import CellFolder, TableCell, write_cells
from benchmarks.transfer_encoders import ENCODERS, VECTORS, Encoders
from benchmarks.transfer_page import write
from benchmarks.transfer_sets import CLASSIFY, MINIMAL_PAIRS, SETS, TaskSet, find_sets, scores_of
from langnet.errors import LangnetError
from langnet.recipes.finetune import finetune
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.kinds.kind import HeadOptions
from langnet.recipes.kinds.registry import find_kind
from langnet.recipes.model import Model
from langnet.recipes.transfer import TransferOptions, transfer
from langnet.recipes.zero_choices import zero_pairs
from langnet.study.fingerprints import fingerprint, fingerprint_model
from langnet.tasks.task import ClassGuess
from langnet.training.machine import describe_machine, keep_freed_memory

METHODS = ("scratch", "frozen", "finetune", "documents")
LONGER = "longer"  # a control that is asked for by name: from scratch in more passes
ZERO = "zero labels"
# The simplest neighbour of a kind, whose cell stands for all of them.
SIMPLEST = {
    "label_roles": "no roles at all", "parse": "right-branching", "corefer": "no chains",
    "translate": "the sentence itself",
}  # fmt: skip
GROUPS = {"tasks": SETS, "structures": STRUCTURES}
LONGEST = 400  # tokens of a text that is classified
EPOCHS = {"scratch": 10.0, LONGER: 30.0, "finetune": 4.0, "frozen": None, "documents": None}  # None: the recipe's own
RATE = 1e-3  # of what learns after its head, or from scratch to classify (LOG.md, 2026-11-30)


@dataclass(frozen=True)
class Job:
    """What one cell is about; see `TableCell`."""

    task: TaskSet
    encoder: str
    method: str
    draw: int

    def options(self) -> FinetuneOptions:
        """Of the transfer."""
        method: Literal["scratch", "frozen", "finetune"]
        method = {"documents": "frozen", LONGER: "scratch"}.get(self.method, self.method)  # type: ignore[assignment]
        made = FinetuneOptions(
            method, epochs=EPOCHS[self.method], max_tokens=LONGEST, seed=self.draw, seeds=1,
            document_features=self.method == "documents", device="cpu",
        )  # fmt: skip
        classify = self.task.kind == CLASSIFY
        if method == "finetune" or (method == "scratch" and classify):
            made = replace(made, learning_rate=RATE)
        if classify and method == "finetune":  # its head is fitted at once, and costs no passes
            made = replace(made, epochs=EPOCHS["scratch"])
        return replace(made, **self.task.changes)

    def transfer(self) -> TransferOptions:
        """The same, with the head of a set's kind."""
        return TransferOptions(self.options(), HeadOptions(settings=self.task.head))

    def chosen(self) -> dict[str, Any]:
        """Of these what is not the default, so that an option of a later version changes no cell."""
        own, usual = asdict(self.transfer()), asdict(TransferOptions())
        found = {name: value for name, value in own["finetune"].items() if value != usual["finetune"][name]}
        found.pop("seeds", None)
        return found | {"head": own["head"]["settings"]}


class Table:
    """The table: its data, its encoders, its cells."""

    def __init__(self, data: Path, work: Path, encoders: Encoders):
        self.data, self.encoders = data, encoders
        self.cells = CellFolder(work / "cells")
        self._models: dict[tuple[str, str], tuple[Model, str]] = {}

    def neighbours(self, task: TaskSet, draw: int) -> None:
        """The cells of the neighbours, unless they are there."""
        settings = fingerprint(task.name, task.train, task.test, draw)
        simplest = task.simplest or SIMPLEST.get(task.kind, "majority")
        if task.kind == MINIMAL_PAIRS or self.cells.find((task.name, "", simplest, draw), settings):
            return
        train, test = task.train_items(self.data, draw), task.test_items(self.data)
        started = time.process_time()
        kind = find_kind(task.kind, together=True)
        found = kind.neighbours(train, test)
        seconds = time.process_time() - started
        statistics = kind.statistics(test, [neighbour.guesses for neighbour in found])
        for index, (neighbour, own) in enumerate(zip(found, statistics, strict=True)):
            name = simplest if index == 0 else neighbour.name
            self._keep(task, ("", name, draw), (len(train), own, seconds / len(found)), settings)

    def cell(self, job: Job) -> None:
        """One cell, unless it is there."""
        task = job.task
        model, name = self._model(job.encoder, task.raw)
        settings = fingerprint(task.name, task.train, task.test, job.chosen(), name)
        if self.cells.find((task.name, job.encoder, job.method, job.draw), settings):
            return
        train, test = task.train_items(self.data, job.draw), task.test_items(self.data)
        started = time.process_time()
        if task.kind == CLASSIFY:
            made = finetune(model, [item.text for item in train], [item.label for item in train], job.options())
            probabilities = made.predict_proba([item.text for item in test])
            guesses: Sequence[Any] = ClassGuess.rows(made.labels or [], probabilities)
        else:
            guesses = transfer(model, task.kind, train, job.transfer()).guess(test)
        seconds = time.process_time() - started
        own = find_kind(task.kind, together=True).statistics(test, [guesses])[0]
        self._keep(task, (job.encoder, job.method, job.draw), (len(train), own, seconds), settings)

    def zero(self, task: TaskSet, encoder: str) -> None:
        """The cells of a task that nothing is learned for: a language model's, and those of its neighbours."""
        model, name = self._model(encoder, task.raw)
        settings = fingerprint(task.name, task.test, name)
        if self.cells.find((task.name, encoder, ZERO, 0), settings):
            return
        test, started = task.test_items(self.data), time.process_time()
        found = zero_pairs(model, test)
        own = np.array([[float(row["right"]), 1.0] for row in found.rows])
        self._keep(task, (encoder, ZERO, 0), (0, own, time.process_time() - started), settings)
        for row in found.report.rows[1:] if encoder == ENCODERS[0] else []:
            hits = round(next(iter(row.scores.values())).value * len(test))
            own = np.stack([np.arange(len(test)) < hits, np.ones(len(test))], axis=1)  # how many, not which
            self._keep(task, ("", row.name, 0), (0, own, 0.0), settings)

    def _keep(
        self, task: TaskSet, place: tuple[str, str, int], found: tuple[int, np.ndarray, float], settings: str
    ) -> None:
        (encoder, method, draw), (n_train, statistics, seconds) = place, found
        scores = {name: float(value) for name, value in scores_of(task)(statistics.sum(0)).items()}
        cell = TableCell(task.name, encoder, method, draw, n_train, scores, seconds, settings, statistics)
        self.cells.add(cell)
        told = ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
        print(f"{task.name} | {encoder or '-'} | {method} | draw {draw} | {told} | {seconds:.0f} s", flush=True)

    def _model(self, encoder: str, raw: str) -> tuple[Model, str]:
        if (encoder, raw) not in self._models:
            model = self.encoders.get(encoder, raw)
            self._models[encoder, raw] = model, fingerprint_model(model)
        return self._models[encoder, raw]


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--data", type=Path, default=Path("data"), help="folder of all data sets")
    found.add_argument("--group", choices=GROUPS, default="tasks", help="of sets")
    found.add_argument("--sets", nargs="+", default=[], help="only these")
    found.add_argument("--encoders", nargs="+", choices=ENCODERS, default=list(ENCODERS))
    found.add_argument("--methods", nargs="+", choices=(*METHODS, LONGER), default=list(METHODS))
    found.add_argument("--draws", type=int, default=3)
    found.add_argument("--size", default="mini", help="of the language models")
    found.add_argument("--scale", type=float, default=1.0, help="factor on what the encoders are trained on")
    found.add_argument("--items", type=int, help="at most so many to learn from and to judge, to try it")
    found.add_argument("--only-write", action="store_true", help="compute nothing; write the page from what is there")
    found.add_argument("--work", type=Path, help="folder for encoders and cells; by default in the data's")
    found.add_argument("--output", type=Path, required=True, help="the page; .json and .html lie beside it")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill the cells, and write the page."""
    chosen = parser().parse_args(arguments)
    torch.set_num_threads(1)
    keep_freed_memory()
    work = chosen.work or chosen.data / "transfer"
    sets = find_sets(chosen.sets, GROUPS[chosen.group])
    if chosen.items:
        sets = [replace(s, train=min(s.train, chosen.items), test=min(s.test, chosen.items)) for s in sets]
    table = Table(chosen.data, work, Encoders(chosen.data, work / "encoders", chosen.size, chosen.scale))
    held = chosen.output.with_suffix(".cells.npz")
    table.cells.take_from(held)
    for draw in range(0 if chosen.only_write else chosen.draws):
        for encoder in chosen.encoders:
            for task in sets:
                _fill(table, task, encoder, chosen.methods, draw)
    given = [word for word in (sys.argv[1:] if arguments is None else arguments) if word != "--only-write"]
    facts = {
        "command": shlex.join(["python", "-m", "benchmarks.transfer_table", *given]),
        "date": time.strftime("%Y-%m-%d"), "machine": describe_machine(),
    }  # fmt: skip
    wanted = {task.name for task in sets}
    cells = [cell for cell in table.cells.all() if cell.set in wanted]
    write(chosen.output, cells, sets, facts)
    write_cells(held, cells)


def _fill(table: Table, task: TaskSet, encoder: str, methods: Sequence[str], draw: int) -> None:
    """A set's cells of one encoder and draw; one that fails is told, and leaves its place empty."""
    try:
        table.neighbours(task, draw)
    except LangnetError as error:  # its files are not there
        print(f"{task.name} | neighbours | draw {draw} | failed: {error}", flush=True)
        return
    if task.kind == MINIMAL_PAIRS:
        if encoder != VECTORS:
            table.zero(task, encoder)
        return
    for method in methods:
        if method == "documents" and (task.kind != CLASSIFY or encoder == VECTORS):
            continue
        try:
            table.cell(Job(task, encoder, method, draw))
        except LangnetError as error:
            print(f"{task.name} | {encoder} | {method} | draw {draw} | failed: {error}", flush=True)


if __name__ == "__main__":
    main()
