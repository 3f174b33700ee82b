"""Compiled loops of the counting of co-occurrences; imported only where numba is installed.

Each loop is plain Python first and compiled by assignment, so that a test can run the loop that is compiled.
"""

from __future__ import annotations

import numba
import numpy as np


def _group_positions(tokens: np.ndarray, starts: np.ndarray, positions: np.ndarray) -> None:
    """Write the positions of each word behind one another: a counting sort.

    Args:
        tokens: (N,) int32 word ids, -1 between documents.
        starts: (V + 1,) int64, where each word's positions begin; left as it was.
        positions: (N - breaks,) int32, filled.
    """
    cursor = starts[:-1].copy()
    for place in range(len(tokens)):
        word = tokens[place]
        if word >= 0:
            positions[cursor[word]] = place
            cursor[word] += 1


def _count_rows(
    tokens: np.ndarray,
    grouped: tuple[np.ndarray, np.ndarray],
    rows: tuple[int, int],
    window: int,
    carried: int,
    out: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> int:
    """Sum 1 / distance over the neighbours of every occurrence of some words; returns how many pairs were written.

    A pair is counted where its later position is not `carried`: those were counted with the part of the text before.

    Args:
        tokens: (N,) int32 word ids, -1 between documents.
        grouped: starts (V + 1,) and positions, of `group_positions`.
        rows: the first word and the one after the last.
        window: the largest distance.
        carried: how many tokens at the beginning stand there as neighbours only.
        out: columns (capacity,) int32, values (capacity,) float32, and the length of each row (rows,) int64.
    """
    starts, positions = grouped
    columns, values, lengths = out
    first, last = rows
    sums = np.zeros(len(starts) - 1)  # float64: a sum of millions of fractions
    written = 0
    for word in range(first, last):
        begin = written
        for index in range(starts[word], starts[word + 1]):
            place = positions[index]
            if place >= carried:
                for distance in range(1, min(window, place) + 1):
                    other = tokens[place - distance]
                    if other < 0:
                        break
                    if sums[other] == 0.0:
                        columns[written] = other
                        written += 1
                    sums[other] += 1.0 / distance
            for distance in range(1, min(window, len(tokens) - 1 - place) + 1):
                other = tokens[place + distance]
                if other < 0:
                    break
                if place + distance < carried:
                    continue
                if sums[other] == 0.0:
                    columns[written] = other
                    written += 1
                sums[other] += 1.0 / distance
        for index in range(begin, written):
            values[index] = sums[columns[index]]
            sums[columns[index]] = 0.0
        lengths[word - first] = written - begin
    return written


def _merge_rows(
    columns: np.ndarray,
    values: np.ndarray,
    offsets: np.ndarray,
    size: int,
    out: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> int:
    """Sum the same rows of several runs; returns how many pairs were written.

    Args:
        columns, values: the rows of all runs, run after run.
        offsets: (runs, rows + 1) int64, where each row of each run begins in them.
        size: V.
        out: as in `count_rows`.
    """
    merged, totals, lengths = out
    sums = np.zeros(size)
    written = 0
    for row in range(offsets.shape[1] - 1):
        begin = written
        for run in range(offsets.shape[0]):
            for index in range(offsets[run, row], offsets[run, row + 1]):
                other = columns[index]
                if sums[other] == 0.0:
                    merged[written] = other
                    written += 1
                sums[other] += values[index]
        for index in range(begin, written):
            totals[index] = sums[merged[index]]
            sums[merged[index]] = 0.0
        lengths[row] = written - begin
    return written


def _block_sizes(columns: np.ndarray, lengths: np.ndarray, first: int, sizes: np.ndarray) -> None:
    """Count the pairs that fall into each cell of a grid: word ids modulo its side, so that each has frequent words.

    Args:
        columns: of consecutive rows.
        lengths: (rows,) pairs of each.
        first: word id of the first row.
        sizes: (side, side) int64, added to.
    """
    side = sizes.shape[0]
    index = 0
    for row in range(len(lengths)):
        block = (first + row) % side
        for _ in range(lengths[row]):
            sizes[block, columns[index] % side] += 1
            index += 1


def _scatter(
    columns: np.ndarray,
    values: np.ndarray,
    lengths: np.ndarray,
    first: int,
    cursors: np.ndarray,
    out: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Write the pairs of consecutive rows into the cells of the grid; `cursors` (side, side) move along."""
    words, contexts, weights = out
    side = cursors.shape[0]
    index = 0
    for row in range(len(lengths)):
        word = first + row
        for _ in range(lengths[row]):
            other = columns[index]
            place = cursors[word % side, other % side]
            cursors[word % side, other % side] = place + 1
            words[place] = word
            contexts[place] = other
            weights[place] = values[index]
            index += 1


def _shuffle(words: np.ndarray, contexts: np.ndarray, weights: np.ndarray, seed: int) -> None:
    """Shuffle three columns alike, in place: Fisher and Yates with numbers of xorshift64* (Vigna 2016)."""
    state = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x2545F4914F6CDD1D)
    for place in range(len(words) - 1, 0, -1):
        state ^= state >> np.uint64(12)
        state ^= state << np.uint64(25)
        state ^= state >> np.uint64(27)
        drawn = (state * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(33)
        other = np.int64((drawn * np.uint64(place + 1)) >> np.uint64(31))
        words[place], words[other] = words[other], words[place]
        contexts[place], contexts[other] = contexts[other], contexts[place]
        weights[place], weights[other] = weights[other], weights[place]


_compiled = numba.njit(nogil=True, cache=True, error_model="numpy")
group_positions = _compiled(_group_positions)
count_rows = _compiled(_count_rows)
merge_rows = _compiled(_merge_rows)
block_sizes = _compiled(_block_sizes)
scatter = _compiled(_scatter)
shuffle = _compiled(_shuffle)
