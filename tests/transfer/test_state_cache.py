"""What a frozen encoder says is kept row by row: the same states, each row read once, no more memory than allowed."""

from dataclasses import replace

import pytest
import torch

from langnet.encoders.registry import build_encoder
from langnet.tasks.classify import Classify, ClassifyConfig
from langnet.tasks.language_model import LanguageModel
from langnet.text.batches import Batch
from langnet.text.characters import LONGEST_WORD
from langnet.transfer.model import TaskModel
from langnet.transfer.state_cache import StateCache

ENCODERS = [
    ("gpt", "own"),
    ("gpt", "both"),
    ("gpt-2018", "own"),
    ("awd-lstm", "own"),
    ("awd-lstm", "two-way"),
    ("elmo", "own"),
]


def batch_of(rows, characters=None):
    """Rows of tokens given by a few numbers each, padded on the right."""
    mask = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.bool)
    ids = torch.zeros(mask.shape, dtype=torch.long)
    for index, row in enumerate(rows):
        ids[index, : len(row)], mask[index, : len(row)] = torch.tensor(row), True
    if characters:
        ids = (ids[..., None] + torch.arange(characters)) % 250 + 1
    return Batch(ids, mask, n_examples=len(rows))


class Counting(torch.nn.Module):
    """An encoder that counts the tokens that it reads."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder, self.tokens = encoder, 0

    def forward(self, ids, mask, state=None, causal=None):
        self.tokens += int(mask.sum())
        return self.encoder(ids, mask, state, causal)


@pytest.fixture(params=ENCODERS, ids=["-".join(one) for one in ENCODERS])
def encoder(request):
    family, reading = request.param
    encoder = build_encoder(family, "tiny", 40, seed=1, reading=reading).eval()
    with torch.no_grad():
        for parameter in encoder.parameters():  # blocks of a new gpt pass everything on
            parameter += 0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2))
    return Counting(encoder)


def test_the_states_are_the_encoders(encoder):
    characters = LONGEST_WORD if encoder.encoder.characters else None
    states = StateCache(8)
    first = batch_of([[5, 6, 7], [8, 9, 10, 11, 12], [5, 6, 7]], characters)
    second = batch_of([[30] * 9, [8, 9, 10, 11, 12], [5, 6], [5, 6, 7]], characters)
    assert states.fill(encoder, first)
    assert encoder.tokens == 3 + 5, "each row is read once"
    for batch in (first, second, first):
        with torch.no_grad():
            expected = encoder.encoder(batch.ids, batch.mask)
        got = states.read(encoder, batch)
        assert len(got.layers) == len(expected.layers)
        for one, other in zip(got.layers, expected.layers, strict=True):
            assert one.dtype == other.dtype
            torch.testing.assert_close(one[batch.mask], other[batch.mask], rtol=1e-4, atol=1e-5)
            assert not one[~batch.mask].any()
    assert encoder.tokens == 3 + 5 + 9 + 2, "only what is not kept is read again"
    assert states.held == 4 * sum(encoder.encoder.layer_dims) * (3 + 5)
    assert not states.full


def test_another_way_of_reading_is_another_row():
    encoder = build_encoder("gpt-2018", "tiny", 40, seed=1).eval()  # blocks of a new gpt pass everything on
    states, batch = StateCache(8), batch_of([[5, 6, 7]])
    assert states.fill(encoder, batch)
    assert states.fill(encoder, replace(batch, causal=False))
    left, both = states.read(encoder, batch).top, states.read(encoder, replace(batch, causal=False)).top
    assert len(states) == 2
    assert not torch.allclose(left, both, atol=1e-3)


def test_memory_is_bounded():
    encoder = Counting(build_encoder("gpt", "tiny", 40, seed=1).eval())
    states = StateCache(1)  # 1.5 kB a token: room for 682
    rows = [[5 + k // 20, 5 + k % 20, *range(5, 35), *range(5, 35)] for k in range(40)]
    batches = [batch_of(rows[start : start + 4]) for start in range(0, 40, 4)]
    assert [states.fill(encoder, batch) for batch in batches] == [True] * 2 + [False] * 8
    assert states.full
    assert len(states) == 8
    assert states.held == 8 * 62 * 3 * 128 * 4 <= 2**20
    before = encoder.tokens
    for batch in batches:
        states.read(encoder, batch)
    assert encoder.tokens - before == 62 * 32, "what did not fit is read anew, what did is not"
    assert len(states) == 8, "reading keeps nothing: a resumed run would keep something else"


def test_a_frozen_model_leaves_the_language_model_out():
    encoder = build_encoder("gpt", "tiny", 40, seed=1)
    network = TaskModel(encoder, [(Classify(ClassifyConfig(2), encoder.dim), 1.0), (LanguageModel(), 0.5)])
    batch = replace(batch_of([[5, 6, 7], [8, 9, 10]]), labels=torch.tensor([0, 1]))
    network.frozen = True
    losses = network.train()(batch)
    losses["loss"].backward()
    assert set(losses) == {"loss"}
    assert all(parameter.grad is None for parameter in encoder.parameters())
    network.frozen = False
    assert "language_model_loss" in network.train()(batch)
