"""Members of zip and tar archives as streams, without unpacking anything to disk."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from langnet.errors import LangnetError
from langnet.text.formats import format_of, guarded, open_bytes, refuse_bomb


def is_archive(name: str) -> bool:
    """Whether a file's name is that of an archive."""
    lower = name.lower()
    return lower.endswith((".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst"))


def read_members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and bytes of every member that langnet can read, in the archive's order.

    Raises:
        LangnetError: the archive is damaged, encrypted, or a bomb.
    """
    try:
        yield from _zip(path) if path.name.lower().endswith(".zip") else _tar(path)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise LangnetError(f"cannot read the archive {path}: {error}") from error


def _zip(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if info.is_dir() or not _wanted(info.filename):
                continue
            refuse_bomb(f"{path}!{info.filename}", info.compress_size, info.file_size)
            with archive.open(info) as stream:
                yield info.filename, stream


def _tar(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if path.name.lower().endswith(".tar.zst"):
        with open_bytes(path) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            yield from _tar_members(archive, path)
        return
    with tarfile.open(path, mode="r|*") as archive:
        yield from _tar_members(archive, path)


def _tar_members(archive: tarfile.TarFile, path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    compressed_size = path.stat().st_size
    for member in archive:
        if member.isfile() and _wanted(member.name):
            name = f"{path}!{member.name}"
            refuse_bomb(name, compressed_size, member.size)
            stream = archive.extractfile(member)
            if stream is not None:
                yield member.name, guarded(stream, compressed_size, name)


def _wanted(name: str) -> bool:
    """Texts and tables; not archives within archives, nor the hidden files that some systems add."""
    base = name.rsplit("/", 1)[-1]
    return not base.startswith((".", "__MACOSX")) and bool(format_of(name)) and not is_archive(name)
