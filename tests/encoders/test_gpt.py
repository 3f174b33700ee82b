"""GPT: causality, the cached state, both families' shapes, and the zero start."""

import numpy as np
import pytest
import torch

from langnet.encoders.gpt import FAMILIES, GPT, GPTConfig, rotary_angles, rotate
from langnet.encoders.registry import build_encoder, find_family
from langnet.errors import LangnetError


@pytest.fixture(params=[family.name for family in FAMILIES])
def encoder(request):
    encoder = build_encoder(request.param, "tiny", 50, seed=0).eval()
    with torch.no_grad():  # zero outputs would hide every mistake in the blocks
        for parameter in encoder.parameters():
            if parameter.dim() >= 2 and not parameter.any():
                parameter.normal_(std=0.05, generator=torch.Generator().manual_seed(1))
    return encoder


def test_returns_every_layer(encoder):
    encoding = encoder(torch.randint(5, 50, (2, 7)))
    assert [tuple(layer.shape) for layer in encoding.layers] == [(2, 7, 128)] * 3
    assert encoder.logits(encoding.top).shape == (2, 7, 50)


def test_later_tokens_do_not_change_earlier_states(encoder):
    ids = torch.randint(5, 50, (1, 9))
    changed = ids.clone()
    changed[0, 5:] = 6
    before, after = encoder(ids).top, encoder(changed).top
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert not torch.allclose(before[:, 5:], after[:, 5:])


def test_state_continues_the_sequence(encoder):
    ids = torch.randint(5, 50, (2, 10))
    whole = encoder(ids).top
    first = encoder(ids[:, :6])
    second = encoder(ids[:, 6:], state=first.state)
    torch.testing.assert_close(torch.cat([first.top, second.top], 1), whole, atol=1e-5, rtol=1e-4)


def test_every_parameter_is_in_one_group(encoder):
    grouped = [id(p) for group in encoder.layer_groups() for p in group]
    assert sorted(grouped) == sorted(id(p) for p in encoder.parameters())


def test_new_gpt_starts_as_its_embeddings():
    encoder = build_encoder("gpt", "tiny", 30, seed=0).eval()
    layers = encoder(torch.arange(5, 15)[None]).layers
    torch.testing.assert_close(layers[0], layers[1])


def test_published_family_is_the_published_model():
    config = find_family("gpt-2018").make_config("base", 40_478, None)
    # 116.5 M: 40,478 x 768 tokens, 512 x 768 positions, twelve blocks of 7,087,872.
    assert GPT(config).n_parameters == 40_478 * 768 + 512 * 768 + 12 * 7_087_872


def test_rotation_matches_numpy():
    x = np.random.default_rng(0).normal(size=(1, 1, 6, 8))
    cosines, sines = rotary_angles(6, 8, torch.device("cpu"))
    got = rotate(torch.tensor(x), cosines.double(), sines.double()).numpy()
    for t in range(6):
        for i in range(4):
            angle = t * 10_000 ** (-2 * i / 8)
            a, b = x[0, 0, t, i], x[0, 0, t, i + 4]
            np.testing.assert_allclose(got[0, 0, t, i], a * np.cos(angle) - b * np.sin(angle), atol=1e-5)
            np.testing.assert_allclose(got[0, 0, t, i + 4], b * np.cos(angle) + a * np.sin(angle), atol=1e-5)


def test_too_long_and_unknown_are_said(encoder):
    with pytest.raises(LangnetError, match="longer than the encoder's context of 128"):
        encoder(torch.zeros(1, 129, dtype=torch.long))
    with pytest.raises(LangnetError, match="no size 'huge'"):
        build_encoder("gpt", "huge", 50, seed=0)


@pytest.mark.parametrize(("dim", "wanted"), [(192, 0.04), (768, 0.02), (1024, 0.02)])
@pytest.mark.parametrize("norm", ["post-layer", "pre-layer"])
def test_narrow_published_encoders_are_drawn_wider(norm, dim, wanted):
    gpt = GPT(GPTConfig(1000, 16, dim, 1, 4, 512, norm=norm, positions="learned", zero_outputs=False))
    for matrix in (gpt.token_embedding.weight, gpt.blocks[0].attention.qkv, gpt.blocks[0].feedforward.inner.weight):
        assert float(matrix.std()) == pytest.approx(wanted, rel=0.02)
    outputs = gpt.blocks[0].feedforward.output.weight
    assert float(outputs.std()) == pytest.approx(wanted / (2**0.5 if norm == "pre-layer" else 1), rel=0.02)
