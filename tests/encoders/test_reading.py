"""Attention from the left or from both sides by the same weights, against its equations in numpy."""

import numpy as np
import pytest
import torch

from langnet.encoders.gpt import Attention, GPTConfig, Sight
from langnet.encoders.registry import build_encoder, encoder_config, rebuild_encoder
from langnet.errors import LangnetError


def encoder_of(family, reading="both"):
    encoder = build_encoder(family, "tiny", 50, seed=0, context=12, reading=reading).eval()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)), alpha=0.05)
    return encoder


def ids(rows=2, length=9):
    return torch.randint(5, 50, (rows, length), generator=torch.Generator().manual_seed(2))


def test_attention_is_its_equation():
    config = GPTConfig(50, dim=8, n_heads=2, positions="learned", normalise_queries_keys=False, norm="pre-layer")
    torch.manual_seed(0)
    attention = Attention(config).double().eval()
    torch.nn.init.normal_(attention.qkv)
    x, mask = torch.randn(2, 5, 8, dtype=torch.float64), torch.ones(2, 5, dtype=torch.bool)
    mask[1, 3:] = False
    found = attention(x, Sight(False, mask))[0].detach().numpy()
    weights, out = attention.qkv.detach().numpy(), attention.output.weight.detach().numpy()
    for row in range(2):
        q, k, v = (x[row].numpy() @ weight.T for weight in weights)  # (T, D)
        heads = []
        for head in (slice(0, 4), slice(4, 8)):
            scores = q[:, head] @ k[:, head].T / 2.0
            scores[:, ~mask[row].numpy()] = -np.inf
            shares = np.exp(scores - scores.max(1, keepdims=True))
            heads.append(shares / shares.sum(1, keepdims=True) @ v[:, head])
        np.testing.assert_allclose(found[row], np.concatenate(heads, 1) @ out.T, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("family", ["gpt", "gpt-2018", "gpt-2"])
class TestEitherWay:
    @torch.no_grad()
    def test_the_way_is_chosen_by_the_call(self, family):
        both, left = encoder_of(family), encoder_of(family, "own")
        assert (both.causal, left.causal) == (False, True)
        torch.testing.assert_close(both(ids(), causal=True).top, left(ids()).top)
        torch.testing.assert_close(left(ids(), causal=False).top, both(ids()).top)
        assert (both(ids()).top - left(ids()).top).abs().max() > 1e-3

    @torch.no_grad()
    def test_every_place_sees_every_other(self, family):
        encoder, changed = encoder_of(family), ids()
        changed[:, 4] = (changed[:, 4] + 1) % 45 + 5
        differs = (encoder(ids()).top - encoder(changed).top).abs().amax(2) > 1e-7
        assert differs.all()

    @torch.no_grad()
    def test_padding_is_not_seen(self, family):
        encoder, mask = encoder_of(family), torch.ones(2, 9, dtype=torch.bool)
        mask[1, 6:] = False
        alone = encoder(ids()[1:, :6]).top
        for filling in (0, 7):
            top = encoder(ids().masked_fill(~mask, filling), mask).top
            torch.testing.assert_close(top[1:, :6], alone, atol=1e-5, rtol=1e-4)

    @torch.no_grad()
    def test_it_goes_on_from_a_state_only_from_the_left(self, family):
        encoder = encoder_of(family)
        assert encoder(ids()).state is None
        first = encoder(ids()[:, :5], causal=True)
        second = encoder(ids()[:, 5:], state=first.state, causal=True)
        torch.testing.assert_close(second.top, encoder(ids(), causal=True).top[:, 5:], atol=1e-5, rtol=1e-4)
        with pytest.raises(LangnetError, match="cannot be gone on with"):
            encoder(ids()[:, 5:], state=first.state)

    def test_its_folder_says_so(self, family):
        config = encoder_config(encoder_of(family), family)
        assert config["causal"] is False
        assert not rebuild_encoder(config).causal
        config.pop("causal")  # folders from before there was a choice
        assert rebuild_encoder(config).causal


def test_one_way_is_all_that_others_know():
    lstm = build_encoder("awd-lstm", "tiny", 50, seed=0)
    assert lstm(ids(), causal=True).top.shape == lstm(ids()).top.shape
    with pytest.raises(LangnetError, match="from left to right, not from both sides"):
        lstm(ids(), causal=False)
    with pytest.raises(LangnetError, match="from both sides, not from left to right"):
        build_encoder("elmo", "tiny", 50, seed=0)(ids(), causal=True)
