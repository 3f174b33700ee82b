"""The compiled loop of GloVe's training; imported only where numba is installed."""

from __future__ import annotations

import math

import numba
import numpy as np


def _train_pairs(
    words: np.ndarray,
    contexts: np.ndarray,
    counts: np.ndarray,
    weights: tuple[np.ndarray, np.ndarray],
    rate: float,
    cap: float,
    power: float,
) -> float:
    """One AdaGrad step for each pair of words, in order; returns the sum of their losses.

    The loss of a pair is f(x) (w . c + b + b' - log x)^2 / 2 with f(x) = min(1, (x / cap)^power): Pennington et al.
    2014, equation 8. As in the authors' program, what AdaGrad sums are squares of the rate times the gradient.

    Args:
        words, contexts: (n,) int32, rows of the two tables.
        counts: (n,) float32, x.
        weights: two tables (V, 2, D + 1) float32: of each word the vector and its bias, then AdaGrad's sums.
        rate, cap, power: float32.
    """
    first, second = weights
    width = first.shape[2] - 1
    one = np.float32(1.0)
    total = 0.0
    for index in range(len(words)):
        w, c = first[words[index]], second[contexts[index]]
        x = counts[index]
        score = np.float32(0.0)
        for k in range(width):
            score += w[0, k] * c[0, k]
        error = score + w[0, width] + c[0, width] - np.float32(math.log(x))
        weight = one if x >= cap else np.float32(math.exp(power * math.log(x / cap)))
        total += np.float64(np.float32(0.5) * weight * error * error)
        step = rate * weight * error
        for k in range(width):
            g, h = step * c[0, k], step * w[0, k]
            w[0, k] -= g / math.sqrt(w[1, k])
            c[0, k] -= h / math.sqrt(c[1, k])
            w[1, k] += g * g
            c[1, k] += h * h
        w[0, width] -= step / math.sqrt(w[1, width])
        c[0, width] -= step / math.sqrt(c[1, width])
        w[1, width] += step * step
        c[1, width] += step * step
    return total


train_pairs = numba.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")(_train_pairs)
