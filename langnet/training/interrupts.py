"""Ctrl-C that waits for the end of a step, so that the checkpoint it leaves is one of a whole step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass
class Interrupts:
    """Whether Ctrl-C was pressed since."""

    asked: bool = False


@contextmanager
def interrupts_held(patient: bool = False) -> Iterator[Interrupts]:
    """Hold the first Ctrl-C back, for the caller to look at; a second is not held.

    Outside of the main thread, where signals do not arrive, nothing is held.

    Args:
        patient: hold any number back. Where several processes work together, one Ctrl-C may arrive twice, from the
            terminal and from what started them; and one that ends in the middle of a step leaves the others waiting.
    """
    found = Interrupts()

    def hold(number: int, frame: Any) -> None:
        if found.asked and not patient:
            raise KeyboardInterrupt
        found.asked = True

    if threading.current_thread() is not threading.main_thread():
        yield found
        return
    before = signal.signal(signal.SIGINT, hold)
    try:
        yield found
    finally:
        signal.signal(signal.SIGINT, before)
