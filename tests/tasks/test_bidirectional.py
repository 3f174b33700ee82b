"""The sampled softmax estimates the exact one, with its gradient; both directions learn."""

import math

import pytest
import torch
import torch.nn.functional as F

from langnet.encoders.elmo import ELMo, ELMoConfig
from langnet.errors import LangnetError
from langnet.tasks.bidirectional import BidirectionalLanguageModel
from langnet.tasks.cross_entropy import linear_cross_entropy
from langnet.tasks.sampled_softmax import expected_counts, log_uniform_sample, sampled_cross_entropy
from langnet.text.batches import Batch
from langnet.text.characters import stack
from langnet.text.spelling import spelled_texts
from langnet.text.tokenizer import Tokenizer

V, D = 50, 6


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).requires_grad_()


def test_expected_counts_are_those_of_the_draws():
    torch.manual_seed(0)
    count = torch.zeros(V, dtype=torch.float64)
    for _ in range(200):
        ids, correction = log_uniform_sample(V, 100)
        # The correction is log(expected / drawn); both sides must tell the same count.
        count[ids] += expected_counts(ids, V, 100) / correction.double().exp()
    assert count.sum() == pytest.approx(20_000)
    expected = 200 * expected_counts(torch.arange(V), V, 100)
    assert expected.sum() == pytest.approx(20_000)
    assert ((count - expected).abs() < 5 * expected.sqrt()).all()


def test_the_normalisation_has_no_bias():
    """The mean over samples of what the softmax divides by is the exact sum."""
    torch.manual_seed(0)
    hidden, weight, targets = numbers(4, D), numbers(V, D, seed=1), torch.tensor([0, 3, 20, 49])
    scores = hidden.detach() @ weight.detach().T
    exact = scores.exp().sum(1)
    found = []
    for _ in range(3000):
        ids, correction = log_uniform_sample(V, 40)
        others = (scores[:, ids] - correction).exp().masked_fill(targets[:, None] == ids, 0).sum(1)
        found.append(others + scores[torch.arange(4), targets].exp())
    mean = torch.stack(found).mean(0)
    error = torch.stack(found).std(0) / math.sqrt(3000)
    assert ((mean - exact).abs() < 4 * error).all()
    assert (error < 0.05 * exact).all()


def test_loss_and_gradient():
    torch.manual_seed(0)
    hidden, weight = numbers(2, 5, D), numbers(V, D, seed=1)
    targets = torch.tensor([[0, 3, -100, 20, 49], [7, -100, 3, 3, 1]])
    ids, correction = sample = log_uniform_sample(V, 30)
    scores = (hidden @ weight[ids].T - correction).masked_fill(targets[..., None] == ids, -torch.inf)
    own = (hidden * weight[targets.clamp_min(0)]).sum(-1, keepdim=True)
    every = torch.cat([own, scores], dim=-1).flatten(0, 1)
    expected = F.cross_entropy(every, torch.where(targets.flatten() < 0, -100, 0))
    got = sampled_cross_entropy(hidden, weight, targets, sample)
    torch.testing.assert_close(got, expected)
    wanted = torch.autograd.grad(3 * expected, [hidden, weight])
    for a, b in zip(torch.autograd.grad(3 * got, [hidden, weight]), wanted, strict=True):
        torch.testing.assert_close(a, b)


def test_many_draws_come_to_the_exact_loss():
    torch.manual_seed(0)
    hidden, weight, targets = numbers(30, D).detach(), numbers(V, D, seed=1).detach(), torch.arange(30)
    exact = linear_cross_entropy(hidden, weight, targets)
    sampled = sampled_cross_entropy(hidden, weight, targets, log_uniform_sample(V, 200_000))
    assert float(sampled) == pytest.approx(float(exact), abs=0.01)


def test_nothing_to_predict():
    hidden = numbers(3, D)
    loss = sampled_cross_entropy(hidden, numbers(V, D), torch.full((3,), -100), log_uniform_sample(V, 5))
    assert torch.autograd.grad(loss, hidden)[0].abs().sum() == 0


TEXT = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def counting():
    """Rows that count up: the next word and the previous one are certain."""
    tokenizer = Tokenizer.of_words(TEXT)
    rows, ids = spelled_texts([" ".join(TEXT[start:] + TEXT[:start]) for start in range(10)], tokenizer, 50, 50)
    words, row = torch.tensor([r.tolist() for r in rows]), stack(ids, 12)
    targets, previous = words.roll(-1, 1), words.roll(1, 1)
    targets[:, -1] = previous[:, 0] = -100
    # What comes first and last cannot be known.
    targets[:, 0] = previous[:, -1] = -100
    return Batch(torch.from_numpy(row), torch.ones(10, 12, dtype=torch.bool), targets, previous)


@pytest.mark.parametrize(("negatives", "reached"), [(0, 0.3), (14, 1.0)])
def test_both_directions_learn(negatives, reached):
    torch.manual_seed(0)
    batch, task = counting(), BidirectionalLanguageModel(negatives)
    encoder = ELMo(ELMoConfig(15, projection=12, units=24, filters=((1, 8), (2, 16)), character_dim=8, dropout=0.0))
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=0.02)
    for _ in range(60):
        loss = task.loss(encoder, encoder(batch.ids, batch.mask), batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    task.eval()
    with torch.no_grad():
        encoding = encoder(batch.ids, batch.mask)
        both = encoding.top.chunk(2, dim=-1)
        pairs = zip(both, (batch.targets, batch.previous), strict=True)
        losses = [float(linear_cross_entropy(hidden, encoder.output_weight(), targets)) for hidden, targets in pairs]
    assert max(losses) < reached
    assert task.loss(encoder, encoding, batch).item() == pytest.approx(sum(losses) / 2)


def test_negatives_are_a_number():
    with pytest.raises(LangnetError, match="0 or more"):
        BidirectionalLanguageModel(-1)
    assert BidirectionalLanguageModel(5).config() == {"name": "bidirectional_language_model", "negatives": 5}
