"""The table of sizes and SHA-256 sums that says whether a model folder is whole.

`checksums.json` lists every other file of the folder. It is written in one canonical way and carries the digest of its
own table, so that damage to the table itself is told apart from damage to the files it lists.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from langnet.errors import LangnetError

CHECKSUMS_NAME = "checksums.json"
FORMAT_VERSION = 1
"""The newest layout of a model folder that this langnet writes and reads."""

_PIECE_BYTES = 1 << 22
_TABLE_LIMIT_BYTES = 1 << 16
_COPY_AGAIN = "copy the folder again"


@dataclass(frozen=True)
class FileSum:
    """Size and SHA-256 of one file."""

    bytes: int
    sha256: str


def sum_file(path: Path) -> FileSum:
    """Read a file piece by piece and return its size and SHA-256."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
    return FileSum(size, digest.hexdigest())


def table_digest(table: Mapping[str, FileSum]) -> str:
    """The SHA-256 of a table: one value that names a folder's whole contents."""
    return hashlib.sha256(_dump({name: asdict(table[name]) for name in sorted(table)})).hexdigest()


def table_bytes(table: Mapping[str, FileSum]) -> bytes:
    """The one way in which `checksums.json` is written for a table."""
    files = {name: asdict(table[name]) for name in sorted(table)}
    return _dump({"format_version": FORMAT_VERSION, "digest": table_digest(table), "files": files})


def read_table(folder: Path, required: frozenset[str], allowed: frozenset[str]) -> dict[str, FileSum]:
    """Read and check a folder's table; the files it lists are not looked at.

    Args:
        folder: the model folder.
        required: names that every table lists.
        allowed: names that a table may list.

    Raises:
        LangnetError: the table is missing, damaged, of a newer format, or lists what no model folder holds.
    """
    path = folder / CHECKSUMS_NAME
    check_regular(path, folder)
    if path.stat().st_size > _TABLE_LIMIT_BYTES:
        raise LangnetError(f"{path} is damaged: it has {path.stat().st_size:,} bytes; {_COPY_AGAIN}")
    content = path.read_bytes()
    document = _parse(path, content)
    check_version(document.get("format_version"), folder)
    table = _table(document.get("files"))
    # Anything that langnet would not have written itself is damage: a flipped byte cannot hide in a blank or a brace.
    if table is None or content != table_bytes(table):
        raise LangnetError(f"{path} is damaged: its own digest does not match what it lists; {_COPY_AGAIN}")
    for name in sorted(set(table) - allowed):
        raise LangnetError(f"{path} lists {name!r}, which is no part of a langnet model; {_COPY_AGAIN}")
    for name in sorted(required - set(table)):
        raise LangnetError(f"{path} does not list {name}, which every langnet model has; {_COPY_AGAIN}")
    return table


def check_version(version: object, folder: Path) -> None:
    """Refuse a folder of a format that this langnet does not know."""
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise LangnetError(f"{folder} is damaged: its format version is {version!r}; {_COPY_AGAIN}")
    if version > FORMAT_VERSION:
        raise LangnetError(
            f"{folder} is of a newer langnet (folder format {version}, this reads up to {FORMAT_VERSION}); "
            "upgrade with pip install --upgrade langnet"
        )


def check_regular(path: Path, folder: Path) -> None:
    """Refuse what is missing, no plain file, or a symlink that leads out of the folder (never opens the file)."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise LangnetError(f"{path} is missing: the folder is not whole; {_COPY_AGAIN}") from None
    except OSError as error:
        raise LangnetError(f"{path} cannot be read: {error.strerror or error}; {_COPY_AGAIN}") from None
    if path.resolve().parent != folder.resolve():
        raise LangnetError(f"{path} is a symlink that leads out of the folder ({path.resolve()}); copy the file itself")
    if not stat.S_ISREG(mode):
        raise LangnetError(f"{path} is not a plain file; {_COPY_AGAIN}")
    if not os.access(path, os.R_OK):
        raise LangnetError(f"{path} cannot be read: permission denied; give yourself the right to read it (chmod u+r)")


def check_size(path: Path, expected: FileSum) -> None:
    """Refuse a file whose size is not the one the table says."""
    size = path.stat().st_size
    if size != expected.bytes:
        kind = "truncated" if size < expected.bytes else "damaged"
        raise LangnetError(
            f"{path} is {kind}: it has {size:,} bytes, {CHECKSUMS_NAME} says {expected.bytes:,}; {_COPY_AGAIN}"
        )


def check_sum(path: Path, found: FileSum, expected: FileSum) -> None:
    """Refuse a file whose SHA-256 is not the one the table says."""
    if found != expected:
        raise LangnetError(
            f"{path} is damaged: its SHA-256 is {found.sha256[:8]}…, "
            f"the folder's {CHECKSUMS_NAME} says {expected.sha256[:8]}…; {_COPY_AGAIN}"
        )


def read_checked(path: Path, expected: FileSum) -> bytes:
    """Read a small file once, and return only bytes that match the table."""
    check_size(path, expected)
    with path.open("rb") as stream:
        content = stream.read(expected.bytes + 1)
    check_sum(path, FileSum(len(content), hashlib.sha256(content).hexdigest()), expected)
    return content


def _dump(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode("ascii")


def _parse(path: Path, content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise LangnetError(f"{path} is damaged: it is not a JSON object; {_COPY_AGAIN}")
    return document


def _table(files: object) -> dict[str, FileSum] | None:
    """The table in a parsed document, or None where it has another shape."""
    if not isinstance(files, dict):
        return None
    table = {}
    for name, entry in files.items():
        if not isinstance(entry, dict) or set(entry) != {"bytes", "sha256"}:
            return None
        if type(entry["bytes"]) is not int or not isinstance(entry["sha256"], str):
            return None
        table[name] = FileSum(entry["bytes"], entry["sha256"])
    return table
