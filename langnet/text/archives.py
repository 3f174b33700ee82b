"""Members of zip and tar archives as streams, without unpacking anything to disk."""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import IO

from langnet.errors import LangnetError
from langnet.text.compression import COMPRESSIONS, damage_errors, decompressed, guarded, refuse_bomb, seekable
from langnet.text.formats import format_of

_SUFFIXES = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")
_MEMBER = re.compile(r"(.+?\.(?:zip|tar|tgz|tbz2|txz)(?:\.(?:gz|bz2|xz|zst))?)!(.+)", re.IGNORECASE | re.DOTALL)


def is_archive(name: str) -> bool:
    """Whether a file's name is that of an archive."""
    return name.lower().endswith(_SUFFIXES)


def split_member(source: str) -> tuple[str, str]:
    """`a.zip!b/c.txt` as archive and member; the member is empty where none is named."""
    found = _MEMBER.fullmatch(source)
    return (found[1], found[2]) if found and is_archive(found[1]) else (source, "")


def read_members(
    stream: IO[bytes], name: str, compressed_size: int, member: str = ""
) -> Iterator[tuple[str, IO[bytes] | None]]:
    """Name and decompressed bytes of every member, in the archive's order; None for those of kinds that are not read.

    Args:
        stream: the archive's own bytes.
        name: the archive's name.
        compressed_size: of the archive.
        member: only this one, those of this folder, or those that match this pattern.

    Raises:
        LangnetError: the archive is damaged, encrypted or a bomb, or holds no such member.
    """
    try:
        members = _zip(stream, name, compressed_size) if name.lower().endswith(".zip") else None
        seen: list[str] = []
        found = False
        for inner, data, size in members or _tar(stream, name, compressed_size):
            if data is None:  # folders, links, the hidden files that some systems add
                continue
            if len(seen) < 4:
                seen.append(inner)
            if member and not _matches(inner, member):
                continue
            found = True
            yield inner, _opened(data, f"{name}!{inner}", size) if _readable(inner, bool(member)) else None
    except damage_errors() as error:
        raise LangnetError(f"cannot read the archive {name}: {error}") from error
    if member and not found:
        held = ", ".join(seen[:3]) + (", …" if len(seen) > 3 else "")
        raise LangnetError(f"the archive {name} has no member '{member}'; it holds {held or 'nothing'}")


def _zip(stream: IO[bytes], name: str, compressed_size: int) -> Iterator[tuple[str, IO[bytes] | None, int]]:
    with seekable(stream) as source, zipfile.ZipFile(source) as archive:
        refuse_bomb(name, compressed_size, sum(info.file_size for info in archive.infolist()))
        for info in archive.infolist():
            if info.is_dir() or _is_hidden(info.filename):
                continue
            refuse_bomb(f"{name}!{info.filename}", info.compress_size, info.file_size)
            with archive.open(info) as data:
                yield info.filename, data, info.file_size


def _tar(stream: IO[bytes], name: str, compressed_size: int) -> Iterator[tuple[str, IO[bytes] | None, int]]:
    if not name.lower().endswith(".tar"):
        stream = guarded(decompressed(stream, name), compressed_size, name)
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        while (info := archive.next()) is not None:
            data = archive.extractfile(info) if info.isfile() and not _is_hidden(info.name) else None
            # tarfile's own stream has not all that a reader asks for; the guard does, and nothing grows here.
            yield info.name, data and guarded(data, info.size, name), info.size
            archive.members.clear()  # type: ignore[attr-defined]  # it would keep a record of each; a million are 1 GB


def _opened(data: IO[bytes], name: str, size: int) -> IO[bytes]:
    return guarded(decompressed(data, name), size, name) if name.lower().endswith(COMPRESSIONS) else data


def _matches(name: str, wanted: str) -> bool:
    return name == wanted or name.startswith(wanted.rstrip("/") + "/") or fnmatchcase(name, wanted)


def _readable(name: str, asked_for: bool) -> bool:
    """Texts and tables, but not archives within archives; anything else only where it was asked for."""
    return not is_archive(name) and (asked_for or bool(format_of(name)))


def _is_hidden(name: str) -> bool:
    return any((part.startswith(".") and part not in (".", "..")) or part == "__MACOSX" for part in name.split("/"))
