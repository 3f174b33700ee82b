"""A recurrent state between two batches: tensors in lists of lists, whatever the encoder."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def detached(state: Any) -> Any:
    """The state without the graph that made it; tuples become lists."""
    if isinstance(state, Tensor):
        return state.detach()
    return None if state is None else [detached(part) for part in state]


def on_device(state: Any, device: torch.device) -> Any:
    """The state on a device."""
    if isinstance(state, Tensor):
        return state.to(device)
    return None if state is None else [on_device(part, device) for part in state]


def flat(state: Any, name: str) -> dict[str, Tensor]:
    """Every tensor by its path, `name/0/1`."""
    if isinstance(state, Tensor):
        return {name: state}
    found: dict[str, Tensor] = {}
    for index, part in enumerate([] if state is None else state):
        found |= flat(part, f"{name}/{index}")
    return found


def nested(tensors: dict[str, Tensor], name: str) -> Any:
    """The inverse of `flat`; None where there is no such tensor."""
    if name in tensors:
        return tensors[name]
    count = 0
    while any(path == f"{name}/{count}" or path.startswith(f"{name}/{count}/") for path in tensors):
        count += 1
    return [nested(tensors, f"{name}/{index}") for index in range(count)] or None
