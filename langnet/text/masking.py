"""Text with hidden tokens, which a model is to guess from both sides (Devlin et al. 2018, section 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
import torch

from langnet.errors import LangnetError
from langnet.text.batches import IGNORED, Batch
from langnet.text.tokenizer import Tokenizer, word_spans

REPLACED, EXCHANGED = 0.8, 0.1  # of the chosen tokens: those behind a mask, and those behind another token
Hide = Literal["word", "token"]
NO_WORD = -1  # the word of special tokens; those between words count down from here
_PURPOSE = 1  # keeps these draws apart from others of the same seed and step


@dataclass(frozen=True)
class MaskOptions:
    """Which tokens are hidden, and where they are asked for.

    Attributes:
        share: part of the tokens that is to be guessed; special tokens never are.
        shifted: a token is asked for one place to its left, where a causal model predicts it too (Charpentier & Samuel
            2024: masked next-token prediction), instead of at its own place.
        causal_share: part of the batches that stay whole and are read from left to right.
    """

    share: float = 0.15
    shifted: bool = False
    causal_share: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise LangnetError(f"the share of masked tokens must be above 0 and below 1, not {self.share:g}")
        if not 0 <= self.causal_share < 1:
            raise LangnetError(f"the share of causal batches must be from 0 to below 1, not {self.causal_share:g}")


class _Batches(Protocol):
    def batch(self, step: int) -> Batch: ...


class MaskedBatches:
    """Language-model batches with hidden tokens, a function of seed and step alone.

    Args:
        batches: windows of text that stand alone; of their targets only causal batches make use.
        tokenizer: with a mask.
        options: how much is hidden.
        seed: of what is hidden.

    Raises:
        LangnetError: the tokenizer has no mask.
    """

    def __init__(self, batches: _Batches, tokenizer: Tokenizer, options: MaskOptions, seed: int):
        self.batches, self.options, self.seed = batches, options, seed
        self.mask_id = mask_of(tokenizer)
        self.special = np.array(sorted(tokenizer.special_ids))
        self.ordinary = np.setdiff1d(np.arange(tokenizer.vocabulary_size), self.special)

    def batch(self, step: int) -> Batch:
        """The batch of a step: ids with hidden tokens, and the hidden ones as targets."""
        batch = self.batches.batch(step)
        share = self.options.causal_share
        if int((step + 1) * share) > int(step * share):
            return replace(batch, causal=True)
        generator = np.random.default_rng([self.seed, step, _PURPOSE])
        ids = batch.ids.numpy()
        chosen = (generator.random(ids.shape) < self.options.share) & batch.mask.numpy() & ~np.isin(ids, self.special)
        targets = hidden_targets(ids, chosen, self.options.shifted)
        return replace(
            batch,
            ids=torch.from_numpy(self._hide(ids, chosen, generator)),
            targets=torch.from_numpy(targets),
            causal=False if self.options.shifted else None,
        )

    def _hide(self, ids: np.ndarray, chosen: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Ids (B, T) whose chosen tokens are masked, exchanged for any other, or left as they are."""
        fate = generator.random(ids.shape)
        others = self.ordinary[generator.integers(len(self.ordinary), size=ids.shape)]
        out = np.where(chosen & (fate < REPLACED), self.mask_id, ids)
        return np.where(chosen & (fate >= REPLACED) & (fate < REPLACED + EXCHANGED), others, out)


def mask_of(tokenizer: Tokenizer) -> int:
    """The id of the mask.

    Raises:
        LangnetError: the tokenizer has none.
    """
    if tokenizer.mask_id is None:
        raise LangnetError("this model's tokenizer has no <mask>; pretrain a model with --objective masked")
    return tokenizer.mask_id


def hidden_targets(ids: np.ndarray, chosen: np.ndarray, shifted: bool) -> np.ndarray:
    """What is to be guessed at each place (B, T): the chosen tokens, at their places or one to the left; else -100."""
    targets = np.where(chosen, ids, IGNORED)
    if not shifted:
        return targets
    return np.concatenate([targets[:, 1:], np.full((len(ids), 1), IGNORED)], axis=1)


def every_token_once(row: np.ndarray, special_ids: Sequence[int], distance: int) -> np.ndarray:
    """Which tokens (distance, T) of a row (T,) are hidden in each of `distance` passes, so that each is once.

    Hidden tokens stand `distance` apart, so that as much is seen around them as with a share of 1 / `distance`.
    """
    places = np.arange(len(row)) % distance == np.arange(distance)[:, None]  # (distance, T)
    found: np.ndarray = places & ~np.isin(row, list(special_ids))
    return found


def words_of_tokens(text: str, places: np.ndarray) -> np.ndarray:
    """Which word of a text each of its tokens belongs to, (T,).

    Words are those of `text.tokenizer.word_spans`, so they hang on no tokenizer. What stands in none, such as a line
    break, is told apart by negative numbers.

    Args:
        text: in NFC.
        places: (T, 2) the characters that each token stands for.
    """
    spans = np.array(word_spans(text), dtype=np.int64).reshape(-1, 2)
    last = places[:, 1] - 1  # since the blank before a word often stands in its first token
    found = np.searchsorted(spans[:, 0], last, side="right") - 1
    within = (found >= 0) & (last < np.append(spans[:, 1], 0)[found])
    return np.where(within, found, NO_WORD - 1 - places[:, 0])


def one_after_another(words: np.ndarray, asked: np.ndarray, hide: Hide) -> np.ndarray:
    """Which tokens (N, T) are hidden when each of N is asked for by itself.

    `token` hides it alone (Salazar et al. 2020). `word` hides with it what follows in its word, from which a rare
    word's first tokens would be too easy to guess (Kauf & Ivanova 2023: PLL-word-l2r).

    Args:
        words: (T,) as of `words_of_tokens`.
        asked: (N,) places.
        hide: which.
    """
    places = np.arange(len(words))
    alone: np.ndarray = places == asked[:, None]  # (N, T)
    if hide == "token":
        return alone
    return alone | ((words == words[asked, None]) & (places > asked[:, None]))
