"""Tensors out of .safetensors, .bin/.pt/.pth and .npy files, mapped from the disk where the format allows it.

A pickle can run any program when it is read. PyTorch's own files are pickles, so they are read in one place, with
PyTorch's reader of weights only, which knows tensors and plain values and refuses everything else.
"""

from __future__ import annotations

import pickletools
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from langnet.errors import LangnetError
from langnet.hub.importers.guard import check_claim, head_of, size_of

_HEADER_BYTES = 1 << 26
_ARRAY_HEADER = 10_000
_SAFE_TORCH = (2, 6)  # earlier readers of weights only could be made to run code (CVE-2025-32434)
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"
_MAGIC_NUMBER = (0x1950A86A20F9469CFC6C).to_bytes(10, "little")  # the first value of PyTorch's files before 1.6
_MOST_SHARED = 4  # how often the same bytes may stand for a tensor


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of one file, .safetensors or PyTorch's, by content and not by name.

    Raises:
        LangnetError: the file is neither, is damaged, or holds anything but named tensors.
    """
    if is_torch_file(path):
        return state_dict(path, read_torch(path))
    return read_safetensors(path)


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, mapped from the disk.

    Raises:
        LangnetError: the header claims more than the file holds, or does not describe it.
    """
    size = size_of(path)
    claimed = int.from_bytes(head_of(path, 8), "little") if size >= 8 else size
    if size < 10 or claimed > _HEADER_BYTES or head_of(path, 9)[8:] != b"{":
        raise LangnetError(f"{path} is no safetensors file; it is damaged, or has the wrong name")
    check_claim(path, "header", claimed, size - 8)
    try:
        # The library refuses offsets that do not cover the file exactly, before it makes a tensor.
        return load_file(str(path), device="cpu")
    except (SafetensorError, ValueError, KeyError, OverflowError, OSError) as error:
        raise LangnetError(f"{path} is no whole safetensors file ({_first_line(error)}); download it again") from None


def is_torch_file(path: Path) -> bool:
    """Whether a file begins as PyTorch's do: as a zip archive, or as a pickle."""
    return head_of(path, 4) == _ZIP or is_pickle(path)


def is_pickle(path: Path) -> bool:
    """Whether a file begins as a pickle does; the length that begins a safetensors file may have the same first byte."""
    head = head_of(path, 9)
    return head[:1] == _PICKLE and head[1:2] in (b"\2", b"\3", b"\4", b"\5") and head[8:] != b"{"


def read_torch(path: Path) -> Any:
    """What a PyTorch file holds: tensors and plain values in dicts and lists; nothing in the file runs.

    Raises:
        LangnetError: the file holds code, claims more than it has, or is damaged.
    """
    if tuple(int(part) for part in re.findall(r"\d+", torch.__version__)[:2]) < _SAFE_TORCH:
        raise LangnetError(
            f"PyTorch {torch.__version__} cannot read {path} safely; upgrade to 2.6 or later, or give .safetensors"
        )
    mapped = head_of(path, 4) == _ZIP
    if mapped:
        _check_zip(path)
    else:
        _check_pickle(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:  # the unpickler raises whatever a damaged file makes it stumble over
        code = re.search(r"(?:GLOBAL|global|Unsupported class|type) ([\w.]+\.[\w.]+)", str(error))
        if "nsupported" in str(error) and code:
            raise LangnetError(
                f"{path} holds {code[1]}, which is code and not weights; nothing of it was run: ask for a .safetensors "
                "file, or save model.state_dict() alone"
            ) from None
        raise LangnetError(f"{path} is no whole PyTorch file ({_first_line(error)}); download it again") from None


def state_dict(path: Path, held: Any) -> dict[str, Tensor]:
    """The named tensors of what a PyTorch file held, by itself or under "model", "state_dict" or "model_state_dict".

    Raises:
        LangnetError: there are none, or one is sparse, quantised, or larger than what the file holds of it.
    """
    for name in ("state_dict", "model_state_dict", "model"):
        if isinstance(held, dict) and isinstance(held.get(name), dict):
            held = held[name]
    if not isinstance(held, dict):
        raise LangnetError(f"{path} holds a {type(held).__name__} and no named tensors; save model.state_dict()")
    tensors = {name: value for name, value in held.items() if isinstance(value, Tensor)}
    others = [name for name, value in held.items() if not isinstance(value, Tensor | int | float | str | type(None))]
    if not tensors or others or not all(isinstance(name, str) for name in tensors):
        what = f"'{others[0]}' is a {type(held[others[0]]).__name__}" if others else "there is no tensor"
        raise LangnetError(f"{path} holds something else than named tensors ({what}); save model.state_dict()")
    for name, tensor in tensors.items():
        if tensor.layout is not torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
            raise LangnetError(f"{path}: '{name}' is sparse, quantised or without data; give the dense, full weights")
        check_claim(path, f"'{name}'", tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes())
    total = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    check_claim(path, "tensors", total, _MOST_SHARED * size_of(path))
    return tensors


def read_array(path: Path) -> np.ndarray:
    """The array of a .npy file, mapped from the disk.

    Raises:
        LangnetError: the file is no such array, holds Python objects, or claims more than it has.
    """
    size = size_of(path)
    try:
        with path.open("rb") as stream:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(stream, max_header_size=_ARRAY_HEADER)
            start = stream.tell()
    except (ValueError, OSError, EOFError, SyntaxError, MemoryError, RecursionError) as error:
        raise LangnetError(f"{path} is no .npy array ({_first_line(error)}); it is damaged or another file") from None
    if dtype.hasobject or dtype.kind not in "fiu":
        raise LangnetError(f"{path} holds {dtype}, not plain numbers; such a file can carry code and is not read")
    claimed = dtype.itemsize
    for length in shape:
        claimed *= length
    check_claim(path, "numbers", claimed, size - start)
    try:
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        return array
    except (ValueError, OSError) as error:
        raise LangnetError(f"{path} is no whole .npy array ({_first_line(error)}); download it again") from None


def _check_zip(path: Path) -> None:
    """PyTorch stores its records uncompressed: what is compressed is a bomb or another archive."""
    size = size_of(path)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise LangnetError(f"{path} is no whole PyTorch file ({_first_line(error)}); download it again") from None
    if not any(entry.filename.endswith("data.pkl") for entry in entries):
        raise LangnetError(f"{path} is a zip archive and no PyTorch file; unpack it and give what is inside")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise LangnetError(f"{path} is a compressed archive, which PyTorch never writes; it is not read")
    check_claim(path, "records", sum(entry.file_size for entry in entries), size)


def _check_pickle(path: Path) -> None:
    """Files before PyTorch 1.6: their own magic number, then pickles whose numbers cannot exceed the file's size."""
    size = size_of(path)
    if _MAGIC_NUMBER not in head_of(path, 32):
        raise LangnetError(
            f"{path} is a pickle and no file of weights; a pickle can run any program when it is read, so langnet "
            "never reads one: give .safetensors, or PyTorch's state_dict"
        )
    try:
        with path.open("rb") as stream:
            for _ in range(3):  # magic number, version, sizes of the machine
                for _ in pickletools.genops(stream):
                    pass
            for _, value, _ in pickletools.genops(stream):
                if isinstance(value, int):
                    check_claim(path, "values in one tensor", value, size)
    except (ValueError, OSError, UnicodeDecodeError) as error:
        raise LangnetError(f"{path} is no whole PyTorch file ({_first_line(error)}); download it again") from None


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
