"""Learning-rate schedules: how large the rate is at each fraction of a run, as a factor of its peak.

A schedule sees only the fraction of the budget that is spent, so the same schedule serves a budget in tokens, steps or
minutes, and ends when the budget does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from langnet.errors import LangnetError

ScheduleName = Literal["constant", "linear", "cosine", "slanted-triangular", "trapezoid"]


@dataclass(frozen=True)
class ScheduleConfig:
    """A schedule by name.

    Attributes:
        name: `linear` and `cosine` fall to `floor` after the warm-up; `slanted-triangular` is ULMFiT's (Howard & Ruder
            2018, equation 3), where `warmup` is cut_frac and 1 / `floor` is ratio; `trapezoid` stays at the peak and
            falls during the last `decay` of the run.
        warmup: fraction of the run during which the rate rises linearly.
        floor: the factor at the end.
        decay: fraction of the run during which a trapezoid falls.
    """

    name: ScheduleName = "linear"
    warmup: float = 0.0
    floor: float = 0.0
    decay: float = 0.5

    def factor(self, fraction: float) -> float:
        """The factor on the peak rate when `fraction` (0 to 1) of the budget is spent.

        Raises:
            LangnetError: no schedule of this name.
        """
        if self.name not in SHAPES:
            raise LangnetError(f"there is no schedule '{self.name}'; choose one of {', '.join(SHAPES)}")
        fraction = min(max(fraction, 0.0), 1.0)
        if self.warmup > 0 and fraction < self.warmup:
            start = self.floor if self.name == "slanted-triangular" else 0.0
            return start + (1 - start) * fraction / self.warmup
        spent = (fraction - self.warmup) / (1 - self.warmup) if self.warmup < 1 else 1.0
        return self.floor + (1 - self.floor) * SHAPES[self.name](spent, self.decay)


def _trapezoid(spent: float, decay: float) -> float:
    return 1.0 if spent < 1 - decay else (1 - spent) / decay


# The fall from 1 to 0 after the warm-up, by the fraction of it that is spent and the trapezoid's decay.
SHAPES: dict[str, Callable[[float, float], float]] = {
    "constant": lambda spent, decay: 1.0,
    "linear": lambda spent, decay: 1 - spent,
    "cosine": lambda spent, decay: 0.5 * (1 + math.cos(math.pi * spent)),
    "slanted-triangular": lambda spent, decay: 1 - spent,
    "trapezoid": _trapezoid,
}


def named_schedule(name: ScheduleName) -> ScheduleConfig:
    """A schedule by name, as it is usual: a warm-up of a tenth, and the slanted triangle ends at 1 / 32 of its peak."""
    return ScheduleConfig(name, warmup=0.1, floor=1 / 32 if name == "slanted-triangular" else 0.0)
