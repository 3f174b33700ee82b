"""`langnet finetune`: from a language model and labelled texts to a classifier, by frozen features or fine-tuning."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from langnet.encoders.document_vectors import DocumentVectors
from langnet.errors import LangnetError
from langnet.recipes.base_model import check_base, facts_before, same_start, say_what_is_kept, starting_encoder
from langnet.recipes.finetune_options import Course, FinetuneOptions, Method
from langnet.recipes.fit import Fit
from langnet.recipes.forgetting import Forgetting
from langnet.recipes.model import Model, load
from langnet.recipes.seeds import Judged, Place, mean_loss, run_seeds, sampled
from langnet.recipes.training_texts import describe_training_texts
from langnet.tasks.classify import Classify, ClassifyConfig
from langnet.tasks.examples import Example, ExampleBatches
from langnet.tasks.language_model import LanguageModel
from langnet.tasks.pooling import Pooling
from langnet.text.labelled import LabelledData
from langnet.training.machine import default_device
from langnet.training.progress import Progress
from langnet.transfer.adapters import learned_weights
from langnet.transfer.co_training import Documents, Student, co_train
from langnet.transfer.features import ScalarMix
from langnet.transfer.frozen import (
    FeatureTable,
    FrozenChoice,
    FrozenHead,
    document_head,
    fit_frozen,
    install,
    read_features,
    without_states,
)
from langnet.transfer.model import TaskModel
from langnet.transfer.pseudo_labels import for_training, pseudo_label
from langnet.transfer.standardise import standardise_head

# By method (LOG.md, 2026-11-30): random weights have further to go; a head on frozen features is fitted at once.
COURSES: dict[Method, Course] = {
    "finetune": Course(3e-4, 3, 3),
    "scratch": Course(1e-3, 10, 10),
}


def finetune(
    model: Model | str | Path,
    texts: Sequence[str],
    labels: Sequence[str],
    options: FinetuneOptions | None = None,
    *,
    unlabelled: Sequence[str] | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
    resume: bool = False,
) -> Model:
    """Transfer a pretrained model to classification.

    A classifier can be the start too, since its own task was then a pretraining: its encoder is kept, its head is not.

    Args:
        model: a loaded model, or its folder or name; it is left as it is.
        texts: the labelled documents.
        labels: their labels, of at least two kinds.
        options: how; the defaults fine-tune.
        unlabelled: further documents of the same kind, to learn from too; see `langnet.transfer.co_training`.
        folder: where checkpoints and the history of the run are kept; None keeps none.
        progress: where progress is shown.
        resume: go on from the checkpoint in `folder`.

    Raises:
        LangnetError: texts and labels differ in number, or there are fewer than two labels.
    """
    options = options or FinetuneOptions()
    base = load(model) if isinstance(model, str | Path) else model
    check_base(base, options)
    names, classes = _class_ids(texts, labels)
    forgetting = Forgetting.begin(base, options.forgetting)
    say_what_is_kept(base, options, progress)
    starts, parts = list[_Start](), _hold_out(classes, options)

    def run(seed: int, place: Path | None, resumed: bool, judged: bool) -> Model:
        job = _Job(base, replace(options, seed=seed), (names, classes), parts, progress)
        if not starts or not (options.method == "scratch" or same_start(base, options)):
            starts[:] = [job.prepare(texts, unlabelled)]
        made = job.run(starts[0], place, resumed)
        if judged:
            made.facts["finetune"]["judged"] = asdict(job.judge(options.runs(len(texts)) > 1))
        return made

    made = run_seeds(options, len(texts), Place(folder, resume, progress), run)
    data = LabelledData(list(texts), [str(label) for label in labels])
    made.facts["finetune"]["training_texts"] = describe_training_texts(data)
    if forgetting:
        made.facts["finetune"]["forgetting"] = forgetting.facts(made.encoder, made.tokenizer)
    return made


@dataclass(frozen=True)
class _Start:
    """What comes before the network learns, the same for runs of any seed that start from one encoder.

    Attributes:
        examples: the labelled texts.
        head: on frozen features; None where none was asked for.
        guessed: unlabelled texts with their probabilities (C,).
        choice, student: what the head comes from.
    """

    examples: list[Example]
    head: FrozenHead | None
    guessed: list[tuple[str, np.ndarray]]
    choice: FrozenChoice | None
    student: Student | None


class _Job:
    """One transfer: the steps of `finetune`, and what they share.

    Args:
        base: what it starts from.
        options: how.
        labels: the names of the classes, and the class of every text.
        parts: places of the texts that are learned from, by the head on frozen features too, and of those held out.
        progress: where it is shown.
    """

    def __init__(
        self,
        base: Model,
        options: FinetuneOptions,
        labels: tuple[list[str], np.ndarray],
        parts: tuple[np.ndarray, np.ndarray],
        progress: Progress | None,
    ):
        self.base, self.options, self.progress = base, options, progress
        self.names, self.classes = labels
        self.parts, self.learned_classes = parts, self.classes[parts[0]]
        self.device = torch.device(options.device) if options.device else default_device()
        self.choice: FrozenChoice | None = None
        self.student: Student | None = None
        self.learned, self.held_out = list[Example](), list[Example]()
        self.encoder = starting_encoder(base, options).to(self.device)
        space = None if options.method == "scratch" or not options.document_features else base.document_vectors
        if space is not None and base.is_classifier:
            space = space.without_scores()  # they are of the labels before
        self.model = replace(
            base,
            labels=self.names,
            document_vectors=space,
            history=[],
            card="",
            max_tokens=options.max_tokens,
            facts=facts_before(base),
        )

    def prepare(self, texts: Sequence[str], unlabelled: Sequence[str] | None) -> _Start:
        """Read the texts, and fit the head that everything starts from."""
        guessed, head = list[tuple[str, np.ndarray]](), None
        if unlabelled and self.model.document_vectors is not None:
            guessed = self._co_train([texts[i] for i in self.parts[0]], self.model.document_vectors, unlabelled)
        examples = self.model.examples(texts, self.classes.tolist())  # with the features that co-training has made
        learned = [examples[i] for i in self.parts[0]]
        if self.student:
            # Fine-tuning goes on from here and standardises the states, so it has to have seen some.
            frozen = self.options.method == "frozen"
            table = without_states(self.encoder, learned) if frozen else self._read(learned)
            head = document_head(table, self.student.weight, self.student.bias)
        elif self.options.method == "frozen" or (self.options.method == "finetune" and self._needs_head(unlabelled)):
            head, guessed = self._read_and_fit(learned, unlabelled)
        return _Start(examples, head, guessed, self.choice, self.student)

    def run(self, start: _Start, folder: Path | None, resume: bool) -> Model:
        """Learn from where another run, or this one, has prepared to start."""
        examples, head, guessed = start.examples, start.head, start.guessed
        self.learned, self.held_out = ([examples[i] for i in part] for part in self.parts)
        self.choice, self.student = start.choice, start.student
        if start.student:
            self.model.document_vectors = start.student.space
        self.model.network = self._network(head)
        if self.options.method == "finetune" and not self.options.head_first:
            standardise_head(self.model.network, self.learned, self.model.collate, self.options.seed)
        if self.options.method != "frozen":
            extra = self.model.examples([text for text, _ in guessed], [label for _, label in guessed])
            self._train(extra, folder, resume)
        self.model.network.eval()
        self.model.facts["finetune"] = self._facts(len(examples), len(guessed))
        return self.model

    def _needs_head(self, unlabelled: Sequence[str] | None) -> bool:
        return self.options.head_first or bool(unlabelled)

    def _read_and_fit(
        self, examples: list[Example], unlabelled: Sequence[str] | None
    ) -> tuple[FrozenHead, list[tuple[str, np.ndarray]]]:
        """The head on frozen features; unlabelled texts that it guessed, with their probabilities (C,)."""
        table = self._read(examples)
        head, self.choice = fit_frozen(table, self.learned_classes, len(self.names), self.options.seed)
        if not unlabelled:
            return head, []
        options = self.options.pseudo_labels
        pool = options.sample(unlabelled, self.options.seed, encoded=True)
        pool_table = self._read(self.model.examples(pool))
        head, index, guesses = pseudo_label(
            self.choice, table, self.learned_classes, len(self.names), pool_table, options
        )
        return head, [(pool[i], guess) for i, guess in zip(index, guesses, strict=True)]

    def _co_train(
        self, texts: Sequence[str], space: DocumentVectors, unlabelled: Sequence[str]
    ) -> list[tuple[str, np.ndarray]]:
        """Let a student's scores stand behind the document vectors; texts that it guessed, with probabilities (C,)."""
        options, seed = self.options.pseudo_labels, self.options.seed
        pool = options.sample(unlabelled, seed, encoded=False)
        labelled, others = (Documents.read(self.model.token_ids(part), space) for part in (texts, pool))
        student = co_train(space, labelled, self.learned_classes, len(self.names), others, seed, options.co_training)
        self.student, self.model.document_vectors = student, student.space
        index = for_training(torch.from_numpy(student.guesses), self.learned_classes, options)
        return [(pool[i], student.guesses[i].astype(np.float32)) for i in index]

    def _read(self, examples: list[Example]) -> FeatureTable:
        """Features of the examples, with progress: it is the longest part of a frozen transfer."""
        if self.progress is None:
            return read_features(self.encoder, examples, self.base.tokenizer.pad_id)
        progress, started = self.progress, time.monotonic()
        n_tokens = sum(len(example.ids) for example in examples)
        progress.start(f"reading {len(examples):,} texts")

        def on_read(fraction: float) -> None:
            progress.update(fraction, round(fraction * n_tokens), time.monotonic() - started, None)

        try:
            return read_features(self.encoder, examples, self.base.tokenizer.pad_id, on_read)
        finally:
            progress.stop()

    def _network(self, head: FrozenHead | None) -> TaskModel:
        """Encoder, mix and head; the head starts as the frozen one where there is one."""
        options = self.options
        n_features = self.model.document_vectors.dim if self.model.document_vectors else 0
        begun = options.method == "frozen" or (head is not None and options.head_first)
        pooling: Pooling = "mean" if begun else options.pooling
        hidden = 0 if begun else options.hidden
        config = ClassifyConfig(len(self.names), pooling, n_features, hidden, options.dropout)
        mix = ScalarMix(self.encoder.n_layers + 1) if begun or options.scalar_mix else None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(options.seed)
            task = Classify(config, self.encoder.mixed_dim if mix else self.encoder.dim)
        if begun and head is not None and mix is not None:
            install(head, task, mix)
        tasks: list[tuple[Classify | LanguageModel, float]] = [(task, 1.0)]
        if options.auxiliary_lm and options.method != "frozen":
            tasks.append((LanguageModel(), options.auxiliary_lm))
        return TaskModel(self.encoder, list(tasks), mix, options.learned_tokens).to(self.device)

    def _train(self, extra: list[Example], folder: Path | None, resume: bool) -> None:
        options, held_out = self.options, self.held_out
        mixed = _as_probabilities([*self.learned, *extra], len(self.names)) if extra else self.learned
        batches = ExampleBatches(mixed, options.batch_size, options.seed, self.model.collate)
        course = replace(COURSES[options.method], fewest=1.0, most=1.0) if extra else COURSES[options.method]
        plan = Fit(options, course, str(self.device), folder, self.progress, resume)
        validate = (lambda: self._validate(held_out)) if held_out else None
        self.model.history = plan.run(self.model.network, batches, validate)

    def _validate(self, held_out: list[Example]) -> dict[str, float]:
        """Mean loss and error of held-out examples."""
        probabilities = self.model.probabilities_of(held_out)
        gold = np.array([example.label for example in held_out])
        loss = -np.log(np.maximum(probabilities[np.arange(len(gold)), gold], 1e-12)).mean()
        return {"loss": float(loss), "error": float((probabilities.argmax(1) != gold).mean())}

    def judge(self, several: bool = True) -> Judged:
        """What was reached on the texts that were learned from, beside their most frequent class.

        What only the choice among `several` runs asks for, the losses, is left out of a single one.
        """
        learned = sampled(self.learned)
        gold = np.array([example.label for example in learned])
        hits = self.model.probabilities_of(learned).argmax(1) == gold
        majority = np.bincount(gold).max() / len(gold)
        loss, held_out = float("nan"), None
        if several:
            loss = mean_loss(
                self.model.network, ExampleBatches(learned, self.options.batch_size, 0, self.model.collate)
            )
            held_out = self._validate(self.held_out) if self.held_out else None
        return Judged("accuracy", float(hits.mean()), "majority", float(majority), loss, held_out)

    def _facts(self, n: int, n_extra: int) -> dict[str, object]:
        facts: dict[str, object] = {"examples": n, "pseudo_labelled": n_extra, "options": asdict(self.options)}
        if self.options.method != "frozen":
            facts["learning_rate"] = COURSES[self.options.method].peak(self.options)
        weights = self.model.network.layer_weights()
        if weights:
            facts["layer_weights"] = weights
        if self.options.adapters:
            facts["learned_weights"] = learned_weights(self.model.network, self.options.adapters)
        if self.choice:
            facts["frozen_choice"] = asdict(self.choice)
        if self.student:
            facts["co_training"] = {"teachers": list(self.student.teachers)}
        return facts


def _class_ids(texts: Sequence[str], labels: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """The sorted names of the classes, and each label's place among them."""
    if len(texts) != len(labels):
        raise LangnetError(f"{len(texts)} texts but {len(labels)} labels; give one label a text")
    names, classes = np.unique(
        np.array([str(label) for label in labels], dtype=object).astype(str), return_inverse=True
    )
    if len(names) < 2:
        found = f"only '{names[0]}'" if len(names) else "none"
        raise LangnetError(f"classification needs at least two different labels, found {found}")
    return [str(name) for name in names], classes


def _hold_out(classes: np.ndarray, options: FinetuneOptions) -> tuple[np.ndarray, np.ndarray]:
    """The places of the texts that are learned from, and of those that choose the best step.

    None of the latter where a head on a frozen encoder has no steps, where it is switched off, or where a class would
    be left empty.
    """
    everything, nothing = np.arange(len(classes)), np.arange(0)
    count = round(options.validation_fraction * len(classes))
    if count < 2 or options.method == "frozen":
        return everything, nothing
    order = np.random.default_rng(options.seed).permutation(len(classes))
    held, kept = order[:count], order[count:]
    return (kept, held) if len(set(classes[kept])) == len(set(classes)) else (everything, nothing)


def _as_probabilities(examples: list[Example], n_classes: int) -> list[Example]:
    """Class ids as one-hot vectors, beside the guesses' probabilities."""
    one_hot = np.eye(n_classes, dtype=np.float32)
    return [e if isinstance(e.label, np.ndarray) else replace(e, label=one_hot[e.label]) for e in examples]
