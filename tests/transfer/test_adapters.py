"""Low-rank adapters: they start as nothing, alone they learn, by the right gradient, and they end in the weights."""

import copy

import numpy as np
import pytest
import torch

from langnet.encoders.awd_lstm import LSTMLayer
from langnet.encoders.gpt import FeedForward, GPTConfig
from langnet.encoders.registry import build_encoder
from langnet.encoders.vectors import Vectors, VectorsConfig
from langnet.errors import LangnetError
from langnet.tasks.language_model import LanguageModel
from langnet.transfer.adapters import LowRank, adapted, adapter_weights, adapters
from langnet.transfer.groups import GradualUnfreezing, encoder_groups, model_groups
from langnet.transfer.model import TaskModel
from tests.transfer.test_layers import ENCODERS


@pytest.fixture(params=ENCODERS, ids=["-".join(one) for one in ENCODERS])
def encoder(request):
    """No weight is zero, and nothing is dropped."""
    made = build_encoder(request.param[0], "tiny", 40, seed=1, reading=request.param[1]).double().eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=generator)
    return made


def read(encoder):
    generator = torch.Generator().manual_seed(0)
    shape = (3, 7, encoder.characters) if encoder.characters else (3, 7)
    ids = torch.randint(5, 40, shape, generator=generator)
    mask = torch.ones(3, 7, dtype=torch.bool)
    mask[1, 4:] = False
    return encoder(ids, mask).layers


def products(encoder):
    return [module for module in encoder.modules() if isinstance(module, LowRank)]


def learn_a_little(encoder):
    with torch.no_grad():
        for product in products(encoder):
            product.up += 0.01 * torch.rand(product.up.shape, dtype=product.up.dtype)


def test_from_the_model_itself_to_an_ordinary_model(encoder):
    before, states = copy.deepcopy(encoder), read(encoder)
    names = [name for name, _ in encoder.named_parameters()]
    kinds = [type(module) for module in encoder.modules()]
    with adapters(encoder, 4, seed=2):
        assert all(map(torch.equal, read(encoder), states)), "a product of zeros changes nothing, to the bit"
        assert sum(p.numel() for p in encoder.parameters() if p.requires_grad) == adapter_weights(before, 4)
        learn_a_little(encoder)
        learned = read(encoder)
        assert [torch.equal(a, b) for a, b in zip(learned, states, strict=True)] == [True] + [False] * encoder.n_layers
    assert all(map(torch.equal, read(encoder), learned)), "merged, it reads as it did"
    assert [name for name, _ in encoder.named_parameters()] == names, "optimizers number them in this order"
    assert [type(module) for module in encoder.modules()] == kinds
    assert all(parameter.requires_grad for parameter in encoder.parameters())
    places = adapted(before, 4)
    for name, weight in encoder.named_parameters():
        change = (weight - before.get_parameter(name)).detach()
        if name not in places:
            assert not change.any(), f"{name} has no product"
            continue
        ranks = np.linalg.matrix_rank(change.reshape(-1, *change.shape[-2:]).numpy(), tol=1e-8)
        assert set(ranks.tolist()) == {4}, "a matrix of several in one tensor has a product of its own"


def test_what_is_left_alone(encoder):
    """Embeddings, the character network, the softmax, biases and norms."""
    places = set(adapted(encoder, 4))
    assert not {name for name in places if "embedding" in name or "words" in name or "softmax" in name}
    assert not {name for name in places if "bias" in name or "norm" in name}
    above = [
        {id(p) for p in group if p.dim() >= 2 and id(p) in {id(encoder.get_parameter(name)) for name in places}}
        for group in encoder.layer_groups()
    ]
    assert not above[0]
    assert all(above[1:]), "every layer has products"


def test_only_products_learn(encoder):
    with adapters(encoder, 4, seed=2):
        learned = {id(p) for product in products(encoder) for p in product.parameters()}
        assert {id(p) for group in encoder_groups(encoder) for p in group.parameters} == learned
        rates = {group.rate for group in encoder_groups(encoder, 2.0)}
        assert rates == {2.0**-depth for depth in range(encoder.n_layers)}
        learn_a_little(encoder)
        encoder.train()
        sum(layer.square().sum() for layer in read(encoder)).backward()
        for name, parameter in encoder.named_parameters():
            assert (parameter.grad is not None and bool(parameter.grad.any())) == (id(parameter) in learned), name


def test_unfreezing_keeps_the_weights_frozen():
    encoder = build_encoder("gpt", "tiny", 40, seed=1)
    with adapters(encoder, 2, seed=2):
        learned = [p for p in encoder.parameters() if p.requires_grad]
        unfreezing = GradualUnfreezing(encoder)
        unfreezing(0.0)
        assert not any(p.requires_grad for p in encoder.parameters())
        unfreezing.thaw()
        assert [p for p in encoder.parameters() if p.requires_grad] == learned
    assert len(model_groups(TaskModel(encoder, [(LanguageModel(), 1.0)]))) == len(encoder_groups(encoder))


@pytest.mark.filterwarnings("ignore:Casting complex")
def test_gradients_of_a_feed_forward_layer():
    """loss = sum(C * relu(x (W1 + s B1 A1)')^2 (W2 + s B2 A2)'), by hand."""
    generator = np.random.default_rng(0)
    layer = FeedForward(GPTConfig(10, dim=6, n_heads=1, feedforward=9)).double()
    x, c = generator.normal(size=(1, 5, 6)), generator.normal(size=(1, 5, 6))
    holder = build_encoder("gpt", "tiny", 10, seed=0).double()
    holder.blocks[0].feedforward = layer
    with torch.no_grad():
        layer.output.weight.normal_(generator=torch.Generator().manual_seed(3))
    with adapters(holder, 2, seed=4):
        learn_a_little(holder)
        (torch.from_numpy(c) * layer(torch.from_numpy(x))).sum().backward()
        found = {}
        for name in ("inner", "output"):
            linear = getattr(layer, name).parametrizations.weight
            found[name] = [p.detach().numpy() for p in (linear.original, linear[0].up, linear[0].down)]
            found[name] += [linear[0].up.grad.numpy(), linear[0].down.grad.numpy()]
    scale = 16 / 2
    (w1, b1, a1), (w2, b2, a2) = (found[name][:3] for name in ("inner", "output"))
    first, second = w1 + scale * b1 @ a1, w2 + scale * b2 @ a2
    inside = np.maximum(x[0] @ first.T, 0)
    by_second = c[0].T @ inside**2
    by_first = ((c[0] @ second) * 2 * inside).T @ x[0]
    for name, gradient, up, down in (("inner", by_first, b1, a1), ("output", by_second, b2, a2)):
        np.testing.assert_allclose(found[name][3], scale * gradient @ down.T, rtol=1e-9)
        np.testing.assert_allclose(found[name][4], scale * up.T @ gradient, rtol=1e-9)


def test_gradients_through_a_recurrence_written_by_hand():
    """Of every weight of the products, against differences of the equations in numpy."""
    layer = LSTMLayer(3, 4).double()
    holder = build_encoder("awd-lstm", "tiny", 10, seed=0).double()
    holder.layers[0] = layer
    generator = np.random.default_rng(0)
    x, c = generator.normal(size=(5, 2, 3)), generator.normal(size=(5, 2, 4))

    def loss(parts):
        inputs, hidden = (w + 8 * b @ a for w, b, a in parts)
        bias, h, cell, total = layer.bias.detach().numpy(), np.zeros((2, 4)), np.zeros((2, 4)), 0.0
        for step in range(5):
            i, f, g, o = np.split(x[step] @ inputs.T + h @ hidden.T + bias, 4, axis=1)
            i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
            cell = f * cell + i * np.tanh(g)
            h = o * np.tanh(cell)
            total += (c[step] * h).sum()
        return total

    with adapters(holder, 2, seed=4):
        learn_a_little(holder)
        states, _ = layer(torch.from_numpy(x), 0.0, None, None)
        found = (torch.from_numpy(c) * states).sum()
        found.backward()
        places = [layer.parametrizations.input_weight, layer.parametrizations.hidden_weight]
        parts = [[p.detach().numpy().copy() for p in (w.original, w[0].up, w[0].down)] for w in places]
        gradients = [[p.grad.numpy() for p in (w[0].up, w[0].down)] for w in places]
    assert loss(parts) == pytest.approx(found.item(), rel=1e-10)
    for matrices, own in zip(parts, gradients, strict=True):
        for matrix, gradient in zip(matrices[1:], own, strict=True):
            for place in np.ndindex(matrix.shape):
                held = matrix[place]
                matrix[place] = held + 1e-6
                above = loss(parts)
                matrix[place] = held - 1e-6
                difference = (above - loss(parts)) / 2e-6
                matrix[place] = held
                assert gradient[place] == pytest.approx(difference, rel=1e-5, abs=1e-7)


def test_a_dropped_weight_is_dropped_with_its_product():
    """DropConnect reads the composed matrix: an entry of it is zero or scaled, product included."""
    holder = build_encoder("awd-lstm", "tiny", 10, seed=0)
    with adapters(holder, 2, seed=4):
        learn_a_little(holder)
        layer = holder.layers[0]
        whole, dropped = layer.hidden_weight, layer.weights(0.5).hidden
        kept = dropped != 0
        assert 0.4 < kept.float().mean() < 0.6
        torch.testing.assert_close(dropped[kept], 2 * whole[kept])


def test_what_cannot_be():
    with pytest.raises(LangnetError, match="this encoder has none: it is embeddings alone"):
        adapted(Vectors(VectorsConfig(30, 8)), 2)
    with pytest.raises(LangnetError, match=r"rank 128 .* narrowest matrix of 128 .* 1 to 127"):
        adapted(build_encoder("gpt", "tiny", 40, seed=1), 128)
