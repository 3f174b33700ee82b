"""How fast a study goes, and whether what comes next still fits into its time."""

from __future__ import annotations

import math
import time

MARGIN = 1.15  # what is about to run may take so much longer than the last one of its kind
GROWTH = 1.2  # exponent of seconds over labels: fitting grows a little faster than the number of examples


class Pace:
    """Measured seconds of each method, and a limit for all of them together.

    Args:
        seconds: the limit, from now on; None has none.
    """

    def __init__(self, seconds: float | None):
        self.seconds, self.started = seconds, time.monotonic()
        self._measured: dict[str, tuple[int, float]] = {}

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    @property
    def left(self) -> float:
        """Seconds up to the limit; infinite without one."""
        return math.inf if self.seconds is None else max(0.0, self.seconds - self.elapsed)

    def measured(self, method: str, n_labels: int, seconds: float) -> None:
        """A run has ended."""
        self._measured[method] = (n_labels, seconds)

    def expected(self, method: str, n_labels: int, first: float) -> float:
        """Seconds of a run: as the method's last one, longer for more labels; `first` before there is one."""
        if method not in self._measured:
            return first
        labels, seconds = self._measured[method]
        return seconds * max(1.0, n_labels / labels) ** GROWTH

    def fits(self, seconds: float) -> bool:
        """Whether so much work would end before the limit."""
        return MARGIN * seconds <= self.left if self.seconds is not None else True
