"""A family of encoders as data: what it is made of, the sizes it comes in, and how it is pretrained.

Every architecture's file ends in its `FAMILIES`; `encoders/registry.py` gathers them, and nothing else lists them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.text.tokenizer import DIRECTIONS

Reading = Literal["own", "both", "two-way"]


@dataclass(frozen=True)
class Recipe:
    """How a family is pretrained where the user leaves it open; plain values, since training comes after encoders.

    Attributes:
        optimizer: `adamw`, `muon` or `adagrad`.
        learning_rate: peak rate of AdamW.
        rate_width: D at which `learning_rate` was published; a narrower encoder takes a proportionally higher rate.
            None keeps the rate whatever the width.
        betas: AdamW's.
        weight_decay: decoupled.
        schedule: name of the schedule, see `transfer.schedule`.
        warmup: fraction of the run during which the rate rises.
        decay: fraction of the run during which a trapezoid falls.
        clip: largest gradient norm.
        validations: how many there are in a run.
        objective: the pretraining task: its name and settings, as its `config()` has them.
        layout: `windows` of the text in random order, each by itself, or `streams` that go on from batch to batch, the
            encoder's state with them.
        batch_tokens: tokens an update.
        window: tokens a row where the encoder's context has no limit.
        tokenizer: what a token is where the user does not say.
        spell: whether words are read as characters, so that those of unknown words are kept.
    """

    optimizer: Literal["adamw", "muon", "adagrad"] = "adamw"
    learning_rate: float = 2e-3
    rate_width: int | None = None
    betas: tuple[float, float] = (0.9, 0.95)
    weight_decay: float = 0.01
    schedule: Literal["constant", "linear", "cosine", "slanted-triangular", "trapezoid"] = "trapezoid"
    warmup: float = 0.02
    decay: float = 0.6
    clip: float = 1.0
    validations: int = 10
    objective: dict[str, Any] = field(default_factory=lambda: {"name": "language_model"})
    layout: Literal["windows", "streams"] = "windows"
    batch_tokens: int = 4096
    window: int = 256
    tokenizer: Literal["bpe", "unigram", "words", "characters", "bytes"] = "bpe"
    spell: bool = False

    def rate(self, dim: int) -> float:
        """The peak learning rate of an encoder of width `dim`."""
        return self.learning_rate * (self.rate_width / dim if self.rate_width else 1.0)


@dataclass(frozen=True)
class Family:
    """One kind of encoder under one name.

    Attributes:
        name: of the family, as users give it.
        summary: one line: what it is, and of which paper.
        encoder_class: built from one configuration and nothing else.
        config_class: the frozen dataclass that a folder's `config.json` is read into.
        sizes: each named size's fields of the configuration; fields that the family fixes need not be among them.
        make_config: from a size's name, the vocabulary's size V, and a context or None for the size's own.
        recipe: how it is pretrained.
    """

    name: str
    summary: str
    encoder_class: Callable[[Any], Encoder]
    config_class: Callable[..., Any]
    sizes: dict[str, dict[str, Any]]
    make_config: Callable[[str, int, int | None], Any]
    recipe: Recipe

    def require_size(self, size: str) -> None:
        """Nothing, where the family has the size.

        Raises:
            LangnetError: it has not.
        """
        if size not in self.sizes:
            raise LangnetError(f"there is no size '{size}' of {self.name}; choose one of {', '.join(self.sizes)}")

    @property
    def bidirectional(self) -> bool:
        """Whether the family itself reads in both directions, as ELMo does."""
        return bool(getattr(self.encoder_class, "bidirectional", False))

    @property
    def reads_either_way(self) -> bool:
        """Whether the same weights read from the left or from both sides, as attention can."""
        return any(part.name == "causal" for part in fields(self.config_class))  # type: ignore[arg-type]

    def require_reading(self, reading: Reading) -> None:
        """Nothing, where the family can read so; see `encoders.registry.build_encoder`.

        Raises:
            LangnetError: it cannot.
        """
        if reading == "both" and not self.reads_either_way:
            raise LangnetError(f"{self.name} cannot attend to both sides of a word; a gpt can")
        if reading == "two-way" and self.bidirectional:
            raise LangnetError(f"{self.name} reads in both directions already, so it is not doubled")

    def require_direction(self, direction: str) -> None:
        """Nothing, where the family can read texts in this direction.

        Raises:
            LangnetError: there is no such direction, or the family has both at once.
        """
        if direction not in DIRECTIONS:
            raise LangnetError(f"there is no direction '{direction}'; choose {' or '.join(DIRECTIONS)}")
        if direction == "backward" and self.bidirectional:
            raise LangnetError(f"{self.name} reads texts in both directions at once; leave --direction out")
