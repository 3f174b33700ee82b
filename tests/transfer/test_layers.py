"""The embeddings and the lowest layers of a pretrained encoder, bit for bit, and nothing else of it."""

import pytest
import torch

from langnet.encoders.registry import build_encoder, build_encoder_like
from langnet.encoders.vectors import Vectors, VectorsConfig
from langnet.errors import LangnetError
from langnet.transfer.layers import lowest_layers

ENCODERS = [("gpt", "own"), ("gpt", "both"), ("gpt-2018", "own"), ("gpt-2", "own"), ("gpt-2", "two-way")]
ENCODERS += [("awd-lstm", "own"), ("awd-lstm", "two-way"), ("elmo", "own")]


@pytest.fixture(params=ENCODERS, ids=["-".join(one) for one in ENCODERS])
def pretrained(request):
    """No weight is one that it has when it is new."""
    encoder = build_encoder(request.param[0], "tiny", 40, seed=1, reading=request.param[1])
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter += torch.rand(parameter.shape) + 0.1
    return encoder


def equal_groups(one, other):
    """Of each group of layers, whether all of its weights are equal."""
    groups = zip(one.layer_groups(), other.layer_groups(), strict=True)
    return [all(torch.equal(a, b) for a, b in zip(*group, strict=True)) for group in groups]


def test_exactly_these_layers_are_the_models(pretrained):
    before = {name: value.clone() for name, value in pretrained.state_dict().items()}
    most = pretrained.n_layers
    for layers in range(most + 1):
        made = lowest_layers(pretrained, layers, seed=7)
        new = build_encoder_like(pretrained, 7)
        assert equal_groups(made, pretrained) == [True] * (layers + 1) + [False] * (most - layers)
        assert equal_groups(made, new)[layers + 1 :] == [True] * (most - layers), "the rest is drawn as from scratch"
    torch.testing.assert_close(made.state_dict(), pretrained.state_dict(), rtol=0, atol=0)
    torch.testing.assert_close(dict(pretrained.state_dict()), before, rtol=0, atol=0)
    assert not {id(p) for p in made.parameters()} & {id(p) for p in pretrained.parameters()}


def test_the_order_of_a_modules_parameters_does_not_matter():
    encoder = build_encoder("awd-lstm", "tiny", 40, seed=1)
    layer = encoder.layers[0]
    first = layer.input_weight
    del layer.input_weight
    layer.input_weight = first  # now behind the others, as a weight is that was taken out and put back
    made = lowest_layers(encoder, 1, seed=7)
    torch.testing.assert_close(made.layers[0].state_dict(), layer.state_dict(), rtol=0, atol=0)


def test_word_vectors_are_their_embeddings():
    vectors = Vectors(VectorsConfig(30, 8, buckets=5))
    vectors.subwords += 1
    made = lowest_layers(vectors, 0, seed=7)
    torch.testing.assert_close(made.state_dict(), vectors.state_dict(), rtol=0, atol=0)
    with pytest.raises(LangnetError, match="no layer above its embeddings; 0 is all that can be taken"):
        lowest_layers(vectors, 1, seed=7)


def test_too_many_layers():
    encoder = build_encoder("gpt", "tiny", 40, seed=1)
    with pytest.raises(LangnetError, match=r"3 layers are to be taken, but .* has 2 layers .* 0 .* to 2"):
        lowest_layers(encoder, 3, seed=7)
    with pytest.raises(LangnetError, match="-1 layers"):
        lowest_layers(encoder, -1, seed=7)
