"""The field over trees: sums, best trees, marginals and gradients against the enumeration of every tree."""

import itertools
from functools import cache

import numpy as np
import pytest
import torch

from langnet.tasks.tree_chart import best_trees, log_partition, marginals


@cache
def forests(start, end, least=1):
    """Every way to write the words start .. end - 1 as `least` or more trees side by side, each a set of spans."""
    if start == end:
        return [frozenset()] if least <= 0 else []
    found = []
    for middle in range(start + 1, end + (least <= 1)):
        for first, rest in itertools.product(trees(start, middle), forests(middle, end, least - 1)):
            found.append(first | rest)
    return found


@cache
def trees(start, end):
    """Every tree over the words: one word with or without a span, or a span over two trees or more."""
    if end - start == 1:
        return [frozenset(), frozenset({(start, 0)})]
    return [one | {(start, end - start - 1)} for one in forests(start, end, 2)]


def every(n):
    """Every tree of a sentence, several side by side among them."""
    return forests(0, n, 1)


@cache
def incidence(n):
    """Which spans each tree has, (trees, n * n)."""
    table = np.zeros((len(every(n)), n * n))
    for row, tree in enumerate(every(n)):
        table[row, [start * n + width for start, width in tree]] = 1
    return table


def values(n, scores):
    """What each tree is worth by scores (n, n)."""
    return incidence(n) @ scores.numpy().ravel()


def drawn(n, rows, seed=0, spread=1.0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, n, n, generator=generator, dtype=torch.float64) * spread


def test_how_many_trees_there_are():
    # Schroeder's numbers 1, 2, 6 of ways to bracket, and every word may have a span of its own.
    assert [len(every(n)) for n in (1, 2, 3)] == [2, 2**2 * 2, 2**3 * 6]
    assert all(len(set(every(n))) == len(every(n)) for n in range(1, 6))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
def test_sum_over_all_trees(n):
    scores = drawn(n, 2, seed=n)
    expected = [np.logaddexp.reduce(values(n, table)) for table in scores]
    found = log_partition(scores, torch.full((2,), n))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
def test_best_tree_of_all(n):
    scores = drawn(n, 4, seed=n, spread=2.0)
    scores[3] -= 3.0  # few spans are worth it
    spans, totals = best_trees(scores, torch.full((4,), n))
    for table, own, total in zip(scores, spans, totals.tolist(), strict=True):
        best = int(values(n, table).argmax())
        assert set(own) == every(n)[best]
        assert len(own) == len(set(own))
        assert total == pytest.approx(values(n, table)[best])
        assert own == sorted(own, key=lambda span: (span[0], -span[1])), "in the order of opening"


@pytest.mark.parametrize("n", [1, 3, 5])
def test_marginals_and_gradient(n):
    scores = drawn(n, 1, seed=10 + n)
    worth = values(n, scores[0])
    expected = (np.exp(worth - np.logaddexp.reduce(worth)) @ incidence(n)).reshape(n, n)
    np.testing.assert_allclose(marginals(scores, torch.tensor([n]))[0].numpy(), expected, atol=1e-12)
    held = scores.clone().requires_grad_()
    (3 * log_partition(held, torch.tensor([n]))).sum().backward()
    np.testing.assert_allclose(held.grad[0].numpy(), 3 * expected, atol=1e-12)


def test_rows_of_different_length_do_not_touch():
    lengths = torch.tensor([4, 2, 0, 1])
    scores = drawn(4, 4, seed=3)
    alone = [log_partition(scores[i : i + 1, :n, :n], torch.tensor([n])) for i, n in enumerate(lengths) if n]
    found = log_partition(scores, lengths)
    np.testing.assert_allclose(found[[0, 1, 3]].numpy(), torch.cat(alone).numpy(), rtol=1e-12)
    assert found[2] == 0
    shares = marginals(scores, lengths)
    assert shares[1, 1:, 1:].abs().sum() == 0
    assert shares[2].abs().sum() == 0
    spans, totals = best_trees(scores, lengths)
    assert spans[2] == []
    assert totals[2] == 0
    assert all(start + width < 2 for start, width in spans[1])


def test_float32_of_a_long_sentence_is_close():
    scores = drawn(60, 1, seed=5, spread=3.0)
    lengths = torch.tensor([60])
    exact, rounded = log_partition(scores, lengths), log_partition(scores.float(), lengths)
    assert rounded.item() == pytest.approx(exact.item(), rel=1e-5)
    np.testing.assert_allclose(
        marginals(scores.float(), lengths).numpy(), marginals(scores, lengths).numpy(), atol=1e-3
    )
