"""Co-occurrence counts of words, for GloVe: exact, on disk, in memory that does not grow with the corpus.

Pennington et al. 2014, section 3: two words at most `window` words apart, within a document, add 1 / distance to both
of their cells. The positions of a part of the text are grouped by word, so that a word's whole row is summed in one
short array; rows of several parts are merged the same way. No pair is ever sorted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from langnet.errors import LangnetError
from langnet.text.shards import TokenShards
from langnet.text.tokenizer import SPECIAL_TOKENS

GRID = 16  # cells a side: as many threads can train without meeting, and a cell's weights stay near the processor
_PAIRS_AT_ONCE = 2**22  # 32 MB, held by each thread
_READ = 2**22  # tokens of the shards read at once
_BYTES_A_TOKEN = 12  # its id, its position, and what making them takes

CountProgress = Callable[[float], None]


@dataclass(frozen=True)
class CountOptions:
    """How co-occurrences are counted.

    Attributes:
        window: the largest distance.
        memory_megabytes: about as much memory is taken at most; parts of the text that need more are put on disk.
        threads: that count; their number changes no count.
        seed: of the order of the pairs.
    """

    window: int = 10
    memory_megabytes: int = 1024
    threads: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("window", "memory_megabytes", "threads"):
            if getattr(self, name) < 1:
                raise LangnetError(f"the {name.replace('_', ' ')} must be 1 or more, not {getattr(self, name)}")


@dataclass
class Cooccurrences:
    """Pairs of words on disk, in the cells of a grid, shuffled within each.

    Attributes:
        words, contexts: (n,) int32 word ids, 0 the first after the special tokens.
        counts: (n,) float32, sums of 1 / distance.
        bounds: (GRID * GRID + 1,) int64; cell (i, j) holds the pairs from bounds[i * GRID + j] on: those of words whose
            id modulo GRID is i with contexts whose id modulo GRID is j.
        n_words: V, the special tokens not counted.
    """

    words: np.ndarray
    contexts: np.ndarray
    counts: np.ndarray
    bounds: np.ndarray
    n_words: int

    def cell(self, row: int, column: int) -> slice:
        """Where a cell's pairs are."""
        index = row * GRID + column
        return slice(int(self.bounds[index]), int(self.bounds[index + 1]))


def kernels() -> Any:
    """The compiled loops.

    Raises:
        LangnetError: numba, which compiles them, is not installed.
    """
    try:
        from langnet.text import cooccurrence_kernels
    except ImportError as error:
        raise LangnetError(
            f"GloVe is trained by loops that numba compiles, and it is not here ({error}); install it with "
            "pip install 'langnet[vectors]', or train word2vec-skipgram, which needs nothing more"
        ) from None
    return cooccurrence_kernels


def count_cooccurrences(
    shards: TokenShards,
    n_words: int,
    folder: Path,
    options: CountOptions | None = None,
    progress: CountProgress | None = None,
) -> Cooccurrences:
    """Count all pairs of the shards' words; unknown words are left out before distances are measured.

    Args:
        shards: of a word tokenizer.
        n_words: V, the special tokens not counted.
        folder: for the pairs (12 bytes each) and what is put aside on the way (8 bytes each).
        options: how.
        progress: called with the part that is done.

    Raises:
        LangnetError: no two words stand near each other, or numba is not installed.
    """
    options = options or CountOptions()
    folder.mkdir(parents=True, exist_ok=True)
    counter = _Counter(n_words, folder, options, kernels())
    for done in counter.count(shards):
        if progress:
            progress(0.8 * done)
    runs = counter.runs
    if len(runs) > 1:
        runs = [counter.merge(runs)]
    if not runs or not int(runs[0].offsets[-1]):
        raise LangnetError("no two words of the vocabulary stand near each other; give more text, or lower --min-count")
    return counter.arrange(runs[0])


class _Run:
    """Rows of pairs on disk, ascending by word: columns and values, and where each row begins."""

    def __init__(self, folder: Path, number: int, n_words: int):
        self.paths = [folder / f"run-{number}.{kind}" for kind in ("columns", "values")]
        self._files = [path.open("wb") for path in self.paths]
        self.offsets = np.zeros(n_words + 1, dtype=np.int64)
        self._rows = 0

    def append(self, columns: np.ndarray, values: np.ndarray, lengths: np.ndarray) -> None:
        columns.tofile(self._files[0])
        values.tofile(self._files[1])
        start, stop = self._rows, self._rows + len(lengths)
        self.offsets[start + 1 : stop + 1] = self.offsets[start] + np.cumsum(lengths)
        self._rows = stop

    def finish(self) -> None:
        """Close the files and map them."""
        for file in self._files:
            file.close()
        empty = not self.offsets[-1]
        kinds = (np.int32, np.float32)
        self.columns, self.values = (
            np.zeros(0, kind) if empty else np.memmap(path, kind, "r")
            for path, kind in zip(self.paths, kinds, strict=True)
        )

    def rows(self, first: int, last: int) -> slice:
        """Where the pairs of some rows are."""
        return slice(int(self.offsets[first]), int(self.offsets[last]))

    def remove(self) -> None:
        """Take the files away."""
        del self.columns, self.values
        for path in self.paths:
            path.unlink()


class _Counter:
    """The steps of the counting, and what they share."""

    def __init__(self, n_words: int, folder: Path, options: CountOptions, kernels: Any):
        self.n_words, self.folder, self.options, self.kernels = n_words, folder, options, kernels
        self.runs: list[_Run] = []
        self.made = 0

    def _new_run(self) -> _Run:
        self.made += 1
        return _Run(self.folder, self.made, self.n_words)

    def count(self, shards: TokenShards) -> Iterator[float]:
        """Make a run of each part of the text; yields the part of the text that is done."""
        size = max(4 * self.options.window, self.options.memory_megabytes * 2**20 // (2 * _BYTES_A_TOKEN))
        carried = np.zeros(0, dtype=np.int32)
        for done, part in _parts(shards, size):
            tokens = np.concatenate([carried, part])
            self.runs.append(self._count_part(tokens, len(carried)))
            carried = tokens[max(0, len(tokens) - self.options.window) :]
            yield done

    def _count_part(self, tokens: np.ndarray, carried: int) -> _Run:
        frequencies = np.bincount(tokens[tokens >= 0], minlength=self.n_words)
        starts = np.concatenate([[0], np.cumsum(frequencies)]).astype(np.int64)
        positions = np.empty(int(starts[-1]), dtype=np.int32)
        self.kernels.group_positions(tokens, starts, positions)
        most = np.minimum(frequencies * 2 * self.options.window, self.n_words)  # pairs of each row

        def work(rows: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            out = _room(int(most[rows[0] : rows[1]].sum()), rows[1] - rows[0])
            n = self.kernels.count_rows(tokens, (starts, positions), rows, self.options.window, carried, out)
            return out[0][:n], out[1][:n], out[2]

        return self._write(work, _batches(most))

    def merge(self, runs: list[_Run]) -> _Run:
        """One run of several; theirs are taken away."""
        lengths = sum(np.diff(run.offsets) for run in runs)

        def work(rows: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            first, last = rows
            parts = [run.rows(first, last) for run in runs]
            begins = np.cumsum([0, *(part.stop - part.start for part in parts)])
            offsets = np.stack(
                [run.offsets[first : last + 1] - run.offsets[first] + begin
                 for run, begin in zip(runs, begins[:-1], strict=True)]
            )  # fmt: skip
            columns = np.concatenate([run.columns[part] for run, part in zip(runs, parts, strict=True)])
            values = np.concatenate([run.values[part] for run, part in zip(runs, parts, strict=True)])
            out = _room(len(columns), last - first)
            n = self.kernels.merge_rows(columns, values, offsets, self.n_words, out)
            return out[0][:n], out[1][:n], out[2]

        merged = self._write(work, _batches(np.asarray(lengths)))
        for run in runs:
            run.remove()
        return merged

    def _write(self, work: Callable[[tuple[int, int]], Any], batches: list[tuple[int, int]]) -> _Run:
        """A run of what `work` makes of each batch of rows, in their order."""
        run, threads = self._new_run(), self.options.threads
        with ThreadPoolExecutor(threads) as pool:
            for start in range(0, len(batches), threads):
                for columns, values, lengths in pool.map(work, batches[start : start + threads]):
                    run.append(columns, values, lengths)
        run.finish()
        return run

    def arrange(self, run: _Run) -> Cooccurrences:
        """Put the pairs into the cells of the grid and shuffle each cell; the run is taken away."""
        lengths = np.diff(run.offsets)
        sizes = np.zeros((GRID, GRID), dtype=np.int64)
        batches = _batches(lengths)
        for first, last in batches:
            self.kernels.block_sizes(np.asarray(run.columns[run.rows(first, last)]), lengths[first:last], first, sizes)
        bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        names = {"words": np.int32, "contexts": np.int32, "counts": np.float32}
        total = int(bounds[-1])
        out = tuple(
            np.memmap(self.folder / f"pairs.{name}", kind, "w+", shape=(total,)) for name, kind in names.items()
        )
        cursors = bounds[:-1].reshape(GRID, GRID).copy()
        for first, last in batches:
            part = run.rows(first, last)
            columns, values = np.asarray(run.columns[part]), np.asarray(run.values[part])
            self.kernels.scatter(columns, values, lengths[first:last], first, cursors, tuple(map(np.asarray, out)))
        run.remove()

        def shuffle(cell: int) -> None:
            inside = slice(int(bounds[cell]), int(bounds[cell + 1]))
            seed = self.options.seed * GRID * GRID + cell
            self.kernels.shuffle(*(np.asarray(column[inside]) for column in out), np.uint64(seed))

        with ThreadPoolExecutor(self.options.threads) as pool:
            list(pool.map(shuffle, range(GRID * GRID)))
        return Cooccurrences(out[0], out[1], out[2], bounds, self.n_words)


UNKNOWN = SPECIAL_TOKENS.index("<unknown>")


def _parts(shards: TokenShards, size: int) -> Iterator[tuple[float, np.ndarray]]:
    """Word ids of at most `size` tokens at once, int32: -1 between documents, unknown words left out."""
    for start in range(0, shards.n_tokens, size):
        stop = min(start + size, shards.n_tokens)
        held = []
        for begin in range(start, stop, _READ):
            ids = shards.read(begin, min(begin + _READ, stop))
            ids = ids[ids != UNKNOWN]
            held.append(np.maximum(ids - len(SPECIAL_TOKENS), -1).astype(np.int32))
        yield stop / shards.n_tokens, np.concatenate(held)


def _batches(most: np.ndarray) -> list[tuple[int, int]]:
    """Consecutive rows whose pairs are at most `_PAIRS_AT_ONCE`, or a single row."""
    ends = np.cumsum(most)
    batches, first = [], 0
    while first < len(most):
        before = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + _PAIRS_AT_ONCE, side="right")))
        batches.append((first, last))
        first = last
    return batches


def _room(pairs: int, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.empty(pairs, np.int32), np.empty(pairs, np.float32), np.empty(rows, np.int64)
