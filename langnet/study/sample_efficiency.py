"""What pretraining buys: every method at every number of labels, over several draws, on the same test texts.

Label subsets are stratified and nested: for one draw, a smaller subset is part of every larger one, and all methods see
the same. Every result is written down as it is finished, so that an interrupted study goes on where it stood.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from langnet import __version__
from langnet.errors import LangnetError
from langnet.recipes.model import Model
from langnet.study.cells import Cell, CellStore, score_cell
from langnet.study.fingerprints import fingerprint, fingerprint_architecture, fingerprint_model, fingerprint_texts
from langnet.study.methods import KINDS, MethodOptions, StudyMethod, build_methods
from langnet.study.pace import Pace
from langnet.study.result import HEADLINE_LABELS, SampleEfficiency
from langnet.text.labelled import LabelledData

ALL_METHODS = tuple(KINDS)
CELLS = "cells.jsonl"
FIRST_DRAWS = 3  # of the quick methods, before the slow ones have their first


@dataclass(frozen=True)
class SampleEfficiencyOptions:
    """What a study computes.

    Attributes:
        sizes: numbers of labelled texts; those that the training texts cannot give are left out.
        draws: how many times the labelled texts are drawn.
        methods: keys of `langnet.study.methods.KINDS`.
        further_sizes: more sizes for the quick methods alone, so that the curve without pretraining reaches far enough.
        slow_sizes: the sizes of the methods that train a network; None takes `sizes`.
        slow_draws: their number of draws; None takes `draws`.
        n_test: how many test texts are predicted, drawn evenly by class; None takes all.
        seed: of draws, heads and training; draw i uses `seed + i`.
        settings: of the methods.
    """

    sizes: tuple[int, ...] = (50, 100, 200, 400, 800)
    draws: int = 5
    methods: tuple[str, ...] = ALL_METHODS
    further_sizes: tuple[int, ...] = ()
    slow_sizes: tuple[int, ...] | None = None
    slow_draws: int | None = None
    n_test: int | None = None
    seed: int = 0
    settings: MethodOptions = field(default_factory=MethodOptions)


@dataclass(frozen=True)
class Planned:
    """A cell that is to be computed."""

    method: str
    n_labels: int
    draw: int


@dataclass(frozen=True)
class Standing:
    """Where a study stands, for a progress bar.

    Attributes:
        done, total: cells.
        seconds, seconds_left: passed, and expected to come.
        doing: what is being computed, for people.
        method: key of the method at work.
        family: its family.
    """

    done: int
    total: int
    seconds: float
    seconds_left: float
    doing: str
    method: str
    family: str


Told = Callable[[Standing], None]


def study_sample_efficiency(
    model: Model,
    raw_texts: Sequence[str],
    train: LabelledData,
    test: LabelledData,
    options: SampleEfficiencyOptions | None = None,
    *,
    folder: Path | None = None,
    told: Told | None = None,
    seconds: float | None = None,
) -> SampleEfficiency:
    """Compare methods at several numbers of labels.

    Args:
        model: the pretrained language model.
        raw_texts: what it was pretrained on, for the neighbours that learn from raw text too.
        train: where the labelled texts are drawn from.
        test: what is predicted.
        options: what is computed.
        folder: where finished cells are kept; a second call with the same settings computes only what is missing.
        told: called before and after every cell.
        seconds: after which nothing is begun but the first cell of each quick method, and before which nothing that
            would not end in time; None computes all.

    Raises:
        LangnetError: there are fewer than two classes, or too few texts, or an unknown method.
    """
    options = options or SampleEfficiencyOptions()
    test = test.subset(min(options.n_test, len(test)), options.seed) if options.n_test else test
    sizes = usable_sizes(train, options)
    study = _Study(model, raw_texts, train, test, sizes, CellStore(folder / CELLS if folder else None), told, seconds)
    return study.run()


def usable_sizes(train: LabelledData, options: SampleEfficiencyOptions) -> SampleEfficiencyOptions:
    """The options without the sizes that the training texts cannot give.

    Raises:
        LangnetError: no size is left, fewer than two classes, or no draw.
    """
    classes = len(train.label_names)
    if classes < 2:
        raise LangnetError(f"a study needs labelled texts of two or more classes, not {classes}")
    if options.draws < 1:
        raise LangnetError(f"a study needs one or more draws, not {options.draws}")

    def usable(sizes: Sequence[int]) -> tuple[int, ...]:
        return tuple(sorted({n for n in sizes if classes <= n <= len(train)}))

    sizes = usable(options.sizes)
    if not sizes:
        raise LangnetError(
            f"none of the sizes {', '.join(map(str, options.sizes))} fits: there are {len(train):,} labelled texts "
            f"of {classes} classes; choose sizes between the two"
        )
    slow = sizes if options.slow_sizes is None else usable(options.slow_sizes)
    further = tuple(n for n in usable(options.further_sizes) if n not in sizes)
    return replace(options, sizes=sizes, slow_sizes=slow, further_sizes=further)


def quick_methods(options: SampleEfficiencyOptions) -> list[str]:
    """The methods that train no network and prepare little."""
    return [key for key in options.methods if not KINDS[key].slow and key != "word2vec"]


def plan(options: SampleEfficiencyOptions) -> list[Planned]:
    """All cells in the order in which they are computed: quick methods first, then rounds of slow ones and large sizes.

    Where time runs out, what is missing is the last round, which leaves every method with fewer draws instead of some
    methods with none. The first cells, one a quick method, are computed however little time there is, since without
    them there would be nothing to report. Word vectors, which take longest to prepare, wait for the first slow round.
    """
    quick = quick_methods(options)
    slow = [key for key in options.methods if KINDS[key].slow]
    slow_sizes = sorted(options.sizes if options.slow_sizes is None else options.slow_sizes, reverse=True)
    slow_draws = options.draws if options.slow_draws is None else options.slow_draws
    draws = range(options.draws)
    # What the headline is about comes first, in case there is time for little more.
    sizes = sorted(options.sizes, key=lambda n: (abs(math.log(n / HEADLINE_LABELS)), -n))
    cells = [Planned(key, n, draw) for draw in draws[:FIRST_DRAWS] for n in sizes for key in quick]
    # Then the curve without pretraining at large sizes, off which the headline is read, and the slow methods.
    cells += [Planned("tfidf", n, 0) for n in options.further_sizes if "tfidf" in quick]
    for draw in draws:
        cells += [Planned(key, n, draw) for n in slow_sizes for key in reversed(slow) if draw < slow_draws]
        cells += [Planned(key, n, later) for later in draws[FIRST_DRAWS:] for n in sizes for key in quick]
        if "word2vec" in options.methods:  # takes long to prepare, and a second a draw after that
            cells += [Planned("word2vec", n, later) for later in draws for n in sizes]
    cells += [Planned(key, n, draw) for draw in draws for n in options.further_sizes for key in quick]
    if "word2vec" in options.methods:
        cells += [Planned("word2vec", n, draw) for draw in draws for n in options.further_sizes]
    return list(dict.fromkeys(cells))


class _Study:
    """One run over the plan."""

    def __init__(
        self,
        model: Model,
        raw_texts: Sequence[str],
        train: LabelledData,
        test: LabelledData,
        options: SampleEfficiencyOptions,
        store: CellStore,
        told: Told | None,
        seconds: float | None,
    ):
        self.model, self.train, self.test, self.options, self.store = model, train, test, options, store
        self.told = told
        self.names = sorted({*train.labels, *test.labels})
        number = {name: i for i, name in enumerate(self.names)}
        self.number, self.gold = number, np.array([number[label] for label in test.labels])
        self.methods = build_methods(options.methods, model, raw_texts, test.texts, options.settings)
        self.settings = self._fingerprints(raw_texts)
        self.raw = {text.strip() for text in raw_texts}
        self.pace = Pace(seconds)
        self.prepared: set[str] = set()
        self.draws: dict[tuple[int, int], LabelledData] = {}

    def run(self) -> SampleEfficiency:
        cells, left_out = [], []
        planned = plan(self.options)
        essential = len(quick_methods(self.options))
        for index, cell in enumerate(planned):
            found = self.store.find(cell.method, cell.n_labels, cell.draw, self.settings[cell.method])
            if found is None and not (index < essential or self._fits(cell)):
                left_out.append((cell.method, cell.n_labels, cell.draw))
                continue
            if found is None:
                self._say(cell, index, planned)
                found = self._compute(cell, planned, index)
                self.store.add(found)
            cells.append(found)
        known = {text.strip() for text in self.train.texts}
        return SampleEfficiency(
            cells=cells,
            methods=self.options.methods,
            class_names=self.names,
            test=self.test,
            n_train=len(self.train),
            n_overlap=sum(text.strip() in known for text in self.test.texts),
            n_in_raw=sum(text.strip() in self.raw for text in self.test.texts),
            left_out=left_out,
            options=asdict(self.options),
            seconds=self.pace.elapsed,
        )

    def _compute(self, cell: Planned, planned: list[Planned], index: int) -> Cell:
        method = self.methods[cell.method]
        if cell.method not in self.prepared:
            self._prepare(method, cell, planned, index)
        data = self._draw(cell.n_labels, cell.draw)
        started = time.monotonic()
        with warnings.catch_warnings():  # scikit-learn asks whether so many classes are not numbers
            warnings.filterwarnings("ignore", "The number of unique classes")
            predictions, facts = method.run(data.texts, data.labels, self.test.texts, self.options.seed + cell.draw)
        passed = time.monotonic() - started
        self.pace.measured(cell.method, cell.n_labels, passed)
        predicted = np.array([self.number[label] for label in predictions.labels])
        scores = score_cell(self.gold, predicted, len(self.names))
        return Cell(
            cell.method, cell.n_labels, cell.draw, tuple(predicted.tolist()), scores, round(passed, 2), facts,
            self.settings[cell.method],
        )  # fmt: skip

    def _prepare(self, method: StudyMethod, cell: Planned, planned: list[Planned], index: int) -> None:
        name = KINDS[cell.method].name
        method.prepare(lambda part: self._say(cell, index, planned, f"{name}: reading {part:.0%}"))
        self.prepared.add(cell.method)

    def _draw(self, n_labels: int, draw: int) -> LabelledData:
        if (n_labels, draw) not in self.draws:
            self.draws[n_labels, draw] = self.train.subset(n_labels, self.options.seed + draw)
        return self.draws[n_labels, draw]

    def _fits(self, cell: Planned) -> bool:
        """Whether there is time for the cell, and for what its method has to prepare."""
        prepare, run = self.methods[cell.method].estimates(cell.n_labels, len(self.test))
        run = self.pace.expected(cell.method, cell.n_labels, run)
        return self.pace.fits(run if cell.method in self.prepared else prepare + run)

    def _seconds_left(self, planned: list[Planned]) -> float:
        """Of the cells that are still to come."""
        left, waiting = 0.0, {cell.method for cell in planned} - self.prepared
        for cell in planned:
            prepare, run = self.methods[cell.method].estimates(cell.n_labels, len(self.test))
            left += self.pace.expected(cell.method, cell.n_labels, run)
            if cell.method in waiting:
                waiting.discard(cell.method)
                left += prepare
        return min(left, self.pace.left)

    def _say(self, cell: Planned, index: int, planned: list[Planned], doing: str | None = None) -> None:
        if self.told is None:
            return
        kind = KINDS[cell.method]
        left = self._seconds_left(planned[index:])
        doing = doing or f"{kind.name}, {cell.n_labels:,} labels, draw {cell.draw + 1}"
        self.told(Standing(index, len(planned), self.pace.elapsed, left, doing, cell.method, kind.family))

    def _fingerprints(self, raw_texts: Sequence[str]) -> dict[str, str]:
        """Of everything that the results of each method depend on."""
        data = (
            *(__version__, self.options.seed),
            fingerprint_texts(self.train.texts, self.train.labels),
            fingerprint_texts(self.test.texts, self.test.labels),
        )
        families = {KINDS[key].family for key in self.options.methods}
        raw = fingerprint_texts(raw_texts) if "raw text" in families else ""
        sources: dict[str, object] = {"svd": raw, "word2vec": raw, "scratch": fingerprint_architecture(self.model)}
        if "langnet" in families:
            name = fingerprint_model(self.model)
            sources |= {"frozen": name, "finetune": name, "unlabelled": (name, fingerprint_texts(raw_texts))}
        return {
            key: fingerprint(*data, key, method.settings(), sources.get(key)) for key, method in self.methods.items()
        }
