"""NT-ASGD: gradient descent whose weights are averaged once the validation stops getting better.

Merity, Keskar & Socher 2017, algorithm 1. Plain steps at a constant rate; when a validation is worse than the best of
those more than `patience` validations ago, averaging begins (Polyak & Juditsky 1992), and from then on the average is
what is validated and kept, while the steps go on from the last weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch


class AveragedSGD(torch.optim.Optimizer):
    """Steps without momentum, and from a trigger on their average beside them.

    The validations so far and the trigger are kept in the first group, so that a checkpoint holds them.

    Args:
        groups: parameters and their settings.
        lr: the rate.
        patience: n, the validations that are looked past; Merity et al. use 5.
    """

    def __init__(self, groups: list[dict[str, Any]], lr: float, patience: int = 5):
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0, "validations": [], "averaging": False})
        self.patience = patience

    @property
    def averaging(self) -> bool:
        """Whether the average has begun."""
        return bool(self.param_groups[0]["averaging"])

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient; `closure` is not used."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    gradient = parameter.grad.add(parameter, alpha=group["weight_decay"])
                    parameter.add_(gradient, alpha=-group["lr"])
                if self.averaging:
                    state = self.state[parameter]
                    state["count"] = state.get("count", torch.zeros(())) + 1
                    average = state.setdefault("average", torch.zeros_like(parameter))
                    average.lerp_(parameter, 1 / float(state["count"]))

    def validated(self, value: float) -> None:
        """Tell of a validation, of which lower is better; it may begin the average."""
        first = self.param_groups[0]
        earlier = first["validations"][: -self.patience]
        if earlier and value > min(earlier):
            first["averaging"] = True
        first["validations"] = [*first["validations"], value]

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange weights and averages, where there are averages."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if "average" in self.state[parameter]:
                    average = self.state[parameter]["average"]
                    last = parameter.clone()
                    parameter.copy_(average)
                    average.copy_(last)


@contextmanager
def averages_in_place(optimizers: Iterable[torch.optim.Optimizer]) -> Iterator[list[AveragedSGD]]:
    """Within this, the weights are the averages of those optimizers that make some, which are given."""
    found = [optimizer for optimizer in optimizers if isinstance(optimizer, AveragedSGD)]
    for optimizer in found:
        optimizer.swap()
    try:
        yield found
    finally:
        for optimizer in found:
            optimizer.swap()
