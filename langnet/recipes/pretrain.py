"""`langnet pretrain` and `langnet adapt`: from raw text to a pretrained model, or from one to one of another domain."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from langnet.encoders.document_vectors import DocumentVectorOptions, DocumentVectors
from langnet.encoders.encoder import Encoder
from langnet.encoders.family import Recipe
from langnet.encoders.registry import build_encoder, find_family
from langnet.encoders.two_way import TwoWay
from langnet.encoders.vectors import FAMILY as VECTORS
from langnet.encoders.word_classes import WordClasses, WordClassOptions
from langnet.errors import LangnetError
from langnet.recipes.forgetting import Forgetting
from langnet.recipes.model import Model, load
from langnet.recipes.objectives import (
    OBJECTIVES,
    HeldOut,
    ObjectiveOptions,
    Plan,
    Sizes,
    kept_task,
    plan_adaptation,
    plan_objective,
    training_batches,
    training_task,
)
from langnet.recipes.raw_text import RawText
from langnet.text.prepare import PrepareOptions, prepare_corpus
from langnet.text.prepared import PreparedCorpus, open_corpus
from langnet.text.shards import TokenShards
from langnet.text.spelling import PredictableDocuments
from langnet.text.tokenizer import Direction, Tokenizer
from langnet.training.budget import Budget
from langnet.training.checkpoint import remove_checkpoint
from langnet.training.loop import LoopConfig, Trainer
from langnet.training.machine import describe_machine
from langnet.training.optimizer import OptimizerConfig
from langnet.training.processes import is_main_process, wait_for_main
from langnet.training.progress import Progress
from langnet.transfer.groups import model_groups
from langnet.transfer.model import TaskModel
from langnet.transfer.schedule import ScheduleConfig
from langnet.transfer.vocabulary import require_rows, with_vocabulary

VALIDATION_TOKENS = 50_000
# Many validations, since one of them begins the average.
NT_ASGD: dict[str, Any] = {
    "learning_rate": 30.0, "rate_width": None, "clip": 0.25, "schedule": "constant", "warmup": 0.0,
    "weight_decay": 1.2e-6, "validations": 30,
}  # fmt: skip


@dataclass(frozen=True)
class PretrainOptions:
    """How a model is pretrained on raw text.

    Attributes:
        encoder: family of the encoder, of `encoders.registry.FAMILIES`.
        size: of the family; see the sizes below.
        context: tokens that the model sees at once; None takes the size's own. Of an encoder without a limit, how many
            one update looks back.
        minutes, tokens, steps: the budget; exactly one. All None means 10 minutes.
        batch_tokens: tokens an update; None takes the family's.
        learning_rate: peak rate of AdamW; None takes the family's.
        optimizer: None takes the family's.
        objective: what is learned: `causal`, `bidirectional`, `masked`, `causal+masked`, `denoising` or
            `skip-thoughts`; None takes the family's own. See docs/explanation/pretraining-objectives.md.
        objective_options: settings of the objective.
        document_vectors: also decompose the documents into vectors, a minute's work; see `encoders.document_vectors`.
        document: how those vectors are made.
        word_classes: how the views beside them are made, from which co-training starts.
        prepare: tokenizer, vocabulary, cleaning and splitting.
        dropout_scale: factor on all of the encoder's dropouts, where it has that dial; None takes the size's own.
        validations: how many there are in the run, within its budget; None takes the family's. The held-out documents
            are scored once more at its end.
        seed: of weights, data order and dropout.
        precision: `auto`, `no` or `bf16`.
        device: None chooses.
        direction: `backward` reads every text from its end; an adapted model keeps the direction that it has.
        layer_decay: each layer learns so much slower than the one above (Howard & Ruder 2018 adapt with 2.6).
        schedule: of the rates; None takes the family's.
        betas: AdamW's; None takes the family's.
        forgetting: of `adapt`: text that is not learned from, whose bits per byte are measured before and after.
    """

    encoder: str = "gpt"
    size: str = "small"
    context: int | None = None
    minutes: float | None = None
    tokens: int | None = None
    steps: int | None = None
    batch_tokens: int | None = None
    learning_rate: float | None = None
    optimizer: Literal["adamw", "muon", "adagrad", "nt-asgd"] | None = None
    objective: str | None = None
    objective_options: ObjectiveOptions = field(default_factory=ObjectiveOptions)
    document_vectors: bool = True
    document: DocumentVectorOptions = field(default_factory=DocumentVectorOptions)
    word_classes: WordClassOptions = field(default_factory=WordClassOptions)
    prepare: PrepareOptions = field(default_factory=PrepareOptions)
    dropout_scale: float | None = None
    validations: int | None = None
    seed: int = 0
    precision: Literal["auto", "no", "bf16"] = "auto"
    device: str | None = None
    direction: Direction = "forward"
    layer_decay: float = 1.0
    schedule: ScheduleConfig | None = None
    betas: tuple[float, float] | None = None
    forgetting: RawText | None = None

    def __post_init__(self) -> None:
        if self.layer_decay <= 0:
            raise LangnetError(
                f"the layer decay must be above zero, not {self.layer_decay:g}; 1 is the same rate for all"
            )
        if self.context is not None and self.context < 2:
            raise LangnetError(f"a context of {self.context} tokens holds nothing to predict; take 2 or more")
        if self.batch_tokens is not None and self.batch_tokens < 1:
            raise LangnetError(f"an update cannot have {self.batch_tokens} tokens; take some thousands")
        if self.learning_rate is not None and self.learning_rate <= 0:
            raise LangnetError(f"the learning rate must be above zero, not {self.learning_rate:g}")
        if self.validations is not None and self.validations < 0:
            raise LangnetError(f"the number of validations must be 0 or more, not {self.validations}")

    def budget(self) -> Budget:
        """The budget; ten minutes where none is given."""
        if self.minutes is None and self.tokens is None and self.steps is None:
            return Budget(minutes=10.0)
        return Budget(self.tokens, self.steps, self.minutes)


@dataclass(frozen=True)
class Run:
    """Where a run keeps its things, and how it shows itself.

    Attributes:
        folder: for the prepared corpus, checkpoints, history and TensorBoard events; None uses a temporary one.
        resume: go on from the checkpoint in `folder`.
        progress: of the training loop.
        on_prepare: called with done and total bytes while the corpus is read.
    """

    folder: Path | None = None
    resume: bool = False
    progress: Progress | None = None
    on_prepare: Callable[[int, int | None], None] | None = None


def pretrain(
    sources: Sequence[str | Path],
    options: PretrainOptions | None = None,
    run: Run | None = None,
    *,
    texts: bool = False,
) -> Model:
    """Pretrain a model on raw text, as a language model or by another objective.

    Args:
        sources: files, folders, globs, or whatever else `langnet.text.corpus.read_documents` reads.
        options: how; the defaults take ten minutes.
        run: where to keep checkpoints, and whether to resume.
        texts: whether `sources` are the texts themselves instead of paths.

    Raises:
        LangnetError: nothing to read, or a setting that does not exist.
    """
    options, run = options or PretrainOptions(), run or Run()
    options.budget()  # a wrong budget is said before the corpus is read
    if options.forgetting:
        raise LangnetError("pretraining starts from nothing that could be forgotten; forgetting is of adapt")
    family = find_family(options.encoder)
    family.require_size(options.size)  # and so is a wrong name
    plan = plan_objective(family, options.objective, options.objective_options)
    family.require_direction(options.direction)
    prepare = replace(
        options.prepare,
        tokenizer=options.prepare.tokenizer or family.recipe.tokenizer,
        spell=family.recipe.spell,
        mask=plan.needs_mask,
        direction=options.direction,
    )
    with working_folder(run.folder) as folder:
        corpus = _prepared(sources, folder, replace(options, prepare=prepare), run, texts)
        vocabulary_size = corpus.tokenizer.vocabulary_size
        encoder = build_encoder(
            options.encoder, options.size, vocabulary_size, options.seed, options.context, plan.reading
        )
        space = _document_vectors(corpus, options, run.progress)
        model = _train(encoder, options.encoder, plan, corpus, space, options, run, folder)
        model.facts["size"] = options.size
        return model


def adapt(
    model: Model | str | Path,
    sources: Sequence[str | Path],
    options: PretrainOptions | None = None,
    run: Run | None = None,
    *,
    texts: bool = False,
) -> Model:
    """Go on training a language model on the target domain's text: the second stage of Howard & Ruder 2018.

    The encoder's architecture stays the model's own, and so does the tokenizer, unless `options.prepare.new_vocabulary`
    asks for one of the target text; document vectors are made anew from that text.

    Raises:
        LangnetError: nothing to read, or no such model.
    """
    options, run = options or PretrainOptions(), run or Run()
    options.budget()
    base = load(model) if isinstance(model, str | Path) else model
    if not base.is_language_model:
        base.refuse("learn from raw text", "adapt the language model it came from, then fine-tune that")
    if not base.encoder.predicts_next:
        if base.family == VECTORS.name:
            raise LangnetError("word vectors cannot be adapted; train new ones on both texts: langnet vectors train")
        raise LangnetError("this model came without its softmax, so it cannot learn from raw text; fine-tune it")
    forgetting = Forgetting.begin(base, options.forgetting) if is_main_process() else None
    plan = plan_adaptation(find_family(base.family), base.network.task.config(), options.objective)
    if options.prepare.new_vocabulary:
        require_rows(base.encoder, base.tokenizer)
    options = replace(options, direction=base.tokenizer.direction)
    prepare = replace(
        options.prepare,
        spell=base.encoder.characters is not None,
        direction=options.direction,
        mask=plan.needs_mask,
    )
    with working_folder(run.folder) as folder:
        corpus = _prepared(sources, folder, replace(options, prepare=prepare), run, texts, base.tokenizer)
        space = _document_vectors(corpus, options, run.progress)
        encoder, more = copy.deepcopy(base.encoder), dict[str, Any]()
        if prepare.new_vocabulary:
            encoder, overlap = with_vocabulary(base.encoder, base.tokenizer, corpus.tokenizer, corpus.train)
            more = {"new_vocabulary": asdict(overlap)}
            if run.progress is not None:
                run.progress.note(str(overlap))
        adapted = _train(encoder, base.family, plan, corpus, space, options, run, folder)
        adapted.facts |= {"size": base.size, "adapted_from": base.facts, **more}
        if forgetting:
            adapted.facts["forgetting"] = forgetting.facts(adapted.encoder, adapted.tokenizer)
        return adapted


def _train(
    encoder: Encoder,
    family: str,
    plan: Plan,
    corpus: PreparedCorpus,
    space: DocumentVectors | None,
    options: PretrainOptions,
    run: Run,
    folder: Path,
) -> Model:
    """Run the loop over the prepared corpus and gather the model with its facts."""
    recipe = find_family(family).recipe
    if options.dropout_scale is not None:
        encoder.scale_dropout(options.dropout_scale)
    task = training_task(plan, encoder, options.seed)
    network = TaskModel(encoder, [(task, 1.0)])
    sizes = Sizes(options.batch_tokens, options.context, options.seed)
    held_out = HeldOut(task, encoder, corpus)
    known = task.gives_probabilities or corpus.validation.n_documents > 0
    trainer = Trainer(
        network,
        model_groups(network, options.layer_decay),
        training_batches(plan, task, encoder, corpus, recipe, sizes),
        _loop_config(encoder, recipe, options),
        validate=(lambda: held_out.watched(VALIDATION_TOKENS)) if known else None,
        folder=folder if run.folder else None,
        progress=run.progress,
    )
    result = trainer.run(run.resume)
    if run.folder and is_main_process():
        remove_checkpoint(folder)
    facts: dict[str, Any] = {
        "corpus": corpus.report.to_dict(),
        "pretrain": {
            "objective": plan.objective,
            "summary": OBJECTIVES[plan.objective].summary,
            "tokens": result.state.tokens,
            "steps": result.state.step,
            "minutes": round(result.state.seconds / 60, 2),
            "options": asdict(options),
            "machine": describe_machine(),
        },
        "validation": held_out.scores(),
        "parameters": encoder.n_parameters,
    }
    kept = TaskModel(encoder, [(kept_task(task, encoder.dim), 1.0)]).eval()
    return Model(family, corpus.tokenizer, kept.cpu(), None, space, facts, result.history)


def _loop_config(encoder: Encoder, recipe: Recipe, options: PretrainOptions) -> LoopConfig:
    """The family's recipe, where the options leave it open; NT-ASGD has settings of its own, Merity et al. 2017's."""
    if options.optimizer == "nt-asgd":
        recipe = replace(recipe, **NT_ASGD)
    width = encoder.dim // 2 if isinstance(encoder, TwoWay) else encoder.dim
    optimizer = OptimizerConfig(
        options.optimizer or recipe.optimizer,
        options.learning_rate or recipe.rate(width),
        weight_decay=recipe.weight_decay,
        betas=options.betas or recipe.betas,
    )
    return LoopConfig(
        options.budget(),
        optimizer,
        options.schedule or ScheduleConfig(recipe.schedule, recipe.warmup, decay=recipe.decay),
        seed=options.seed,
        clip=recipe.clip,
        validations=recipe.validations if options.validations is None else options.validations,
        precision=options.precision,
        device=options.device,
    )


class _Documents(Sequence[np.ndarray]):
    """The documents of shards as a sequence."""

    def __init__(self, shards: TokenShards):
        self.shards = shards

    def __len__(self) -> int:
        return self.shards.n_documents

    def __getitem__(self, index: Any) -> Any:
        return self.shards.document(index)


def _document_vectors(
    corpus: PreparedCorpus, options: PretrainOptions, progress: Progress | None
) -> DocumentVectors | None:
    """The space of document vectors; None where it is switched off or the corpus has too few documents for one.

    Of several processes, the main one alone makes it, and its model is the one to keep.
    """
    if not options.document_vectors or corpus.train.n_documents < 8 or not is_main_process():
        return None
    if progress is not None:
        progress.note(f"document vectors of {corpus.train.n_documents:,} documents")
    documents = PredictableDocuments(_Documents(corpus.train), corpus.tokenizer.vocabulary_size)
    space = DocumentVectors.fit(documents, options.document)
    space.views = WordClasses.fit(documents, corpus.tokenizer.vocabulary_size, options.word_classes)
    return space


def _prepared(
    sources: Sequence[str | Path],
    folder: Path,
    options: PretrainOptions,
    run: Run,
    texts: bool,
    tokenizer: Tokenizer | None = None,
) -> PreparedCorpus:
    """The corpus on disk; of several processes with one folder, the main one prepares it and the others wait."""
    if run.folder is not None and not is_main_process():
        wait_for_main(options.device)
        return open_corpus(folder / "corpus", options.prepare.spell)
    corpus = prepare_corpus(
        sources, folder / "corpus", options.prepare, tokenizer, progress=run.on_prepare, texts=texts
    )
    _require_text(corpus)
    if run.progress is not None:
        run.progress.note(corpus.report.summary())
    if run.folder is not None:
        wait_for_main(options.device)
    return corpus


def _require_text(corpus: PreparedCorpus) -> None:
    if corpus.train.n_documents == 0 or corpus.train.n_tokens < 8:
        raise LangnetError(f"there is nothing to learn from: {corpus.report.summary()}")


@contextmanager
def working_folder(folder: Path | None) -> Iterator[Path]:
    """The run's own folder, or a temporary one that is deleted afterwards."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="langnet-") as temporary:
        yield Path(temporary)
