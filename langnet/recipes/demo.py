"""`langnet demo`: pretrain, transfer with few labels, and compare with neighbours, on one corpus in a few minutes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from langnet.evaluate.baselines import MajorityBaseline, Neighbour, SvdBaseline, TfidfBaseline
from langnet.evaluate.intervals import Interval, seeds_interval
from langnet.recipes.finetune import FinetuneOptions, Method, finetune
from langnet.recipes.model import Model
from langnet.recipes.pretrain import PretrainOptions, Run, pretrain
from langnet.text.labelled import LabelledData
from langnet.training.progress import Progress


@dataclass(frozen=True)
class DemoOptions:
    """What the demo does.

    Attributes:
        minutes: of pretraining.
        size: of the encoder.
        n_labels: how many labelled texts each method sees.
        draws: how many times they are drawn.
        n_test: how many test texts are predicted, drawn evenly by class.
        seed: of everything.
    """

    minutes: float = 2.0
    size: str = "tiny"
    n_labels: int = 200
    draws: int = 3
    n_test: int = 1500
    seed: int = 0


@dataclass(frozen=True)
class DemoRow:
    """A method's accuracy over the draws."""

    method: str
    accuracy: float
    interval: Interval
    draws: int


Say = Callable[[str], None]


def run_demo(
    raw_texts: Sequence[str], train: LabelledData, test: LabelledData, folder: Path, options: DemoOptions, say: Say,
    progress: Progress,
) -> list[DemoRow]:  # fmt: skip
    """Pretrain on raw text, transfer from few labels, and compare.

    Args:
        raw_texts: what the language model learns from; the test texts are not among them.
        train: where the labelled texts are drawn from.
        test: what is predicted.
        folder: where the language model is written.
        options: how much of everything.
        say: called with a line for people.
        progress: of the training.
    """
    test = test.subset(min(options.n_test, len(test)), options.seed)
    model = pretrain(
        raw_texts,
        PretrainOptions(size=options.size, minutes=options.minutes, seed=options.seed),
        Run(progress=progress),
        texts=True,
    )
    model.save(folder, overwrite=True)
    say(f"language model: {folder}, {model.facts['validation']['bits_per_byte']:.3f} bits per byte on held-out text")
    draws = [train.subset(options.n_labels, options.seed + draw) for draw in range(options.draws)]
    neighbours: list[Neighbour] = [MajorityBaseline(), TfidfBaseline(), SvdBaseline()]
    rows = []
    for neighbour in neighbours:
        neighbour.fit(raw_texts)
        hits = [_accuracy(neighbour.fit_predict(d.texts, d.labels, test.texts).labels, test) for d in draws]
        rows.append(_row(neighbour.name, hits, say))
    methods: list[tuple[str, Method]] = [
        ("langnet, from scratch", "scratch"), ("langnet, frozen", "frozen"), ("langnet, fine-tuned", "finetune"),
    ]  # fmt: skip
    for name, method in methods:
        hits = [_transfer(model, draw, test, method, options.seed + i) for i, draw in enumerate(draws)]
        rows.append(_row(name, hits, say))
    return rows


def _transfer(model: Model, draw: LabelledData, test: LabelledData, method: Method, seed: int) -> float:
    classifier = finetune(model, draw.texts, draw.labels, FinetuneOptions(method, seed=seed))
    return _accuracy(classifier.predict(test.texts), test)


def _accuracy(predicted: Sequence[str], test: LabelledData) -> float:
    return float(np.mean(np.array(predicted) == np.array(test.labels)))


def _row(name: str, hits: list[float], say: Say) -> DemoRow:
    row = DemoRow(name, float(np.mean(hits)), seeds_interval(hits), len(hits))
    say(f"{time.strftime('%H:%M:%S')}  {name}: {row.accuracy:.3f} {row.interval}")
    return row
