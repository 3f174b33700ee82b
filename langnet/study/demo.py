"""`langnet demo`: pretrain, transfer with few labels, compare with neighbours and report, in a few minutes.

The whole keeps to a budget of minutes: what a slow machine spends on reading the text is taken off pretraining, and the
comparison leaves out what would not end in time, and says so.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from langnet.errors import LangnetError
from langnet.evaluate.language_model import unknown_note
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.model import Model
from langnet.recipes.pretrain import PretrainOptions, Run, pretrain
from langnet.study.methods import READING_PER_TRAINING, USUAL_TOKENS, MethodOptions
from langnet.study.report import ReportFacts, write_report
from langnet.study.result import SampleEfficiency
from langnet.study.sample_efficiency import SampleEfficiencyOptions, study_sample_efficiency, usable_sizes
from langnet.study.stages import Stages, TrainingStage
from langnet.text.labelled import LabelledData
from langnet.text.prepare import PrepareOptions, prepare_corpus
from langnet.transfer.pseudo_labels import PseudoLabelOptions

PRETRAIN_SHARE = 0.36  # of the whole
READING_SHARE = 0.08  # of the whole: for reading the test texts, and again for unlabelled ones
LEAST_TEXTS = 300
REPORT_SECONDS = 6.0
LEAST_SECONDS = 20.0  # that the comparison gets, however late it is
STAGES = {
    "download": 6.0,
    "prepare": 8.0,
    "tokenise": 6.0,
    "document vectors": 15.0,
    "pretrain": 140.0,
    "neighbours": 60.0,
    "transfer": 100.0,
    "report": REPORT_SECONDS,
}


@dataclass(frozen=True)
class DemoOptions:
    """What the demo does.

    Attributes:
        minutes: of everything together, the download included, setting up not.
        size: of the encoder.
        sizes: numbers of labelled texts that all methods get.
        further_sizes: more, for the quick methods.
        slow_sizes: those of the methods that train a network.
        draws: how many times the labelled texts are drawn, if time allows.
        n_test: how many test texts are predicted, drawn evenly by class.
        n_unlabelled: how many raw texts the method that learns from them gets.
        max_tokens: the most tokens of a document that training a network reads.
        seed: of everything.
    """

    minutes: float = 6.5
    size: str = "tiny"
    sizes: tuple[int, ...] = (100, 200)
    further_sizes: tuple[int, ...] = (400, 800, 1600)
    slow_sizes: tuple[int, ...] = (100, 200)
    draws: int = 5
    n_test: int = 1500
    n_unlabelled: int = 20_000
    max_tokens: int = 256
    seed: int = 0


@dataclass(frozen=True)
class DemoData:
    """What the demo works on.

    Attributes:
        name: of the data, for people.
        raw_texts: what the language model learns from.
        train: where the labelled texts are drawn from.
        test: what is predicted.
        notes: what a reader has to know about the data.
    """

    name: str
    raw_texts: Sequence[str]
    train: LabelledData
    test: LabelledData
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DemoResult:
    """Where the demo has put its things, and what it found."""

    report: Path
    model: Path
    study: SampleEfficiency


def demo_stages(started: float | None = None, quiet: bool = False) -> Stages:
    """The progress of a demo, which began at a `time.monotonic()`, or begins now."""
    return Stages("demo", STAGES, quiet=quiet, started=started)


def run_demo(data: DemoData, folder: Path, options: DemoOptions, stages: Stages, commands: list[str]) -> DemoResult:
    """Pretrain, compare, and write `report.html` and the model's folder `model` into a folder.

    Args:
        data: raw and labelled texts.
        folder: for the report, the model and the results; made where there is none.
        options: how much of everything.
        stages: where progress is shown; its clock has been running since the job began.
        commands: that made the report, to be written into it.

    Raises:
        LangnetError: the budget or the data are too small.
    """
    if options.minutes <= 0:
        raise LangnetError(f"the demo needs more than {options.minutes:g} minutes; 6.5 are usual")
    sizes = _study_options(data, options)
    usable_sizes(data.train, sizes)  # what cannot work is said before the work
    folder.mkdir(parents=True, exist_ok=True)
    model = _pretrain(data, options, stages)
    path = model.save(folder / "model", overwrite=True)
    scores = model.facts["validation"]
    note = unknown_note(scores.get("n_unknown", 0), scores["n_tokens"])
    stages.note(f"pretrain: {scores['bits_per_byte']:.3f} bits per byte on held-out text{f' ({note})' if note else ''}")
    left = 60 * options.minutes - stages.elapsed - REPORT_SECONDS
    study = study_sample_efficiency(
        model,
        data.raw_texts,
        data.train,
        data.test,
        _affordable(sizes, model, options),
        folder=folder,
        told=stages.show_study,
        seconds=max(left, min(LEAST_SECONDS, 60 * options.minutes)),
    )
    stages.begin("report")
    facts = ReportFacts(data.name, commands, dict(stages.seconds), data.notes)
    report = write_report(folder / "report.html", study, model, facts)
    return DemoResult(report, path, study)


def _pretrain(data: DemoData, options: DemoOptions, stages: Stages) -> Model:
    """Prepare the corpus, then spend on pretraining what is its share of the time that remains."""
    folder = Path(tempfile.mkdtemp(prefix="langnet-demo-"))
    try:
        prepare = PrepareOptions(seed=options.seed)

        def told(done: int, total: int | None) -> None:  # two passes: the tokenizer is trained, the texts are encoded
            part = 2 * done / total if total else 0.0
            stages.begin("prepare" if part < 1 else "tokenise")
            stages.advance(part % 1)

        stages.begin("prepare")
        prepare_corpus(data.raw_texts, folder / "corpus", prepare, progress=told, texts=True)
        stages.begin("document vectors")
        whole = 60 * options.minutes
        seconds = min(PRETRAIN_SHARE * whole, 0.5 * (whole - stages.elapsed - stages.expected["document vectors"]))
        stages.expected["pretrain"] = max(seconds, 1.0)
        return pretrain(
            data.raw_texts,
            PretrainOptions(
                size=options.size, minutes=stages.expected["pretrain"] / 60, seed=options.seed, prepare=prepare
            ),
            Run(folder=folder, progress=TrainingStage(stages, "pretrain")),
            texts=True,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _affordable(sizes: SampleEfficiencyOptions, model: Model, options: DemoOptions) -> SampleEfficiencyOptions:
    """Fewer test texts and fewer unlabelled ones where reading them would take more than its share of the time."""
    speeds = [record["tokens_per_second"] for record in model.history if "tokens_per_second" in record]
    if not speeds:
        return sizes
    tokens = READING_PER_TRAINING * float(np.median(speeds)) * READING_SHARE * 60 * options.minutes
    texts = max(LEAST_TEXTS, int(tokens / USUAL_TOKENS))
    unlabelled = sizes.settings.unlabelled
    unlabelled = replace(unlabelled, max_encoded=min(unlabelled.max_encoded, texts))
    return replace(sizes, n_test=min(options.n_test, texts), settings=replace(sizes.settings, unlabelled=unlabelled))


def _study_options(data: DemoData, options: DemoOptions) -> SampleEfficiencyOptions:
    """Sizes that the labelled texts can give; where all are too large, parts of what there is."""
    n, classes = len(data.train), len(data.train.label_names)
    sizes = options.sizes
    if not any(classes <= size <= n for size in sizes):
        sizes = tuple(sorted({max(classes, n // 4), max(classes, n // 2), n}))
    slow = tuple(size for size in options.slow_sizes if size in sizes) or sizes[-1:]
    finetune = FinetuneOptions(max_tokens=options.max_tokens, seed=options.seed)
    settings = MethodOptions(
        finetune=finetune,
        unlabelled=PseudoLabelOptions(max_texts=options.n_unlabelled),
        word_vector_dim=100,
        word_vector_epochs=3,
    )
    return SampleEfficiencyOptions(
        sizes=sizes,
        draws=options.draws,
        further_sizes=options.further_sizes,
        slow_sizes=slow,
        n_test=options.n_test,
        seed=options.seed,
        settings=settings,
    )


def split_own(labelled: LabelledData, test: LabelledData | None, seed: int) -> tuple[LabelledData, LabelledData]:
    """Training and test texts of one's own files: three tenths are held out where there is no test file.

    Raises:
        LangnetError: a test label that no training text has, or too few texts.
    """
    if len(labelled.label_names) < 2:
        raise LangnetError(f"all labelled texts have the label '{labelled.label_names[0]}'; two or more are needed")
    if test is None:
        if len(labelled) < 10:
            raise LangnetError(f"{len(labelled)} labelled texts are too few to hold some out; give ten, or --test")
        return labelled.split(0.3, seed)
    unknown = sorted(set(test.labels) - set(labelled.labels))
    if unknown:
        raise LangnetError(f"the test texts have labels that no labelled text has: {', '.join(unknown[:5])}")
    return labelled, test
