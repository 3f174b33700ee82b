"""The model that a transfer starts from: what of it can be used, and what is said of its past."""

from __future__ import annotations

import copy
from typing import Any

from langnet.encoders.encoder import Encoder
from langnet.encoders.registry import build_encoder_like
from langnet.encoders.vectors import FAMILY as VECTORS
from langnet.errors import LangnetError, warn
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.model import Model
from langnet.training.progress import Progress
from langnet.transfer.adapters import adapted
from langnet.transfer.layers import check_layers, lowest_layers


def starting_encoder(base: Model, options: FinetuneOptions) -> Encoder:
    """An encoder for a transfer to change: a copy of the base's, its lowest layers, or nothing but its architecture.

    Raises:
        LangnetError: more layers than it has, or a dropout dial that it has not.
    """
    if options.method == "scratch":
        encoder = build_encoder_like(base.encoder, options.seed)
    elif options.layers is not None:
        encoder = lowest_layers(base.encoder, options.layers, options.seed)
    else:
        encoder = copy.deepcopy(base.encoder)
    if options.dropout_scale is not None:
        encoder.scale_dropout(options.dropout_scale)
    return encoder


def same_start(base: Model, options: FinetuneOptions) -> bool:
    """Whether runs of any seed start from the same encoder."""
    return options.method != "scratch" and options.layers in (None, base.encoder.n_layers)


def check_base(base: Model, options: FinetuneOptions) -> None:
    """Nothing, where the model has what the options ask of it; said before anything is read or trained.

    Raises:
        LangnetError: it has not so many layers, no language-model loss, or no matrices for adapters.
    """
    if options.layers is not None:
        check_layers(base.encoder, options.layers)
    if options.adapters:
        adapted(base.encoder, options.adapters)
        if options.layers is not None and options.layers < base.encoder.n_layers:
            raise LangnetError("layers that are drawn anew have to learn whole; leave out --layers or --adapters")
    if not options.auxiliary_lm:
        return
    if base.family == VECTORS.name:
        raise LangnetError("word vectors have no language-model loss; leave --auxiliary-lm out")
    if base.encoder.characters or not base.encoder.predicts_next:
        raise LangnetError(f"{base.family} has no language-model loss beside a task; leave --auxiliary-lm out")
    if not base.encoder.causal:
        raise LangnetError("this model reads from both sides, so it sees the next token; leave --auxiliary-lm out")


def say_what_is_kept(base: Model, options: FinetuneOptions, progress: Progress | None) -> None:
    """Say how many layers are kept, and of a model that has a task already that its encoder is and its head is not."""
    if options.layers is not None and progress is not None:
        n = base.encoder.n_layers
        rest = "" if options.layers == n else f", the other {n - options.layers} are drawn anew"
        progress.note(f"the embeddings and the lowest {options.layers} of {n} layers are the model's{rest}")
    if base.is_language_model or options.method == "scratch":
        return
    labels = base.labels or []
    shown = f" ({', '.join(labels[:5])}{', …' if len(labels) > 5 else ''})" if labels else ""
    what = "a classifier" if base.is_classifier else f"a model for the task '{base.network.task.name}'"
    text = f"the model is {what}{shown}; its encoder is kept, its head replaced by a new one"
    progress.note(text) if progress is not None else warn(text)


def facts_before(base: Model) -> dict[str, Any]:
    """The facts of the base; what it was fine-tuned on is pretraining now."""
    facts = dict(base.facts)
    before = facts.pop("finetune", None)
    facts.pop("calibration", None)  # it is of the head, which is replaced
    if not base.is_language_model:
        earlier = {"task": base.network.task.name, "n_labels": len(base.labels or []), **(before or {})}
        facts["supervised"] = [*facts.get("supervised", []), earlier]
    return facts
