"""What a training step spends its time on: products of matrices, the recurrence, the optimizer, Python, or the rest."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from langnet.recipes.pretrain import PretrainOptions, Run, pretrain
from langnet.training.progress import SilentProgress

PRODUCTS = {
    f"aten::{name}"
    for name in (
        "mm", "addmm", "bmm", "baddbmm", "addbmm", "addmv", "mv", "dot", "_addmm_activation", "mkldnn_convolution",
        "_slow_conv2d_forward", "_slow_conv2d_backward", "convolution_backward", "thnn_conv2d",
    )
}  # fmt: skip
KINDS = ("products", "recurrence", "rest", "optimizer", "python")
# What is lost to each, as the table says it.
NAMES = {
    "products": "products of small matrices",
    "recurrence": "gates, step by step",
    "rest": "elementwise work and memory",
    "optimizer": "the optimizer",
    "python": "Python",
}


@dataclass(frozen=True)
class Bounds:
    """Of a training step.

    Attributes:
        tokens_per_second: median over steps, without the profiler.
        shares: of the time under the profiler, by `KINDS`; together 1.
    """

    tokens_per_second: float
    shares: dict[str, float]

    def bound(self, share_of_peak: float) -> str:
        """What the most time goes to beyond the products at the machine's peak."""
        lost = {**self.shares, "products": self.shares["products"] - share_of_peak}
        return NAMES[max(KINDS, key=lambda kind: lost[kind])]

    def speed_of_products(self, share_of_peak: float) -> float:
        """Share of the peak that the products reach while they run."""
        return share_of_peak / max(self.shares["products"], 1e-9)


class _Enough(Exception):
    """The steps that were to be measured are over."""


class _Watch(SilentProgress):
    """Times some steps after the first, then profiles some more."""

    def __init__(self, steps: tuple[int, int, int], now: Callable[[], float]):
        (self.skipped, self.timed, self.profiled), self.now = steps, now
        self.profile = profile(activities=[ProfilerActivity.CPU])
        self.steps: list[tuple[int, float]] = []  # tokens and seconds so far, after each step
        self.seconds = 0.0

    def update(self, fraction: float, tokens: int, seconds: float, loss: float | None) -> None:
        self.steps.append((tokens, self.now()))
        done = len(self.steps) - self.skipped - self.timed
        if done == 0:
            self.profile.start()
            self.started = time.perf_counter()
        elif done == self.profiled:
            self.seconds = time.perf_counter() - self.started
            self.profile.stop()
            raise _Enough

    def speed(self) -> float:
        """Median tokens a second of the steps that were only timed."""
        steps = self.steps[self.skipped - 1 : self.skipped + self.timed]
        pairs = pairwise(steps)
        return statistics.median((after[0] - before[0]) / (after[1] - before[1]) for before, after in pairs)


def measure_bounds(
    texts: Sequence[str],
    options: PretrainOptions,
    folder: Path,
    steps: tuple[int, int, int] = (3, 20, 8),
    now: Callable[[], float] = time.perf_counter,
) -> Bounds:
    """Train for a few steps as `pretrain` does, and see where the time goes.

    Args:
        texts: the raw text.
        options: of the run; its budget is not used.
        folder: with the prepared corpus.
        steps: left out, timed, and profiled.
        now: the clock of the timed steps.
    """
    watch = _Watch(steps, now)
    endless = replace(options, minutes=None, tokens=None, steps=10**9)  # its first validation is far away
    with suppress(_Enough):
        pretrain(texts, endless, Run(folder, progress=watch), texts=True)
    return Bounds(watch.speed(), shares_of(watch.profile, watch.seconds))


def shares_of(found: profile, seconds: float) -> dict[str, float]:
    """The parts of so many seconds that went to each of `KINDS`.

    Python is what no operator accounts for, and the own time of functions whose gradient is written by hand.
    """
    sums = dict.fromkeys(KINDS, 0.0)
    for event in found.events() or []:
        kind = _kind(event)
        if kind:
            sums[kind] += event.self_cpu_time_total / 1e6
    sums["python"] = max(0.0, seconds - sum(value for kind, value in sums.items() if kind != "python"))
    total = sum(sums.values())
    return {kind: value / total for kind, value in sums.items()}


def _kind(event: torch.autograd.profiler_util.FunctionEvent) -> str | None:
    names, parent = [event.name], event.cpu_parent
    while parent is not None:
        names.append(parent.name)
        parent = parent.cpu_parent
    if any(name.startswith("Optimizer.") for name in names):
        return "optimizer"
    if event.name.startswith("_"):  # a function of our own, whose operators are events of their own
        return None
    if event.name in PRODUCTS:
        return "products"
    return "recurrence" if any(name.startswith("_Recurrence") for name in names) else "rest"
