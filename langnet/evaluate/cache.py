"""The continuous cache: what a text has said so far is likelier to be said again.

Grave, Joulin & Usunier, "Improving Neural Language Models with a Continuous Cache", 2016, section 3; AWD-LSTM's
"pointer" (Merity et al. 2017, section 6.2). Beside the softmax stands a distribution over the last N words: the word
that followed an earlier state h_i is as likely as that state resembles the one now, and the two are mixed:

    p(w) = (1 - lambda) p_softmax(w) + lambda sum_i [x_(i+1) = w] exp(theta h_t . h_i) / sum_i exp(theta h_t . h_i)

Nothing is trained, and any encoder of one direction will do. The cache begins empty with every document, where the
softmax stands alone; so a text's score does not depend on what was scored before it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from langnet.encoders.encoder import Encoder
from langnet.encoders.precision import exact, widest
from langnet.errors import LangnetError
from langnet.text.batches import IGNORED, Batch

_BLOCK = 256  # states whose similarities to the cache are held at once
_SCORES = 2**22  # numbers at once, where the cache is long


@dataclass(frozen=True)
class CacheOptions:
    """How the cache is mixed in; the defaults are those that Merity et al. 2017 published for WikiText-2.

    Attributes:
        window: N, how many tokens back it reaches.
        theta: how sharply states are told apart; 0 counts words alone. States of other encoders have other lengths, so
            that theta has to be chosen again, on validation text.
        weight: lambda, the share of the cache.
    """

    window: int = 3785
    theta: float = 0.662
    weight: float = 0.1279

    def __post_init__(self) -> None:
        if self.window < 1:
            raise LangnetError(f"a cache of {self.window} tokens holds nothing; take 1 or more, or leave it out")
        if not math.isfinite(self.theta) or self.theta < 0:
            raise LangnetError(f"the cache's theta must be 0 or more, not {self.theta:g}")
        if not 0 < self.weight < 1:
            raise LangnetError(f"the cache's lambda must be between 0 and 1, not {self.weight:g}")


class ContinuousCache:
    """The cache of one document after another, fed window by window.

    Args:
        window: N.
        theta: see `CacheOptions`.
    """

    def __init__(self, window: int, theta: float):
        self.window, self.theta = window, theta
        self._document = -1
        self._states, self._words = torch.zeros(0, 0), torch.zeros(0, dtype=torch.int64)  # (n, D), (n,)

    def probabilities(self, batch: Batch, hidden: Tensor) -> Tensor:
        """What the cache gives each target of scoring windows, (B, T); NaN where it is empty or nothing is scored.

        Args:
            batch: of `text.batches.document_windows`; a document's windows come one after another.
            hidden: (B, T, D) the states that the softmax reads.
        """
        assert batch.targets is not None, "windows need targets"
        assert batch.document is not None, "windows say of which document they are"
        found = torch.full(batch.targets.shape, math.nan, dtype=widest(hidden.device), device=hidden.device)  # (B, T)
        for row, document in enumerate(batch.document.tolist()):
            if document != self._document:
                self._document = document
                self._states, self._words = hidden.new_zeros(0, hidden.shape[-1]), batch.targets.new_zeros(0)
            scored = batch.targets[row] != IGNORED  # (T,)
            found[row, scored] = exact(self._look_up(hidden[row, scored], batch.targets[row, scored]))
        return found

    def _look_up(self, states: Tensor, words: Tensor) -> Tensor:
        """Probabilities (n,) of consecutive words (n,) behind states (n, D), each from what stands before it."""
        earlier, n = len(self._states), len(states)
        keys, values = torch.cat([self._states, states]).float(), torch.cat([self._words, words])  # (m, D), (m,)
        found = states.new_empty(n, dtype=torch.float32)
        block = max(16, min(_BLOCK, _SCORES // self.window))
        for start in range(0, n, block):
            end = min(start + block, n)
            low, high = max(0, earlier + start - self.window), earlier + end - 1
            now = torch.arange(earlier + start, earlier + end, device=states.device)[:, None]  # (b, 1)
            held = torch.arange(low, high, device=states.device)[None]  # (1, k)
            scores = self.theta * (keys[now[:, 0]] @ keys[low:high].T)  # (b, k)
            scores.masked_fill_((held >= now) | (held < now - self.window), -torch.inf)
            shares = scores.softmax(1)  # (b, k); NaN in a row that sees nothing
            hits = values[None, low:high] == words[start:end, None]  # (b, k)
            found[start:end] = torch.where(hits, shares, 0).sum(1)
            if earlier + start == 0:
                found[0] = torch.nan
        self._states, self._words = keys[-self.window :], values[-self.window :]
        return found


def mixed_losses(losses: Tensor, cached: Tensor, weight: float) -> Tensor:
    """Nats of each position under softmax and cache together.

    Args:
        losses: (...) of the softmax alone.
        cached: (...) probabilities that the cache gives the targets; NaN leaves the softmax alone.
        weight: lambda.
    """
    losses = exact(losses)
    both = -torch.logaddexp(math.log1p(-weight) - losses, cached.log() + math.log(weight))
    return torch.where(cached.isnan(), losses, both)


def require_one_direction(encoder: Encoder) -> None:
    """Nothing, where an encoder's states can be kept in a cache.

    Raises:
        LangnetError: it has read what it is to predict.
    """
    if encoder.bidirectional:
        raise LangnetError("a cache stands beside models of one direction; leave --cache-window out")
