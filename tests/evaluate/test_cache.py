"""The continuous cache against its equation in numpy, on texts shorter and longer than a window."""

import math

import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from langnet.cli.options import LAMBDA, THETA
from langnet.encoders.registry import build_encoder
from langnet.errors import LangnetError
from langnet.evaluate.cache import CacheOptions, ContinuousCache, mixed_losses
from langnet.evaluate.language_model import score_documents, scoring_windows, sum_up
from langnet.text.batches import document_windows


def by_the_equation(states, words, softmax, options):
    """Nats of the words behind states (n, D), from the softmax's log-probabilities of them (n,)."""
    total = 0.0
    for t in range(len(words)):
        first = max(0, t - options.window)
        if t == first:
            total -= softmax[t]
            continue
        scores = options.theta * states[first:t] @ states[t]
        same = np.where(words[first:t] == words[t], scores, -np.inf)
        share = logsumexp(same) - logsumexp(scores) if (words[first:t] == words[t]).any() else -np.inf
        total -= np.logaddexp(math.log(1 - options.weight) + softmax[t], math.log(options.weight) + share)
    return total


def read_whole(encoder, document):
    """States, the words behind them, and the softmax's log-probabilities, of a document read at once."""
    ids = torch.from_numpy(document)
    with torch.no_grad():
        states = encoder(ids[None, :-1]).top[0]
        shares = encoder.logits(states).double().log_softmax(1)
    return states.double().numpy(), document[1:], shares.gather(1, ids[1:, None])[:, 0].numpy()


@pytest.fixture(params=["awd-lstm", "gpt"])
def encoder(request):
    return build_encoder(request.param, "tiny", 40, seed=0, context=64).eval()


@pytest.mark.parametrize("window", [1, 7, 1000])
@pytest.mark.parametrize("theta", [0.0, 0.3])
def test_short_documents(encoder, window, theta):
    generator, options = np.random.default_rng(0), CacheOptions(window, theta, 0.2)
    documents = [generator.integers(5, 12, length) for length in (30, 2, 64, 40)]
    found = score_documents(encoder, scoring_windows(encoder, documents), [1] * 4, 1, options)
    plain = score_documents(encoder, scoring_windows(encoder, documents), [1] * 4, 1)
    for document, with_cache, without in zip(documents, found, plain, strict=True):
        expected = by_the_equation(*read_whole(encoder, document), options)
        assert -with_cache.with_cache == pytest.approx(expected, rel=1e-5)
        assert with_cache.log_probability == pytest.approx(without.log_probability)
        assert without.with_cache is None


def test_a_long_document_in_windows():
    """An LSTM forgets, so windows warmed up by a quarter give what one long row gives."""
    encoder = build_encoder("awd-lstm", "tiny", 40, seed=0).eval()
    document, options = np.random.default_rng(1).integers(5, 40, 2600), CacheOptions(900, 0.5, 0.3)
    (found,) = score_documents(encoder, scoring_windows(encoder, [document]), [1], 1, options)
    assert -found.with_cache == pytest.approx(by_the_equation(*read_whole(encoder, document), options), rel=1e-5)


def test_the_windows_states_in_order():
    """Whatever the windows are: the states that score are the keys, one after another, each document by itself."""
    generator, options = np.random.default_rng(2), CacheOptions(50, 0.4, 0.1)
    documents = [generator.integers(0, 6, length) for length in (300, 20, 90)]
    made = {index: ([], [], []) for index in range(3)}
    cache, total = ContinuousCache(options.window, options.theta), np.zeros(3)
    for batch in document_windows(documents, 16, 4, 8):
        hidden = torch.from_numpy(generator.normal(size=(*batch.ids.shape, 5)))  # (B, T, D)
        losses = torch.from_numpy(generator.exponential(size=batch.ids.shape))  # (B, T)
        mixed = mixed_losses(losses, cache.probabilities(batch, hidden), options.weight)
        for row, document in enumerate(batch.document.tolist()):
            scored = batch.targets[row] != -100
            total[document] += mixed[row, scored].sum().item()
            for held, value in zip(made[document], (hidden[row], batch.targets[row], -losses[row]), strict=True):
                held.extend(value[scored].numpy())
    for index, parts in made.items():
        expected = by_the_equation(*(np.array(part) for part in parts), options)
        assert total[index] == pytest.approx(expected, rel=1e-5)


def test_what_was_said_is_likelier(tiny_model):
    texts = ["The hero was superb. " * 30, "The film was a joy."]
    found = tiny_model.score_texts(texts, CacheOptions(200, 0.0, 0.1))
    assert found[0].with_cache > found[0].log_probability
    scores = sum_up(found)
    assert scores.with_cache.bits_per_byte == pytest.approx(
        -sum(score.with_cache for score in found) / math.log(2) / scores.n_bytes
    )
    assert scores.to_dict()["with_cache"]["perplexity"] < scores.perplexity
    apart = tiny_model.score_texts(texts[1:], CacheOptions(200, 0.0, 0.1))[0]
    assert apart.with_cache == pytest.approx(found[1].with_cache)  # nothing is left of the text before


def test_mistakes():
    for wrong, message in (
        ({"window": 0}, "a cache of 0 tokens"),
        ({"theta": -1.0}, "theta must be 0 or more"),
        ({"weight": 1.0}, "lambda must be between 0 and 1"),
    ):
        with pytest.raises(LangnetError, match=message):
            CacheOptions(**wrong)
    elmo = build_encoder("elmo", "tiny", 40, seed=0)
    with pytest.raises(LangnetError, match="models of one direction"):
        score_documents(elmo, [], [], 1, CacheOptions())
    assert (CacheOptions().theta, CacheOptions().weight) == (THETA, LAMBDA)
