"""Every task by name, as a folder's configuration or a family's recipe writes it down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langnet.errors import LangnetError
from langnet.tasks.answer import Answer, AnswerConfig
from langnet.tasks.bidirectional import BidirectionalLanguageModel
from langnet.tasks.choose import Choose, ChooseConfig
from langnet.tasks.classify import Classify, ClassifyConfig
from langnet.tasks.corefer import Corefer, CoreferConfig
from langnet.tasks.document_head import HeadShape
from langnet.tasks.entail import Entail, EntailConfig
from langnet.tasks.label_roles import LabelRoles, RoleConfig
from langnet.tasks.language_model import LanguageModel
from langnet.tasks.masked import CausalMaskedLanguageModel, MaskedLanguageModel
from langnet.tasks.multilabel import MultiLabel, MultiLabelConfig
from langnet.tasks.pairs import PairConfig
from langnet.tasks.parse import Parse, ParseConfig
from langnet.tasks.regress import Regress, RegressConfig
from langnet.tasks.sentences import DenoisingAutoencoder, SkipThoughts
from langnet.tasks.similarity import Similarity, SimilarityConfig
from langnet.tasks.tag import Tag, TagConfig
from langnet.tasks.task import Task
from langnet.tasks.translate import Translate, TranslateConfig
from langnet.tasks.translate_sequence import SequenceConfig, TranslateSequence
from langnet.tasks.word_contexts import WordContexts

# How each task is made of its settings and the width of the encoder under it.
TASKS: dict[str, Callable[[dict[str, Any], int], Task]] = {
    "classify": lambda settings, dim: Classify(ClassifyConfig(**settings), dim),
    "multilabel": lambda settings, dim: MultiLabel(MultiLabelConfig(**_with_shape(settings)), dim),
    "regress": lambda settings, dim: Regress(RegressConfig(**_with_shape(settings)), dim),
    "answer": lambda settings, dim: Answer(AnswerConfig(**settings), dim),
    "choose": lambda settings, dim: Choose(ChooseConfig(**settings), dim),
    "corefer": lambda settings, dim: Corefer(CoreferConfig(**settings), dim),
    "entail": lambda settings, dim: Entail(EntailConfig(**_with_pair(settings)), dim),
    "parse": lambda settings, dim: Parse(ParseConfig(**settings), dim),
    "similarity": lambda settings, dim: Similarity(SimilarityConfig(**_with_pair(settings)), dim),
    "label_roles": lambda settings, dim: LabelRoles(RoleConfig(**settings), dim),
    "tag": lambda settings, dim: Tag(TagConfig(**settings), dim),
    "translate": lambda settings, dim: _sequence(settings) or Translate(TranslateConfig(**settings), dim),
    "bidirectional_language_model": lambda settings, dim: BidirectionalLanguageModel(**settings),
    "word_contexts": lambda settings, dim: WordContexts(**settings),
    "language_model": lambda settings, dim: LanguageModel(**settings),
    "masked_language_model": lambda settings, dim: MaskedLanguageModel(**settings),
    "causal_masked_language_model": lambda settings, dim: CausalMaskedLanguageModel(**settings),
    "denoising_autoencoder": lambda settings, dim: DenoisingAutoencoder(**settings),
    "skip_thoughts": lambda settings, dim: SkipThoughts(**settings),
}


def _with_pair(settings: dict[str, Any]) -> dict[str, Any]:
    return {**settings, "pair": PairConfig(**settings["pair"])}


def _sequence(settings: dict[str, Any]) -> Task | None:
    """The form of translation that has no decoder; None of the one that has."""
    if settings.pop("form", "attention") != "sequence":
        return None
    return TranslateSequence(SequenceConfig(**settings))


def _with_shape(settings: dict[str, Any]) -> dict[str, Any]:
    return {**settings, "shape": HeadShape(**settings["shape"])}


def build_task(config: dict[str, Any], dim: int) -> Task:
    """A task of what its `config()` says; weights that it owns are still to be loaded.

    Args:
        config: `name`, and the task's settings.
        dim: D, the width of the encoder's states.

    Raises:
        LangnetError: this version does not know the task.
    """
    settings = dict(config)
    name = settings.pop("name")
    if name not in TASKS:
        raise LangnetError(f"this model's task is '{name}', which this version of langnet does not know")
    return TASKS[name](settings, dim)
