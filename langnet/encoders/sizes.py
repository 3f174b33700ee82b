"""How large every named encoder is, and how fast it trains on the machine at hand."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from langnet.encoders.encoder import Encoder
from langnet.encoders.family import Family
from langnet.encoders.registry import FAMILIES, find_family
from langnet.errors import LangnetError

_STEPS = 5


@dataclass(frozen=True)
class EncoderSize:
    """One named family and size.

    Attributes:
        family, size: the names.
        parameters: with the given vocabulary, tied ones once.
        layers: above the embeddings.
        width: D.
        context: tokens, or None where there is no limit.
        tokens_per_second: trained, where it was measured.
        note: why it was not.
    """

    family: str
    size: str
    parameters: int
    layers: int
    width: int
    context: int | None
    tokens_per_second: float | None = None
    note: str = ""


def encoder_sizes(vocabulary_size: int, family: str | None = None) -> list[EncoderSize]:
    """Every family and size, or those of one family; no memory is taken for weights.

    Args:
        vocabulary_size: V, which the embeddings have as many rows as.
        family: only this one.

    Raises:
        LangnetError: there is no such family.
    """
    families = list(FAMILIES.values()) if family is None else [find_family(family)]
    return [_size(found, name, vocabulary_size) for found in families for name in found.sizes]


def _size(family: Family, name: str, vocabulary_size: int) -> EncoderSize:
    with torch.device("meta"):
        encoder = family.encoder_class(family.make_config(name, vocabulary_size, None))
    parameters = encoder.n_parameters
    return EncoderSize(family.name, name, parameters, encoder.n_layers, encoder.dim, encoder.context)


def operations_per_second() -> float:
    """Multiplications and additions that this machine's CPU does a second in a matrix product of 512 by 512."""
    square, best = torch.ones(512, 512), 0.0  # (D, D)
    for _ in range(_STEPS):
        before = time.perf_counter()
        square @ square
        best = max(best, 2 * 512**3 / (time.perf_counter() - before))
    return best


def measure(
    found: EncoderSize, vocabulary_size: int, seconds: float, speed: float, batch_tokens: int = 256
) -> EncoderSize:
    """The same size with the tokens that it trains on a second: forward, loss and gradient, without the optimiser.

    Args:
        found: of `encoder_sizes`.
        vocabulary_size: V.
        seconds: stop after so many, but not before one step; an encoder that should take longer for one is not tried.
        speed: of `operations_per_second`.
        batch_tokens: tokens a step.
    """
    # Two operations a weight and token forward, four backward (Kaplan et al. 2020, section 2.1).
    expected = 6 * found.parameters * batch_tokens / speed
    if expected > seconds:
        return _with(found, None, f"over {seconds:g} s a step")
    family = find_family(found.family)
    config = family.make_config(found.size, vocabulary_size, None)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = family.encoder_class(config).train()
        length = min(batch_tokens, found.context or family.recipe.window)
        ids = torch.randint(5, vocabulary_size, (max(1, batch_tokens // length), length + 1))  # (B, T + 1)
        try:
            return _with(found, _rate(encoder, ids, seconds), "")
        except (LangnetError, IndexError, TypeError, ValueError, RuntimeError) as error:
            return _with(found, None, f"not measured: {str(error).splitlines()[0][:60]}")


def _with(found: EncoderSize, rate: float | None, note: str) -> EncoderSize:
    held: dict[str, Any] = {**vars(found), "tokens_per_second": rate, "note": note}
    return EncoderSize(**held)


def _rate(encoder: Encoder, ids: torch.Tensor, seconds: float) -> float:
    """Tokens a second over the steps after the first one, or of the first where there is no time for a second."""
    started = time.perf_counter()
    best = 0.0
    for _ in range(1 + _STEPS):
        before = time.perf_counter()
        encoder.zero_grad(set_to_none=True)
        logits = encoder.logits(encoder(ids[:, :-1]).top)  # (B, T, V)
        F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten()).backward()
        best = max(best, ids[:, 1:].numel() / (time.perf_counter() - before))
        if time.perf_counter() - started > seconds:
            break
    return best
