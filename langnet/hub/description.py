"""What a model's folder says of its network: the configuration that rebuilds it, and the table of its card."""

from __future__ import annotations

from typing import Any

from langnet.encoders.document_vectors import DocumentVectors
from langnet.encoders.registry import encoder_config
from langnet.evaluate.language_model import unknown_note
from langnet.text.tokenizer import Tokenizer
from langnet.transfer.features import ScalarMix
from langnet.transfer.model import TaskModel


def network_config(
    network: TaskModel, family: str, size: str | None, max_tokens: int, facts: dict[str, Any]
) -> dict[str, Any]:
    """The `config.json` of a network with one task.

    Args:
        network: encoder, mix and task.
        family: name of the encoder's family.
        size: the named size that the encoder has, if any.
        max_tokens: the most tokens of a document that are read.
        facts: what the recipes wrote down.
    """
    scores = facts.get("validation") or {}
    return {
        "family": family,
        "size": size,
        "parameters": n_parameters(network),
        "bits_per_byte": scores["bits_per_byte"] if scores.get("n_bytes") else None,
        "bits_note": unknown_note(scores.get("n_unknown", 0), scores.get("n_tokens", 0)) or None,
        "encoder": encoder_config(network.encoder, family),
        "task": network.task.config(),
        "scalar_mix": isinstance(network.mix, ScalarMix),
        "max_tokens": max_tokens,
        "facts": facts,
    }


def architecture(network: TaskModel, tokenizer: Tokenizer, space: DocumentVectors | None) -> dict[str, str]:
    """Names and values for the card's table."""
    encoder = network.encoder
    return {
        "parameters": f"{n_parameters(network):,}",
        "layers": f"{encoder.n_layers}",
        "width": f"{encoder.dim:,}",
        "context": f"{encoder.context:,} tokens" if encoder.context else "unlimited",
        "tokenizer": f"{tokenizer.kind}, {tokenizer.vocabulary_size:,} entries",
        "document vectors": f"{space.dim} dimensions, {len(space.buckets):,} terms" if space else "none",
    }


def n_parameters(network: TaskModel) -> int:
    """How many parameters the network has, tied ones counted once."""
    return sum(parameter.numel() for parameter in network.parameters())
