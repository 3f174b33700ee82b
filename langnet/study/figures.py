"""The figures of a study's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from langnet.evaluate.metrics import confusion_matrix
from langnet.study.charts import (
    Frame,
    Mark,
    Scale,
    Series,
    Side,
    axes,
    bar_chart,
    both_widths,
    legend,
    line_chart,
    nice_ticks,
)
from langnet.study.html import Markup, tag
from langnet.study.methods import KINDS
from langnet.study.result import SampleEfficiency


def learning_curve(study: SampleEfficiency) -> Markup:
    """Accuracy over the number of labels, a line a method, with bands of 95 % intervals."""
    series = []
    for method in study.methods:
        marks = [
            Mark(
                p.n_labels, p.accuracy, p.interval.low, p.interval.high,
                f"{KINDS[method].name}, {p.n_labels:,} labels: {p.accuracy:.3f} {p.interval}, {p.n_draws} draws",
            )
            for p in study.points if p.method == method
        ]  # fmt: skip
        if marks:
            series.append(Series(method, KINDS[method].name, marks))
    sizes = sorted({p.n_labels for p in study.points})
    if not sizes:
        return tag("p", "There is nothing to plot: no result was computed.")
    top = max((mark.high for s in series for mark in s.marks), default=1.0)
    y_ticks = nice_ticks(0, min(1.0, top))
    best = "; ".join(f"{s.name} {s.marks[-1].y:.3f} at {s.marks[-1].x:,.0f} labels" for s in series)
    described = f"One line a method; the table below has all values. Where each line ends: {best}."

    def draw(side: Side) -> Markup:
        frame = Frame(860, 470, right=200) if side == "wide" else Frame(390, 440, left=44, right=24, bottom=46)
        spread = 1 if len(sizes) > 1 else 2  # a single size stands in the middle
        low, high = sizes[0] / spread, sizes[-1] * spread
        lines = series if side == "wide" else [Series(s.key, "", s.marks) for s in series]
        x, y = frame.x(low, high, log=True), frame.y(0, y_ticks[-1])
        names = [(size, f"{size:,}") for size in sizes]
        backdrop = axes(frame, x, y, names, [(t, f"{t:.1f}") for t in y_ticks], "labelled texts", "accuracy")
        drawn = line_chart(frame, lines, x, y, backdrop, ("Learning curve", described))
        return drawn if side == "wide" else Markup(drawn + legend(series))

    return both_widths(draw)


def training_curves(history: Sequence[dict[str, Any]]) -> Markup | None:
    """Loss on the training text and bits per byte on held-out text, over tokens; None without a history."""
    losses = [record for record in history if np.isfinite(record.get("loss", np.nan))]
    held_out = [record for record in history if "validation_bits_per_byte" in record]
    if not losses:
        return None
    panels = [_training_panel(losses, "loss", "training", "training loss (nats a token)")]
    if held_out:
        name = "held-out text (bits a byte)"
        panels.append(_training_panel(held_out, "validation_bits_per_byte", "validation", name))
    return tag("div", panels, class_="panels")


def _training_panel(records: Sequence[dict[str, Any]], value: str, key: str, name: str) -> Markup:
    """One curve of a training run; minutes stand along the top."""
    points = _thinned([(record["tokens"], record[value], record["minutes"]) for record in records], 150)
    marks = [Mark(x, y, y, y, f"{x:,.0f} tokens, {minutes:.2f} minutes: {y:.3f}") for x, y, minutes in points]
    frame = Frame(420, 300, left=62, right=18, top=44)
    x_ticks = nice_ticks(0, points[-1][0], 4)
    y_ticks = nice_ticks(min(p[1] for p in points), max(p[1] for p in points))
    x, y = frame.x(0, max(x_ticks[-1], 1)), frame.y(y_ticks[0], y_ticks[-1])
    digits = 1 if y_ticks[1] - y_ticks[0] >= 0.1 else 2
    backdrop = axes(
        frame, x, y, [(t, _short(t)) for t in x_ticks], [(t, f"{t:.{digits}f}") for t in y_ticks], "tokens seen", name
    )
    speed = points[-1][2] / max(points[-1][0], 1)  # minutes a token
    for minute in nice_ticks(0, x_ticks[-1] * speed, 4):
        at = x(minute / speed) if speed else frame.left
        if at <= frame.width - frame.right + 1:
            backdrop.append(tag("line", class_="axis", x1=at, x2=at, y1=frame.top, y2=frame.top - 5))
            backdrop.append(tag("text", f"{minute:g}", class_="tick middle", x=at, y=frame.top - 9))
    backdrop.append(
        tag("text", "minutes", class_="name middle", x=(frame.left + frame.width - frame.right) / 2, y=frame.top - 27)
    )
    described = f"From {marks[0].y:.3f} to {marks[-1].y:.3f} over {points[-1][0]:,.0f} tokens."
    return line_chart(frame, [Series(key, "", marks)], x, y, backdrop, (name, described))


def layer_bars(weights: Mapping[str, Sequence[float]]) -> Markup:
    """The share of each layer in the scalar mix of the pretrained methods.

    Args:
        weights: of each method's key, embeddings first; all of one length.
    """
    series = [
        Series(
            method, KINDS[method].name,
            [Mark(i, w, w, w, f"{KINDS[method].name}, {_layer(i)}: {w:.3f}") for i, w in enumerate(values)],
        )
        for method, values in weights.items()
    ]  # fmt: skip
    slots = len(series[0].marks)
    top = max(mark.y for s in series for mark in s.marks)
    frame = Frame(420, 260, left=58, right=14, top=24)
    y_ticks = nice_ticks(0, top, 4)
    y = frame.y(0, y_ticks[-1])
    x = Scale(-0.5, slots - 0.5, frame.left, frame.width - frame.right)
    names = [(float(i), _layer(i) if slots <= 5 else str(i)) for i in range(slots)]
    backdrop = axes(frame, x, y, names, [(t, f"{t:.0%}") for t in y_ticks], "layer, bottom to top", "share of the mix")
    told = "; ".join(f"{s.name}: " + ", ".join(f"{mark.y:.2f}" for mark in s.marks) for s in series)
    return bar_chart(frame, series, y, backdrop, ("Layer weights", told + "."))


def confusion_map(gold: np.ndarray, predicted: Sequence[np.ndarray], names: Sequence[str], title: str) -> Markup:
    """Which classes are taken for which, as shares of the true class, mean over draws.

    Args:
        gold: (n,) true class numbers.
        predicted: one (n,) array a draw.
        names: of the classes.
        title: of the picture.
    """
    counts = np.mean([confusion_matrix(gold, p, labels=range(len(names))) for p in predicted], axis=0)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-9)
    longest = max(len(name) for name in names)
    left = 20 + 6.2 * min(longest, 26)
    cell = max(15.0, min(40.0, (840 - left) / len(names)))
    top = 24 + 4.8 * min(longest, 26)
    frame = Frame(left + cell * len(names) + 60, top + cell * len(names) + 34)
    drawn = []
    for i, row in enumerate(names):
        drawn.append(tag("text", _cut(row), class_="tick end", x=left - 6, y=top + cell * (i + 0.5) + 4))
        place = f"translate({left + cell * (i + 0.5) + 3:g} {top - 6:g}) rotate(-45)"
        drawn.append(tag("text", _cut(row), class_="tick", transform=place))
        for j, column in enumerate(names):
            share = float(shares[i, j])
            told = tag("title", f"{share:.0%} of {row} taken for {column}")
            kind = "hit" if i == j else "miss"
            drawn.append(
                tag("rect", told, class_=f"cell {kind}", x=left + cell * j, y=top + cell * i, width=cell - 1,
                    height=cell - 1, style=f"fill-opacity:{share:.2f}")
            )  # fmt: skip
    drawn.append(tag("text", "predicted →", class_="name", x=left, y=top + cell * len(names) + 20))
    off = shares - np.diag(np.diag(shares))
    worst = [divmod(int(k), len(names)) for k in np.argsort(-off, axis=None)[:5]]
    told_worst = "; ".join(f"{names[i]} for {names[j]} {off[i, j]:.0%}" for i, j in worst if off[i, j] > 0)
    return frame.svg(drawn, title, f"Rows are true classes, columns predicted ones. Most frequent: {told_worst}.")


def _layer(index: int) -> str:
    return "embeddings" if index == 0 else f"layer {index}"


def _cut(name: str, longest: int = 26) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"


def _short(tokens: float) -> str:
    if tokens >= 1e6:
        return f"{tokens / 1e6:g} M"
    return f"{tokens / 1e3:g} k" if tokens >= 1e3 else f"{tokens:g}"


def _thinned(points: list[tuple[float, float, float]], most: int) -> list[tuple[float, float, float]]:
    """At most so many points, each the mean of its neighbours."""
    if len(points) <= most:
        return points
    parts = np.array_split(np.array(points), most)
    return [(float(part[-1, 0]), float(part[:, 1].mean()), float(part[-1, 2])) for part in parts]
