"""Sentences with words left out, hidden and moved a little, to be learned whole again (Lample et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from langnet.errors import LangnetError

BLANK = "\N{REPLACEMENT CHARACTER}"  # a sign that no vocabulary of words holds: it is read as an unknown word


@dataclass(frozen=True)
class NoiseOptions:
    """How much is changed.

    Attributes:
        drop: part of the words that are left out.
        blank: part of those left that are hidden.
        distance: how many places a word may move, k of section 2.3; 0 leaves the order.
    """

    drop: float = 0.1
    blank: float = 0.1
    distance: int = 3

    def __post_init__(self) -> None:
        for name in ("drop", "blank"):
            if not 0 <= getattr(self, name) < 1:
                raise LangnetError(
                    f"the part of words to {name} must be from 0 to below 1, not {getattr(self, name):g}"
                )
        if self.distance < 0:
            raise LangnetError(f"words can move by 0 or more places, not {self.distance}")


def noised(words: list[str], options: NoiseOptions, generator: np.random.Generator) -> list[str]:
    """The words changed; one at least is left of some."""
    kept = generator.random(len(words)) >= options.drop
    if len(words) and not kept.any():
        kept[generator.integers(len(words))] = True
    left = [word for word, stays in zip(words, kept, strict=True) if stays]
    hidden = generator.random(len(left)) < options.blank
    left = [BLANK if hide else word for word, hide in zip(left, hidden, strict=True)]
    # The order of i + u, u in [0, k + 1): nothing moves by more than k places.
    order = np.argsort(np.arange(len(left)) + generator.random(len(left)) * (options.distance + 1), kind="stable")
    return [left[i] for i in order]
