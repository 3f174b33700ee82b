"""How transformers names and shapes the weights of OpenAI GPT and GPT-2, as data for import and export.

Its linear layers keep their matrices transposed (inputs by outputs), and queries, keys and values side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from langnet.encoders.gpt import GPT, PUBLISHED_2, PUBLISHED_2018, SIZES, SIZES_2, GPTConfig

How = Literal["same", "transposed", "thirds"]


@dataclass(frozen=True)
class Layout:
    """One architecture of transformers.

    Attributes:
        family: of langnet.
        model_type: in config.json.
        architecture: class of the language model.
        activation: name of the activation's field in config.json.
        tokens, positions: names of the two embeddings.
        fixed: fields of `GPTConfig` that the architecture fixes.
        sizes: named sizes.
    """

    family: str
    model_type: str
    architecture: str
    activation: str
    tokens: str
    positions: str
    fixed: dict[str, Any]
    sizes: dict[str, dict[str, Any]]


LAYOUTS = (
    Layout(
        "gpt-2018", "openai-gpt", "OpenAIGPTLMHeadModel", "afn",
        "tokens_embed.weight", "positions_embed.weight", PUBLISHED_2018, SIZES,
    ),
    Layout("gpt-2", "gpt2", "GPT2LMHeadModel", "activation_function", "wte.weight", "wpe.weight", PUBLISHED_2, SIZES_2),
)  # fmt: skip
PREFIX = "transformer."
SOFTMAX = "lm_head.weight"

_BLOCK: tuple[tuple[str, str, How], ...] = (
    ("attention.qkv", "attn.c_attn.weight", "thirds"),
    ("attention.qkv_bias", "attn.c_attn.bias", "same"),
    ("attention.output.weight", "attn.c_proj.weight", "transposed"),
    ("attention.output.bias", "attn.c_proj.bias", "same"),
    ("norm1.weight", "ln_1.weight", "same"),
    ("norm1.bias", "ln_1.bias", "same"),
    ("feedforward.inner.weight", "mlp.c_fc.weight", "transposed"),
    ("feedforward.inner.bias", "mlp.c_fc.bias", "same"),
    ("feedforward.output.weight", "mlp.c_proj.weight", "transposed"),
    ("feedforward.output.bias", "mlp.c_proj.bias", "same"),
    ("norm2.weight", "ln_2.weight", "same"),
    ("norm2.bias", "ln_2.bias", "same"),
)


@dataclass(frozen=True)
class Row:
    """One weight: its name here and there, its shape there, and what turns one into the other."""

    ours: str
    theirs: str
    shape: tuple[int, ...]
    how: How

    def to_ours(self, tensor: Tensor) -> Tensor:
        """The weight as langnet keeps it."""
        if self.how == "same":
            return tensor
        if self.how == "transposed":
            return tensor.T.contiguous()
        return tensor.T.reshape(3, self.shape[0], self.shape[0]).contiguous()  # (3, D, D)

    def to_theirs(self, tensor: Tensor) -> Tensor:
        """The weight as transformers keeps it."""
        if self.how == "same":
            return tensor.contiguous()
        return (tensor.flatten(0, 1) if self.how == "thirds" else tensor).T.contiguous()


def find_layout(family: str) -> Layout | None:
    """The layout of a family, or None where transformers has no such architecture."""
    return next((layout for layout in LAYOUTS if layout.family == family), None)


def rows_of(layout: Layout, config: GPTConfig) -> list[Row]:
    """Every weight but the softmax, without the prefix that language models put before each."""
    D, F = config.dim, config.feedforward
    shapes = {
        "attn.c_attn.weight": (D, 3 * D), "attn.c_attn.bias": (3 * D,), "attn.c_proj.weight": (D, D),
        "mlp.c_fc.weight": (D, F), "mlp.c_fc.bias": (F,), "mlp.c_proj.weight": (F, D),
    }  # fmt: skip
    rows = [
        Row("token_embedding.weight", layout.tokens, (config.vocabulary_size, D), "same"),
        Row("position_embedding.weight", layout.positions, (config.context, D), "same"),
    ]
    for index in range(config.n_layers):
        rows += [
            Row(f"blocks.{index}.{ours}", f"h.{index}.{theirs}", shapes.get(theirs, (D,)), how)
            for ours, theirs, how in _BLOCK
        ]
    if config.norm == "pre-layer":
        rows += [Row(f"final_norm.{kind}", f"ln_f.{kind}", (D,), "same") for kind in ("weight", "bias")]
    return rows


def fits(layout: Layout, encoder: GPT) -> bool:
    """Whether an encoder is what the layout's architecture computes, and not merely called so."""
    ignored = {"dropout"}
    return all(getattr(encoder.config, name) == value for name, value in layout.fixed.items() if name not in ignored)


def named_size(layout: Layout, config: GPTConfig) -> str | None:
    """The named size of a configuration, if it has one."""
    for name, values in layout.sizes.items():
        if all(getattr(config, field) == value for field, value in values.items()):
            return name
    return None
