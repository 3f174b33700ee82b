"""Muon's step recomputed in numpy; which weights it takes, and at which rates."""

import numpy as np
import torch
from torch import nn

from langnet.encoders.registry import build_encoder
from langnet.training.optimizer import Muon, OptimizerConfig, build_optimizers, orthogonalise, set_rates
from langnet.transfer.groups import ParameterGroup, encoder_groups


def newton_schulz(matrix, steps=5):
    x = matrix / (np.linalg.norm(matrix) + 1e-7)
    x = x.T if matrix.shape[0] > matrix.shape[1] else x
    for _ in range(steps):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


def test_orthogonalise_is_the_published_iteration():
    for shape in ((6, 9), (9, 6)):
        matrix = np.random.default_rng(0).normal(size=shape)
        got = orthogonalise(torch.from_numpy(matrix)[None], precision=torch.float64)[0]
        np.testing.assert_allclose(got.numpy(), newton_schulz(matrix), atol=1e-9)


def test_two_steps_of_muon():
    generator = np.random.default_rng(1)
    start, gradients = generator.normal(size=(8, 4)), generator.normal(size=(2, 8, 4))
    weight = nn.Parameter(torch.from_numpy(start))
    optimizer = Muon([{"params": [weight]}], lr=0.1, momentum=0.9, weight_decay=0.5, precision=torch.float64)
    expected, momentum = start.copy(), np.zeros((8, 4))
    for gradient in gradients:
        weight.grad = torch.from_numpy(gradient)
        optimizer.step()
        momentum = 0.9 * momentum + 0.1 * gradient
        direction = 0.1 * gradient + 0.9 * momentum  # Nesterov: where the momentum will be
        expected = expected * (1 - 0.1 * 0.5) - 0.1 * (8 / 4) ** 0.5 * newton_schulz(direction)
    np.testing.assert_allclose(weight.detach().numpy(), expected, atol=1e-9)


def test_a_stack_is_its_matrices_one_by_one():
    stack = nn.Parameter(torch.zeros(3, 5, 5))
    single = [nn.Parameter(torch.zeros(5, 5)) for _ in range(3)]
    gradient = torch.randn(3, 5, 5, generator=torch.Generator().manual_seed(0))
    stack.grad = gradient
    for parameter, part in zip(single, gradient, strict=True):
        parameter.grad = part.clone()
    for parameters in ([stack], single):
        Muon([{"params": parameters}], lr=0.1, momentum=0.9, weight_decay=0.0).step()
    torch.testing.assert_close(stack.detach(), torch.stack([p.detach() for p in single]))


def test_who_takes_what():
    hidden, bias, embedding = (nn.Parameter(torch.zeros(size)) for size in ((4, 4), (4,), (9, 4)))
    groups = [
        ParameterGroup("embeddings", [embedding], rate=0.5),
        ParameterGroup("layer 1", [hidden, bias], hidden=True),
    ]
    adamw, muon = build_optimizers(groups, OptimizerConfig("muon", 1e-3, 0.02))
    assert [p for group in muon.param_groups for p in group["params"]] == [hidden]
    by_name = {id(p): group for group in adamw.param_groups for p in group["params"]}
    assert by_name.keys() == {id(bias), id(embedding)}
    assert by_name[id(bias)]["weight_decay"] == 0
    assert by_name[id(embedding)]["lr"] == 5e-4
    set_rates([adamw, muon], 0.1)
    assert muon.param_groups[0]["lr"] == 0.002
    assert by_name[id(embedding)]["lr"] == 5e-5


def test_a_stack_of_biases_is_no_matrix():
    """ELMo holds the biases of both directions in one tensor."""
    encoder = build_encoder("elmo", "tiny", 40, seed=0)
    biases = {id(p) for name, p in encoder.named_parameters() if name.endswith("bias")}
    assert any(p.dim() > 1 for p in encoder.parameters() if id(p) in biases)
    for optimizer in build_optimizers(encoder_groups(encoder), OptimizerConfig("muon")):
        for group in optimizer.param_groups:
            with_biases = bool(biases & {id(p) for p in group["params"]})
            assert not (with_biases and (group["weight_decay"] or isinstance(optimizer, Muon)))


def test_adagrad_by_hand():
    start, gradients = np.array([[1.0, -2.0]]), [np.array([[0.5, 3.0]]), np.array([[-1.0, 0.1]])]
    weight = nn.Parameter(torch.from_numpy(start))
    config = OptimizerConfig("adagrad", 0.2, weight_decay=0.5)
    (optimizer,) = build_optimizers([ParameterGroup("layer 1", [weight], hidden=True)], config)
    expected, squares = start.copy(), np.ones((1, 2))
    for gradient in gradients:
        weight.grad = torch.from_numpy(gradient)
        optimizer.step()
        squares += gradient**2
        expected -= 0.2 * gradient / np.sqrt(squares)
    np.testing.assert_allclose(weight.detach().numpy(), expected, atol=1e-9)
