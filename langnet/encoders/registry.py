"""Every encoder by name: how its configuration is made from a size, and how it is rebuilt from a folder."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch

from langnet.encoders.encoder import Encoder
from langnet.encoders.gpt import FAMILIES as GPT_FAMILIES
from langnet.encoders.gpt import GPT, GPTConfig, gpt_config
from langnet.encoders.gpt import SIZES as GPT_SIZES
from langnet.errors import LangnetError

# Each family name, and the sizes that it comes in.
ENCODERS: dict[str, list[str]] = {family: list(GPT_SIZES) for family in GPT_FAMILIES}


def require_encoder(family: str, size: str) -> None:
    """Nothing, where there is such an encoder.

    Raises:
        LangnetError: no such family or size.
    """
    if family not in ENCODERS:
        raise LangnetError(f"there is no encoder '{family}'; choose one of {', '.join(ENCODERS)}")
    if size not in ENCODERS[family]:
        raise LangnetError(f"there is no size '{size}' of {family}; choose one of {', '.join(ENCODERS[family])}")


def build_encoder(family: str, size: str, vocabulary_size: int, seed: int, context: int | None = None) -> Encoder:
    """A new encoder with weights drawn from `seed`; the caller's random state is left alone.

    Raises:
        LangnetError: no such family or size.
    """
    require_encoder(family, size)
    config = gpt_config(family, size, vocabulary_size, context)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return GPT(config)


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
    family = fields.pop("family", None)
    if family not in ENCODERS:
        raise LangnetError(f"this model's encoder is '{family}', which this version of langnet does not know")
    try:
        return GPT(GPTConfig(**fields))
    except TypeError as error:
        raise LangnetError(f"this model's encoder configuration does not fit '{family}': {error}") from error
