"""The encoder contract: token ids in, the hidden states of every layer out.

Word vectors, ELMo, AWD-LSTM and GPT all keep this contract, so that every task and every transfer method works on
each of them. Nothing else may be assumed of an encoder.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from langnet.errors import LangnetError


@dataclass
class Encoding:
    """What an encoder returns.

    Attributes:
        layers: one tensor (B, T, D) a layer, bottom to top; the first is the embeddings. The last has the encoder's
            width; those between may have others, `Encoder.layer_dims`.
        state: a recurrent state to pass into the next call, or None. Encoders never keep a state themselves. It is a
            tensor with a row's part in each row, or tuples and lists of such; of a bidirectional encoder anything.
    """

    layers: list[Tensor]
    state: Any = None

    @property
    def top(self) -> Tensor:
        """The last layer, (B, T, D)."""
        return self.layers[-1]


def rows_of_state(state: Any, rows: Tensor) -> Any:
    """The state of some of the rows, in the given order, each as often as it is named: rows (R,) int64."""
    if isinstance(state, tuple | list):
        return type(state)(rows_of_state(part, rows) for part in state)
    return state.index_select(0, rows)


class Encoder(nn.Module, ABC):
    """Base class of all encoders.

    Attributes:
        config: the frozen dataclass that rebuilds the encoder; JSON-serialisable fields only.
        dim: D, the width of the last layer.
        n_layers: the number of layers above the embeddings; `forward` returns `n_layers + 1` tensors.
        context: the longest T that one call accepts, or None where there is no limit.
        recurrent: whether the state holds all that was read, however long, in a fixed room: then a text can be read in
            pieces, and what the pieces give is what the whole would have given.
        characters: C, the most characters a word, where words are read as characters; None where ids are (B, T).
        predicts_next: whether there are `logits` and an `output_weight`; where not, as in word vectors, they raise a
            `LangnetError`.
        bidirectional: whether the first half of every layer above the embeddings has read what stands before a
            position, and the second half what stands after it. Both halves are then scored with `output_weight`.
        causal: whether a position's states hang on nothing that stands after it, unless a call of `forward` asks for
            another way.
    """

    config: Any
    dim: int
    n_layers: int
    context: int | None
    recurrent: bool = False
    predicts_next: bool = True
    characters: int | None = None
    bidirectional: bool = False
    causal: bool = True

    @abstractmethod
    def forward(
        self, ids: Tensor, mask: Tensor | None = None, state: Any = None, causal: bool | None = None
    ) -> Encoding:
        """Encode token ids.

        Args:
            ids: (B, T) int64 token ids, or (B, T, C) where words are read as characters.
            mask: (B, T) bool, True at real tokens; padding stands on the right. None means no padding.
            state: what an earlier call returned as `Encoding.state`, to go on from there.
            causal: True reads a position with what stands before it, False with both sides, by the same weights; None
                is the encoder's own way, `Encoder.causal`. Most encoders know only their own.

        Raises:
            LangnetError: the encoder cannot read in the way that was asked for.
        """

    @abstractmethod
    def logits(self, hidden: Tensor) -> Tensor:
        """Next-token scores of top-layer states: (..., D) to (..., V).

        A bidirectional encoder scores by their first half.
        """

    @abstractmethod
    def output_weight(self) -> Tensor:
        """The matrix behind `logits`, for losses that fuse the product with the cross-entropy.

        (V, D); of a bidirectional encoder (V, D / 2), for each half.
        """

    @abstractmethod
    def layer_groups(self) -> list[list[nn.Parameter]]:
        """Every parameter exactly once, grouped bottom (embeddings) to top, for layer-wise rates and unfreezing."""

    def output_bias(self) -> Tensor | None:
        """The bias (V,) behind `logits`; None where there is none."""
        return None

    def softmax_input(self, hidden: Tensor) -> Tensor:
        """What the softmax reads of top-layer states (B, T, D): themselves, but for a dropout in training."""
        return hidden

    def scale_dropout(self, scale: float) -> None:
        """Turn the dial that multiplies every dropout of the encoder.

        Raises:
            LangnetError: this encoder has no such dial.
        """
        raise LangnetError(f"dropout scale {scale:g}: this encoder has no such dial; leave it out, or use awd-lstm")

    def require_own_way(self, causal: bool | None) -> None:
        """Nothing, where `causal` asks for nothing else than the one way in which this encoder reads.

        Raises:
            LangnetError: it does.
        """
        if causal is not None and causal != self.causal:
            own, other = ("left to right", "both sides") if self.causal else ("both sides", "left to right")
            raise LangnetError(f"this encoder reads from {own}, not from {other}; a gpt reads in either way")

    @property
    def reading_of_probabilities(self) -> bool | None:
        """The `causal` of a `forward` whose softmax gives texts probabilities: nothing may be seen before it is said.

        True, also of weights that have learned to read from both sides as well; None of two halves, each of which
        keeps to its side.
        """
        return None if self.bidirectional else True

    @property
    def embedder(self) -> nn.Module:
        """What looks ids up or reads their characters, before positions and context: called once in `forward`.

        Its input is `ids`, or `ids` with time first; its output the same with a vector an id, (B, T, E) or (T, B, E).

        Raises:
            LangnetError: this encoder has no such part.
        """
        raise LangnetError(f"{type(self).__name__} does not say what its embeddings are")

    @property
    def layer_dims(self) -> tuple[int, ...]:
        """The width of each tensor of `Encoding.layers`."""
        return (self.dim,) * (self.n_layers + 1)

    @property
    def mixed_dim(self) -> int:
        """The width of a mix of all layers, in which narrower ones are padded with zeros."""
        return max(self.layer_dims)

    @property
    def n_parameters(self) -> int:
        """Number of parameters, tied ones counted once."""
        return sum(parameter.numel() for parameter in self.parameters())
