"""Both decoders of trees: probabilities that sum to one over all trees, and the best tree of all."""

import itertools
import math

import numpy as np
import pytest
import torch

from langnet.tasks.beam_search import BeamOptions
from langnet.tasks.tree_decoders import ChartDecoder, linear_decoder
from tests.tasks.test_tree_chart import every

LABELS, DIM = 2, 6


def decoder_of(kind, beam=200):
    torch.manual_seed(0)
    if kind == "chart":
        made = ChartDecoder(DIM, LABELS, 8, 0.0)
    else:
        made = linear_decoder(DIM, LABELS, 8, 0.0, BeamOptions(beam))
    return made.double().eval()


def labelled(n):
    """Every tree of n words with every choice of labels, spans in the order of opening."""
    for tree in every(n):
        places = sorted(((start, start + width + 1) for start, width in tree), key=lambda s: (s[0], -s[1]))
        for labels in itertools.product(range(LABELS), repeat=len(places)):
            yield [(*place, label) for place, label in zip(places, labels, strict=True)]


def states(n, rows=1, seed=0):
    return torch.randn(rows, n, DIM, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 3


@pytest.mark.parametrize(("kind", "n"), [("chart", 1), ("chart", 3), ("chart", 4), ("linear", 1), ("linear", 2)])
@torch.no_grad()
def test_probabilities_of_all_trees(kind, n):
    decoder, trees, read = decoder_of(kind), list(labelled(n)), states(n)
    rows, lengths = read.expand(len(trees), -1, -1), torch.full((len(trees),), n)
    logs = decoder.log_probabilities(rows, lengths, trees)
    assert float(logs.exp().sum()) == pytest.approx(1.0, abs=1e-6)
    (found,) = decoder.decode(read, torch.tensor([n]))
    best = int(logs.argmax())
    assert found.spans == trees[best]
    assert found.log_probability == pytest.approx(float(logs[best]), abs=1e-6)
    if kind == "chart":
        expected = [
            sum(math.exp(log) for log, tree in zip(logs.tolist(), trees, strict=True) if span in tree)
            for span in found.spans
        ]
        assert found.probabilities == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", ["chart", "linear"])
def test_sentences_of_different_length_do_not_touch(kind):
    decoder, read = decoder_of(kind, beam=3), states(5, rows=4)
    lengths = torch.tensor([5, 0, 2, 1])
    trees = [[(0, 5, 1), (1, 3, 0)], [], [(0, 2, 0), (1, 2, 1)], []]
    logs = decoder.log_probabilities(read, lengths, trees)
    found = decoder.decode(read, lengths)
    for row, n in enumerate(lengths.tolist()):
        own = read[row : row + 1, : max(n, 1)]
        alone = decoder.log_probabilities(own, lengths[row : row + 1], [trees[row]])
        np.testing.assert_allclose(alone.detach(), logs[row : row + 1].detach(), atol=1e-6)
        (single,) = decoder.decode(own, lengths[row : row + 1])
        assert single.spans == found[row].spans
        assert single.log_probability == pytest.approx(found[row].log_probability, abs=1e-6)
    assert found[1].spans == []
    assert found[1].log_probability == pytest.approx(0.0)


@pytest.mark.parametrize("kind", ["chart", "linear"])
def test_gradient_reaches_every_weight(kind):
    decoder, read = decoder_of(kind), states(4, rows=2).requires_grad_()
    trees = [[(0, 4, 0), (0, 2, 1)], [(1, 3, 1)]]
    decoder.log_probabilities(read, torch.tensor([4, 3]), trees).sum().backward()
    still = [name for name, weight in decoder.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert not still
    assert read.grad[1, 3].abs().sum() == 0, "what lies behind a sentence's end is not read"
    assert (read.grad[0].abs().sum(1) > 0).all()


@torch.no_grad()
def test_groups_that_are_decoded_together_make_no_difference(monkeypatch):
    decoder, read = decoder_of("chart"), states(6, rows=5)
    lengths = torch.tensor([6, 3, 1, 0, 4])
    whole = decoder.decode(read, lengths)
    monkeypatch.setattr("langnet.tasks.tree_decoders.SPANS_AT_ONCE", 30)
    parts = decoder.decode(read, lengths)
    assert [one.spans for one in parts] == [one.spans for one in whole]
    for one, other in zip(parts, whole, strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)
