"""Two encoders side by side: neither sees the other's side, padding is nothing, and a folder rebuilds the pair."""

import pytest
import torch

from langnet.encoders.registry import build_encoder, build_encoder_like, encoder_config, rebuild_encoder
from langnet.errors import LangnetError
from langnet.tasks.bidirectional import BidirectionalLanguageModel
from langnet.text.batches import Batch

FAMILIES = ["gpt", "gpt-2018", "gpt-2", "awd-lstm"]


@pytest.fixture(params=FAMILIES)
def family(request):
    return request.param


@pytest.fixture
def pair(family):
    encoder = build_encoder(family, "tiny", 50, seed=0, context=12, reading="two-way").eval()
    with torch.no_grad():  # blocks that begin as the identity would see nothing of other places
        for parameter in encoder.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)), alpha=0.05)
    return encoder


def ids(rows=3, length=9):
    return torch.randint(5, 50, (rows, length), generator=torch.Generator().manual_seed(2))


@torch.no_grad()
def test_each_half_sees_its_side_alone(pair):
    before, changed = ids(), ids()
    place, half = 4, pair.dim // 2
    changed[:, place] = (changed[:, place] + 1) % 45 + 5
    was, now = pair(before).top, pair(changed).top
    left, right = ((was - now).abs()[..., part].amax(2) > 1e-6 for part in (slice(half), slice(half, None)))
    assert not left[:, :place].any()
    assert left[:, place:].all()
    assert right[:, : place + 1].all()
    assert not right[:, place + 1 :].any()


@torch.no_grad()
def test_halves_are_the_parts(pair):
    given = ids()
    layers = pair(given).layers
    left = pair.forwards(given).layers
    right = pair.backwards(given.flip(1)).layers
    for whole, a, b, width in zip(layers, left, right, pair.layer_dims, strict=True):
        assert whole.shape == (3, 9, width)
        torch.testing.assert_close(whole, torch.cat([a, b.flip(1)], dim=2))


@torch.no_grad()
def test_padding_changes_nothing(pair):
    given = ids()
    mask = torch.ones(3, 9, dtype=torch.bool)
    mask[1, 6:] = False
    filled = given.masked_fill(~mask, 0)
    alone = pair(given[1:2, :6]).top
    torch.testing.assert_close(pair(filled, mask).top[1:2, :6], alone, atol=1e-5, rtol=1e-4)


def test_every_parameter_once_and_words_shared(pair):
    groups = pair.layer_groups()
    listed = [id(parameter) for group in groups for parameter in group]
    assert sorted(listed) == sorted({id(parameter) for parameter in pair.parameters()})
    assert len(listed) == len(set(listed))
    assert len(groups) == pair.n_layers + 1
    assert pair.forwards.token_embedding.weight is pair.backwards.token_embedding.weight
    assert pair.n_parameters < 2 * pair.forwards.n_parameters


@torch.no_grad()
def test_rebuilt_from_its_folder(pair, family):
    config = encoder_config(pair, family)
    assert config["two_way"]
    again = rebuild_encoder(config)
    again.load_state_dict(pair.state_dict())
    assert again.config == pair.config
    torch.testing.assert_close(again.eval()(ids()).top, pair(ids()).top, rtol=0, atol=0)
    assert build_encoder_like(pair, seed=4).config == pair.config


def test_its_loss_is_that_of_both_sides(pair):
    given = ids()
    targets = given.roll(-1, 1)
    targets[:, -1] = -100
    batch = Batch(given, torch.ones_like(given, dtype=torch.bool), targets)
    pair, task = pair.double(), BidirectionalLanguageModel(0).eval()
    encoding = pair(given)
    left, right = encoding.top.chunk(2, dim=-1)
    bias = 0 if pair.output_bias() is None else pair.output_bias()
    scores = [(part @ pair.output_weight().T + bias).log_softmax(-1) for part in (left[:, :-1], right[:, 1:])]
    wanted = [given[:, 1:], given[:, :-1]]
    nats = [-part.gather(2, ids[..., None]).mean() for part, ids in zip(scores, wanted, strict=True)]
    torch.testing.assert_close(task.loss(pair, encoding, batch).double(), sum(nats) / 2, atol=1e-6, rtol=1e-6)


def test_what_it_cannot_do_is_told(pair):
    with pytest.raises(LangnetError, match="from both sides, not from left to right"):
        pair(ids(), causal=True)
    with pytest.raises(LangnetError, match="read the whole text at once"):
        pair(ids(), state=[])
    with pytest.raises(LangnetError, match="in both directions already"):
        build_encoder("elmo", "tiny", 50, seed=0, reading="two-way")
    with pytest.raises(LangnetError, match="cannot attend to both sides"):
        build_encoder("awd-lstm", "tiny", 50, seed=0, reading="both")
