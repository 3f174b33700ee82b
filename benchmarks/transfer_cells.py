"""The cells of `benchmarks.transfer_table`: what one method said of every item that is judged, kept in a file each."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from langnet.evaluate.intervals import LEVEL, Interval
from langnet.evaluate.scoring import Scores

N_RESAMPLES = 1000


@dataclass(frozen=True)
class TableCell:
    """One method on one set, with one draw of the items that it learned from.

    Attributes:
        set: name of the set.
        encoder: name of the encoder; empty for a neighbour, which has none.
        method: of transfer, or the neighbour's name.
        draw: which draw.
        n_train: items learned from.
        scores: on the items that were judged, the one that counts first.
        seconds: of the processor, for learning and answering.
        settings: name of all that the result depends on.
        statistics: (N, S), what each item adds to the scores.
    """

    set: str
    encoder: str
    method: str
    draw: int
    n_train: int
    scores: dict[str, float]
    seconds: float
    settings: str
    statistics: np.ndarray = field(repr=False)

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What names the cell."""
        return self.set, self.encoder, self.method, self.draw


class CellFolder:
    """Cells in a folder, a file each: several processes may fill it at once."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def find(self, key: tuple[str, str, str, int], settings: str) -> TableCell | None:
        """The cell, where it was computed with the same settings before."""
        path = self._path(key)
        cell = read_cells(path)[0] if path.exists() else None
        return cell if cell is not None and cell.settings == settings else None

    def add(self, cell: TableCell) -> None:
        """Keep a cell."""
        write_cells(self._path(cell.key), [cell])

    def take_from(self, path: Path) -> None:
        """Keep those of a file, if there is one, that are not here yet."""
        for cell in read_cells(path) if path.exists() else ():
            if not self._path(cell.key).exists():
                self.add(cell)

    def all(self) -> list[TableCell]:
        """Every cell."""
        return [cell for path in sorted(self.folder.glob("*.npz")) for cell in read_cells(path)]

    def _path(self, key: tuple[str, str, str, int]) -> Path:
        return self.folder / ("--".join(str(part) for part in key).replace("/", "_").replace(" ", "_") + ".npz")


def write_cells(path: Path, cells: Sequence[TableCell]) -> None:
    """Write cells into a file, which is whole or not there."""
    facts = [{name: value for name, value in asdict(cell).items() if name != "statistics"} for cell in cells]
    arrays = {str(i): _narrow(cell.statistics) for i, cell in enumerate(cells)}
    new = path.with_suffix(f".{os.getpid()}.new")
    with new.open("wb") as file:
        np.savez_compressed(file, facts=np.array(json.dumps(facts)), **arrays)  # type: ignore[arg-type]
    new.replace(path)


def read_cells(path: Path) -> list[TableCell]:
    """The cells of a file."""
    with np.load(path) as held:
        facts: list[dict[str, Any]] = json.loads(str(held["facts"]))
        return [TableCell(**own, statistics=held[str(i)].astype(np.float64)) for i, own in enumerate(facts)]


def _narrow(statistics: np.ndarray) -> np.ndarray:
    """The same numbers, as small integers where they are counts, else with seven digits."""
    for kind in (np.int8, np.int16, np.int32):
        if np.array_equal(narrow := statistics.astype(kind), statistics):
            return narrow
    return statistics.astype(np.float32)


class Resampler:
    """Scores of cells of one set, over resamples of draws and of items that are the same for all cells.

    An interval says how much of a mean is due to which items were judged and which draws were made: both are drawn with
    replacement. From two or three draws their own part comes out too small; with one it is left out.

    Args:
        n_items: that were judged.
        scores: from sums of statistics to scores.
        seed: of the resamples.
    """

    def __init__(self, n_items: int, scores: Scores, seed: int = 0):
        generator = np.random.default_rng(seed)
        self.scores = scores
        self.weights = generator.multinomial(n_items, np.full(n_items, 1 / n_items), size=N_RESAMPLES).astype(
            np.float32
        )
        self._places = generator.random((N_RESAMPLES, 64))  # which draw is taken at each place
        self._known: dict[tuple[str, str, str, int], np.ndarray] = {}

    def mean(self, cells: Sequence[TableCell]) -> tuple[float, Interval]:
        """The mean over draws of the first score, with its 95 % interval."""
        return self._with_interval(self._values(cells), [_first(cell) for cell in cells])

    def difference(self, first: Sequence[TableCell], second: Sequence[TableCell]) -> tuple[float, Interval] | None:
        """The mean over the draws that both have of one minus the other; None where they share none.

        A cell without draws, such as a rule's, is compared with every draw of the other.
        """
        others = {cell.draw: cell for cell in second}
        pairs = [(cell, others[cell.draw]) for cell in first if cell.draw in others]
        if not pairs:
            return None
        gaps = self._values([one for one, _ in pairs]) - self._values([other for _, other in pairs])
        return self._with_interval(gaps, [_first(one) - _first(other) for one, other in pairs])

    def _values(self, cells: Sequence[TableCell]) -> np.ndarray:
        """The first score of every cell in every resample of items, (R, K)."""
        for cell in cells:
            if cell.key not in self._known:
                found = self.scores(self.weights @ cell.statistics.astype(np.float32))
                self._known[cell.key] = np.asarray(next(iter(found.values())), dtype=np.float64)
        return np.stack([self._known[cell.key] for cell in cells], axis=1)

    def _with_interval(self, values: np.ndarray, points: Sequence[float]) -> tuple[float, Interval]:
        count = values.shape[1]
        taken = (self._places[:, :count] * count).astype(np.int64)  # (R, K) numbers of draws
        means = np.take_along_axis(values, taken, axis=1).mean(1)
        tail = (1 - LEVEL) / 2
        low, high = np.nanquantile(means, [tail, 1 - tail])
        return float(np.mean(points)), Interval(float(low), float(high))


def _first(cell: TableCell) -> float:
    return next(iter(cell.scores.values()))
