"""From a language model and labelled items to a model for any kind of task: the steps that all kinds share.

Text classification, with its document vectors and co-training, has a recipe of its own, `recipes.finetune`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.evaluate.abstention import abstain
from langnet.evaluate.calibration import calibrate
from langnet.evaluate.scoring import TaskReport, report_task
from langnet.recipes.base_model import check_base, facts_before, same_start, say_what_is_kept, starting_encoder
from langnet.recipes.calibrate import digest_of_items, fitted_warning
from langnet.recipes.finetune_options import Course, FinetuneOptions
from langnet.recipes.fit import Fit
from langnet.recipes.forgetting import Forgetting
from langnet.recipes.further_items import check_readable, guessed_items
from langnet.recipes.kinds.kind import HeadOptions, Kind
from langnet.recipes.kinds.registry import find_kind
from langnet.recipes.model import TOKENS_AT_ONCE, Model, load
from langnet.recipes.seeds import FIRST, Judged, Place, mean_loss, run_seeds, sampled
from langnet.recipes.training_items import overlap_warning
from langnet.recipes.unknown_labels import unknown_labels
from langnet.tasks.examples import ExampleBatches, in_order
from langnet.tasks.language_model import LanguageModel
from langnet.tasks.task import SupervisedTask, Task
from langnet.text.splits import drawn_groups
from langnet.training.machine import autocast, default_device
from langnet.training.progress import Progress, SilentProgress
from langnet.transfer.adapters import learned_weights
from langnet.transfer.features import ScalarMix
from langnet.transfer.model import TaskModel
from langnet.transfer.state_cache import StateCache

HEAD_EPOCHS = 10.0  # of a head on a frozen encoder, which is cheap and learns slowly
HEAD_STEPS = 200
# What comes after such a head, or without one (LOG.md, 2026-11-30).
FINETUNE, SCRATCH = Course(1e-3, 3, 10, 300), Course(2e-3, 10, 30, 1000)


@dataclass(frozen=True)
class TransferOptions:
    """How a model for a task is made.

    Attributes:
        finetune: what every transfer shares; its document features and pooling are classification's.
        head: how the head is built.
        head_learning_rate: peak rate of a new head while the encoder is frozen, and of all from scratch where no other
            is given.
        head_epochs: passes in which the head alone learns; None chooses. Of `finetune`, before everything learns.
    """

    finetune: FinetuneOptions = field(default_factory=FinetuneOptions)
    head: HeadOptions = field(default_factory=HeadOptions)
    head_learning_rate: float = 2e-3
    head_epochs: float | None = None

    def head_course(self) -> Course:
        """Of a new head alone."""
        return Course(self.head_learning_rate, HEAD_EPOCHS, HEAD_EPOCHS)

    def course(self) -> Course:
        """Of what learns in the end: the head alone, or all."""
        if self.finetune.method == "frozen":
            return self.head_course()
        return replace(SCRATCH, rate=self.head_learning_rate) if self.finetune.method == "scratch" else FINETUNE


def transfer(
    model: Model | str | Path,
    kind: Kind[Any, Any] | str,
    items: Sequence[Any],
    options: TransferOptions | None = None,
    *,
    unlabelled: Sequence[Any] | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
    resume: bool = False,
) -> Model:
    """Learn a task from labelled items.

    `frozen` trains a head on a scalar mix of all layers of an encoder that stays as it is (Peters et al. 2018);
    `finetune` goes on from there and trains everything; `scratch` trains the same architecture from random weights.

    Args:
        model: a loaded model, or its folder or name; it is left as it is. A head that it has already is thrown away.
        kind: the task.
        items: what `kind.read` gave.
        options: how.
        unlabelled: further items without labels: a first model guesses them, and a second learns from the surest of
            these guesses too, see `langnet.recipes.further_items`.
        folder: where checkpoints and the history of the run are kept; None keeps none.
        progress: where progress is shown.
        resume: go on from the checkpoint in `folder`.

    Raises:
        LangnetError: items that cannot be learned from, or an option that the encoder has no use for.
    """
    options = options or TransferOptions()
    base = load(model) if isinstance(model, str | Path) else model
    found = find_kind(kind) if isinstance(kind, str) else kind
    check_base(base, options.finetune)
    say_what_is_kept(base, options.finetune, progress)
    shared, held = options.finetune, list[StateCache]()
    if shared.seeds is None and not found.several_runs:
        shared = replace(shared, seeds=1)
    if unlabelled and not found.labels_further:
        raise found.unsure()
    forgetting, several = Forgetting.begin(base, shared.forgetting), shared.runs(len(items)) > 1

    def run(seed: int, place: Path | None, resumed: bool, judged: bool) -> Model:
        how = replace(options, finetune=replace(shared, seed=seed))
        job = TransferJob(base, found, list(items), how, progress, shared.seed)
        if several and same_start(base, shared):
            job.share_states(held)
        if unlabelled:
            check_readable(job.model, unlabelled, shared.pseudo_labels, shared.seed)
        made = job.run(place / FIRST if place and unlabelled else place, resumed)
        if unlabelled:
            settings = shared.pseudo_labels
            more = guessed_items(made, found, job.learned, unlabelled, settings, shared.seed)
            if progress:
                progress.note(f"{len(more):,} of {len(unlabelled):,} unlabelled {found.unit} got guesses as labels")
            job = TransferJob(base, found, list(items), how, progress, shared.seed, more)
            made = job.run(place, resumed)
        if judged:
            made.facts["finetune"]["judged"] = asdict(job.judge(several))
        return made

    made = run_seeds(shared, len(items), Place(folder, resume, progress), run, found.several_runs)
    if forgetting:
        made.facts["finetune"]["forgetting"] = forgetting.facts(made.encoder, made.tokenizer)
    return made


def evaluate_task(
    model: Model,
    kind: Kind[Any, Any],
    test: Sequence[Any],
    train: Sequence[Any] = (),
    abstain_below: float | None = None,
) -> tuple[TaskReport, list[Any]]:
    """A model's scores on labelled items beside its neighbours', which learn from `train`; and its guesses.

    Args:
        model: for this kind of task.
        kind: the task.
        test: items with their labels.
        train: those that the neighbours learn from; none for no neighbours.
        abstain_below: probability from which on a model with classes is to answer; None: always.

    Raises:
        LangnetError: the model has learned another task, or one without probabilities of classes is to abstain; or the
            model knows none of the items' labels.
    """
    if abstain_below is not None and kind.gold(test) is None:
        raise LangnetError(
            f"the task '{kind.name}' has no probabilities of classes, so the model cannot abstain by them"
        )
    labels = kind.labels_in(model.network.task, test)
    unknown = unknown_labels(*labels, kind.unit) if labels else []
    guesses = model.guess(test)
    neighbours = kind.neighbours(train, test) if train else []
    methods = [guesses, *(neighbour.guesses for neighbour in neighbours)]
    own, *others = kind.statistics(test, methods)
    report = report_task((kind.name, kind.unit), own, list(zip(neighbours, others, strict=True)), kind.scores)
    report.warnings += unknown
    report.details += kind.details(test, guesses)
    report.warnings += overlap_warning(test, train, kind.unit)
    decisions = kind.decisions(test, guesses)
    if decisions is not None:
        report.calibration = calibrate(*decisions)
        if kind.gold(test) is not None:
            report.abstention = abstain(*decisions, abstain_below)
        report.warnings += fitted_warning(model.facts, digest_of_items(test))
    return report, guesses


class TransferJob:
    """One transfer: its steps, and what they share.

    Attributes:
        model: the model that is made.
        examples: what it learns from.
        batches: of these.
        learned: the items behind the examples, without those whose labels were guessed.
        held_out: items that choose the best step; none where nothing is held out.
    """

    def __init__(
        self,
        base: Model,
        kind: Kind[Any, Any],
        items: list[Any],
        options: TransferOptions,
        progress: Progress | None,
        split_seed: int | None = None,
        guessed: Sequence[Any] = (),
    ):
        self.base, self.kind, self.items, self.options, self.progress = base, kind, items, options, progress
        shared = options.finetune
        self.device = torch.device(shared.device) if shared.device else default_device()
        self.encoder = starting_encoder(base, shared)
        self.model = replace(
            base,
            network=self._network(),
            history=[],
            card="",
            max_tokens=shared.max_tokens,
            facts=facts_before(base),
        )
        self.task = self.model.network.task
        self.chosen: Mapping[str, Any] | None = None
        self.model.document_vectors = base.document_vectors if self.task.document_dim else None
        self.model.labels = kind.labels(self.task)
        self.shared_states: list[StateCache] | None = None
        self.learned, self.held_out = self._hold_out(shared.seed if split_seed is None else split_seed)
        self.guessed = guessed
        self.examples = self.task.examples([*self.learned, *guessed], self.model.writer)
        self.batches = ExampleBatches(self.examples, shared.batch_size, shared.seed, self.model.collate)

    def run(self, folder: Path | None, resume: bool) -> Model:
        """Learn, as the method says."""
        shared = self.options.finetune
        self.begin(folder / "head" if folder and shared.method == "finetune" else folder, resume)
        if shared.method != "frozen":
            fit = Fit(shared, self.options.course(), str(self.device), folder, self.progress, resume)
            self.model.history = fit.run(self.model.network, self.batches, self._validation())
        return self.finish()

    def begin(self, folder: Path | None, resume: bool) -> None:
        """What comes before everything learns: a head on the encoder as it is, fitted at once where its kind can."""
        shared = self.options.finetune
        head_first = shared.method == "frozen" or (shared.method == "finetune" and shared.head_first)
        if shared.method != "scratch":
            self.chosen = self.kind.begin(self.model, self.examples, head_first, shared.seed)
        if head_first and self.chosen is None:
            self.learn_head(folder, resume)

    def learn_head(self, folder: Path | None, resume: bool) -> None:
        """Let the head alone learn, on the states of the encoder as it is."""
        shared = self.options.finetune
        epochs = self.options.head_epochs or (shared.epochs if shared.method == "frozen" else None)
        own = replace(
            shared, epochs=epochs, learning_rate=None, adapters=0, least_steps=max(shared.least_steps, HEAD_STEPS)
        )
        fit = Fit(own, self.options.head_course(), str(self.device), folder, self.progress, resume)
        with self._frozen():
            self.model.history = fit.run(self.model.network, self.batches, self._validation())

    def share(self, encoder: Encoder) -> None:
        """Read another encoder of the same kind in place of an own copy, to be learned with other tasks."""
        self.encoder = self.model.network.encoder = encoder

    def share_states(self, held: list[StateCache]) -> None:
        """Use what another run has kept of the same encoder's states, or leave there what this one keeps."""
        self.shared_states = held

    def judge(self, several: bool = True) -> Judged:
        """What was reached on the items that were learned from, beside what is most frequent there.

        What only the choice among `several` runs asks for, the losses, is left out of a single one.
        """
        learned = sampled(self.learned)
        plain = self.kind.simplest(learned, learned)
        sums = self.kind.statistics(learned, [self.model.guess(learned), plain.guesses]).sum(1)  # (2, S)
        (name, score), (_, other) = (next(iter(self.kind.scores(own).items())) for own in sums)
        loss, held_out = float("nan"), None
        if several:
            whole = len(learned) == len(self.learned) and not self.guessed
            examples = self.examples if whole else self.task.examples(learned, self.model.writer)
            batches = ExampleBatches(examples, self.options.finetune.batch_size, 0, self.model.collate)
            loss = mean_loss(self.model.network, batches)
            held_out = self.validate() if self.held_out else None
        # A score that is not defined, as a correlation of what is all the same, is none.
        return Judged(name, float(np.nan_to_num(score)), plain.name, float(np.nan_to_num(other)), float(loss), held_out)

    def finish(self) -> Model:
        """The model, once all is learned."""
        self.model.network.eval()
        if self.held_out:
            self.kind.settle(self.task, self.held_out, self.model.guess(self.held_out))
        self.model.facts["finetune"] = self._facts(len(self.learned))
        return self.model

    @contextmanager
    def _frozen(self) -> Iterator[None]:
        """The head alone learns; the encoder's states are read once, as far as there is room to keep them."""
        network, room = self.model.network, self.options.finetune.cached_megabytes
        held = list[StateCache]() if self.shared_states is None else self.shared_states
        if room and not held:
            held.append(self._states(room))
        network.frozen, network.states = True, held[0] if room else None
        try:
            yield
        finally:
            network.frozen, network.states = False, None

    def _states(self, megabytes: int) -> StateCache:
        """What the frozen encoder says of the examples."""
        examples = self.examples
        network, states = self.model.network.eval(), StateCache(megabytes)
        precision, progress = self.options.finetune.precision, self.progress or SilentProgress()
        started, done, n_tokens = time.monotonic(), 0, 0
        progress.start(f"reading {len(examples):,} {self.kind.unit}")
        try:
            with autocast(self.device, precision):  # as the head reads what is not kept
                for index, batch in in_order(examples, TOKENS_AT_ONCE, self.model.collate):
                    if not states.fill(network.encoder, batch.to(self.device)):
                        break
                    done, n_tokens = done + len(index), n_tokens + int(batch.mask.sum())
                    progress.update(done / len(examples), n_tokens, time.monotonic() - started, None)
        finally:
            progress.stop()
        if states.full:
            held = f"{states.held / 2**20:,.0f} MB"
            progress.note(
                f"the states of {done:,} {self.kind.unit} were kept, in {held}; those of the others are read in every "
                "epoch, unless --cached-megabytes allows more"
            )
        return states

    def _network(self) -> TaskModel:
        shared, space = self.options.finetune, self.base.document_vectors
        dim = space.dim if space and shared.document_features else 0
        frozen = shared.method == "frozen"
        head = replace(self.options.head, document_dim=dim, tokenizer=self.base.tokenizer, frozen=frozen)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(shared.seed)
            task: Task = self.kind.head(self.items, self.encoder, head)
        tasks: list[tuple[Task, float]] = [(task, 1.0)]
        if shared.auxiliary_lm and shared.method != "frozen":
            tasks.append((LanguageModel(), shared.auxiliary_lm))
        mix = None if isinstance(task, SupervisedTask) and task.reads_top else ScalarMix(self.encoder.n_layers + 1)
        return TaskModel(self.encoder, tasks, mix, shared.learned_tokens).to(self.device)

    def _hold_out(self, seed: int) -> tuple[list[Any], list[Any]]:
        """The items to learn from, and those that choose the best step; none of the latter where they would be all."""
        shared = self.options.finetune
        count = round(shared.validation_fraction * len(self.items))
        if not 2 <= count < len(self.items):
            return self.items, []
        groups = [group for group in map(self.kind.group, self.items) if group is not None]
        if len(groups) == len(self.items):
            held = set(drawn_groups(groups, shared.validation_fraction, seed))
            inside = np.array([group in held for group in groups])
            return [self.items[i] for i in np.flatnonzero(~inside)], [self.items[i] for i in np.flatnonzero(inside)]
        order = np.random.default_rng(seed).permutation(len(self.items))
        return [self.items[i] for i in order[count:]], [self.items[i] for i in order[:count]]

    def _validation(self) -> Callable[[], dict[str, float]] | None:
        return self.validate if self.held_out else None

    def validate(self) -> dict[str, float]:
        """One minus the first score of the held-out items, so that lower is better."""
        statistics = self.kind.statistics(self.held_out, [self.model.guess(self.held_out)])
        scores = self.kind.scores(statistics[0].sum(0))
        name, value = next(iter(scores.items()))
        return {f"1 - {name}": 1 - float(value)}

    def _facts(self, n: int) -> dict[str, Any]:
        options = self.options
        facts: dict[str, Any] = {"task": self.kind.name, "examples": n, "options": asdict(options.finetune)}
        if self.guessed:
            facts["pseudo_labelled"] = len(self.guessed)
        head = asdict(replace(options.head, tokenizer=None))  # it stands in the model's folder
        del head["tokenizer"], head["frozen"]
        facts |= {"head": head, "head_learning_rate": options.head_learning_rate}
        if options.finetune.method != "frozen":
            facts["learning_rate"] = options.course().peak(options.finetune)
        weights = self.model.network.layer_weights()
        if weights:
            facts["layer_weights"] = weights
        if options.finetune.adapters:
            facts["learned_weights"] = learned_weights(self.model.network, options.finetune.adapters)
        if self.chosen is not None:
            facts["frozen_choice"] = dict(self.chosen)
        return facts
