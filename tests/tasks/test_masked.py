"""Guessing hidden tokens: the loss against numpy, and that the answer cannot be seen."""

import numpy as np
import pytest
import torch

from langnet.encoders.registry import build_encoder
from langnet.evaluate.objectives import score_hidden_tokens
from langnet.tasks.masked import CausalMaskedLanguageModel, MaskedLanguageModel, guessing_states
from langnet.tasks.registry import build_task
from langnet.text.batches import Batch
from langnet.text.masking import hidden_targets
from langnet.text.tokenizer import Tokenizer


def encoder_of(family, reading, vocabulary_size=50):
    encoder = build_encoder(family, "tiny", vocabulary_size, seed=0, context=12, reading=reading).double().eval()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)), alpha=0.05)
    return encoder


def nats(hidden, weight, bias, targets):
    """Mean -log softmax at the targets, in numpy."""
    kept = targets != -100
    scores = hidden[kept] @ weight.T + (0 if bias is None else bias)
    scores -= scores.max(1, keepdims=True)
    logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    return -logs[np.arange(kept.sum()), targets[kept]].mean()


@pytest.mark.parametrize(("family", "reading"), [("gpt", "both"), ("gpt-2", "two-way"), ("awd-lstm", "two-way")])
class TestMasked:
    ids = torch.randint(5, 49, (3, 10), generator=torch.Generator().manual_seed(3))
    chosen = torch.zeros(3, 10, dtype=torch.bool)
    chosen[0, 2] = chosen[0, 7] = chosen[2, 5] = True

    def batch(self, ids):
        read = ids.masked_fill(self.chosen, 49)
        targets = torch.from_numpy(hidden_targets(ids.numpy(), self.chosen.numpy(), False))
        return Batch(read, torch.ones_like(self.chosen), targets)

    def test_loss(self, family, reading):
        encoder, batch = encoder_of(family, reading), self.batch(self.ids)
        encoding = encoder(batch.ids, batch.mask)
        top = encoding.top.detach().numpy()
        if reading == "two-way":
            top = top[..., : encoder.dim // 2] + top[..., encoder.dim // 2 :]
        bias = None if encoder.output_bias() is None else encoder.output_bias().detach().numpy()
        expected = nats(top, encoder.output_weight().detach().numpy(), bias, batch.targets.numpy())
        assert MaskedLanguageModel().loss(encoder, encoding, batch).item() == pytest.approx(expected, rel=1e-6)

    @torch.no_grad()
    def test_a_hidden_token_is_not_seen(self, family, reading):
        encoder, other = encoder_of(family, reading), self.ids.clone()
        other[self.chosen] = (other[self.chosen] + 3) % 44 + 5
        first, second = self.batch(self.ids), self.batch(other)
        assert not torch.equal(first.targets, second.targets)
        a, b = (guessing_states(encoder, encoder(batch.ids, batch.mask).top) for batch in (first, second))
        assert torch.equal(a, b)

    @torch.no_grad()
    def test_what_stands_around_is_seen_from_both_sides(self, family, reading):
        encoder, batch = encoder_of(family, reading), self.batch(self.ids)
        for place in (0, 9):
            changed = batch.ids.clone()
            changed[0, place] = (changed[0, place] + 3) % 44 + 5
            a, b = (guessing_states(encoder, encoder(given).top)[0, 2] for given in (batch.ids, changed))
            assert (a - b).abs().max() > 1e-9


def test_causal_and_masked_share_their_loss():
    encoder, task = encoder_of("gpt", "both"), CausalMaskedLanguageModel()
    ids = torch.randint(5, 49, (2, 10), generator=torch.Generator().manual_seed(3))
    targets = torch.cat([ids[:, 1:], torch.full((2, 1), -100)], 1)
    hidden = torch.zeros(2, 10, dtype=torch.bool)
    hidden[:, 4] = True
    masked = torch.from_numpy(hidden_targets(ids.numpy(), hidden.numpy(), True))
    weight = encoder.output_weight().detach().numpy()
    for causal, read, wanted in ((True, ids, targets), (False, ids.masked_fill(hidden, 49), masked)):
        encoding = encoder(read, causal=causal)
        expected = nats(encoding.top.detach().numpy(), weight, None, wanted.numpy())
        batch = Batch(read, torch.ones_like(hidden), wanted, causal=causal)
        assert task.loss(encoder, encoding, batch).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("shifted", [False, True])
def test_held_out_loss_hides_every_token_once(shifted):
    tokenizer = Tokenizer.train(["abc"], "bytes").with_mask()
    encoder = encoder_of("gpt", "both", tokenizer.vocabulary_size)
    documents = [np.array([2, *range(40, 40 + n), 4]) for n in (3, 25, 1)]
    scores = score_hidden_tokens(encoder, tokenizer, documents, shifted)
    assert (scores.n_tokens, scores.n_documents) == (29, 3)
    first = documents[0]
    total = 0.0
    for place in (1, 2, 3):  # in seven passes a text of three tokens has one of them hidden at a time
        read = torch.from_numpy(np.where(np.arange(5) == place, tokenizer.mask_id, first))[None]
        with torch.no_grad():
            hidden = encoder(read).top[0, place - shifted].numpy()
        total += nats(hidden[None], encoder.output_weight().detach().numpy(), None, first[place : place + 1])
    alone = score_hidden_tokens(encoder, tokenizer, documents[:1], shifted)
    assert alone.loss == pytest.approx(total / 3, rel=1e-5)
    assert alone.interval is None
    assert scores.interval[0] <= scores.loss <= scores.interval[1]


def test_rebuilt_from_their_configurations():
    for task in (MaskedLanguageModel(0.3), CausalMaskedLanguageModel(0.3, 0.25)):
        again = build_task(task.config(), 8)
        assert type(again) is type(task)
        assert again.masks == task.masks
