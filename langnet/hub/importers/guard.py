"""Reading files that strangers made: every size is checked before memory is taken, and nothing in a file runs.

Importers read through this module and `tensor_files.py` only. Each refusal is one line that says what is wrong with
which file.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

from langnet.errors import LangnetError
from langnet.hub.checksums import sum_file

CONFIG_BYTES = 1 << 20
TOKENIZER_BYTES = 1 << 27
"""A tokenizer.json of a quarter of a million entries has 20 MB."""


def size_of(path: Path) -> int:
    """Bytes of a plain file; a link may lead to one, since download caches are full of links.

    Raises:
        LangnetError: there is none, or it is a folder, a pipe or a device.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise LangnetError(f"{path} cannot be read: {error.strerror or error}") from None
    if not stat.S_ISREG(found.st_mode):
        raise LangnetError(f"{path} is no plain file; give the file or folder that was downloaded")
    return found.st_size


def head_of(path: Path, n_bytes: int = 16) -> bytes:
    """The first bytes of a plain file, or none of what cannot be read: for recognising a format."""
    try:
        size_of(path)
        with path.open("rb") as stream:
            return stream.read(n_bytes)
    except (LangnetError, OSError):
        return b""


def check_claim(path: Path, what: str, claimed: int, available: int) -> None:
    """Refuse a file whose header claims more bytes than there are, before anything is allocated for them.

    Raises:
        LangnetError: it does.
    """
    if claimed > available:
        raise LangnetError(
            f"{path} claims {claimed:,} bytes of {what} but holds only {max(0, available):,}; it is truncated or "
            "damaged, download it again"
        )


def read_bytes(path: Path, limit: int) -> bytes:
    """A small file.

    Raises:
        LangnetError: it is larger than `limit`, or cannot be read.
    """
    size = size_of(path)
    if size > limit:
        raise LangnetError(f"{path} has {size:,} bytes, where at most {limit:,} are expected; it is another file")
    try:
        with path.open("rb") as stream:
            return stream.read(limit + 1)[:limit]
    except OSError as error:
        raise LangnetError(f"{path} cannot be read: {error.strerror or error}") from None


def read_text(path: Path, limit: int = TOKENIZER_BYTES) -> str:
    """A small text file in UTF-8.

    Raises:
        LangnetError: it is larger than `limit`, or no text.
    """
    content = read_bytes(path, limit)
    try:
        return content.decode("utf8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise LangnetError(
            f"{path} is no text in UTF-8 (byte {error.start:,}); it is damaged or another file"
        ) from None


def read_json(path: Path, limit: int = CONFIG_BYTES) -> Any:
    """A small JSON document.

    Raises:
        LangnetError: it is larger than `limit`, or no JSON.
    """
    text = read_text(path, limit)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise LangnetError(f"{path} is not valid JSON ({reason}); it is damaged or another file") from None


def read_object(path: Path, limit: int = CONFIG_BYTES) -> dict[str, Any]:
    """A small JSON object.

    Raises:
        LangnetError: as `read_json`, or it is a list or a value.
    """
    found = read_json(path, limit)
    if not isinstance(found, dict):
        raise LangnetError(f"{path} holds a {type(found).__name__} where a JSON object is expected; it is another file")
    return found


def peek_object(path: Path, limit: int = CONFIG_BYTES) -> dict[str, Any]:
    """As `read_object`, but empty where there is none: for recognising a format."""
    try:
        return read_object(path, limit)
    except LangnetError:
        return {}


def whole_number(path: Path, config: dict[str, Any], name: str, largest: int) -> int:
    """A count in a configuration, between 1 and `largest`.

    Raises:
        LangnetError: it is missing, no whole number, or out of bounds.
    """
    value = config.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
        raise LangnetError(f"{path}: '{name}' is {value!r}; expected is a whole number from 1 to {largest:,}")
    return value


def beside(folder: Path, name: object, source: Path) -> Path:
    """A file that another file names; it has to lie in the same folder.

    Raises:
        LangnetError: the name leads elsewhere.
    """
    if not isinstance(name, str) or not name or name in (".", "..") or any(sign in name for sign in "/\\\0"):
        raise LangnetError(f"{source} names the file {str(name)[:80]!r}, which does not lie beside it; it is not read")
    return folder / name


def origin(paths: list[Path]) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file that a model was read from, for its card."""
    return {path.name: {"bytes": found.bytes, "sha256": found.sha256} for path in paths for found in [sum_file(path)]}
