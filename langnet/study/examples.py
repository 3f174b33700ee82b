"""Which texts one method gets right and another wrong, with some of them to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from langnet.study.cells import Cell
from langnet.study.result import SampleEfficiency

LONGEST = 900  # characters of a text that are shown


@dataclass(frozen=True)
class Shown:
    """A test text with what two methods made of it."""

    text: str
    source: str
    gold: str
    first: str
    second: str


@dataclass(frozen=True)
class Contrast:
    """Two methods on the same draw and test texts.

    Attributes:
        first, second: keys of the methods.
        n_labels, draw: what both learned from.
        counts: both right, only the first, only the second, neither.
        first_only, second_only: some of the texts that only one got right.
    """

    first: str
    second: str
    n_labels: int
    draw: int
    counts: tuple[int, int, int, int]
    first_only: list[Shown]
    second_only: list[Shown]


def contrast(study: SampleEfficiency, first: str, second: str, n_labels: int, many: int, few: int) -> Contrast | None:
    """Compare two methods text by text on the first draw that both have; None where they share none.

    Args:
        study: the results.
        first, second: keys of the methods.
        n_labels: at which number of labels.
        many: how many examples for the first method.
        few: how many for the second.
    """
    others = {cell.draw: cell for cell in study.cells_of(second, n_labels)}
    ours = next((cell for cell in study.cells_of(first, n_labels) if cell.draw in others), None)
    if ours is None:
        return None
    theirs = others[ours.draw]
    right, rival = (np.array(cell.predicted) == study.gold for cell in (ours, theirs))
    counts = [int((a & b).sum()) for a, b in ((right, rival), (right, ~rival), (~right, rival), (~right, ~rival))]
    return Contrast(
        first, second, n_labels, ours.draw, (counts[0], counts[1], counts[2], counts[3]),
        _show(study, np.flatnonzero(right & ~rival), (ours, theirs), many),
        _show(study, np.flatnonzero(~right & rival), (ours, theirs), few),
    )  # fmt: skip


def _show(study: SampleEfficiency, index: np.ndarray, cells: Sequence[Cell], count: int) -> list[Shown]:
    """Some of the texts, spread evenly over the test set and so over the classes; those of readable length first."""
    lengths = np.array([len(study.test.texts[i]) for i in index])
    readable = index[(lengths >= 80) & (lengths <= 2 * LONGEST)] if len(index) else index
    pool = readable if len(readable) >= count else index
    chosen = pool[np.linspace(0, len(pool) - 1, min(count, len(pool))).round().astype(int)] if len(pool) else pool
    names, test = study.class_names, study.test
    return [
        Shown(
            shortened(test.texts[i]),
            test.sources[i] if test.sources else "",
            test.labels[i],
            names[cells[0].predicted[i]],
            names[cells[1].predicted[i]],
        )
        for i in chosen
    ]


def shortened(text: str, longest: int = LONGEST) -> str:
    """The head of a long text, cut at a blank."""
    text = text.strip()
    if len(text) <= longest:
        return text
    cut = text.rfind(" ", longest // 2, longest)
    return text[: cut if cut > 0 else longest] + " […]"
