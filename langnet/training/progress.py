"""Where progress is shown: a Rich bar in a terminal, a line now and then in a log, or nothing."""

from __future__ import annotations

import time
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as RichBar

SECONDS_BETWEEN_LINES = 15.0


class Progress(Protocol):
    """What the loop tells about itself."""

    def start(self, budget: str) -> None:
        """The run begins."""

    def update(self, fraction: float, tokens: int, seconds: float, loss: float | None) -> None:
        """A step has ended; None for the loss where nothing is trained."""

    def note(self, text: str) -> None:
        """Something worth a line, such as a validation."""

    def stop(self) -> None:
        """The run has ended."""


class SilentProgress:
    """Shows nothing."""

    def start(self, budget: str) -> None: ...

    def update(self, fraction: float, tokens: int, seconds: float, loss: float | None) -> None: ...

    def note(self, text: str) -> None: ...

    def stop(self) -> None: ...


def percentage_bar(console: Console) -> RichBar:
    """A bar with its part done and, in the task's field `facts`, whatever else there is to say."""
    return RichBar(
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[facts]}"),
        console=console,
    )


def smoothed(before: float | None, loss: float) -> float:
    """The loss to show, an average over some fifty steps."""
    return loss if before is None else 0.98 * before + 0.02 * loss


class ConsoleProgress:
    """A bar with loss, tokens a second and time left; where the output is no terminal, a line every 15 seconds."""

    def __init__(self, title: str, console: Console | None = None):
        self.title = title
        self.console = console or Console(stderr=True)
        self._bar: RichBar | None = None
        self._task: TaskID | None = None
        self._loss: float | None = None
        self._last_line = 0.0
        self._recent: list[tuple[float, int, float]] = []

    def start(self, budget: str) -> None:
        """Show the bar."""
        self._last_line = time.monotonic()
        self._loss, self._recent = None, []
        if not self.console.is_terminal:
            self.console.print(f"{self.title}: {budget}")
            return
        self._bar = percentage_bar(self.console)
        self._task = self._bar.add_task(self.title, total=1.0, facts=budget)
        self._bar.start()

    def update(self, fraction: float, tokens: int, seconds: float, loss: float | None) -> None:
        """Move the bar; the loss is smoothed over some fifty steps."""
        if loss is not None:
            self._loss = smoothed(self._loss, loss)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=fraction, facts=self._facts(fraction, tokens, seconds))
        elif time.monotonic() - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            self.console.print(f"{self.title}: {fraction:.0%}, {self._facts(fraction, tokens, seconds)}")

    def _facts(self, fraction: float, tokens: int, seconds: float) -> str:
        """Loss, tokens a second over the last ten seconds, and the time left."""
        self._recent = [entry for entry in self._recent if entry[0] > seconds - 10] + [(seconds, tokens, fraction)]
        first, last = self._recent[0], self._recent[-1]
        passed = max(last[0] - first[0], 1e-9)
        rate = (last[1] - first[1]) / passed if len(self._recent) > 1 else tokens / max(seconds, 1e-9)
        left = seconds * (1 - fraction) / max(fraction, 1e-9)
        loss = "" if self._loss is None else f"loss {self._loss:.3f}  "
        return f"{loss}{rate:,.0f} tokens/s  {clock(left)} left"

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        self.console.print(f"  {self.title}: {text}", highlight=False)

    def stop(self) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class BytesProgress:
    """The reading of a corpus, as `prepare_corpus` tells it: a bar, or a line every 15 seconds, from the first on.

    It ends by itself when all is read, so that the bar of the training can follow.
    """

    def __init__(self, title: str, console: Console | None = None):
        self.title, self.console = title, console or Console(stderr=True)
        self._bar: RichBar | None = None
        self._task: TaskID | None = None
        self._last_line = time.monotonic()
        self._ended = False

    def __call__(self, done: int, total: int | None) -> None:
        """So many bytes are read; where the total is not known, the bar only moves."""
        if self._ended:
            return
        if self.console.is_terminal:
            self._show(done, total)
        elif time.monotonic() - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            self.console.print(f"{self.title}: {_megabytes(done, total)}", highlight=False)
        if total is not None and done >= total:
            self.stop()

    def _show(self, done: int, total: int | None) -> None:
        if self._bar is None:
            columns = (
                TextColumn("[bold]{task.description}"),
                BarColumn(bar_width=None),
                TextColumn("{task.fields[f]}"),
            )
            self._bar = RichBar(*columns, console=self.console, transient=True)
            self._task = self._bar.add_task(self.title, total=total, f="")
            self._bar.start()
        assert self._task is not None
        self._bar.update(self._task, completed=done, total=total, f=_megabytes(done, total))

    def stop(self) -> None:
        """Take the bar away; also where the reading failed."""
        self._ended = True
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _megabytes(done: int, total: int | None) -> str:
    return f"{done / 1e6:,.1f} MB" if total is None else f"{done / 1e6:,.1f} of {total / 1e6:,.1f} MB"


def clock(seconds: float) -> str:
    """Minutes and seconds, and hours where there are any: 5:07, 1:05:07."""
    minutes, rest = divmod(int(min(seconds, 359_999)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
