"""Low-rank adapters: the pretrained weights stay, and a product of two narrow matrices learns beside each of them.

Hu et al. 2021 ("LoRA: Low-Rank Adaptation of Large Language Models"): W + (alpha / rank) B A, with B zero at the start,
so that nothing has changed before the first step. What differs here: every matrix of the encoder's layers has a
product, not attention's alone, so that recurrent encoders have theirs too; and at the end the products are added to the
weights, so that the model is an ordinary one.

The encoders read composed weights as they read any: a dropped recurrent weight is W + (alpha / rank) B A with some of
its entries zero, and the gradients that are written by hand are of the sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.transfer.model import TaskModel
from langnet.transfer.together import TasksTogether

# Alpha, the scale of the products at rank 1. Hu et al. keep it fixed too: to change it is to change the rate.
SCALE = 16.0


class LowRank(nn.Module):
    """What a weight is with its product: W + (alpha / rank) B A.

    Args:
        weight: W (R, C), or N of them in one tensor (N, R, C), each with a product of its own.
        rank: columns of B and rows of A.
        generator: of A; B is zero.
    """

    def __init__(self, weight: Tensor, rank: int, generator: torch.Generator):
        super().__init__()
        *stack, rows, columns = weight.shape
        drawn = torch.rand(*stack, rank, columns, generator=generator, dtype=torch.float32)
        first = (2 * drawn - 1) * columns**-0.5  # as a linear layer's weights are drawn
        self.down = nn.Parameter(first.to(weight.device, weight.dtype))  # A, (..., r, C)
        self.up = nn.Parameter(weight.new_zeros(*stack, rows, rank))  # B, (..., R, r)
        self.scale = SCALE / rank

    def forward(self, weight: Tensor) -> Tensor:
        """W with its product, (..., R, C)."""
        # Exactly, whatever precision the products with the states have: the same sum is what is kept in the end.
        with torch.autocast(weight.device.type, enabled=False):
            return torch.add(weight, self.up @ self.down, alpha=self.scale)


@contextmanager
def adapters(encoder: Encoder, rank: int, seed: int) -> Iterator[None]:
    """Within this, products learn beside the encoder's matrices and none of its own weights; then they are added.

    Args:
        encoder: changed in place.
        rank: of the products.
        seed: of their first weights.

    Raises:
        LangnetError: the encoder has no matrices for them, or the rank is not below their width.
    """
    places = [_place(encoder, name) for name in adapted(encoder, rank)]
    generator = torch.Generator().manual_seed(seed)
    learned = {name: parameter.requires_grad for name, parameter in encoder.named_parameters()}
    orders = {module: [name for name, _ in module.named_parameters(recurse=False)] for module, _ in places}
    encoder.requires_grad_(False)
    for module, name in places:
        product = LowRank(getattr(module, name), rank, generator)
        parametrize.register_parametrization(module, name, product, unsafe=True)  # it keeps shape and type
    try:
        yield
    finally:
        for module, name in places:
            parametrize.remove_parametrizations(module, name, leave_parametrized=True)
        for module, names in orders.items():
            _in_order(module, names)
        for name, parameter in encoder.named_parameters():
            parameter.requires_grad_(learned[name])


def adapted(encoder: Encoder, rank: int) -> dict[str, Tensor]:
    """The weights that get a product, by name: the matrices of the layers, not those of embeddings and softmax.

    Raises:
        LangnetError: there are none, or the rank is not below their width.
    """
    above = {id(parameter) for group in encoder.layer_groups()[1:] for parameter in group}
    if encoder.predicts_next:
        above.discard(id(encoder.output_weight()))
    # Biases of LSTMs side by side lie in one tensor, which is no matrix.
    found: dict[str, Tensor] = {
        name: weight
        for name, weight in encoder.named_parameters()
        if id(weight) in above and weight.dim() in (2, 3) and not name.endswith("bias")
    }
    if not found:
        raise LangnetError(
            "adapters learn beside the matrices of layers, and this encoder has none: it is embeddings alone; leave "
            "--adapters out, or take a language model"
        )
    least = min(side for weight in found.values() for side in weight.shape[-2:])
    if rank >= least:
        raise LangnetError(
            f"adapters of rank {rank} are no smaller than this encoder's narrowest matrix of {least} rows or columns; "
            f"choose a rank from 1 to {least - 1}, 8 say"
        )
    return found


def adapter_weights(encoder: Encoder, rank: int) -> int:
    """How many weights the products of an encoder have."""
    return sum(
        weight.numel() // weight.shape[-1] // weight.shape[-2] * rank * sum(weight.shape[-2:])
        for weight in adapted(encoder, rank).values()
    )


def learned_weights(network: TaskModel | TasksTogether, rank: int) -> dict[str, Any]:
    """How many weights learn beside an encoder that stays: the products' and the heads', `n`; their `share` of all."""
    own = network.encoder.n_parameters
    heads = sum(p.numel() for part in (network.mix, network.tasks) for p in part.parameters())
    n = adapter_weights(network.encoder, rank) + heads
    return {"n": n, "of": own + heads, "share": round(n / (own + heads), 6)}


def describe_learned(learned: dict[str, Any]) -> str:
    """The same as a line."""
    n, of, share = learned["n"], learned["of"], learned["share"]
    return f"{n:,} weights learn, head included, beside a model of {of:,} ({share:.1%})"


def _place(encoder: Encoder, name: str) -> tuple[nn.Module, str]:
    owner, _, attribute = name.rpartition(".")
    return encoder.get_submodule(owner), attribute


def _in_order(module: nn.Module, names: list[str]) -> None:
    """Put parameters back where they stood: optimizers, and so checkpoints, number them."""
    for name in names:
        parameter = module.get_parameter(name)
        delattr(module, name)
        module.register_parameter(name, parameter)
