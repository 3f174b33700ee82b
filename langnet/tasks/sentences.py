"""Sentences from sentence vectors: the sequential denoising autoencoder, and skip-thoughts.

Hill et al., "Learning Distributed Representations of Sentences from Unlabelled Data", 2016, section 3.1: a sentence is
written again after some of its words were dropped and some neighbours changed over. Kiros et al., "Skip-Thought
Vectors", 2015, section 2.1: two decoders write the sentences before and after.

What differs here: any encoder reads; the decoders are GRUs for both objectives; they read and score words by the
encoder's own softmax, so that only their recurrence is thrown away when the encoder is kept.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder, Encoding
from langnet.errors import LangnetError
from langnet.tasks.cross_entropy import linear_cross_entropy
from langnet.tasks.task import Task
from langnet.text.batches import Batch


def sentence_vector(encoder: Encoder, top: Tensor, mask: Tensor) -> Tensor:
    """The state that has read the whole sentence: (B, T, D), (B, T) to (B, D); of two directions each one's last."""
    rows = torch.arange(len(top), device=top.device)
    last = top[rows, (mask.sum(1) - 1).clamp_min(0)]  # (B, D)
    if not encoder.bidirectional:
        return last
    half = top.shape[-1] // 2
    return torch.cat([last[:, :half], top[:, 0, half:]], dim=1)  # (B, D)


class SentenceDecoder(nn.Module):
    """A GRU that writes a sentence; at every step it reads the word before and the vector that it is to follow.

    Feeding the vector in at every step is the conditioning of Kiros et al. 2015, equations 5 to 7. Words and vector are
    normalised first, since encoders differ in scale.

    Args:
        dim: D, the width of the vector.
        width: W, of the words that are read and of the states that are scored.
    """

    def __init__(self, dim: int, width: int):
        super().__init__()
        self.begin = nn.Parameter(torch.zeros(width))
        self.gru = nn.GRU(width + dim, width, batch_first=True)

    def forward(self, vector: Tensor, written: Tensor, words: Tensor) -> Tensor:
        """States (B, S, W) from which each token of `written` (B, S), -100 at padding, is predicted.

        Args:
            vector: (B, D).
            written: what is to be written.
            words: (V, W), the softmax matrix.
        """
        read = F.embedding(written[:, :-1].clamp_min(0), words)  # (B, S - 1, W)
        read = F.layer_norm(read, read.shape[-1:])
        read = torch.cat([self.begin.to(read.dtype).expand(len(read), 1, -1), read], dim=1)  # (B, S, W)
        vector = F.layer_norm(vector, vector.shape[-1:])[:, None].expand(-1, read.shape[1], -1)  # (B, S, D)
        states: Tensor = self.gru(torch.cat([read, vector.to(read.dtype)], dim=-1))[0]
        return states  # (B, S, W)


class SentenceTask(Task):
    """What both objectives share: decoders, which are made for a run of pretraining and thrown away after it.

    Attributes:
        longest: tokens of a sentence at most; a longer one is cut.
    """

    n_decoders: int

    def __init__(self, longest: int = 64):
        super().__init__()
        if longest < 2:
            raise LangnetError(f"a sentence of at most {longest} tokens holds nothing to predict; take 2 or more")
        self.longest = longest
        self.decoders = nn.ModuleList()

    def with_decoders(self, encoder: Encoder, seed: int) -> Self:
        """The task with new decoders for an encoder, their weights drawn from `seed`.

        Raises:
            LangnetError: the encoder has no softmax to write words with.
        """
        width = encoder.output_weight().shape[1]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.decoders.extend(SentenceDecoder(encoder.dim, width) for _ in range(self.n_decoders))
        return self

    @abstractmethod
    def written(self, batch: Batch) -> Sequence[Tensor]:
        """What each decoder is to write, (B, S) each, -100 where there is nothing."""

    def loss(self, encoder: Encoder, encoding: Encoding, batch: Batch) -> Tensor:
        if not len(self.decoders):
            raise LangnetError(f"the decoders of '{self.name}' were not kept with the model; pretrain anew to go on")
        vector = sentence_vector(encoder, encoding.top, batch.mask)  # (B, D)
        words, states, targets = encoder.output_weight(), [], []
        for decoder, written in zip(self.decoders, self.written(batch), strict=True):
            states.append(decoder(vector, written, words).flatten(0, 1))  # (B S, W)
            targets.append(written.flatten())  # (B S,)
        return linear_cross_entropy(torch.cat(states), words, torch.cat(targets), encoder.output_bias())


class DenoisingAutoencoder(SentenceTask):
    """Write a sentence again that was read with noise.

    Args:
        drop: probability that a token is dropped (Hill et al. 2016: p_o, 0.1).
        swap: probability that two neighbours change places (p_x, 0.1).
        longest: tokens of a sentence at most.
    """

    name = "denoising_autoencoder"
    n_decoders = 1

    def __init__(self, drop: float = 0.1, swap: float = 0.1, longest: int = 64):
        super().__init__(longest)
        for name, value in (("dropped", drop), ("swapped", swap)):
            if not 0 <= value < 1:
                raise LangnetError(f"the share of {name} tokens must be from 0 to below 1, not {value:g}")
        self.drop, self.swap = drop, swap

    def written(self, batch: Batch) -> Sequence[Tensor]:
        assert batch.targets is not None, "a noisy batch says what was read"
        return [batch.targets]

    def config(self) -> dict[str, Any]:
        return {"name": self.name, "drop": self.drop, "swap": self.swap, "longest": self.longest}


class SkipThoughts(SentenceTask):
    """Write the sentences before and after the one that was read."""

    name = "skip_thoughts"
    n_decoders = 2

    def written(self, batch: Batch) -> Sequence[Tensor]:
        assert batch.targets is not None, "a batch of sentences says what follows"
        assert batch.previous is not None, "a batch of sentences says what stands before"
        return [batch.previous, batch.targets]

    def config(self) -> dict[str, Any]:
        return {"name": self.name, "longest": self.longest}
