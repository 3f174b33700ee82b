"""The hand-written recurrence equals plain PyTorch; padding, state and the order of calls change nothing."""

import pytest
import torch
import torch.nn.functional as F

from langnet.encoders.elmo import SIZES, CharacterNetwork, ELMo, ELMoConfig, reverse
from langnet.encoders.projected_lstm import ProjectedLSTM
from langnet.errors import LangnetError
from langnet.text.characters import NO_CHARACTER, spell

SMALL = ELMoConfig(20, projection=4, units=6, filters=((1, 3), (3, 5)), character_dim=3, n_highway=1, dropout=0.0)


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def small(config=SMALL):
    torch.manual_seed(0)
    encoder = ELMo(config).double().eval()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return encoder


def sentence(words, width=12):
    """One row (1, T, C)."""
    return F.pad(torch.from_numpy(spell(words).astype("int64")), (0, width), value=NO_CHARACTER)[None, :, :width]


def plain(lstm, x, state):
    """`ProjectedLSTM` step by step, by autograd."""
    hidden, cell = state
    outputs = []
    for t in range(x.shape[1]):
        z = torch.einsum("nbd,nhd->nbh", x[:, t], lstm.input) + lstm.bias[:, None]
        z = z + torch.einsum("nbp,nhp->nbh", hidden, lstm.recurrent)
        i, f, o, g = z.chunk(4, dim=2)
        cell = (f.sigmoid() * cell + i.sigmoid() * g.tanh()).clamp(-lstm.clips[0], lstm.clips[0])
        hidden = o.sigmoid() * cell.tanh()
        if lstm.projection is not None:
            hidden = torch.einsum("nbh,nph->nbp", hidden, lstm.projection).clamp(-lstm.clips[1], lstm.clips[1])
        outputs.append(hidden)
    return torch.stack(outputs, 1)


@pytest.mark.parametrize("projection", [3, 5])
@pytest.mark.parametrize("clips", [(None, None), (0.2, 0.1)])
def test_gradient_of_the_recurrence(projection, clips):
    torch.manual_seed(1)
    lstm = ProjectedLSTM(2, 4, 5, projection, *clips).double()
    x, lengths = numbers(2, 6, 3, 4).requires_grad_(), torch.full((3,), 6)
    state = (0.1 * numbers(2, 3, projection, seed=1), 0.1 * numbers(2, 3, 5, seed=2))
    expected = plain(lstm, x, state)
    got, after = lstm(x, lengths, state)
    torch.testing.assert_close(got, expected)
    if clips[0]:
        assert (after[1].abs() == clips[0]).any()
    inputs, weights = [x, *lstm.parameters()], numbers(*expected.shape, seed=3)
    wanted = torch.autograd.grad((expected * weights).sum(), inputs)
    for a, b in zip(torch.autograd.grad((got * weights).sum(), inputs), wanted, strict=True):
        torch.testing.assert_close(a, b)


def test_gradient_by_differences():
    torch.manual_seed(1)
    lstm, lengths = ProjectedLSTM(2, 3, 4, 2).double(), torch.tensor([3, 2])
    x = numbers(2, 3, 2, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, *_: lstm(x, lengths)[0], (x, *lstm.parameters()))


def test_bfloat16_rounds_but_does_not_drift():
    """The cell stays exact, so that an error does not grow over the steps."""
    torch.manual_seed(1)
    lstm, x, lengths = ProjectedLSTM(2, 8, 16, 8), numbers(2, 200, 3, 8).float(), torch.full((3,), 200)
    exact, (_, cell) = lstm(x, lengths)
    wanted = torch.autograd.grad(exact.square().sum(), lstm.recurrent)[0]
    with torch.autocast("cpu", torch.bfloat16):
        rounded, (_, rounded_cell) = lstm(x, lengths)
    assert rounded.dtype == torch.bfloat16
    assert rounded_cell.dtype == torch.float32
    assert (rounded - exact).abs().max() < 0.02
    assert (rounded_cell - cell).abs().max() < 0.05
    found = torch.autograd.grad(rounded.float().square().sum(), lstm.recurrent)[0]
    assert (found - wanted).norm() < 0.03 * wanted.norm()


def test_state_is_that_of_the_last_real_step():
    torch.manual_seed(1)
    lstm, x = ProjectedLSTM(2, 3, 4, 2).double(), numbers(2, 5, 3, 3)
    start = lstm(x, torch.full((3,), 5))[1]
    _, after = lstm(x, torch.tensor([5, 2, 0]), start)
    _, two = lstm(x[:, :2], torch.full((3,), 2), start)
    for got, whole, short, before in zip(after, lstm(x, torch.full((3,), 5), start)[1], two, start, strict=True):
        assert torch.equal(got[:, 0], whole[:, 0])
        assert torch.equal(got[:, 1], short[:, 1])
        assert torch.equal(got[:, 2], before[:, 2])


def test_reverse():
    x = torch.arange(8).view(4, 2)
    assert reverse(x, torch.tensor([3, 4])).tolist() == [[4, 7], [2, 5], [0, 3], [6, 1]]


@torch.no_grad()
def test_padding_changes_nothing():
    encoder = small()
    alone = sentence(["a", "short", "one"])
    longer = sentence(["this", "row", "is", "two", "longer"])
    batch = torch.cat([F.pad(alone, (0, 0, 0, 2)), longer])
    mask = torch.tensor([[True] * 3 + [False] * 2, [True] * 5])
    together, apart = encoder(batch, mask), encoder(alone)
    for got, wanted in zip(together.layers, apart.layers, strict=True):
        torch.testing.assert_close(got[:1, :3], wanted)
    for (hidden, cell), (hidden_alone, cell_alone) in zip(together.state, apart.state, strict=True):
        torch.testing.assert_close(hidden[:, :1], hidden_alone)
        torch.testing.assert_close(cell[:, :1], cell_alone)


@torch.no_grad()
def test_no_state_is_kept():
    encoder = small()
    first, other = sentence(["the", "same", "words"]), sentence(["others", "entirely"])
    before = encoder(first).top
    encoder(other)
    encoder(first)
    assert torch.equal(encoder(first).top, before)


@torch.no_grad()
def test_two_halves_with_the_state_are_the_whole_forwards():
    encoder = small()
    text = sentence(["one", "two", "three", "four", "five"])
    whole, first = encoder(text), encoder(text[:, :2])
    second = encoder(text[:, 2:], state=first.state)
    for layer, a, b in zip(whole.layers[1:], first.layers[1:], second.layers[1:], strict=True):
        torch.testing.assert_close(layer[..., :4], torch.cat([a, b], 1)[..., :4])
    assert not torch.allclose(second.top, encoder(text[:, 2:]).top)


@torch.no_grad()
def test_directions_see_their_side_only():
    encoder = small()
    text = sentence(["one", "two", "three", "four", "five"])
    changed = text.clone()
    changed[0, 2] = sentence(["other"])[0, 0]
    a, b = encoder(text).top[0], encoder(changed).top[0]
    same = (a == b).view(5, 2, 4).all(2)
    assert same[:, 0].tolist() == [True, True, False, False, False]
    assert same[:, 1].tolist() == [False, False, False, True, True]


@torch.no_grad()
def test_fewer_characters_give_what_all_give():
    """Words are cut to what they need; the filters see the same as on all fifty characters."""
    torch.manual_seed(0)
    network = CharacterNetwork(SMALL).double()
    for layer in network.filters:
        layer.bias.uniform_(-1, 1)
    narrow = sentence(["a", "word"], width=6)
    wide = F.pad(narrow, (0, 44), value=NO_CHARACTER)
    features = [layer(network.embedding(wide[0]).mT).amax(2) for layer in network.filters]
    expected = network.projection(network.highways[0](torch.cat(features, 1).relu()))
    torch.testing.assert_close(network(narrow)[0], expected)
    torch.testing.assert_close(network(wide)[0], expected)


def test_every_parameter_is_in_one_group():
    for config in (SMALL, ELMoConfig(0, projection=4, units=4, n_words=9)):
        encoder = ELMo(config)
        grouped = [id(p) for group in encoder.layer_groups() for p in group]
        assert sorted(grouped) == sorted(id(p) for p in encoder.parameters())


def test_sizes():
    with torch.device("meta"):
        published = ELMo(ELMoConfig(0, **SIZES["base"]))
    assert published.dim == 1024
    assert published.n_parameters == 93_600_864  # the 93.6 million of the released model


def test_mistakes():
    encoder = small()
    with pytest.raises(LangnetError, match="reads characters"):
        encoder(torch.zeros(1, 3, dtype=torch.long))
    with pytest.raises(LangnetError, match="words of 51 characters do not fit this encoder's 50"):
        encoder(torch.ones(1, 3, 51, dtype=torch.long))
    with pytest.raises(LangnetError, match="came without its softmax"):
        ELMo(ELMoConfig(0, projection=4, units=6, filters=((1, 3),))).logits(torch.zeros(1, 8))
    with pytest.raises(LangnetError, match="must not be wider"):
        ELMoConfig(0, projection=8, units=4)
