"""Checkpoints: everything that a killed run needs to end with the weights of one never killed. No pickle."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from langnet.errors import LangnetError
from langnet.training.carried import flat, nested

FOLDER = "checkpoint"


@dataclass
class Checkpoint:
    """What a checkpoint held beside the weights, which are loaded in place."""

    state: dict[str, Any]
    history: list[dict[str, Any]]
    best_weights: dict[str, Tensor]
    carried: Any = None


def write_checkpoint(
    folder: Path,
    model: nn.Module,
    optimizers: list[torch.optim.Optimizer],
    state: dict[str, Any],
    history: list[dict[str, Any]],
    best_weights: dict[str, Tensor],
    carried: Any = None,
) -> None:
    """Write `folder/checkpoint`, replacing the one before only when the new one is whole.

    `carried` is the recurrent state between batches of streams: tensors in lists, or None.
    """
    new, old = folder / f"{FOLDER}.new", folder / FOLDER
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    tensors = {f"model/{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"best/{name}": value for name, value in best_weights.items()}
    tensors |= flat(carried, "carried")
    tensors |= _random_states()
    groups = []
    for index, optimizer in enumerate(optimizers):
        held = optimizer.state_dict()
        groups.append([{k: v for k, v in group.items() if k != "params"} for group in held["param_groups"]])
        for key, values in held["state"].items():
            tensors |= {f"optimizer/{index}/{key}/{name}": torch.as_tensor(value) for name, value in values.items()}
    save_file(
        {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()},
        new / "tensors.safetensors",
    )
    (new / "state.json").write_text(json.dumps({"state": state, "history": history, "groups": groups}), encoding="utf8")
    shutil.rmtree(old, ignore_errors=True)
    new.rename(old)


def read_checkpoint(folder: Path, model: nn.Module, optimizers: list[torch.optim.Optimizer]) -> Checkpoint | None:
    """Load `folder/checkpoint` into the model, the optimizers and the random state; None where there is none.

    Raises:
        LangnetError: the checkpoint is damaged, or of another model or optimizer.
    """
    found = folder / FOLDER
    if not found.exists():
        found = folder / f"{FOLDER}.new"  # the run died between removing the old one and renaming the new one
    if not (found / "state.json").exists():
        return None
    try:
        tensors = load_file(found / "tensors.safetensors")
        held = json.loads((found / "state.json").read_text(encoding="utf8"))
    except (OSError, ValueError, SafetensorError) as error:
        raise LangnetError(f"the checkpoint {found} is damaged ({error}); delete it to start again") from error
    try:
        model.load_state_dict(_part(tensors, "model/"))
        for index, optimizer in enumerate(optimizers):
            _load_optimizer(optimizer, _part(tensors, f"optimizer/{index}/"), held["groups"][index])
    except (RuntimeError, KeyError, IndexError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise LangnetError(
            f"the checkpoint {found} belongs to another model or optimizer ({reason}); "
            "resume with the settings that the run was started with, or choose another output folder"
        ) from error
    torch.set_rng_state(tensors["random/cpu"])
    for name, device in _accelerators():
        if f"random/{name}" in tensors:
            device.set_rng_state(tensors[f"random/{name}"])
    return Checkpoint(held["state"], held["history"], _part(tensors, "best/"), nested(tensors, "carried"))


def has_checkpoint(folder: Path) -> bool:
    """Whether an interrupted run left one in the folder."""
    return any((folder / name / "state.json").exists() for name in (FOLDER, f"{FOLDER}.new"))


def remove_checkpoint(folder: Path) -> None:
    """Delete the checkpoint of a finished run."""
    for name in (FOLDER, f"{FOLDER}.new"):
        shutil.rmtree(folder / name, ignore_errors=True)


def _random_states() -> dict[str, Tensor]:
    states = {"random/cpu": torch.get_rng_state()}
    return states | {f"random/{name}": device.get_rng_state() for name, device in _accelerators()}


def _accelerators() -> list[tuple[str, Any]]:
    """Those that are here, each with its own random state."""
    found = [("cuda", torch.cuda, torch.cuda.is_available()), ("mps", torch.mps, torch.backends.mps.is_available())]
    return [(name, device) for name, device, is_here in found if is_here]


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], groups: list[dict[str, Any]]) -> None:
    """Fill an optimizer's state; the parameters' numbers are those that `state_dict` gives in order."""
    own = optimizer.state_dict()
    if len(groups) != len(own["param_groups"]):
        raise ValueError(f"{len(groups)} parameter groups where {len(own['param_groups'])} are expected")
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        key, field = name.split("/", 1)
        state.setdefault(int(key), {})[field] = value
    merged = [{**group, "params": mine["params"]} for group, mine in zip(groups, own["param_groups"], strict=True)]
    optimizer.load_state_dict({"state": state, "param_groups": merged})
