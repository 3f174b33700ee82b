"""Named tensors to and from one safetensors file: shared weights are stored once, and come back shared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError

from langnet.errors import LangnetError

if TYPE_CHECKING:  # lists of models are made from folders without their weights, and torch takes a second to load
    from torch import Tensor

_HEADER_LIMIT_BYTES = 1 << 26


def split_tied(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Separate tensors to be stored from names that mean one of them.

    Two names are tied where their tensors are the same memory in the same shape, as with an output matrix that is the
    embedding matrix. Tensors that merely overlap (two slices of one matrix) are stored in full, each by itself.

    Returns:
        the tensors to store, contiguous, on the CPU and free of shared memory; and `{alias: stored name}`.
    """
    stored: dict[str, Tensor] = {}
    tied: dict[str, str] = {}
    first_name: dict[tuple[object, ...], str] = {}
    used_storages: set[int] = set()
    for name, tensor in tensors.items():
        _check_storable(name, tensor)
        place = (str(tensor.device), tensor.untyped_storage().data_ptr(), tensor.storage_offset())
        view = (*place, tensor.dtype, tuple(tensor.shape), tensor.stride())
        if tensor.numel() and view in first_name:
            tied[name] = first_name[view]
            continue
        first_name[view] = name
        plain = tensor.detach().cpu().contiguous()
        if plain.untyped_storage().data_ptr() in used_storages:
            plain = plain.clone()  # a slice of a tensor already stored; safetensors takes no shared memory
        used_storages.add(plain.untyped_storage().data_ptr())
        stored[name] = plain
    return stored, tied


def join_tied(stored: Mapping[str, Tensor], tied: Mapping[str, str]) -> dict[str, Tensor]:
    """Give every alias the very tensor that it stands for; the reverse of `split_tied`.

    Raises:
        LangnetError: an alias points at no stored tensor, or has the name of one.
    """
    tensors = dict(stored)
    for alias, name in tied.items():
        if name not in stored or alias in stored:
            raise LangnetError(f"config.json ties the weight {alias!r} to {name!r}, which the weights do not fit")
        tensors[alias] = stored[name]
    return tensors


def count_values(stored: Mapping[str, Tensor]) -> int:
    """Number of values in stored tensors; tied ones are counted once because they are stored once."""
    return sum(tensor.numel() for tensor in stored.values())


def write_weights(path: Path, stored: Mapping[str, Tensor]) -> None:
    """Write tensors to a new safetensors file.

    Raises:
        LangnetError: the tensors cannot be stored.
        OSError: the file cannot be written.
    """
    from safetensors.torch import save_file

    # safetensors makes the file private (mode 600) by way of a temporary one; a model is shared with the owner's usual
    # rights, which a file made by ourselves shows.
    path.touch()
    mode = path.stat().st_mode & 0o777
    try:
        save_file(dict(stored), str(path), metadata={"format": "pt"})
    except SafetensorError as error:
        raise OSError(str(error)) from None
    path.chmod(mode)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file into memory of its own; its checksum is for the caller to check before.

    Raises:
        LangnetError: the header is out of bounds or does not describe the file.
    """
    from safetensors.torch import load_file

    size = path.stat().st_size
    with path.open("rb") as stream:
        header_bytes = int.from_bytes(stream.read(8), "little")
    if size < 8 or header_bytes > min(size - 8, _HEADER_LIMIT_BYTES):
        raise LangnetError(f"{path} is no safetensors file: its header claims {header_bytes:,} of {size:,} bytes")
    try:
        mapped = load_file(str(path), device="cpu")
    except (SafetensorError, ValueError, KeyError, OverflowError) as error:
        raise LangnetError(f"{path} is no readable safetensors file: {str(error).splitlines()[0]}") from None
    # load_file maps the file; a copy keeps the model alive and unchanged whatever becomes of the folder afterwards.
    return {name: tensor.clone() for name, tensor in mapped.items()}


def _check_storable(name: str, tensor: Tensor) -> None:
    import torch

    if not isinstance(tensor, torch.Tensor):
        raise LangnetError(f"the weight {name!r} is a {type(tensor).__name__}; make it a tensor (torch.as_tensor)")
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.device.type == "meta":
        raise LangnetError(
            f"the weight {name!r} is sparse, quantised or without data, which a model folder cannot hold; make it dense"
        )
    if name == "__metadata__":
        raise LangnetError("a weight cannot be called '__metadata__', which safetensors keeps for itself; rename it")
