"""AdamW, Muon, AdaGrad and NT-ASGD from one list of parameter groups.

Muon (Jordan et al. 2024) orthogonalises the momentum of every hidden matrix, which takes fewer tokens to the same loss
than AdamW; embeddings, softmax, gains and biases stay with AdamW. PyTorch ships a Muon of its own; this one exists
because that one multiplies in bfloat16 whatever the machine, which is ten times slower than float32 on processors
without it, where this one takes the run's precision; and because it takes one matrix at a time, where here all matrices
of a shape are one batched product.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from langnet.errors import LangnetError
from langnet.training.averaged_sgd import AveragedSGD
from langnet.transfer.groups import ParameterGroup


@dataclass(frozen=True)
class OptimizerConfig:
    """How weights are updated.

    Attributes:
        name: `adamw` for everything, `muon` for hidden matrices with AdamW for the rest, `adagrad` for everything
            (Duchi et al. 2011), with sums of squares that start at one as in Peters et al. 2018, who use a rate of 0.2,
            or `nt-asgd`, gradient descent without momentum, averaged in the end (Merity et al. 2017).
        learning_rate: peak rate of AdamW, AdaGrad and NT-ASGD, whose usual one is 30.
        muon_learning_rate: peak rate of Muon, as a fraction of each matrix's root-mean-square scale.
        weight_decay: AdamW's, decoupled (Loshchilov & Hutter 2019), on matrices, embeddings too, never on gains and
            biases. NT-ASGD's is of everything, as in Merity et al. 2017; Muon's matrices and AdaGrad have none.
        betas: AdamW's.
        momentum: Muon's, with Nesterov's step.
    """

    name: Literal["adamw", "muon", "adagrad", "nt-asgd"] = "adamw"
    learning_rate: float = 3e-4
    muon_learning_rate: float = 0.02
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.95)
    momentum: float = 0.95


def orthogonalise(matrices: Tensor, steps: int = 5, precision: torch.dtype = torch.float32) -> Tensor:
    """Push the singular values of (N, R, C) matrices towards 1 by a quintic Newton-Schulz iteration.

    The coefficients are Muon's; singular values end between about 0.7 and 1.2, which is as good as 1 for an update, and
    why products in bfloat16 will do (Jordan et al. 2024).
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrices / (matrices.norm(dim=(-2, -1), keepdim=True) + 1e-7)  # (N, R, C)
    wide = x.shape[-2] > x.shape[-1]
    x = (x.mT if wide else x).to(precision)
    for _ in range(steps):
        gram = x @ x.mT  # (N, R, R)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)  # (N, R, C)
    return (x.mT if wide else x).to(matrices.dtype)


class Muon(torch.optim.Optimizer):
    """Momentum whose matrices are orthogonalised; takes matrices, and stacks of them in three dimensions.

    Args:
        groups: parameters and their settings.
        lr: see `OptimizerConfig`, as for what follows.
        momentum: of the gradients.
        weight_decay: decoupled.
        precision: of the products within an update; weights and momentum keep their own.
    """

    def __init__(
        self,
        groups: list[dict[str, Any]],
        lr: float,
        momentum: float,
        weight_decay: float,
        precision: torch.dtype = torch.float32,
    ):
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self.precision = precision

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient; `closure` is not used."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[nn.Parameter]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape[parameter.shape[-2:]].append(parameter)
            for parameters in by_shape.values():
                self._update(parameters, group)

    def _update(self, parameters: list[nn.Parameter], group: dict[str, Any]) -> None:
        """Update all parameters whose matrices have one shape, by one batched orthogonalisation."""
        momentum, rows, columns = group["momentum"], *parameters[0].shape[-2:]
        directions = []
        for parameter in parameters:
            assert parameter.grad is not None
            buffer = self.state[parameter].setdefault("momentum", torch.zeros_like(parameter))
            buffer.lerp_(parameter.grad, 1 - momentum)
            directions.append(parameter.grad.lerp(buffer, momentum).view(-1, rows, columns))
        updates = orthogonalise(torch.cat(directions), precision=self.precision)  # (N, R, C)
        # sqrt(max(1, R / C)) keeps the update's effect on activations the same for every shape (Jordan et al. 2024).
        scale = -group["lr"] * max(1.0, rows / columns) ** 0.5
        for parameter, update in zip(parameters, updates.split([len(d) for d in directions]), strict=True):
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.add_(update.view_as(parameter), alpha=scale)


def build_optimizers(
    groups: Iterable[ParameterGroup], config: OptimizerConfig, precision: torch.dtype = torch.float32
) -> list[torch.optim.Optimizer]:
    """The optimizers of a run; every group remembers its peak rate as `peak`, for the schedule to scale.

    A parameter goes to Muon, whose products are in `precision`, when it is a matrix, or a stack of them, in a group of
    hidden ones.
    """
    if config.name not in ("adamw", "muon", "adagrad", "nt-asgd"):
        raise LangnetError(f"there is no optimizer '{config.name}'; choose adamw, muon, adagrad or nt-asgd")
    if config.name == "nt-asgd":
        return [AveragedSGD([_plain(group, config) for group in groups], config.learning_rate)]
    adamw: list[dict[str, Any]] = []
    muon: list[dict[str, Any]] = []
    for group in groups:
        hidden = [p for p in group.parameters if config.name == "muon" and group.hidden and p.dim() in (2, 3)]
        taken = {id(p) for p in hidden}
        rest = [p for p in group.parameters if id(p) not in taken]
        if hidden:
            peak = config.muon_learning_rate * group.rate
            muon.append({"params": hidden, "name": group.name, "lr": peak, "peak": peak, "weight_decay": 0.0})
        for decays, parameters in (
            (True, [p for p in rest if _decays(p)]),
            (False, [p for p in rest if not _decays(p)]),
        ):
            if parameters:
                peak = config.learning_rate * group.rate
                decay = config.weight_decay * group.weight_decay if decays else 0.0
                adamw.append(
                    {"params": parameters, "name": group.name, "lr": peak, "peak": peak, "weight_decay": decay}
                )
    optimizers: list[torch.optim.Optimizer] = []
    if adamw and config.name == "adagrad":
        plain = [{**group, "weight_decay": 0.0} for group in adamw]  # AdaGrad's own decay is not a decoupled one
        optimizers.append(torch.optim.Adagrad(plain, lr=config.learning_rate, initial_accumulator_value=1.0))
    elif adamw:
        optimizers.append(
            torch.optim.AdamW(adamw, lr=config.learning_rate, betas=config.betas, eps=1e-8, fused=_can_fuse(adamw))
        )
    if muon:
        optimizers.append(Muon(muon, config.muon_learning_rate, config.momentum, 0.0, precision))
    return optimizers


def _plain(group: ParameterGroup, config: OptimizerConfig) -> dict[str, Any]:
    """A group as gradient descent takes it."""
    peak = config.learning_rate * group.rate
    decay = config.weight_decay * group.weight_decay
    return {"params": group.parameters, "name": group.name, "lr": peak, "peak": peak, "weight_decay": decay}


def set_rates(optimizers: Iterable[torch.optim.Optimizer], factor: float) -> None:
    """Set every group's rate to `factor` times its peak."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * factor


def _decays(parameter: nn.Parameter) -> bool:
    return parameter.dim() >= 2


def _can_fuse(groups: list[dict[str, Any]]) -> bool:
    return all(p.is_floating_point() and p.device.type in ("cpu", "cuda") for group in groups for p in group["params"])
