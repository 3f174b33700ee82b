"""Every encoder by name, gathered from the architectures' files: built from a size, or rebuilt from a folder."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch

from langnet.encoders.awd_lstm import FAMILIES as AWD_LSTM_FAMILIES
from langnet.encoders.elmo import FAMILIES as ELMO_FAMILIES
from langnet.encoders.encoder import Encoder
from langnet.encoders.family import Family
from langnet.encoders.gpt import FAMILIES as GPT_FAMILIES
from langnet.encoders.vectors import FAMILY as VECTORS
from langnet.errors import LangnetError

FAMILIES: dict[str, Family] = {family.name: family for family in [*GPT_FAMILIES, *AWD_LSTM_FAMILIES, *ELMO_FAMILIES]}

# What folders hold beside them, and the loop does not pretrain.
_NOT_PRETRAINED: dict[str, Family] = {VECTORS.name: VECTORS}


def find_family(name: str) -> Family:
    """The family of this name.

    Raises:
        LangnetError: there is none.
    """
    if name in _NOT_PRETRAINED:
        raise LangnetError("word vectors are trained by a verb of their own: langnet vectors train")
    if name not in FAMILIES:
        raise LangnetError(f"there is no encoder '{name}'; choose one of {', '.join(FAMILIES)}")
    return FAMILIES[name]


def encoder_help() -> str:
    """The families' names, for the command line."""
    return f"{', '.join(FAMILIES)}."


def size_help() -> str:
    """The sizes that every family has, then those of single families, for the command line."""
    shared = [size for size in next(iter(FAMILIES.values())).sizes if all(size in f.sizes for f in FAMILIES.values())]
    own: dict[str, list[str]] = {}
    for family in FAMILIES.values():
        more = ", ".join(size for size in family.sizes if size not in shared)
        if more:
            own.setdefault(more, []).append(family.name)
    return "; ".join([", ".join(shared), *(f"{', '.join(names)} also {more}" for more, names in own.items())]) + "."


def build_encoder(family: str, size: str, vocabulary_size: int, seed: int, context: int | None = None) -> Encoder:
    """A new encoder with weights drawn from `seed`; the caller's random state is left alone.

    Raises:
        LangnetError: no such family or size.
    """
    found = find_family(family)
    found.require_size(size)
    config = found.make_config(size, vocabulary_size, context)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return found.encoder_class(config)


def build_encoder_like(encoder: Encoder, seed: int) -> Encoder:
    """The same architecture with new weights drawn from `seed`: the control that has learned nothing."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return type(encoder)(encoder.config)


def encoder_config(encoder: Encoder, family: str) -> dict[str, Any]:
    """What a model's folder says of its encoder."""
    return {"family": family, **asdict(encoder.config)}


def rebuild_encoder(config: dict[str, Any]) -> Encoder:
    """An encoder of a folder's configuration, its weights still to be loaded.

    Raises:
        LangnetError: the configuration is of an encoder that this version does not know.
    """
    fields = dict(config)
    name = fields.pop("family", None)
    known = FAMILIES | _NOT_PRETRAINED
    if name not in known:
        raise LangnetError(f"this model's encoder is '{name}', which this version of langnet does not know")
    family = known[name]
    try:
        return family.encoder_class(family.config_class(**fields))
    except TypeError as error:
        raise LangnetError(f"this model's encoder configuration does not fit '{name}': {error}") from error
