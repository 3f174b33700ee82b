"""Several processes on one model: each sees its own batches, gradients are averaged, and only the main one writes.

`torchrun` starts them (or `accelerate launch`, on several GPUs) and sets RANK, LOCAL_RANK and WORLD_SIZE. All take the
same decisions at the same step, since whatever decides (tokens, time, losses, Ctrl-C) is shared after each.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import torch
from accelerate.state import AcceleratorState, PartialState
from torch import Tensor

from langnet.encoders.precision import widest
from langnet.training.machine import default_device

_PATIENCE = timedelta(days=7)  # one process may read a large corpus while the others wait


def n_processes() -> int:
    """How many processes were started together."""
    return int(os.environ.get("WORLD_SIZE") or 1)


def is_main_process() -> bool:
    """Whether this is the one that reads the corpus, shows progress and writes."""
    return int(os.environ.get("RANK") or 0) == 0


def connect(device: str | None) -> torch.device:
    """Choose the device of this process and meet the others; again and again, if need be.

    Args:
        device: as in `LoopConfig.device`; None chooses.
    """
    wanted = torch.device(device) if device else default_device()
    if wanted.type == "cuda" and wanted.index is not None and n_processes() == 1:
        torch.cuda.set_device(wanted)
    held = PartialState._shared_state
    if held and n_processes() == 1 and held["device"].type != wanted.type:
        AcceleratorState._reset_state(reset_partial_state=True)  # an earlier run of this process used another device
    if n_processes() == 1:
        return wanted
    options: dict[str, Any] = {} if held else {"timeout": _PATIENCE}
    return torch.device(PartialState(cpu=wanted.type == "cpu", **options).device)


def wait_for_main(device: str | None) -> None:
    """Where processes wait until the main one has come here too."""
    if n_processes() > 1:
        connect(device)
        PartialState().wait_for_everyone()


def average_gradients(parameters: Sequence[Tensor]) -> None:
    """Give every process the mean of all processes' gradients, by one exchange.

    Which parameters have a gradient must be the same everywhere.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if n_processes() == 1 or not gradients:
        return
    flat = torch.cat([gradient.flatten() for gradient in gradients])  # (N,)
    torch.distributed.all_reduce(flat)
    flat /= n_processes()
    for gradient, mean in zip(gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


def shared_sums(values: Sequence[float], device: torch.device) -> list[float]:
    """The sum of each value over all processes; the same in every one."""
    if n_processes() == 1:
        return list(values)
    held = torch.tensor(values, dtype=widest(device), device=device)  # (number of values,)
    torch.distributed.all_reduce(held)
    found: list[float] = held.tolist()
    return found
