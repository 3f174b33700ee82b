"""Pretraining objectives by name: which task each is, how the encoder has to read for it, and how it is watched.

The language model is one objective among its rivals, and all of them are tasks under the same loop. What an objective
needs beside the encoder is thrown away when the model is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from langnet.encoders.encoder import Encoder
from langnet.encoders.family import Family, Reading, Recipe
from langnet.errors import LangnetError
from langnet.evaluate.language_model import LanguageModelScores, score_documents, scoring_windows, sum_up
from langnet.evaluate.objectives import score_hidden_tokens, score_sentences
from langnet.tasks.masked import CausalMaskedLanguageModel, MaskedLanguageModel
from langnet.tasks.registry import build_task
from langnet.tasks.sentences import DenoisingAutoencoder, SentenceTask, SkipThoughts
from langnet.tasks.task import Task
from langnet.text.batches import Batch, LanguageModelBatches
from langnet.text.masking import MaskedBatches
from langnet.text.prepared import PreparedCorpus
from langnet.text.sentences import SentenceBatches, Sentences, denoising, neighbours
from langnet.text.shards import TokenShards
from langnet.text.spelling import SpelledBatches
from langnet.text.streams import StreamBatches
from langnet.training.loop import Batches

HIDDEN_TOKENS = 200_000  # held-out tokens that are hidden in the end; each is read seven times
_SENTENCE_ROWS = 64  # held-out sentences at once


@dataclass(frozen=True)
class ObjectiveOptions:
    """Settings of the objectives that have some; the others leave them unread.

    Attributes:
        mask_share: part of the tokens that masked objectives hide (Devlin et al. 2018).
        causal_share: part of the batches that `causal+masked` reads from left to right.
        drop: probability that `denoising` drops a token (Hill et al. 2016: p_o).
        swap: probability that it changes two neighbours over (p_x).
        sentence_tokens: the most tokens of a sentence, of objectives that read sentences; a longer one is cut.
    """

    mask_share: float = 0.15
    causal_share: float = 0.5
    drop: float = 0.1
    swap: float = 0.1
    sentence_tokens: int = 64


@dataclass(frozen=True)
class Objective:
    """One pretraining objective.

    Attributes:
        name: as users give it.
        task: name of the task, as folders hold it.
        summary: one line, for the card.
        settings: of the task, each with the name of the option that sets it.
        fixed: settings of the task that are no option.
    """

    name: str
    task: str
    summary: str
    settings: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)


OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective("causal", "language_model", "next-token prediction"),
        Objective(
            "bidirectional",
            "bidirectional_language_model",
            "prediction of the next token from the left and of the previous one from the right",
            fixed={"negatives": 0},
        ),
        Objective(
            "masked",
            "masked_language_model",
            "guessing of hidden tokens from both sides",
            {"share": "mask_share"},
        ),
        Objective(
            "causal+masked",
            "causal_masked_language_model",
            "next-token prediction and guessing of hidden tokens by the same weights",
            {"share": "mask_share", "causal_share": "causal_share"},
        ),
        Objective(
            "denoising",
            "denoising_autoencoder",
            "writing sentences again that were read with noise",
            {"drop": "drop", "swap": "swap", "longest": "sentence_tokens"},
        ),
        Objective(
            "skip-thoughts",
            "skip_thoughts",
            "writing the sentences before and after the one that was read",
            {"longest": "sentence_tokens"},
        ),
    )
}


@dataclass(frozen=True)
class Plan:
    """An objective for a family.

    Attributes:
        objective: its name.
        task: the task's configuration.
        reading: how the encoder is to be built; see `encoders.registry.build_encoder`.
        layout: of the text; see `encoders.family.Recipe`.
    """

    objective: str
    task: dict[str, Any]
    reading: Reading = "own"
    layout: str = "windows"

    @property
    def needs_mask(self) -> bool:
        """Whether the tokenizer needs an entry for hidden tokens."""
        return "masked" in str(self.task["name"])


def plan_objective(family: Family, name: str | None, options: ObjectiveOptions) -> Plan:
    """How a family is pretrained by an objective; None is its own.

    Raises:
        LangnetError: there is no such objective, the family cannot have it, or a setting makes no sense.
    """
    own = family.recipe.objective
    objective = _find_objective(family, name)
    if objective.task == own["name"]:
        return Plan(objective.name, own, "own", family.recipe.layout)
    name = objective.name
    if name == "causal" and family.bidirectional:
        raise LangnetError(f"{family.name} reads from both sides, so it cannot be {name}; take gpt or awd-lstm")
    if name == "causal+masked" and not family.reads_either_way:
        raise LangnetError(f"'{name}' needs attention that can be turned either way, so not {family.name}; take a gpt")
    reading: Reading = "own"
    if name in ("masked", "causal+masked") and family.reads_either_way:
        reading = "both"
    elif name in ("bidirectional", "masked") and not family.bidirectional:
        reading = "two-way"
    chosen = {setting: getattr(options, option) for setting, option in objective.settings.items()}
    settings = {"name": objective.task, **objective.fixed, **chosen}
    build_task(settings, 1)  # a setting that makes no sense is said now
    return Plan(name, settings, reading)


def options_of_objective(family: Family, name: str | None, given: Mapping[str, Any]) -> ObjectiveOptions:
    """Options with those that the user gave of an objective; None is the family's own.

    Args:
        family: that is to learn.
        name: of the objective.
        given: fields of `ObjectiveOptions`; those that are None were not given.

    Raises:
        LangnetError: there is no such objective, or it does not read what was given.
    """
    objective = _find_objective(family, name)
    said = {option: value for option, value in given.items() if value is not None}
    for option in said:
        if option not in objective.settings.values():
            others = [one.name for one in OBJECTIVES.values() if option in one.settings.values()]
            flag = "--" + option.replace("_", "-")
            raise LangnetError(
                f"{flag} is no setting of the objective '{objective.name}'; leave it out, or take --objective "
                f"{' or '.join(others)}"
            )
    return ObjectiveOptions(**said)


def _find_objective(family: Family, name: str | None) -> Objective:
    name = objective_of(family.recipe.objective) if name is None else name
    if name not in OBJECTIVES:
        raise LangnetError(f"there is no objective '{name}'; choose one of {', '.join(OBJECTIVES)}")
    return OBJECTIVES[name]


def plan_adaptation(family: Family, task: dict[str, Any], name: str | None) -> Plan:
    """How a model goes on learning: by the objective that it has.

    Args:
        family: of the model.
        task: the model's own, as its folder says.
        name: the objective that the user asks for; None leaves it to the model.

    Raises:
        LangnetError: the model has another objective.
    """
    has = objective_of(task)
    if name not in (None, has):
        raise LangnetError(f"this model learned by the objective '{has}', and goes on with it; leave '{name}' out")
    own = family.recipe.objective
    if task["name"] == own["name"]:
        return Plan(has, own, "own", family.recipe.layout)
    return Plan(has, task)


def objective_of(task: dict[str, Any]) -> str:
    """The objective's name by the task's configuration.

    Raises:
        LangnetError: the task is no objective.
    """
    for objective in OBJECTIVES.values():
        if objective.task == task["name"]:
            return objective.name
    raise LangnetError(f"'{task['name']}' is no objective that can go on; fine-tune the model instead")


def training_task(plan: Plan, encoder: Encoder, seed: int) -> Task:
    """The plan's task with all that it needs beside the encoder, drawn from `seed`."""
    task = build_task(plan.task, encoder.dim)
    return task.with_decoders(encoder, seed) if isinstance(task, SentenceTask) else task


def kept_task(task: Task, dim: int) -> Task:
    """The task as it is kept with a model: its settings, without what it owned in training."""
    return build_task(task.config(), dim)


def training_batches(
    plan: Plan, task: Task, encoder: Encoder, corpus: PreparedCorpus, recipe: Recipe, how: Sizes
) -> Batches:
    """Batches of the corpus as the objective reads it, each a function of seed and step alone.

    Raises:
        LangnetError: the corpus has nothing for this objective.
    """
    batch_tokens = how.batch_tokens or recipe.batch_tokens
    batches: Batches
    if isinstance(task, SentenceTask):
        sentences = Sentences(corpus.train, corpus.tokenizer, _longest(task, encoder))
        if isinstance(task, SkipThoughts):
            sentences.require_neighbours()
        rows = max(1, round(batch_tokens / (sentences.mean_length + 2)))
        batches = SentenceBatches(sentences, _layout(task), rows, how.seed)
    else:
        context = encoder.context or how.context or recipe.window
        layout = StreamBatches if plan.layout == "streams" else LanguageModelBatches
        batches = layout(corpus.train, context, max(1, batch_tokens // context), how.seed)
        if isinstance(task, MaskedLanguageModel | CausalMaskedLanguageModel):
            batches = MaskedBatches(batches, corpus.tokenizer, task.masks, how.seed)
    return SpelledBatches(batches, corpus.spelling) if corpus.spelling else batches


@dataclass(frozen=True)
class Sizes:
    """What the user said of batches: tokens an update, tokens a row, and the seed of their order."""

    batch_tokens: int | None
    context: int | None
    seed: int


def _longest(task: SentenceTask, encoder: Encoder) -> int:
    """Tokens of a sentence at most, so that it fits into the context between start and extract."""
    return min(task.longest, encoder.context - 2) if encoder.context else task.longest


def _layout(task: SentenceTask) -> Callable[[Sentences, np.ndarray, np.random.Generator], Batch]:
    return denoising(task.drop, task.swap) if isinstance(task, DenoisingAutoencoder) else neighbours


class HeldOut:
    """What a model reaches on the held-out text of its corpus, by the scores that its objective has.

    Args:
        task: as it is trained, with all that it owns.
        encoder: under it.
        corpus: its held-out part is read.
    """

    def __init__(self, task: Task, encoder: Encoder, corpus: PreparedCorpus):
        self.task, self.encoder, self.corpus = task, encoder, corpus
        self.sentences: Sentences | None = None
        if isinstance(task, SentenceTask) and corpus.validation.n_documents:
            self.sentences = Sentences(corpus.validation, corpus.tokenizer, _longest(task, encoder))

    def scores(self, max_tokens: int | None = None) -> dict[str, Any]:
        """Everything that is known, for the facts of a model; at most about `max_tokens` tokens are read.

        A language model has `bits_per_byte`, a masked one `masked_loss`, the others `reconstruction_loss` or
        `neighbour_loss`, in nats a token.
        """
        shards, found = self.corpus.validation, dict[str, Any]()
        if self.task.gives_probabilities:
            found |= score_shards(self.encoder, self.corpus, max_tokens).to_dict()
        if not shards.n_documents:
            return found
        if isinstance(self.task, MaskedLanguageModel | CausalMaskedLanguageModel):
            documents = first_documents(shards, HIDDEN_TOKENS if max_tokens is None else max_tokens // 4)
            scores = score_hidden_tokens(
                self.encoder, self.corpus.tokenizer, documents, self.task.masks.shifted, self.corpus.spelling
            )
            found |= scores.to_dict("masked_loss")
        if isinstance(self.task, SentenceTask) and self.sentences is not None:
            layout, spelling = _layout(self.task), self.corpus.spelling
            batches = SentenceBatches(self.sentences, layout, _SENTENCE_ROWS, 0).in_order(max_tokens or 2**62)
            read = map(spelling.spelled, batches) if spelling else batches
            name = "reconstruction_loss" if isinstance(self.task, DenoisingAutoencoder) else "neighbour_loss"
            found |= score_sentences(self.encoder, self.task, read, shards.n_documents).to_dict(name)
        return found

    def watched(self, max_tokens: int) -> dict[str, float]:
        """What a validation logs; the first is what a run is judged by."""
        found = self.scores(max_tokens)
        names = ("bits_per_byte", "masked_loss", "reconstruction_loss", "neighbour_loss")
        sides = zip(("forward_perplexity", "backward_perplexity"), found.get("perplexities") or (), strict=False)
        return {name: found[name] for name in names if name in found} | dict(sides)


def first_documents(shards: TokenShards, max_tokens: int | None) -> Sequence[np.ndarray]:
    """Whole documents from the first on, at most `max_tokens` tokens of them, but one in any case."""
    documents: list[np.ndarray] = []
    n_tokens = 0
    for index in range(shards.n_documents):
        document = shards.document(index)
        if max_tokens is not None and documents and n_tokens + len(document) > max_tokens:
            break
        documents.append(document)
        n_tokens += len(document)
    return documents


def score_shards(encoder: Encoder, corpus: PreparedCorpus, max_tokens: int | None) -> LanguageModelScores:
    """Bits per byte and perplexity on whole held-out documents, at most `max_tokens` tokens of them."""
    shards = corpus.validation
    documents = first_documents(shards, max_tokens)
    windows = scoring_windows(encoder, documents, corpus.spelling)
    n_bytes = shards.document_bytes[: len(documents)].tolist()
    return sum_up(score_documents(encoder, windows, n_bytes, corpus.tokenizer.unknown_id))
