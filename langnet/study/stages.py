"""The progress of a job of several stages: one bar over all of them, with the stage's name and the time left."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress as RichBar
from rich.progress import TaskID

from langnet.study.sample_efficiency import Standing
from langnet.training.progress import SECONDS_BETWEEN_LINES, clock, percentage_bar, smoothed


class Stages:
    """Shows a bar in a terminal; elsewhere a line at each stage's start and every fifteen seconds.

    Args:
        title: of the job.
        expected: seconds that each stage may take, in their order; a guess, used until something is known.
        console: where to show it; None takes standard error.
        quiet: show nothing, only keep the time.
        started: when the job began, by `time.monotonic()`; None is now.
    """

    def __init__(
        self,
        title: str,
        expected: dict[str, float],
        console: Console | None = None,
        quiet: bool = False,
        started: float | None = None,
    ):
        self.title, self.expected = title, dict(expected)
        self.console, self.quiet = console or Console(stderr=True), quiet
        self.seconds: dict[str, float] = {}
        self._stage_started = self._last_line = time.monotonic()
        self.started = self._stage_started if started is None else started
        self.stage, self._facts, self._fraction = "", "", 0.0
        self._left: tuple[float, float] | None = None  # seconds left in this stage, and when that was said
        self._highest = 0.0
        self._bar: RichBar | None = None
        self._task: TaskID | None = None
        self._stop = threading.Event()
        self._ticker: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self.quiet:
            return self
        if self.console.is_terminal:
            self._bar = percentage_bar(self.console)
            self._task = self._bar.add_task(self.title, total=1.0, facts="")
            self._bar.start()
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_stage()
        self._stop.set()
        if self._ticker is not None:
            self._ticker.join()
        if self._bar is not None and self._task is not None:
            if kind is None:
                self._bar.update(self._task, completed=1.0, description="done", facts=clock(self.elapsed))
            self._bar.stop()

    @property
    def elapsed(self) -> float:
        """Seconds since the job began."""
        return time.monotonic() - self.started

    def begin(self, stage: str, facts: str = "", seconds_left: float | None = None) -> None:
        """A stage begins, unless it is the one that is running; the one before ends."""
        if stage == self.stage:
            return
        self._end_stage()
        self.stage, self._stage_started = stage, time.monotonic()
        self._facts, self._fraction = facts, 0.0
        self._left = None if seconds_left is None else (seconds_left, time.monotonic())
        if not self.quiet and self._bar is None and stage not in self.seconds:
            self._line()
        self._show()
        if self._bar is not None:
            self._bar.refresh()  # a stage of a moment is seen too

    def advance(self, fraction: float, facts: str = "", seconds_left: float | None = None) -> None:
        """The stage has come so far.

        Args:
            fraction: of the stage, 0 to 1.
            facts: a few words on what is being done.
            seconds_left: of the stage, where it is known; else it follows from the fraction.
        """
        self._fraction, self._facts = fraction, facts
        self._left = None if seconds_left is None else (seconds_left, time.monotonic())
        self._show()

    def show_study(self, standing: Standing) -> None:
        """Show where a study stands, as the stage `neighbours` or `transfer`; it knows the time left for both."""
        self.expected |= {"neighbours": 0.0, "transfer": 0.0}
        ours = standing.family == "langnet" or standing.method == "scratch"
        self.begin("transfer" if ours else "neighbours", standing.doing, standing.seconds_left)
        self.advance(standing.done / max(standing.total, 1), standing.doing, standing.seconds_left)

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        if not self.quiet:
            self.console.print(f"  {text}", highlight=False, markup=False)

    def _end_stage(self) -> None:
        if self.stage:
            passed = time.monotonic() - self._stage_started
            self.seconds[self.stage] = self.seconds.get(self.stage, 0.0) + passed
            self.stage = ""

    def seconds_left(self) -> float:
        """Of all stages."""
        names = list(self.expected)
        later = names[names.index(self.stage) + 1 :] if self.stage in names else []
        return self._stage_left() + sum(self.expected[name] for name in later if name not in self.seconds)

    def _stage_left(self) -> float:
        now = time.monotonic()
        if self._left is not None:
            seconds, said = self._left
            return max(0.0, seconds - (now - said))
        passed = now - self._stage_started
        if self._fraction > 0.05:
            return passed * (1 - self._fraction) / self._fraction
        return max(0.0, self.expected.get(self.stage, 0.0) - passed)

    def _show(self) -> None:
        if self._bar is None or self._task is None:
            return
        left = self.seconds_left()
        # The bar never goes back: a stage that takes longer than expected makes it wait.
        self._highest = max(self._highest, self.elapsed / max(self.elapsed + left, 1e-9))
        facts = f"{self._facts}  {clock(left)} left".strip()
        self._bar.update(self._task, completed=self._highest, description=self._name(), facts=facts)

    def _name(self) -> str:
        names = list(self.expected)
        number = f"{names.index(self.stage) + 1}/{len(names)} " if self.stage in names else ""
        return f"{number}{self.stage or self.title}"

    def _line(self) -> None:
        self._last_line = time.monotonic()
        facts = f", {self._facts}" if self._facts else ""
        line = f"{clock(self.elapsed)}  {self._name()}{facts}, about {clock(self.seconds_left())} left"
        self.console.print(line, highlight=False, markup=False)

    def _tick(self) -> None:
        """Keep the clock going while a stage has nothing to say."""
        while not self._stop.wait(0.5):
            if self._bar is not None:
                self._show()
            elif time.monotonic() - self._last_line > SECONDS_BETWEEN_LINES:
                self._line()


class TrainingStage:
    """A `langnet.training.progress.Progress` that is one stage of a job."""

    def __init__(self, stages: Stages, stage: str):
        self.stages, self.stage = stages, stage
        self._loss: float | None = None

    def start(self, budget: str) -> None:
        self.stages.begin(self.stage)

    def update(self, fraction: float, tokens: int, seconds: float, loss: float | None) -> None:
        """A step has ended; the loss is smoothed over some fifty steps."""
        if loss is not None:
            self._loss = smoothed(self._loss, loss)
        shown = "" if self._loss is None else f"loss {self._loss:.2f}, "
        facts = f"{shown}{tokens / max(seconds, 1e-9):,.0f} tokens/s"
        self.stages.advance(fraction, facts, seconds * (1 - fraction) / max(fraction, 1e-9))

    def note(self, text: str) -> None:
        self.stages.note(f"{self.stage}: {text}")

    def stop(self) -> None: ...
