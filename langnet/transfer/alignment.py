"""Two spaces of word vectors brought together: Procrustes from a dictionary, or self-learning without one.

Supervised: the orthogonal map of least squares between the vectors of translations (Schönemann 1966; Smith et al.
2017). Unsupervised: a first dictionary from the words' similarities within their own language, which should look alike
in both, then map and dictionary in turn (Artetxe et al. 2018). Neighbours are found by CSLS (Conneau et al. 2018),
which takes from every cosine the mean cosine of the two words' own neighbours, so that no word is everyone's neighbour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from langnet.encoders.word_space import unit_rows
from langnet.errors import LangnetError

_ROWS_AT_ONCE = 1024
_NO_PAIRS = "no pair of the dictionary is known on both sides; check its order and its spelling"


@dataclass(frozen=True)
class AlignOptions:
    """How two spaces are brought together.

    Attributes:
        neighbours: k of CSLS; 0 takes plain cosines.
        reweight: map both spaces to one where dimensions count by how well they agree (Artetxe et al. 2018, section
            3.4); without it the map is orthogonal, and the target stays as it is.
        most_frequent: words of each side that self-learning compares; published are 20,000.
        initial_words: words of each side whose similarities make the first dictionary; published are 4,000.
        keep_first: part of the similarities that is kept at random at first; it doubles where nothing gets better. All
            are kept where self-learning begins with a dictionary.
        patience: rounds without betterment until it doubles, and until all ends once it is one.
        threshold: the least betterment of the mean similarity.
        most_rounds: after so many self-learning ends in any case.
        seed: of what is dropped.
    """

    neighbours: int = 10
    reweight: bool = False
    most_frequent: int = 10_000
    initial_words: int = 4_000
    keep_first: float = 0.1
    patience: int = 10
    threshold: float = 1e-6
    most_rounds: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("most_frequent", "initial_words", "patience", "most_rounds"):
            if getattr(self, name) < 1:
                raise LangnetError(f"the {name.replace('_', ' ')} must be 1 or more, not {getattr(self, name)}")
        if self.neighbours < 0 or not 0 < self.keep_first <= 1:
            raise LangnetError("CSLS takes 0 or more neighbours, and the part kept first is above 0 and at most 1")


@dataclass(frozen=True)
class Alignment:
    """Linear maps of normalised vectors into one space.

    Attributes:
        source, target: (D, E) float32; the target's is the identity where the map is orthogonal.
        source_center, target_center: (D,) means that are taken off unit vectors first.
        rounds: of self-learning; 0 with a dictionary.
        similarity: mean cosine of the pairs that the last map was made from.
    """

    source: np.ndarray
    target: np.ndarray
    source_center: np.ndarray
    target_center: np.ndarray
    rounds: int = 0
    similarity: float = float("nan")

    def map_source(self, vectors: np.ndarray) -> np.ndarray:
        """Source vectors in the common space, (n, E), at length one."""
        return unit_rows(unit_rows(unit_rows(vectors) - self.source_center) @ self.source)

    def map_target(self, vectors: np.ndarray) -> np.ndarray:
        """Target vectors in the common space, (n, E), at length one."""
        return unit_rows(unit_rows(unit_rows(vectors) - self.target_center) @ self.target)


def procrustes(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The orthogonal (D, D) with the least |source W - target|: U V' of source' target = U S V' (Schönemann 1966)."""
    left, _, right = np.linalg.svd(source.T @ target)
    return np.asarray(left @ right)


def align_supervised(
    source: np.ndarray, target: np.ndarray, pairs: Sequence[tuple[int, int]], options: AlignOptions | None = None
) -> Alignment:
    """Maps from a dictionary.

    Args:
        source: (V, D) vectors.
        target: (V', D) vectors.
        pairs: rows of translations of each other.
        options: whether dimensions are reweighted.

    Raises:
        LangnetError: there are no pairs, or the widths differ.
    """
    options = options or AlignOptions()
    _check_widths(source, target)
    if not pairs:
        raise LangnetError(_NO_PAIRS)
    x, y, centers = _normalised(source, target)
    if options.reweight and len(pairs) < 2 * x.shape[1]:
        raise LangnetError(
            f"reweighting measures {x.shape[1]} dimensions, for which {len(pairs)} pairs are too few; give a larger "
            "dictionary, or leave it out"
        )
    first, second = _rows(pairs)
    maps = _maps(x[first], y[second], options.reweight)
    return Alignment(*maps, *centers, similarity=_similarity(x[first] @ maps[0], y[second] @ maps[1]))


def align_unsupervised(
    source: np.ndarray,
    target: np.ndarray,
    options: AlignOptions | None = None,
    told: Callable[[int, float, float], None] | None = None,
    pairs: Sequence[tuple[int, int]] | None = None,
) -> Alignment:
    """Maps by self-learning, without a dictionary or from a small one; rows are to stand in the order of frequency.

    Args:
        source: (V, D) vectors.
        target: (V', D) vectors.
        options: how.
        told: called after each round with its number, the mean similarity and the part of it that was kept.
        pairs: rows of translations of each other to begin with (Artetxe et al. 2017), right ones for the most part;
            None begins with the words' similarities within their own language.

    Raises:
        LangnetError: the widths differ, or there are pairs, but none of words that self-learning compares.
    """
    options = options or AlignOptions()
    _check_widths(source, target)
    if pairs is not None:
        pairs = [pair for pair in pairs if max(pair) < options.most_frequent]
        if not pairs:
            raise LangnetError(_NO_PAIRS)
    generator = np.random.default_rng(options.seed)
    x, y, centers = _normalised(source, target)
    x, y = x[: options.most_frequent], y[: options.most_frequent]
    dictionary = _first_dictionary(x, y, options) if pairs is None else _rows(pairs)
    keep = options.keep_first if pairs is None else 1.0  # dropping would lose what a few pairs say
    best, since, rounds, similarity = -np.inf, 0, 0, float("nan")
    for rounds in range(1, options.most_rounds + 1):
        mapping = procrustes(x[dictionary[0]], y[dictionary[1]])
        dictionary, similarity = _induce(x @ mapping, y, options.neighbours, keep, generator)
        if told:
            told(rounds, similarity, keep)
        if similarity > best + options.threshold:
            best, since = similarity, 0
            continue
        since += 1
        if since >= options.patience:
            if keep >= 1:
                break
            keep, since = min(1.0, 2 * keep), 0
    maps = _maps(x[dictionary[0]], y[dictionary[1]], options.reweight)
    return Alignment(*maps, *centers, rounds=rounds, similarity=similarity)


def nearest_targets(
    source: np.ndarray, target: np.ndarray, count: int, neighbours: int = 10, crowd: np.ndarray | None = None
) -> np.ndarray:
    """The `count` nearest rows of the target for each source row by CSLS, (n, count), nearest first.

    Conneau et al. 2018, equation 4: 2 cos(x, y) - r(x) - r(y), where r is a word's mean cosine with its `neighbours`
    nearest words of the other side; r(x) is the same for all y, and so is left out here.

    Args:
        source: (n, E) rows that are asked for.
        target: (V', E).
        count: how many.
        neighbours: k; 0 takes plain cosines.
        crowd: (V, E) source words among which a target's neighbours are looked for; None takes those asked for.
    """
    x, y = unit_rows(source), unit_rows(target)
    hubness = mean_nearest(y, x if crowd is None else unit_rows(crowd), neighbours)  # (V',)
    count = min(count, len(y))
    found = np.zeros((len(x), count), dtype=np.int64)
    for start in range(0, len(x), _ROWS_AT_ONCE):
        scores = 2 * (x[start : start + _ROWS_AT_ONCE] @ y.T) - hubness  # (b, V')
        found[start : start + _ROWS_AT_ONCE] = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    return found


def mean_nearest(rows: np.ndarray, others: np.ndarray, neighbours: int) -> np.ndarray:
    """The mean cosine of each row with its nearest among `others`, (n,); zero for 0 neighbours."""
    if not neighbours:
        return np.zeros(len(rows), dtype=np.float32)
    k = min(neighbours, len(others))
    parts = []
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        scores = rows[start : start + _ROWS_AT_ONCE] @ others.T
        parts.append(np.partition(scores, -k, axis=1)[:, -k:].mean(axis=1))
    return np.concatenate(parts)


def _check_widths(source: np.ndarray, target: np.ndarray) -> None:
    if source.shape[1] != target.shape[1]:
        raise LangnetError(
            f"the source has {source.shape[1]} dimensions and the target {target.shape[1]}; train both with one --dim"
        )


def _normalised(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Both at length one, centred, and at length one again (Artetxe et al. 2018, section 3.1), with the centres."""
    x, y = unit_rows(source), unit_rows(target)
    centers = (x.mean(axis=0), y.mean(axis=0))
    return unit_rows(x - centers[0]), unit_rows(y - centers[1]), centers


def _rows(pairs: Sequence[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    rows = np.array(pairs, dtype=np.int64)  # (n, 2)
    return rows[:, 0], rows[:, 1]


def _similarity(x: np.ndarray, y: np.ndarray) -> float:
    return float((unit_rows(x) * unit_rows(y)).sum(axis=1).mean())


def _maps(x: np.ndarray, y: np.ndarray, reweight: bool) -> tuple[np.ndarray, np.ndarray]:
    """The two maps of paired rows (n, D): orthogonal, or whitened, rotated, reweighted and coloured again."""
    dim = x.shape[1]
    if not reweight:
        return procrustes(x, y).astype(np.float32), np.eye(dim, dtype=np.float32)
    white_x, white_y = _whitening(x), _whitening(y)
    left, agreement, right = np.linalg.svd((x @ white_x).T @ (y @ white_y))
    weights = np.diag(np.sqrt(agreement))
    color_x = left.T @ np.linalg.inv(white_x) @ left
    color_y = right @ np.linalg.inv(white_y) @ right.T
    source = white_x @ left @ weights @ color_x
    target = white_y @ right.T @ weights @ color_y
    return source.astype(np.float32), target.astype(np.float32)


def _whitening(rows: np.ndarray) -> np.ndarray:
    """(D, D): rows times it are uncorrelated; directions without any spread stay small."""
    _, lengths, right = np.linalg.svd(rows.astype(np.float64), full_matrices=False)
    return np.asarray(right.T @ np.diag(1 / np.maximum(lengths, 1e-6 * lengths.max())) @ right)


def _first_dictionary(x: np.ndarray, y: np.ndarray, options: AlignOptions) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of words whose sorted similarities within their own language are most alike.

    The square root of the matrix of similarities is used, as in section 3.2: its rows carry less noise.
    """
    count = min(len(x), len(y), options.initial_words)
    profiles = []
    for rows in (x[:count], y[:count]):
        left, lengths, _ = np.linalg.svd(rows, full_matrices=False)
        profile = np.sort((left * lengths) @ left.T, axis=1)  # (count, count)
        profile = unit_rows(profile)
        profiles.append(unit_rows(profile - profile.mean(axis=0)))
    forward = nearest_targets(profiles[0], profiles[1], 1, options.neighbours)[:, 0]
    backward = nearest_targets(profiles[1], profiles[0], 1, options.neighbours)[:, 0]
    every = np.arange(count)
    return np.concatenate([every, backward]), np.concatenate([forward, every])


def _induce(
    x: np.ndarray, y: np.ndarray, neighbours: int, keep: float, generator: np.random.Generator
) -> tuple[tuple[np.ndarray, np.ndarray], float]:
    """A dictionary in both directions by CSLS over similarities of which a part is dropped, and its mean cosine.

    Artetxe et al. 2018, section 3.3: dropping lets self-learning leave poor local optima.
    """
    forward, near = _best(x, y, mean_nearest(y, x, neighbours), keep, generator)
    backward, back = _best(y, x, mean_nearest(x, y, neighbours), keep, generator)
    pairs = np.concatenate([np.arange(len(x)), backward]), np.concatenate([forward, np.arange(len(y))])
    return pairs, float((near.mean() + back.mean()) / 2)


def _best(
    rows: np.ndarray, others: np.ndarray, hubness: np.ndarray, keep: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest of `others` for each row among those kept, (n,), and its cosine where all are kept, (n,)."""
    best, cosines = [], []
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        near = rows[start : start + _ROWS_AT_ONCE] @ others.T  # (b, V')
        scores = 2 * near - hubness
        cosines.append(near[np.arange(len(near)), scores.argmax(axis=1)])
        if keep < 1:
            dropped = generator.random(scores.shape, dtype=np.float32) >= keep
            scores[dropped] = -np.inf  # a row without any kept takes the first word: chance, as the rest of it
        best.append(scores.argmax(axis=1))
    return np.concatenate(best), np.concatenate(cosines)
