"""Every encoder by name, gathered from the architectures' files: built from a size, or rebuilt from a folder."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import torch

from langnet.encoders.awd_lstm import FAMILIES as AWD_LSTM_FAMILIES
from langnet.encoders.elmo import FAMILIES as ELMO_FAMILIES
from langnet.encoders.encoder import Encoder
from langnet.encoders.family import Family, Reading
from langnet.encoders.gpt import FAMILIES as GPT_FAMILIES
from langnet.encoders.two_way import TwoWay, TwoWayConfig
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


def size_help() -> str:
    """The sizes that every family has, then those of single families, for the command line."""
    shared = [size for size in next(iter(FAMILIES.values())).sizes if all(size in f.sizes for f in FAMILIES.values())]
    own: dict[str, list[str]] = {}
    for family in FAMILIES.values():
        more = ", ".join(size for size in family.sizes if size not in shared)
        if more:
            own.setdefault(more, []).append(family.name)
    return "; ".join([", ".join(shared), *(f"{', '.join(names)} also {more}" for more, names in own.items())]) + "."


def build_encoder(
    family: str,
    size: str,
    vocabulary_size: int,
    seed: int,
    context: int | None = None,
    reading: Reading = "own",
) -> Encoder:
    """A new encoder with weights drawn from `seed`; the caller's random state is left alone.

    Args:
        family, size: the names.
        vocabulary_size: V.
        seed: of the weights.
        context: None takes the size's own.
        reading: `own` as the family does; `both` attends to both sides, where the family can; `two-way` is two
            encoders of the family, one for each direction.

    Raises:
        LangnetError: no such family or size, or the family cannot read so.
    """
    found = find_family(family)
    found.require_size(size)
    found.require_reading(reading)
    config = found.make_config(size, vocabulary_size, context)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if reading == "two-way":
            return TwoWay(TwoWayConfig(config))
        return found.encoder_class(replace(config, causal=False) if reading == "both" else config)


def build_encoder_like(encoder: Encoder, seed: int) -> Encoder:
    """The same architecture with new weights drawn from `seed`: the control that has learned nothing."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return type(encoder)(encoder.config)


def encoder_config(encoder: Encoder, family: str) -> dict[str, Any]:
    """What a model's folder says of its encoder."""
    if isinstance(encoder, TwoWay):
        return {"family": family, "two_way": True, **asdict(encoder.config.one_way)}
    return {"family": family, **asdict(encoder.config)}


def rebuild_encoder(config: dict[str, Any]) -> Encoder:
    """An encoder of a folder's configuration, its weights still to be loaded.

    Raises:
        LangnetError: the configuration is of an encoder that this version does not know.
    """
    fields = dict(config)
    name, two_way = fields.pop("family", None), fields.pop("two_way", False)
    known = FAMILIES | _NOT_PRETRAINED
    if name not in known:
        raise LangnetError(f"this model's encoder is '{name}', which this version of langnet does not know")
    family = known[name]
    try:
        held = family.config_class(**fields)
        return TwoWay(TwoWayConfig(held)) if two_way else family.encoder_class(held)
    except TypeError as error:
        raise LangnetError(f"this model's encoder configuration does not fit '{name}': {error}") from error
