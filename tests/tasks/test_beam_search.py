"""Beam search: against the enumeration of every sequence, its ranks, its rules, and its batches."""

import itertools
import math

import numpy as np
import pytest
import torch

from langnet.errors import LangnetError
from langnet.tasks.attention_decoder import AttentionDecoder, DecoderConfig, scores_of, shifted
from langnet.tasks.beam_search import BeamOptions, beam_search, length_factor

START, END, V, LONGEST = 0, 1, 5, 4
CONFIG = DecoderConfig(START, END, vocabulary=V, width=6, hidden=8, dropout=0.0)
LENGTHS = torch.tensor([3, 1, 2])


@pytest.fixture(scope="module")
def decoder():
    torch.manual_seed(3)
    made = AttentionDecoder(CONFIG, 5).double().eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(2.0)  # choices that differ
    return made


@pytest.fixture(scope="module")
def states():
    return torch.randn(3, 3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@torch.no_grad()
def every(decoder, states, row):
    """The log-probability and the summed attention of every sequence of up to `LONGEST` tokens of one sentence."""
    found = {}
    for length in range(LONGEST + 1):
        sequences = [list(own) for own in itertools.product(range(2, V), repeat=length)]
        read, written = shifted(sequences, CONFIG, states.device)
        n = len(sequences)
        memory, state = decoder.begun(states[row : row + 1].expand(n, -1, -1), LENGTHS[row : row + 1].expand(n))
        outputs, looked = decoder.teach(memory, state, read, decoder.table())
        scores = scores_of(outputs, decoder.table())
        scores[..., START] = -torch.inf
        chances = scores.log_softmax(2).gather(2, written[..., None])[..., 0]
        if length == LONGEST:
            chances[:, -1] = 0.0  # only the end may follow
        for own, total, seen in zip(sequences, chances.sum(1).tolist(), looked.sum(1), strict=True):
            found[tuple(own)] = total, seen[: LENGTHS[row]].tolist()
    return found


@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 0.0), (0.9, 0.0), (0.5, 0.3)])
def test_a_wide_beam_finds_the_best_of_all(decoder, states, alpha, beta):
    options = BeamOptions(250, alpha, beta, LONGEST)
    found = beam_search(decoder, decoder.begun(states, LENGTHS), decoder.table(), options)
    for row in range(3):
        ranked = {}
        for tokens, (total, seen) in every(decoder, states, row).items():
            score = total / length_factor(len(tokens) + 1, alpha)
            ranked[tokens] = score + beta * sum(math.log(min(1.0, max(one, 1e-6))) for one in seen)
        order = sorted(ranked, key=lambda tokens: -ranked[tokens])
        assert [one.tokens for one in found[row][:5]] == order[:5]
        best = found[row][0]
        assert best.score == pytest.approx(ranked[order[0]])
        assert best.log_probability == pytest.approx(every(decoder, states, row)[order[0]][0])


def test_probabilities_of_all_sequences_sum_to_one(decoder, states):
    found = beam_search(decoder, decoder.begun(states, LENGTHS), decoder.table(), BeamOptions(250, longest=LONGEST))
    assert len(found[0]) == len(every(decoder, states, 0))
    np.testing.assert_allclose([sum(math.exp(one.log_probability) for one in own) for own in found], 1.0)


def test_a_beam_of_one_is_greedy(decoder, states):
    found = beam_search(decoder, decoder.begun(states, LENGTHS), decoder.table(), BeamOptions(1, longest=LONGEST))
    for row in range(3):
        memory, state = decoder.begun(states[row : row + 1], LENGTHS[row : row + 1])
        tokens = [START]
        while tokens[-1] != END and len(tokens) <= LONGEST:
            output, _, state = decoder.step(memory, state, torch.tensor(tokens[-1:]), decoder.table())
            scores = scores_of(output, decoder.table())[0]
            scores[START] = -torch.inf
            tokens.append(int(scores.argmax()))
        assert found[row][0].tokens == tuple(token for token in tokens[1:] if token != END)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_sentences_do_not_touch(decoder, states, size):
    options = BeamOptions(size, 0.6, longest=6)
    together = beam_search(decoder, decoder.begun(states, LENGTHS), decoder.table(), options)
    for row in range(3):
        begun = decoder.begun(states[row : row + 1], LENGTHS[row : row + 1])
        (alone,) = beam_search(decoder, begun, decoder.table(), options)
        assert [one.tokens for one in alone] == [one.tokens for one in together[row]]
        assert [one.score for one in alone] == pytest.approx([one.score for one in together[row]])


class CountTo:
    """Rules by which a sequence is 2, 3, 4, ... up to its own number, or nothing; all else is forbidden."""

    def __init__(self, goals, at):
        self.goals, self.at = goals, at

    def allowed(self):
        found = torch.zeros(len(self.at), V, dtype=torch.bool)
        done = self.at >= self.goals
        found[:, END] = done | (self.at == 2)
        found[torch.arange(len(self.at)), self.at.clamp_max(V - 1)] |= ~done
        return found

    def places(self):
        return torch.full_like(self.at, -1)

    def taken(self, rows, tokens):
        assert self.allowed()[rows, tokens].all(), "only what was allowed is ever taken"
        return CountTo(self.goals[rows], self.at[rows] + (tokens != END))


@pytest.mark.parametrize("size", [1, 4])
def test_rules_are_kept(decoder, states, size):
    rules = CountTo(torch.tensor([5, 3, 4]), torch.tensor([2, 2, 2]))
    found = beam_search(decoder, decoder.begun(states, LENGTHS), decoder.table(), BeamOptions(size), rules)
    for own, goal in zip(found, (5, 3, 4), strict=True):
        assert {one.tokens for one in own} <= {(), tuple(range(2, goal))}
        if size > 1:
            assert len(own) == 2
            assert sum(math.exp(one.log_probability) for one in own) == pytest.approx(1.0), "among what is allowed"


@pytest.mark.parametrize("wrong", [{"size": 0}, {"longest": 0}, {"length_penalty": -1.0}, {"coverage_penalty": -0.1}])
def test_options_that_make_no_sense(wrong):
    with pytest.raises(LangnetError, match=next(iter(wrong)).split("_")[0]):
        BeamOptions(**wrong)
