"""GPT: transformers, those published in 2018 and 2019 and today's recipe, from one set of blocks.

`gpt-2018` is the OpenAI transformer (Radford et al., "Improving Language Understanding by Generative Pre-Training",
2018): learned positions, LayerNorm after each residual sum (post-norm), GELU in its tanh form, biases, dropout 0.1,
weights drawn from N(0, 0.02), input and output embeddings tied.

`gpt-2` (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, section 2.3) normalises before
each sub-layer and once more after the last block, and draws the last matrix of each sub-layer narrower, by the square
root of their number.

`gpt` is what has been learned since: RMSNorm before each sub-layer (Zhang & Sennrich 2019; Xiong et al. 2020), rotary
positions (Su et al. 2021), normalised queries and keys (Henry et al. 2020), squared ReLU (So et al. 2021), no biases,
and output projections that start at zero, so that every block starts as the identity.

What differs here: narrow encoders draw their weights wider and learn at a higher rate; padding stands on the right,
where a causal model cannot see it; the same weights can read from both sides. `encoders/fused.py` serves CPUs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from langnet.encoders import fused
from langnet.encoders.encoder import Encoder, Encoding
from langnet.encoders.family import Family, Recipe
from langnet.errors import LangnetError

PUBLISHED_WIDTH = 768  # of the transformer of 2018 and the smallest of 2019


@dataclass(frozen=True)
class GPTConfig:
    """Everything that rebuilds a GPT.

    Attributes:
        vocabulary_size: V, the number of token ids.
        context: the longest sequence, in tokens.
        dim: D, the width of the hidden states.
        n_layers: number of blocks.
        n_heads: attention heads; must divide `dim`.
        feedforward: inner width of the feed-forward layers.
        dropout: on embeddings, attention weights and sub-layer outputs.
        norm: LayerNorm with gain and bias after each residual sum or before each sub-layer, or RMSNorm without
            parameters before each sub-layer.
        positions: a learned vector a position, or rotary.
        activation: of the feed-forward layers.
        normalise_queries_keys: RMSNorm on each head's queries and keys.
        zero_outputs: the last matrix of each sub-layer starts at zero.
        bias: whether linear layers have a bias.
        tie_embeddings: the softmax shares its matrix with the token embeddings.
        causal: whether a position attends to nothing after it where a call does not say otherwise.
    """

    vocabulary_size: int
    context: int = 256
    dim: int = 256
    n_layers: int = 4
    n_heads: int = 4
    feedforward: int = 1024
    dropout: float = 0.0
    norm: Literal["post-layer", "pre-layer", "pre-rms"] = "pre-rms"
    positions: Literal["learned", "rotary"] = "rotary"
    activation: Literal["gelu", "relu2"] = "relu2"
    normalise_queries_keys: bool = True
    zero_outputs: bool = True
    bias: bool = False
    tie_embeddings: bool = True
    causal: bool = True

    def __post_init__(self) -> None:
        if self.dim % self.n_heads:
            raise LangnetError(
                f"dim {self.dim} cannot be split into {self.n_heads} heads; choose a multiple of n_heads"
            )
        if self.positions == "rotary" and (self.dim // self.n_heads) % 2:
            raise LangnetError(f"rotary positions need an even head width, not {self.dim // self.n_heads}")


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2)), without a learned gain (Zhang & Sennrich 2019, equation 4)."""

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, fused.product_precision(x))  # (..., D)


def rms_norm(x: Tensor, precision: torch.dtype) -> Tensor:
    """Normalise the last dimension to a mean square of one; the result is rounded to `precision`."""
    return fused.rms_norm(x, precision) if fused.serves(x) else F.rms_norm(x, (x.shape[-1],)).to(precision)


def rotary_angles(length: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosines and sines of rotary positions 0 .. length-1 for heads of `width`: two tensors (T, width / 2)."""
    frequencies = 10_000.0 ** -(torch.arange(0, width, 2, device=device, dtype=torch.float32) / width)
    angles = torch.arange(length, device=device, dtype=torch.float32)[:, None] * frequencies  # (T, width / 2)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Rotate the halves of each head's vectors by their position: (B, H, T, width), Su et al. 2021, equation 34."""
    first, second = x.chunk(2, dim=-1)
    cosines, sines = cosines.to(x.dtype), sines.to(x.dtype)
    return torch.cat([first * cosines - second * sines, second * cosines + first * sines], dim=-1)  # (B, H, T, width)


Cache = tuple[Tensor, Tensor]  # keys and values, (B, H, P, width) each


class Sight(NamedTuple):
    """What the positions of one call see.

    Attributes:
        causal: nothing after themselves, or all that is real.
        mask: (B, T) of real tokens, read where it is not causal.
        past: keys and values of what went before, or None.
    """

    causal: bool
    mask: Tensor | None = None
    past: Cache | None = None


class Attention(nn.Module):
    """Self-attention over several heads (Vaswani et al. 2017, section 3.2), of the past or of both sides."""

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.config = config
        # Three matrices in one tensor: one product computes all, and Muon still orthogonalises each by itself.
        self.qkv = nn.Parameter(torch.empty(3, config.dim, config.dim))
        self.qkv_bias = nn.Parameter(torch.zeros(3 * config.dim)) if config.bias else None
        self.output = nn.Linear(config.dim, config.dim, bias=config.bias)

    def forward(self, x: Tensor, sight: Sight) -> tuple[Tensor, Cache]:
        """Attend: x (B, T, D), with what `sight` lets it see; also returns the keys and values."""
        past = sight.past
        B, T, D = x.shape
        start = 0 if past is None else past[0].shape[2]
        q, k, v = self._heads(F.linear(x, self.qkv.flatten(0, 1), self.qkv_bias), start)  # each (B, H, T, width)
        if past is not None:
            k, v = torch.cat([past[0], k], dim=2), torch.cat([past[1], v], dim=2)  # (B, H, P + T, width)
        dropout = self.config.dropout if self.training else 0.0
        if past is not None:
            visible = torch.ones(T, start + T, dtype=torch.bool, device=x.device).tril(start)  # (T, P + T)
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=visible, dropout_p=dropout)
        elif not sight.causal:
            real = None if sight.mask is None else sight.mask[:, None, None]  # (B, 1, 1, T)
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=real, dropout_p=dropout)  # (B, H, T, width)
        elif fused.serves(x) and not dropout and T <= fused.LONGEST:
            mixed = fused.causal_attention(q, k, v)  # (B, H, T, width)
        else:
            mixed = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)  # (B, H, T, width)
        return self.output(mixed.transpose(1, 2).reshape(B, T, D)), (k, v)  # (B, T, D)

    def _heads(self, qkv: Tensor, start: int) -> tuple[Tensor, ...]:
        """Queries, keys and values (B, H, T, width) of qkv (B, T, 3 D), whose first token has position `start`."""
        B, T, n_heads = qkv.shape[0], qkv.shape[1], self.config.n_heads
        width = self.config.dim // n_heads
        normalise, rotary = self.config.normalise_queries_keys, self.config.positions == "rotary"
        if rotary:
            cosines, sines = (part[start:] for part in rotary_angles(start + T, width, qkv.device))
        if normalise and rotary and fused.serves(qkv):
            return fused.normalised_heads(qkv, n_heads, cosines, sines).unbind(0)
        q, k, v = qkv.view(B, T, 3, n_heads, width).permute(2, 0, 3, 1, 4)
        if normalise:
            q, k = F.rms_norm(q, (width,)), F.rms_norm(k, (width,))
        if rotary:
            q, k = rotate(q, cosines, sines), rotate(k, cosines, sines)
        return q, k, v


class FeedForward(nn.Module):
    """Two linear layers with GELU (2018) or squared ReLU (So et al. 2021) between them, at every position."""

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.activation = config.activation
        self.inner = nn.Linear(config.dim, config.feedforward, bias=config.bias)
        self.output = nn.Linear(config.feedforward, config.dim, bias=config.bias)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.inner(x)  # (B, T, F)
        if self.activation == "gelu":
            inner = F.gelu(inner, approximate="tanh")
        else:
            inner = fused.squared_relu(inner) if not torch.compiler.is_exporting() else F.relu(inner).square()
        return self.output(inner)  # (B, T, D)


class Block(nn.Module):
    """Attention and feed-forward, each with a residual connection, normalised before or, in `gpt-2018`, after."""

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.post_norm = config.norm == "post-layer"
        self.attention = Attention(config)
        self.feedforward = FeedForward(config)
        self.norm1 = RMSNorm() if config.norm == "pre-rms" else nn.LayerNorm(config.dim)
        self.norm2 = RMSNorm() if config.norm == "pre-rms" else nn.LayerNorm(config.dim)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, sight: Sight) -> tuple[Tensor, Cache]:
        if self.post_norm:
            attended, present = self.attention(x, sight)
            x = self.norm1(x + self.dropout(attended))  # (B, T, D)
            return self.norm2(x + self.dropout(self.feedforward(x))), present
        attended, present = self.attention(self.norm1(x), sight)
        x = x + self.dropout(attended)  # (B, T, D)
        return x + self.dropout(self.feedforward(self.norm2(x))), present


class GPT(Encoder):
    """A transformer; the families differ only in their `GPTConfig`.

    Read from left to right, `Encoding.state` is the list of keys and values of each block, so that generation costs one
    position a token.
    """

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.config = config
        self.dim, self.n_layers, self.context = config.dim, config.n_layers, config.context
        self.causal = config.causal
        self.token_embedding = nn.Embedding(config.vocabulary_size, config.dim)
        learned = config.positions == "learned"
        self.position_embedding = nn.Embedding(config.context, config.dim) if learned else None
        self.embedding_dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.final_norm = nn.LayerNorm(config.dim) if config.norm == "pre-layer" else None
        self.softmax = None if config.tie_embeddings else nn.Linear(config.dim, config.vocabulary_size, bias=False)
        self._initialise()

    def _initialise(self) -> None:
        """Draw weights: N(0, 0.02) as published at 768 and wider, or scaled by fan-in with zero outputs.

        Narrower ones are drawn wider, so that a product keeps the scale that it has at 768: at 0.02 a post-norm encoder
        128 wide learns nothing but the words' frequencies for long.
        """
        std = 0.02 * max(1.0, PUBLISHED_WIDTH / self.config.dim) ** 0.5 if self.config.norm != "pre-rms" else 0.02
        for name, parameter in self.named_parameters():
            if parameter.dim() < 2:  # a bias, or a LayerNorm's gain, which stays at one
                if name.endswith("bias"):
                    nn.init.zeros_(parameter)
            elif name.endswith("output.weight") and self.config.zero_outputs:
                nn.init.zeros_(parameter)
            elif name.endswith("output.weight") and self.config.norm == "pre-layer":
                nn.init.normal_(parameter, std=std * (2 * self.config.n_layers) ** -0.5)
            elif "embedding" in name or self.config.norm != "pre-rms":
                nn.init.normal_(parameter, std=std)
            else:
                nn.init.normal_(parameter, std=self.config.dim**-0.5)

    def forward(
        self, ids: Tensor, mask: Tensor | None = None, state: Any = None, causal: bool | None = None
    ) -> Encoding:
        """Encode ids (B, T); read from left to right, `mask` only documents padding, which stands on the right.

        Raises:
            LangnetError: the sequence with its past is longer than `context`, or has a past and is to be read from
                both sides.
        """
        causal = self.causal if causal is None else causal
        if state is not None and not causal:
            raise LangnetError("what was read from both sides cannot be gone on with; read the whole text at once")
        start = 0 if state is None else state[0][0].shape[2]
        if start + ids.shape[1] > self.config.context:
            raise LangnetError(
                f"a sequence of {start + ids.shape[1]} tokens is longer than the encoder's context of "
                f"{self.config.context}; cut it into windows"
            )
        x = self.token_embedding(ids)  # (B, T, D)
        if self.position_embedding is not None:
            places = torch.arange(start, start + ids.shape[1], device=ids.device)  # (T,)
            x = x + self.position_embedding(places)  # (B, T, D)
        if self.config.norm == "pre-rms":
            x = rms_norm(x, x.dtype)  # the residual stream starts at unit scale, whatever the embeddings' scale
        x = self.embedding_dropout(x)
        layers, presents = [x], []
        for index, block in enumerate(self.blocks):
            x, present = block(x, Sight(causal, mask, None if state is None else state[index]))
            layers.append(x)
            presents.append(present)
        if self.config.norm == "pre-rms":  # post-norm blocks end in a norm of their own
            layers[-1] = rms_norm(x, x.dtype)  # (B, T, D)
        elif self.final_norm is not None:
            layers[-1] = self.final_norm(x)  # (B, T, D)
        return Encoding(layers, presents if causal and not self.training else None)

    def output_weight(self) -> Tensor:
        return self.token_embedding.weight if self.softmax is None else self.softmax.weight  # (V, D)

    def logits(self, hidden: Tensor) -> Tensor:
        return F.linear(hidden, self.output_weight())  # (..., V)

    @property
    def embedder(self) -> nn.Module:
        return self.token_embedding

    def layer_groups(self) -> list[list[nn.Parameter]]:
        bottom = [*self.token_embedding.parameters()]
        if self.position_embedding is not None:
            bottom += [*self.position_embedding.parameters()]
        groups = [bottom, *([*block.parameters()] for block in self.blocks)]
        if self.final_norm is not None:
            groups[-1] += [*self.final_norm.parameters()]
        if self.softmax is not None:
            groups[-1] += [*self.softmax.parameters()]
        return groups


SIZES: dict[str, dict[str, Any]] = {
    "tiny": {"n_layers": 2, "dim": 128, "n_heads": 2, "feedforward": 512, "context": 128},
    "mini": {"n_layers": 3, "dim": 192, "n_heads": 3, "feedforward": 768, "context": 256},
    "small": {"n_layers": 4, "dim": 256, "n_heads": 4, "feedforward": 1024, "context": 256},
    "medium": {"n_layers": 6, "dim": 384, "n_heads": 6, "feedforward": 1536, "context": 256},
    "large": {"n_layers": 8, "dim": 512, "n_heads": 8, "feedforward": 2048, "context": 512},
    "base": {"n_layers": 12, "dim": 768, "n_heads": 12, "feedforward": 3072, "context": 512},
}

# Those that were published as GPT-2; the paper's table 2 gives the sizes, its counts of parameters are too low.
SIZES_2: dict[str, dict[str, Any]] = {
    **SIZES,
    "124m": {"n_layers": 12, "dim": 768, "n_heads": 12, "feedforward": 3072, "context": 1024},
    "355m": {"n_layers": 24, "dim": 1024, "n_heads": 16, "feedforward": 4096, "context": 1024},
    "774m": {"n_layers": 36, "dim": 1280, "n_heads": 20, "feedforward": 5120, "context": 1024},
    "1558m": {"n_layers": 48, "dim": 1600, "n_heads": 25, "feedforward": 6400, "context": 1024},
}

PUBLISHED_2018: dict[str, Any] = {
    "dropout": 0.1,
    "norm": "post-layer",
    "positions": "learned",
    "activation": "gelu",
    "normalise_queries_keys": False,
    "zero_outputs": False,
    "bias": True,
}

PUBLISHED_2: dict[str, Any] = {**PUBLISHED_2018, "norm": "pre-layer"}


def _config(
    sizes: dict[str, dict[str, Any]], fixed: dict[str, Any], size: str, vocabulary_size: int, context: int | None
) -> GPTConfig:
    config = GPTConfig(vocabulary_size=vocabulary_size, **{**sizes[size], **fixed})
    return replace(config, context=context) if context else config


FAMILIES: list[Family] = [
    Family(
        "gpt",
        "a causal transformer by today's recipe",
        GPT,
        GPTConfig,
        SIZES,
        partial(_config, SIZES, {}),
        Recipe("muon", 2e-3, betas=(0.9, 0.95), schedule="trapezoid", warmup=0.02, decay=0.6),
    ),
    Family(
        "gpt-2018",
        "the transformer of Radford et al. 2018",
        GPT,
        GPTConfig,
        SIZES,
        partial(_config, SIZES, PUBLISHED_2018),
        Recipe(
            "adamw",
            2.5e-4,
            rate_width=PUBLISHED_WIDTH,
            betas=(0.9, 0.98),
            schedule="cosine",
            warmup=0.02,
            batch_tokens=2048,
        ),
    ),
    Family(
        "gpt-2",
        "the transformer of Radford et al. 2019",
        GPT,
        GPTConfig,
        SIZES_2,
        partial(_config, SIZES_2, PUBLISHED_2),
        # The paper tells no rates; these are of Brown et al. 2020, table 2.1 and appendix B.
        Recipe(
            "adamw",
            6e-4,
            rate_width=PUBLISHED_WIDTH,
            betas=(0.9, 0.95),
            weight_decay=0.1,
            schedule="cosine",
            warmup=0.02,
            batch_tokens=2048,
        ),
    ),
]
