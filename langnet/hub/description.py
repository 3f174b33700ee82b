"""What a model's folder says of its network: the configuration that rebuilds it, and the table of its card."""

from __future__ import annotations

from typing import Any

from langnet.encoders.document_vectors import DocumentVectors
from langnet.encoders.encoder import Encoder
from langnet.encoders.registry import encoder_config
from langnet.evaluate.language_model import unknown_note
from langnet.text.tokenizer import Tokenizer
from langnet.transfer.features import ScalarMix
from langnet.transfer.model import TaskModel

# What the recipes call the held-out losses of objectives that give texts no probability.
OBJECTIVE_LOSSES = ("masked_loss", "reconstruction_loss", "neighbour_loss")
_DIRECTIONS = {
    "forward": "forward",
    "backward": "backward: every text from its end to its beginning",
    "both": "in both directions",
}


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
        "bits_per_byte": scores.get("bits_per_byte") if scores.get("n_bytes") else None,
        "bits_note": unknown_note(scores.get("n_unknown", 0), scores.get("n_tokens", 0)) or None,
        "encoder": encoder_config(network.encoder, family),
        "task": network.task.config(),
        "scalar_mix": isinstance(network.mix, ScalarMix),
        "max_tokens": max_tokens,
        "facts": facts,
    }


def held_out_line(scores: dict[str, Any]) -> str:
    """What a new model reached on the text that was held out, in one line."""
    parts = []
    if scores.get("n_bytes"):
        parts.append(f"{scores['bits_per_byte']:.3f} bits per byte" + _within(scores.get("interval")))
        parts.append(f"perplexity {scores['perplexity']:,.1f} on {scores['n_documents']:,} held-out texts")
        note = unknown_note(scores.get("n_unknown", 0), scores["n_tokens"])
        parts[-1] += f" ({note})" if note else ""
    for name in OBJECTIVE_LOSSES:
        if scores.get(f"{name}_tokens"):
            loss = f"{name.replace('_', ' ')} {scores[name]:.3f} nats a token" + _within(scores[f"{name}_interval"])
            parts.append(f"{loss} on {scores[f'{name}_tokens']:,} held-out tokens")
    return ", ".join(parts) or "nothing was held out, so nothing is known of it"


def forgetting_line(facts: dict[str, Any]) -> str:
    """What a transfer or an adaptation did to the bits per byte of a text, in one line; empty where nothing was asked.

    Args:
        facts: of the model.
    """
    found = (facts.get("finetune") or {}).get("forgetting") or facts.get("forgetting")
    if not found:
        return ""
    before, after = found["before"], found["after"]
    unknown = max(unknown_note(one.get("n_unknown", 0), one["n_tokens"]) for one in (before, after))
    n = before["n_documents"]
    return (
        f"{before['bits_per_byte']:.3f} bits per byte before and {after['bits_per_byte']:.3f} after "
        f"({found['change']:+.3f}{_within(found['interval'])}) on {n:,} {'text' if n == 1 else 'texts'} of "
        f"{', '.join(found['sources'])}" + (f"; {unknown}" if unknown else "")
    )


def seeds_line(facts: dict[str, Any]) -> str:
    """What the runs of a transfer reached, each of a seed, in one line; empty where there was one.

    Args:
        facts: of the model.
    """
    found = (facts.get("finetune") or {}).get("seeds")
    if not found:
        return ""
    told = []
    for run in found["runs"]:
        line = f"seed {run['seed']} {run['score']:.3f}"
        if run["held_out"]:
            name, value = next(iter(run["held_out"].items()))
            line += f", held out {name} {value:.3f}"
        told.append(line + (" (degenerate)" if run["degenerate"] else ""))
    by = "best on held-out items" if found["by_held_out"] else "median training loss of the sound runs"
    plain = found["runs"][0]["neighbour"]
    return (
        f"{len(found['runs'])} runs, {found['score']} on the items learned from: {'; '.join(told)}; "
        f"{found['neighbour']} {plain:.3f}; kept: seed {found['kept']}, {by}"
    )


def _within(interval: list[float] | None) -> str:
    return " [{:.3f}, {:.3f}]".format(*interval) if interval else ""


def direction_of(encoder: Encoder, tokenizer: Tokenizer) -> str:
    """In which a model reads texts: `forward`, `backward` (from their end), or `both`."""
    return "both" if encoder.bidirectional else tokenizer.direction


def architecture(network: TaskModel, tokenizer: Tokenizer, space: DocumentVectors | None) -> dict[str, str]:
    """Names and values for the card's table."""
    encoder = network.encoder
    return {
        "parameters": f"{n_parameters(network):,}",
        "layers": f"{encoder.n_layers}" + (" in each direction" if encoder.bidirectional else ""),
        "width": f"{encoder.dim:,}",
        **({"reads": _DIRECTIONS[direction_of(encoder, tokenizer)]} if encoder.n_layers else {}),
        "context": f"{encoder.context:,} tokens" if encoder.context else "unlimited",
        "tokenizer": f"{tokenizer.kind}, {tokenizer.vocabulary_size:,} entries",
        "document vectors": f"{space.dim} dimensions, {len(space.buckets):,} terms" if space else "none",
    }


def n_parameters(network: TaskModel) -> int:
    """How many parameters the network has, tied ones counted once."""
    return sum(parameter.numel() for parameter in network.parameters())
