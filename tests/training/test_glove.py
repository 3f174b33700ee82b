"""GloVe's update against numpy in float64, its loss, and the same weights by any number of threads."""

import numpy as np
import pytest

pytest.importorskip("numba")

from langnet.errors import LangnetError
from langnet.text.cooccurrences import GRID, Cooccurrences
from langnet.training.glove import GloveOptions, _first_weights, train_glove
from langnet.training.glove_kernels import train_pairs

V, D = 40, 6


@pytest.fixture(scope="module")
def pairs():
    """Counts of words in two groups that stand near their own."""
    generator = np.random.default_rng(0)
    group = np.arange(V) % 2
    counts = np.where(group[:, None] == group, 50.0, 2.0) * generator.uniform(0.5, 1.5, (V, V))
    words, contexts = np.divmod(generator.permutation(V * V), V)
    cell = (words % GRID) * GRID + contexts % GRID
    order = np.argsort(cell, kind="stable")
    bounds = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=GRID * GRID))])
    words, contexts = words[order].astype(np.int32), contexts[order].astype(np.int32)
    return Cooccurrences(words, contexts, counts[words, contexts].astype(np.float32), bounds, V)


def numerical_gradient(loss, weights, step=1e-6):
    gradient = np.zeros_like(weights)
    for index in np.ndindex(*weights.shape):
        for sign in (1, -1):
            moved = weights.copy()
            moved[index] += sign * step
            gradient[index] += sign * loss(moved) / (2 * step)
    return gradient


@pytest.mark.parametrize("count", [0.5, 30.0, 250.0])
def test_one_step_is_adagrad_on_the_gradient_of_equation_8(count):
    rate, cap, power = 0.05, 100.0, 0.75
    generator = np.random.default_rng(1)
    tables = tuple(_first_weights(3, D, generator) * 20 for _ in range(2))
    for table in tables:
        table[:, 1] = generator.uniform(1, 3, (3, D + 1))
    before = [table.astype(np.float64) for table in tables]

    def loss(both):
        (w, bias), (c, other) = ((row[:-1], row[-1]) for row in both)
        return 0.5 * min(1.0, (count / cap) ** power) * (w @ c + bias + other - np.log(count)) ** 2

    both = np.stack([before[0][1, 0], before[1][2, 0]])
    gradient = numerical_gradient(loss, both)
    numbers = (np.float32(rate), np.float32(cap), np.float32(power))
    one = np.array([1], np.int32), np.array([2], np.int32), np.array([count], np.float32)
    total = train_pairs(*one, tables, *numbers)
    assert total == pytest.approx(loss(both), rel=1e-4)
    for side, row in ((0, 1), (1, 2)):
        moved = rate * gradient[side]
        expected = before[side][row, 0] - moved / np.sqrt(before[side][row, 1])
        np.testing.assert_allclose(tables[side][row, 0], expected, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(tables[side][row, 1], before[side][row, 1] + moved**2, rtol=1e-4)
        others = np.delete(np.arange(3), row)
        np.testing.assert_array_equal(tables[side][others], before[side][others].astype(np.float32))


def test_the_loss_falls_and_groups_part(pairs):
    found = train_glove(pairs, GloveOptions(D, epochs=60))
    assert found.losses[-1] < 0.2 * found.losses[0]
    unit = found.vectors / np.linalg.norm(found.vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    same = (np.arange(V) % 2)[:, None] == np.arange(V) % 2
    assert cosines[same].mean() > cosines[~same].mean() + 0.5


def test_the_same_weights_by_any_number_of_threads(pairs):
    runs = [train_glove(pairs, GloveOptions(D, epochs=3, threads=threads, seed=5)).vectors for threads in (1, 1, 3)]
    np.testing.assert_array_equal(runs[0], runs[1])
    np.testing.assert_array_equal(runs[0], runs[2])
    assert not np.array_equal(runs[0], train_glove(pairs, GloveOptions(D, epochs=3, seed=6)).vectors)


def test_a_rate_that_is_too_high_is_told(pairs):
    with pytest.raises(LangnetError, match="the learning rate 1e\\+20 is too high"):
        train_glove(pairs, GloveOptions(D, epochs=2, learning_rate=1e20))


def test_senseless_options():
    with pytest.raises(LangnetError, match="epochs must be above zero, not 0"):
        GloveOptions(epochs=0)
