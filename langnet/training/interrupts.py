"""Ctrl-C that waits for the end of a step, so that the checkpoint it leaves is one of a whole step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def interrupts_held() -> Iterator[Callable[[], None]]:
    """Hold the first Ctrl-C back until the function that is given is called, which raises it; a second is not held.

    Outside of the main thread, where signals do not arrive, nothing is held.
    """
    asked = False

    def hold(number: int, frame: Any) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    def raise_if_asked() -> None:
        if asked:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield raise_if_asked
        return
    before = signal.signal(signal.SIGINT, hold)
    try:
        yield raise_if_asked
    finally:
        signal.signal(signal.SIGINT, before)
