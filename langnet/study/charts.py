"""Plots as SVG that takes its colours from the page: light, dark, and on paper."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from langnet.study.html import Markup, tag

CHARACTER = 6.6  # mean width of a letter at the labels' size, in pixels
LINE = 15.0  # height of a label


@dataclass(frozen=True)
class Scale:
    """From values to pixels.

    Attributes:
        low, high: values at the two ends.
        start, end: pixels there.
        log: whether the values are spread by their logarithms.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        low, high, at = (
            (math.log(v) for v in (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        )
        part = (at - low) / (high - low) if high > low else 0.5
        return self.start + part * (self.end - self.start)


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round values, two or more, from at most `low` to at least `high`."""
    largest = max(abs(low), abs(high))
    span = high - low
    if span <= 1e-9 * largest:  # one value, which has round ones around it too
        span = largest / 10 or 1.0
    power = 10 ** math.floor(math.log10(span / count))
    step = next(s * power for s in (1, 2, 5, 10) if span / (s * power) <= count)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [i * step for i in range(first, max(last, first + 1) + 1)]


@dataclass(frozen=True)
class Mark:
    """One measured value of a series, with what a pointer over it says."""

    x: float
    y: float
    low: float
    high: float
    told: str


@dataclass(frozen=True)
class Series:
    """A line of marks.

    Attributes:
        key: picks the colour, dashes and shape from the style sheet.
        name: written beside the line.
        marks: ascending in x.
    """

    key: str
    name: str
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Frame:
    """The area of a plot with its axes.

    Attributes:
        width, height: of the whole, in pixels.
        left, right, top, bottom: margins.
    """

    width: float
    height: float
    left: float = 52
    right: float = 20
    top: float = 16
    bottom: float = 46

    def x(self, low: float, high: float, log: bool = False) -> Scale:
        """The horizontal scale."""
        return Scale(low, high, self.left, self.width - self.right, log)

    def y(self, low: float, high: float) -> Scale:
        """The vertical scale."""
        return Scale(low, high, self.height - self.bottom, self.top)

    def svg(self, content: Sequence[Markup], title: str, described: str) -> Markup:
        """The picture, with its name and its description for those who cannot see it."""
        return tag(
            "svg", tag("title", title), tag("desc", described), content,
            viewBox=f"0 0 {self.width:g} {self.height:g}", role="img", aria_label=f"{title}. {described}",
            style=f"max-width:{self.width:g}px",
        )  # fmt: skip


def axes(
    frame: Frame, x: Scale, y: Scale, x_ticks: Sequence[tuple[float, str]], y_ticks: Sequence[tuple[float, str]],
    x_name: str, y_name: str,
) -> list[Markup]:  # fmt: skip
    """Grid, ticks and names; labels of the horizontal axis that would touch the one before are left out."""
    right, floor = frame.width - frame.right, frame.height - frame.bottom
    drawn = []
    for value, label in y_ticks:
        drawn.append(tag("line", class_="grid", x1=frame.left, x2=right, y1=y(value), y2=y(value)))
        drawn.append(tag("text", label, class_="tick end", x=frame.left - 8, y=y(value) + 4))
    free = -math.inf
    for value, label in x_ticks:
        at, half = x(value), len(label) * CHARACTER / 2
        drawn.append(tag("line", class_="axis", x1=at, x2=at, y1=floor, y2=floor + 5))
        if at - half > free:
            drawn.append(tag("text", label, class_="tick middle", x=at, y=floor + 18))
            free = at + half + 4
    drawn.append(tag("line", class_="axis", x1=frame.left, x2=right, y1=floor, y2=floor))
    drawn.append(tag("text", x_name, class_="name middle", x=(frame.left + right) / 2, y=frame.height - 8))
    drawn.append(
        tag("text", y_name, class_="name middle", transform=f"translate(13 {(frame.top + floor) / 2:g}) rotate(-90)")
    )
    return drawn


def line_chart(
    frame: Frame, series: Sequence[Series], x: Scale, y: Scale, backdrop: Sequence[Markup], titles: tuple[str, str]
) -> Markup:
    """Lines with bands of their intervals, each named where it ends.

    Args:
        frame: of the plot.
        series: each in the colour of its key.
        x, y: scales.
        backdrop: axes, drawn first.
        titles: name and description of the picture.
    """
    bands = [band(s, x, y) for s in series if len(s.marks) > 1]
    lines = [line(s, x, y) for s in series]
    return frame.svg([*backdrop, *bands, *lines, *end_labels(frame, series, x, y)], *titles)


def band(series: Series, x: Scale, y: Scale) -> Markup:
    """The area between the ends of the intervals."""
    upper = [(x(m.x), y(m.high)) for m in series.marks]
    lower = [(x(m.x), y(m.low)) for m in reversed(series.marks)]
    return tag("polygon", class_=f"band s-{series.key}", points=_points([*upper, *lower]))


def line(series: Series, x: Scale, y: Scale) -> Markup:
    """The line, its marks, and whiskers."""
    path = tag("polyline", class_="line", points=_points([(x(m.x), y(m.y)) for m in series.marks]))
    whiskers = [tag("line", class_="whisker", x1=x(m.x), x2=x(m.x), y1=y(m.low), y2=y(m.high)) for m in series.marks]
    marks = [
        tag("path", tag("title", m.told), class_="mark", d=SHAPES[series.key](x(m.x), y(m.y))) for m in series.marks
    ]
    return tag("g", whiskers, path, marks, class_=f"s-{series.key}")


def end_labels(frame: Frame, series: Sequence[Series], x: Scale, y: Scale) -> list[Markup]:
    """Each line's name to the right of its last mark.

    Names that would run into those of lines ending further right join their column, and within a column names are
    pushed apart; a thin line leads from each mark to its name.
    """
    named = [s for s in series if s.marks and s.name]
    columns: list[list[Series]] = []
    for end in sorted({s.marks[-1].x for s in named}, reverse=True):
        own = [s for s in named if s.marks[-1].x == end]
        room = x(columns[-1][0].marks[-1].x) - x(end) if columns else math.inf
        if room < 16 + max(len(s.name) for s in own) * CHARACTER * 1.15:
            columns[-1] += own
        else:
            columns.append(own)
    drawn = []
    for column in columns:
        column.sort(key=lambda s: y(s.marks[-1].y))
        at = x(max(s.marks[-1].x for s in column))
        wanted = [y(s.marks[-1].y) for s in column]
        places = spread(wanted, LINE, frame.top + 4, frame.height - frame.bottom - 4)
        for s, place, height in zip(column, places, wanted, strict=True):
            start = x(s.marks[-1].x)
            if abs(place - height) > 2 or start < at:
                drawn.append(tag("line", class_=f"leader s-{s.key}", x1=start + 6, x2=at + 12, y1=height, y2=place))
            drawn.append(tag("text", s.name, class_=f"label s-{s.key}", x=at + 15, y=place + 4))
    return drawn


def legend(series: Sequence[Series]) -> Markup:
    """The names under a plot that is too narrow to have them beside its lines."""
    entries = []
    for s in series:
        shape = tag("path", class_="mark", d=SHAPES[s.key](8, 8))
        drawn = tag("svg", shape, class_=f"shape s-{s.key}", viewBox="0 0 16 16", aria_hidden="true")
        entries.append(tag("li", drawn, s.name))
    return tag("ul", entries, class_="legend")


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Ascending places moved as little as needed to be `gap` apart, within `low` and `high` where there is room.

    Neighbours that are too close are joined into blocks, each centred on the mean of what its members wanted.
    """
    blocks: list[list[float]] = []  # [sum of wanted places of the block's first line, number of lines]
    for place in places:
        blocks.append([place, 1])
        while len(blocks) > 1 and _top(blocks[-2]) + gap * blocks[-2][1] > _top(blocks[-1]) - 1e-9:
            total, count = blocks.pop()
            blocks[-1][0] += total - count * gap * blocks[-1][1]
            blocks[-1][1] += count
    found = [_top(block) + gap * i for block in blocks for i in range(int(block[1]))]
    for i in reversed(range(len(found))):  # from the lower edge of the picture upwards
        found[i] = min(found[i], high - gap * (len(found) - 1 - i))
    for i in range(len(found)):
        found[i] = max(found[i], low + gap * i)
    return found


def _top(block: list[float]) -> float:
    return block[0] / block[1]


def bar_chart(
    frame: Frame, groups: Sequence[Series], y: Scale, backdrop: Sequence[Markup], titles: tuple[str, str]
) -> Markup:
    """Bars side by side: mark i of every group stands in slot i."""
    slots = max(len(group.marks) for group in groups)
    room = (frame.width - frame.left - frame.right) / slots
    wide = min(44.0, 0.8 * room / len(groups))
    drawn = []
    for number, group in enumerate(groups):
        for slot, mark in enumerate(group.marks):
            at = frame.left + room * (slot + 0.5) + wide * (number - len(groups) / 2)
            middle = at + wide / 2 - 1
            height = y(0) - y(mark.y)
            drawn.append(
                tag("rect", tag("title", mark.told), class_=f"bar s-{group.key}", x=at, y=y(mark.y), width=wide - 2,
                    height=max(height, 0.5))
            )  # fmt: skip
            drawn.append(tag("text", f"{mark.y:.0%}", class_="tick middle", x=middle, y=y(mark.y) - 5))
    return frame.svg([*backdrop, *drawn], *titles)


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _circle(x: float, y: float) -> str:
    return f"M{x - 4:.1f} {y:.1f}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z"


def _polygon(*corners: tuple[float, float]) -> Callable[[float, float], str]:
    def draw(x: float, y: float) -> str:
        return "M" + "L".join(f"{x + dx:.1f} {y + dy:.1f}" for dx, dy in corners) + "z"

    return draw


_square = _polygon((-3.6, -3.6), (3.6, -3.6), (3.6, 3.6), (-3.6, 3.6))
_diamond = _polygon((0, -5), (5, 0), (0, 5), (-5, 0))
_up = _polygon((0, -4.8), (4.6, 3.6), (-4.6, 3.6))
_down = _polygon((0, 4.8), (4.6, -3.6), (-4.6, -3.6))
_cross = _polygon(
    (-4.5, -1.4), (-1.4, -1.4), (-1.4, -4.5), (1.4, -4.5), (1.4, -1.4), (4.5, -1.4),
    (4.5, 1.4), (1.4, 1.4), (1.4, 4.5), (-1.4, 4.5), (-1.4, 1.4), (-4.5, 1.4),
)  # fmt: skip
_bar = _polygon((-5, -1.4), (5, -1.4), (5, 1.4), (-5, 1.4))

# A shape of its own beside the colour, for those who do not see the colours apart.
SHAPES: dict[str, Callable[[float, float], str]] = {
    "majority": _bar,
    "tfidf": _square,
    "svd": _diamond,
    "word2vec": _down,
    "scratch": _cross,
    "frozen": _circle,
    "unlabelled": _up,
    "finetune": _circle,
    "training": _circle,
    "validation": _diamond,
}

Side = Literal["wide", "narrow"]


def both_widths(draw: Callable[[Side], Markup]) -> Markup:
    """A picture twice, for a desk and for a phone; the style sheet shows the one that fits."""
    return Markup(tag("div", draw("wide"), class_="wide") + tag("div", draw("narrow"), class_="narrow"))
