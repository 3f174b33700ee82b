"""Training of GloVe: weighted least squares on the logarithms of co-occurrence counts (Pennington et al. 2014).

The pairs lie in the cells of a grid over words and contexts. One round takes sixteen cells of which no two share a row
or a column, so threads never touch the same weights: the result is the same bit for bit, whatever their number, where
Hogwild's races give another one each time.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from langnet.errors import LangnetError
from langnet.text.cooccurrences import GRID, Cooccurrences, kernels
from langnet.training.progress import Progress


@dataclass(frozen=True)
class GloveOptions:
    """How GloVe is trained; the defaults are those of Pennington et al. 2014, section 4.2, but for the passes.

    Attributes:
        dim: width of the vectors, D.
        epochs: passes over all pairs; published are 50, and 100 above 300 dimensions.
        learning_rate: AdaGrad's first rate.
        cap: the count from which on all pairs weigh the same.
        power: of the weights below it.
        threads: that train; their number changes no weight.
        seed: of the first weights and of the cells' order.
    """

    dim: int = 100
    epochs: int = 25
    learning_rate: float = 0.05
    cap: float = 100.0
    power: float = 0.75
    threads: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("dim", "epochs", "learning_rate", "cap", "power", "threads"):
            if getattr(self, name) <= 0:
                raise LangnetError(f"the {name.replace('_', ' ')} must be above zero, not {getattr(self, name):g}")


def cap_for(n_tokens: int) -> float:
    """The cap for a text of so many words: the published 100 at six billion, and below as the square root of the size.

    A pair seen once weighs (1 / cap) ** 0.75. Under a cap of 100 that is a thirtieth, and on a small corpus, where most
    pairs are such, the vectors of all but the frequent words hardly move: `results/glove_settings.md`.
    """
    return float(f"{min(100.0, max(1.0, 100 * (n_tokens / 6e9) ** 0.5)):.2g}")


@dataclass
class GloveResult:
    """What training made.

    Attributes:
        vectors: (V, D) float32, the sums of word and context vectors.
        losses: mean loss a pair of each epoch.
        seconds: that training took.
    """

    vectors: np.ndarray
    losses: list[float]
    seconds: float


def train_glove(
    pairs: Cooccurrences, options: GloveOptions | None = None, progress: Progress | None = None
) -> GloveResult:
    """Minimise the weighted squares by AdaGrad, one pair at a time.

    Raises:
        LangnetError: the loss is no number any more, or numba is not installed.
    """
    options = options or GloveOptions()
    kernels()  # a missing numba is told before anything is made
    generator = np.random.default_rng(options.seed)
    weights = (
        _first_weights(pairs.n_words, options.dim, generator),
        _first_weights(pairs.n_words, options.dim, generator),
    )
    if progress:
        progress.start(f"{options.epochs} passes over {len(pairs.words):,} pairs")
    losses: list[float] = []
    started = time.monotonic()
    try:
        with ThreadPoolExecutor(options.threads) as pool:
            for epoch in range(options.epochs):
                losses.append(_one_epoch(pairs, weights, options, generator, pool))
                if not np.isfinite(losses[-1]):
                    raise LangnetError(
                        f"the loss of pass {epoch + 1} is {losses[-1]}: the learning rate {options.learning_rate:g} is "
                        "too high; the published one is 0.05"
                    )
                if progress:
                    done = (epoch + 1) / options.epochs
                    progress.update(done, (epoch + 1) * len(pairs.words), time.monotonic() - started, losses[-1])
    finally:
        if progress:
            progress.stop()
    vectors = weights[0][:, 0, :-1] + weights[1][:, 0, :-1]  # (V, D)
    return GloveResult(vectors, losses, time.monotonic() - started)


def _first_weights(n_words: int, dim: int, generator: np.random.Generator) -> np.ndarray:
    """(V, 2, D + 1): vectors and biases within 0.5 / D of zero, and AdaGrad's sums, which begin at one."""
    weights = np.ones((n_words, 2, dim + 1), dtype=np.float32)
    weights[:, 0] = (generator.random((n_words, dim + 1), dtype=np.float32) - 0.5) / dim
    return weights


def _one_epoch(
    pairs: Cooccurrences,
    weights: tuple[np.ndarray, np.ndarray],
    options: GloveOptions,
    generator: np.random.Generator,
    pool: ThreadPoolExecutor,
) -> float:
    """Train on every cell once, in rounds of cells that share nothing; returns the mean loss."""
    from langnet.training.glove_kernels import train_pairs

    rate, cap, power = (np.float32(v) for v in (options.learning_rate, options.cap, options.power))

    def train(cell: tuple[int, int]) -> float:
        inside = pairs.cell(*cell)
        columns: list[Any] = [np.asarray(c[inside]) for c in (pairs.words, pairs.contexts, pairs.counts)]
        return float(train_pairs(*columns, weights, rate, cap, power))

    total = 0.0
    for shift in generator.permutation(GRID):
        order = generator.permutation(GRID)
        total += sum(pool.map(train, [(int(row), int((row + shift) % GRID)) for row in order]))
    return total / len(pairs.words)
