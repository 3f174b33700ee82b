"""The attention decoder: against its equations in numpy, step by step as at once, and what it can learn."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from langnet.errors import LangnetError
from langnet.tasks.attention_decoder import (
    AttentionDecoder,
    DecoderConfig,
    Table,
    scores_of,
    sequence_loss,
    shifted,
)
from langnet.tasks.beam_search import BeamOptions, beam_search

PLAIN = DecoderConfig(0, 1, vocabulary=7, width=6, hidden=8, dropout=0.0)
SORTS = [
    replace(PLAIN, attention=attention, input_feeding=feeding, guided=guided, layers=layers)
    for attention, feeding, guided, layers in itertools.product(
        ("dot", "additive"), (True, False), (True, False), (1, 2)
    )
]
SORTS += [replace(PLAIN, lexical=3), replace(PLAIN, lexical=3, input_feeding=False)]


def made(config, dim=5, seed=0):
    torch.manual_seed(seed)
    return AttentionDecoder(config, dim).double().eval()


def states(rows=3, words=4, dim=5, seed=1):
    return torch.randn(rows, words, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


TOKENS = torch.tensor([[0, 3, 2, 6], [0, 4, 4, 5], [0, 2, 6, 3]])
PLACES = torch.tensor([[0, 1, 2, -1], [1, 1, -1, 0], [0, -1, -1, 3]])
LENGTHS = torch.tensor([4, 2, 3])


@pytest.mark.parametrize("config", SORTS, ids=str)
def test_all_at_once_is_step_by_step(config):
    decoder = made(config)
    memory, state = decoder.begun(states(), LENGTHS)
    outputs, weights = decoder.teach(memory, state, TOKENS, decoder.table(), PLACES)
    for step in range(TOKENS.shape[1]):
        output, looked, state = decoder.step(memory, state, TOKENS[:, step], decoder.table(), PLACES[:, step])
        np.testing.assert_allclose(output.detach(), outputs[:, step].detach(), atol=1e-12)
        np.testing.assert_allclose(looked.detach(), weights[:, step].detach(), atol=1e-12)
    assert weights[1, :, 2:].abs().sum() == 0, "padding is not looked at"
    np.testing.assert_allclose(weights.detach().sum(2), 1)


def test_what_is_looked_at_reaches_the_output_past_the_lstms():
    decoder = made(replace(PLAIN, lexical=6), dim=9)
    assert torch.equal(decoder.lexical.weight, torch.eye(6, dtype=torch.float64))
    values = states(dim=9)
    outputs, weights = decoder.teach(*decoder.begun(values, LENGTHS), TOKENS, decoder.table())
    without = made(PLAIN, dim=9)
    without.load_state_dict({name: value for name, value in decoder.state_dict().items() if "lexical" not in name})
    plain, _ = without.teach(*without.begun(values, LENGTHS), TOKENS, without.table())
    there = torch.arange(4)[None, :] < LENGTHS[:, None]
    looked = weights @ (values * there[..., None])[..., -6:]
    torch.testing.assert_close(outputs - plain, looked)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("attention", ["dot", "additive"])
def test_against_the_equations(attention):
    config = replace(PLAIN, attention=attention, guided=True)
    decoder = made(config)
    weights = {name: value.detach().numpy() for name, value in decoder.named_parameters()}
    values = states(1)[0].numpy()  # (W, D)
    memory, state = decoder.begun(states(1), torch.tensor([4]))
    h, c = np.split(np.tanh(weights["begin.weight"] @ values.mean(0) + weights["begin.bias"]), 2)
    output = np.zeros(8)
    for token, place in ((0, 0), (3, 1), (5, -1)):
        known = values[place] if place >= 0 else np.zeros(5)
        read = np.concatenate([weights["own.weight"][token], known, output])
        gates = weights["layers.0.inputs"] @ read + weights["layers.0.hidden"] @ h + weights["layers.0.bias"]
        i, f, g, o = np.split(gates, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        keys = values @ weights["keys.weight"].T
        if attention == "dot":
            scores = keys @ h / np.sqrt(8)
        else:
            scores = np.tanh(keys + weights["query.weight"] @ h) @ weights["score.weight"][0]
        shares = np.exp(scores) / np.exp(scores).sum()
        both = np.concatenate([h, shares @ values])
        output = np.tanh(weights["combine.weight"] @ both + weights["combine.bias"])
        expected = weights["project.weight"] @ output + weights["project.bias"]
        found, looked, state = decoder.step(
            memory, state, torch.tensor([token]), decoder.table(), torch.tensor([place])
        )
        np.testing.assert_allclose(found[0].detach(), expected, atol=1e-12)
        np.testing.assert_allclose(looked[0].detach(), shares, atol=1e-12)
    scores = scores_of(found, decoder.table())[0].detach().numpy()
    np.testing.assert_allclose(scores, weights["own.weight"] @ expected + weights["bias"], atol=1e-12)


def test_a_row_does_not_hang_on_its_neighbours_or_their_padding():
    decoder = made(PLAIN)
    memory, state = decoder.begun(states(), LENGTHS)
    outputs, _ = decoder.teach(memory, state, TOKENS, decoder.table())
    alone = decoder.begun(states()[1:2, :2], torch.tensor([2]))
    single, _ = decoder.teach(*alone, TOKENS[1:2], decoder.table())
    np.testing.assert_allclose(single[0].detach(), outputs[1].detach(), atol=1e-12)


def test_a_row_without_states():
    decoder = made(PLAIN)
    memory, state = decoder.begun(states(1), torch.tensor([0]))
    outputs, _ = decoder.teach(memory, state, TOKENS[:1], decoder.table())
    assert outputs.isfinite().all()


def test_another_table_is_read_and_scored():
    decoder = made(replace(PLAIN, vocabulary=0))
    with pytest.raises(LangnetError, match="no words of its own"):
        decoder.table()
    weight = torch.randn(9, 6, dtype=torch.float64, requires_grad=True)
    table = Table(weight, weight)
    outputs, _ = decoder.teach(*decoder.begun(states(), LENGTHS), TOKENS, table)
    loss = sequence_loss(outputs, torch.tensor([[8, 7, 1, -100]] * 3), table)
    loss.backward()
    assert (weight.grad[[0, 3, 7, 8]].abs().sum(1) > 0).all()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_is_cross_entropy(smoothing):
    decoder = made(PLAIN)
    outputs, _ = decoder.teach(*decoder.begun(states(), LENGTHS), TOKENS, decoder.table())
    targets = torch.tensor([[3, 2, 1, -100], [4, 5, 6, 1], [2, 1, -100, -100]])
    expected = torch.nn.functional.cross_entropy(
        scores_of(outputs, decoder.table()).flatten(0, 1), targets.flatten(), label_smoothing=smoothing
    )
    found = sequence_loss(outputs, targets, decoder.table(), smoothing)
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)  # sums are float32
    parameters = [p for p in decoder.parameters() if p.requires_grad]
    for one, other in zip(
        torch.autograd.grad(found, parameters, retain_graph=True, allow_unused=True),
        torch.autograd.grad(expected, parameters, allow_unused=True),
        strict=True,
    ):
        if other is not None:
            np.testing.assert_allclose(one, other, atol=1e-9)


def test_shifted():
    read, written = shifted([[5, 6], [], [4]], PLAIN, torch.device("cpu"))
    assert read.tolist() == [[0, 5, 6], [0, 1, 1], [0, 4, 1]]
    assert written.tolist() == [[5, 6, 1], [1, -100, -100], [4, 1, -100]]


@pytest.mark.parametrize("feeding", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_learns_to_write_backwards(feeding):
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    config = DecoderConfig(0, 1, vocabulary=8, width=16, hidden=32, input_feeding=feeding, dropout=0.0)
    decoder, embedding = AttentionDecoder(config, 24), torch.nn.Embedding(8, 16)
    places = torch.nn.Embedding(4, 8)
    optimizer = torch.optim.Adam([*decoder.parameters(), *embedding.parameters(), *places.parameters()], lr=0.01)

    def draw(n):
        words = torch.randint(2, 8, (n, 4), generator=generator)
        where = places(torch.arange(4)).expand(n, -1, -1)
        return words, decoder.begun(torch.cat([embedding(words), where], dim=2), torch.full((n,), 4))

    for _ in range(90):
        words, begun = draw(24)
        read, written = shifted(words.flip(1).tolist(), config, words.device)
        outputs, _ = decoder.teach(*begun, read, decoder.table())
        loss = sequence_loss(outputs, written, decoder.table())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    decoder.eval()
    with torch.no_grad():
        words, begun = draw(40)
        found = beam_search(decoder, begun, decoder.table(), BeamOptions(2, longest=8))
    right = np.mean([list(best[0].tokens) == own for best, own in zip(found, words.flip(1).tolist(), strict=True)])
    assert right > 0.9
