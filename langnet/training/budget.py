"""How long a run may take: tokens, steps or minutes."""

from __future__ import annotations

from dataclasses import dataclass

from langnet.errors import LangnetError


@dataclass(frozen=True)
class Budget:
    """Exactly one of three limits; the schedule ends when it does.

    Attributes:
        tokens: real tokens seen, padding not counted.
        steps: updates of the weights.
        minutes: wall-clock time inside the loop, validation included.
    """

    tokens: int | None = None
    steps: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.tokens, self.steps, self.minutes) if value is not None]
        if len(given) != 1:
            raise LangnetError("give exactly one budget: tokens, steps or minutes")
        if given[0] <= 0:
            raise LangnetError(f"a budget must be above zero, not {given[0]}")

    def fraction(self, tokens: int, steps: int, seconds: float) -> float:
        """The part of the budget that is spent, from 0 to 1."""
        if self.tokens is not None:
            spent = tokens / self.tokens
        elif self.steps is not None:
            spent = steps / self.steps
        else:
            spent = seconds / 60 / (self.minutes or 1)
        return min(spent, 1.0)

    def __str__(self) -> str:
        if self.tokens is not None:
            return f"{self.tokens:,} tokens"
        return f"{self.steps:,} steps" if self.steps is not None else f"{self.minutes:g} minutes"
