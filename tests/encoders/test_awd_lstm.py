"""AWD-LSTM: its dropouts, its state, its widths, and the published sizes."""

import pytest
import torch

from langnet.encoders.awd_lstm import AWDLSTM, AWDLSTMConfig, dropout_mask, locked_dropout
from langnet.encoders.registry import build_encoder
from langnet.errors import LangnetError
from langnet.tasks.classify import Classify, ClassifyConfig
from langnet.tasks.language_model import LanguageModel
from langnet.text.batches import Batch
from langnet.transfer.model import TaskModel

CONFIG = AWDLSTMConfig(50, dim=12, hidden=20, n_layers=3)


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return AWDLSTM(CONFIG).eval()


def ids(rows=2, length=9):
    return torch.randint(5, 50, (rows, length), generator=torch.Generator().manual_seed(0))


def test_layers_have_their_widths(encoder):
    encoding = encoder(ids())
    assert [tuple(layer.shape) for layer in encoding.layers] == [(2, 9, 12), (2, 9, 20), (2, 9, 20), (2, 9, 12)]
    assert encoder.layer_dims == (12, 20, 20, 12)
    assert encoder.mixed_dim == 20
    assert encoder.logits(encoding.top).shape == (2, 9, 50)


def test_two_halves_with_the_state_are_the_whole(encoder):
    whole = encoder(ids())
    first = encoder(ids()[:, :4])
    second = encoder(ids()[:, 4:], state=first.state)
    for a, b, both in zip(first.layers, second.layers, whole.layers, strict=True):
        torch.testing.assert_close(torch.cat([a, b], 1), both, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(second.state, whole.state)


def test_padding_changes_neither_states_nor_the_state(encoder):
    mask = torch.ones(2, 9, dtype=torch.bool)
    mask[1, 5:] = False
    padded, alone = encoder(ids(), mask), encoder(ids()[1:, :5])
    for layer, expected in zip(padded.layers, alone.layers, strict=True):
        torch.testing.assert_close(layer[1:, :5], expected)
    torch.testing.assert_close([(h[1:], c[1:]) for h, c in padded.state], alone.state)


def test_the_same_call_gives_the_same_states(encoder):
    first = encoder(ids()).top
    encoder(ids(3, 20))
    assert torch.equal(encoder(ids()).top, first)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_masks_drop_their_share_and_keep_the_mean(p, dtype):
    torch.manual_seed(0)
    mask = dropout_mask((400, 251), p, torch.zeros((), dtype=dtype))
    assert mask.dtype == dtype
    assert set(mask.unique().tolist()) == {0.0, torch.ones((), dtype=dtype).div(1 - p).item()}
    assert abs((mask == 0).double().mean() - p) < 0.006
    assert abs(mask.mean() - 1) < 0.06
    assert abs(torch.corrcoef(mask[:, :2].T)[0, 1]) < 0.2  # neighbours are drawn apart


def test_locked_dropout_is_one_mask_over_time():
    torch.manual_seed(0)
    dropped = locked_dropout(torch.ones(7, 3, 40), 0.4)
    assert torch.equal(dropped, dropped[:1].expand(7, 3, 40))
    assert not torch.equal(dropped[0, 0], dropped[0, 1])


def test_word_dropout_drops_whole_words_everywhere():
    torch.manual_seed(0)
    encoder = AWDLSTM(AWDLSTMConfig(2000, dim=4, hidden=4, n_layers=1, word_dropout=0.3)).train()
    words = torch.arange(2000).repeat(2, 1)
    embedded = encoder(words).layers[0]
    assert torch.equal(embedded[0], embedded[1])
    zero = (embedded[0] == 0).all(1)
    assert torch.equal(zero, (embedded[0] == 0).any(1))
    assert abs(zero.double().mean() - 0.3) < 0.04
    torch.testing.assert_close(embedded[0][~zero] * 0.7, encoder.token_embedding.weight[~zero])


def test_weight_dropout_leaves_the_parameter_whole_and_draws_anew(encoder):
    layer = encoder.layers[0]
    before = layer.hidden_weight.detach().clone()
    first, second = layer.weights(0.5).hidden, layer.weights(0.5).hidden
    assert torch.equal(layer.hidden_weight, before)
    assert 0.4 < (first == 0).double().mean() < 0.6
    assert not torch.equal(first, second)
    assert torch.equal(layer.weights(0.0).hidden, before)


def test_one_dial_switches_all_dropouts_off():
    torch.manual_seed(0)
    encoder = AWDLSTM(AWDLSTMConfig(50, dim=12, hidden=20)).train()
    assert not torch.equal(encoder(ids()).top, encoder(ids()).top)
    encoder.scale_dropout(0.0)
    assert torch.equal(encoder(ids()).top, encoder.eval()(ids()).top)
    with pytest.raises(LangnetError, match="dropout_scale 2 must be from 0"):
        encoder.scale_dropout(2.0)
    with pytest.raises(LangnetError, match="no such dial"):
        build_encoder("gpt", "tiny", 50, seed=0).scale_dropout(0.5)


def test_output_dropout_belongs_to_the_softmax(encoder):
    encoder.train()
    hidden = torch.ones(2, 5, 12)
    read = encoder.softmax_input(hidden)
    assert torch.equal(read, read[:, :1].expand(2, 5, 12))
    assert (read == 0).any()
    assert torch.equal(encoder.eval().softmax_input(hidden), hidden)


def test_penalties_are_those_of_the_paper(encoder):
    mask = torch.ones(2, 9, dtype=torch.bool)
    mask[1, 5:] = False
    batch, encoding = Batch(ids(), mask, n_examples=2), encoder(ids(), mask)
    plain = LanguageModel().train().loss(encoder, encoding, batch)
    task = LanguageModel(activation_penalty=2.0, temporal_penalty=1.0)
    top = encoding.top
    states = torch.cat([top[0], top[1, :5]])
    steps = torch.cat([top[0, 1:] - top[0, :-1], top[1, 1:5] - top[1, :4]])
    expected = plain + 2 * states.square().mean() + steps.square().mean()
    torch.testing.assert_close(task.train().loss(encoder, encoding, batch), expected)
    torch.testing.assert_close(task.eval().loss(encoder, encoding, batch), plain)


def test_the_published_model_has_the_published_size():
    encoder = build_encoder("awd-lstm", "base", 1000, seed=0)
    widths = [(400, 1150), (1150, 1150), (1150, 400)]
    layers = sum(4 * above * (below + above + 1) for below, above in widths)
    assert encoder.n_parameters == 1000 * 400 + 1000 + layers


def test_every_parameter_is_in_one_group(encoder):
    grouped = [id(p) for group in encoder.layer_groups() for p in group]
    assert sorted(grouped) == sorted(id(p) for p in encoder.parameters())
    assert len(encoder.layer_groups()) == 4


def test_long_rows_are_read_whole_and_learned_from_at_their_end(encoder):
    encoder.scale_dropout(0.0)
    task = Classify(ClassifyConfig(2, dropout=0.0), 12)
    batch = Batch(ids(2, 30), torch.ones(2, 30, dtype=torch.bool), labels=torch.tensor([0, 1]), n_examples=2)
    losses, gradients = [], []
    for learned in (None, 12):
        model = TaskModel(encoder, [(task, 1.0)], learned_tokens=learned).train()
        model.zero_grad()
        model(batch)["loss"].backward()
        losses.append(model(batch)["loss"].item())
        gradients.append(encoder.token_embedding.weight.grad.abs().sum(1) > 0)
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert gradients[0].nonzero().flatten().tolist() == batch.ids.unique().tolist()
    assert gradients[1].nonzero().flatten().tolist() == batch.ids[:, 18:].unique().tolist()


def test_short_rows_beside_long_ones_are_learned_from(encoder):
    """Each row as if it were alone: losses, and the gradient of what the row is cut to."""
    encoder.scale_dropout(0.0)
    task = Classify(ClassifyConfig(2, dropout=0.0), 12)
    model = TaskModel(encoder, [(task, 1.0)], learned_tokens=8).train()
    tokens, lengths = ids(3, 40), torch.tensor([12, 40, 5])

    def learned(rows):
        width = int(lengths[rows].max())
        mask = torch.arange(width) < lengths[rows][:, None]
        labels = torch.tensor([0, 1, 1])[rows]
        batch = Batch(tokens[rows, :width].where(mask, 0), mask, labels=labels, n_examples=len(rows))
        model.zero_grad()
        loss = model(batch)["loss"] * len(rows)
        loss.backward()
        return loss.item(), encoder.layers[0].hidden_weight.grad.clone()

    apart = [learned([row]) for row in range(3)]
    loss, gradient = learned([0, 1, 2])
    assert loss == pytest.approx(sum(own for own, _ in apart), rel=1e-5)
    assert all(own.abs().sum() > 0 for _, own in apart)
    torch.testing.assert_close(gradient, sum(own for _, own in apart), rtol=1e-4, atol=1e-7)
