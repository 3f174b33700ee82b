"""The distribution over spans, recomputed by loops."""

import numpy as np
import torch

from langnet.tasks.spans import best_spans, span_loss, span_scores


def drawn(seed, n=3, width=9, length=4):
    generator = torch.Generator().manual_seed(seed)
    start, end = torch.randn(2, n, width, generator=generator)
    possible = torch.rand(n, width, length, generator=generator) < 0.6
    for row in range(width):
        possible[:, row, width - row :] = False  # beyond the end
    return start, end, possible, torch.randn(n, generator=generator)


def table(start, end, possible, row):
    """Every possible span's score, by (first, more)."""
    return {
        (i, more): float(start[row, i] + end[row, i + more])
        for i in range(possible.shape[1])
        for more in range(possible.shape[2])
        if possible[row, i, more]
    }


def test_scores_and_best_spans():
    start, end, possible, nothing = drawn(0)
    scores = span_scores(start, end, possible)
    for none in (nothing, None):
        spans, probabilities, missing = best_spans(scores, none, 5)
        for row in range(3):
            known = table(start, end, possible, row)
            total = sum(np.exp(list(known.values()))) + (0 if none is None else float(none[row].exp()))
            ranked = sorted(known, key=known.get, reverse=True)[:5]
            assert spans[row].tolist() == [[i, i + more] for i, more in ranked]
            np.testing.assert_allclose(probabilities[row], [np.exp(known[at]) / total for at in ranked], rtol=1e-5)
            np.testing.assert_allclose(missing[row], 0 if none is None else np.exp(float(none[row])) / total, rtol=1e-5)


def test_loss_is_that_of_all_right_answers_together():
    start, end, possible, nothing = drawn(1)
    known = [table(start, end, possible, row) for row in range(3)]
    gold = torch.full((3, 2, 2), -1)
    first, second = list(known[0])[:2]
    gold[0] = torch.tensor([first, second])
    gold[1, 0] = torch.tensor(list(known[1])[3])
    scores = span_scores(start, end, possible)
    totals = [np.log(sum(np.exp(list(k.values()))) + np.exp(float(nothing[row]))) for row, k in enumerate(known)]
    right = [np.logaddexp(known[0][first], known[0][second]), list(known[1].values())[3], float(nothing[2])]
    expected = np.mean(np.array(totals) - right)
    np.testing.assert_allclose(span_loss(scores, nothing, gold), expected, rtol=1e-5)


def test_the_gradient_is_finite_where_little_is_possible():
    start, end, possible, nothing = drawn(2)
    possible[:] = False
    possible[0, 3, 1] = True
    start.requires_grad_()
    gold = torch.tensor([[[3, 1]], [[-1, -1]], [[-1, -1]]])
    loss = span_loss(span_scores(start, end, possible), nothing, gold)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(start.grad).all()


def test_no_possible_span_is_no_answer():
    spans, probabilities, missing = best_spans(
        span_scores(torch.zeros(1, 1), torch.zeros(1, 1), torch.zeros(1, 1, 1).bool()), None, 3
    )
    assert spans.shape == (1, 1, 2)
    assert probabilities.tolist() == [[0.0]]
    assert missing.tolist() == [1.0]
