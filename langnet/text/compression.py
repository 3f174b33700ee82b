"""Compressed streams: opened by suffix, refused where they are cut off or grow beyond what text can."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import IO, Any

from langnet.errors import LangnetError

COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")
# What grows by more than this from its compressed size is taken for a bomb: text compresses some tenfold.
LARGEST_RATIO = 200
SMALLEST_BOMB = 2**24  # bytes; smaller files may be as repetitive as they like
_BLOCK = 1 << 16
_ZSTANDARD_BLOCK = 1 << 10


def decompressed(stream: IO[bytes], name: str) -> IO[bytes]:
    """The stream behind a compressed one, by the name's suffix."""
    suffix = PurePath(name).suffix.lower()
    if suffix in (".gz", ".tgz"):
        return gzip.GzipFile(fileobj=stream)  # type: ignore[return-value]
    if suffix in (".bz2", ".tbz2"):
        return bz2.BZ2File(stream)
    if suffix in (".xz", ".txz"):
        return lzma.LZMAFile(stream)
    if suffix == ".zst":
        return io.BufferedReader(_Zstandard(stream))
    return stream


def guarded(stream: IO[bytes], compressed_size: int, name: str, *also_closed: IO[bytes]) -> IO[bytes]:
    """A decompressed stream that refuses to grow beyond what text can; closing it closes `also_closed` too."""
    return io.BufferedReader(_Guarded(stream, compressed_size, name, also_closed), _BLOCK)


def refuse_bomb(name: str, compressed_size: int, size: int) -> None:
    """Refuse a size that no compressed text has.

    Raises:
        LangnetError: it is too large.
    """
    if size > SMALLEST_BOMB and size > LARGEST_RATIO * max(compressed_size, 1):
        raise LangnetError(
            f"{name} grows from {compressed_size:,} to {size:,} bytes or more, which no text does; unpack it by hand "
            "if you trust it"
        )


@contextmanager
def seekable(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """The stream itself where one can seek in it, else a copy in a temporary file, deleted afterwards."""
    if stream.seekable():
        yield stream
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy, _BLOCK)
        copy.seek(0)
        yield copy


def damage_errors() -> tuple[type[Exception], ...]:
    """What reading a damaged, cut off or encrypted file may raise."""
    found: list[type[Exception]] = [EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError]
    found += [RuntimeError, NotImplementedError]  # zipfile: a password, an unknown compression
    try:
        import zstandard

        found.append(zstandard.ZstdError)
    except ImportError:
        pass
    return tuple(found)


class _Guarded(io.RawIOBase):
    """Counts what is read; seeking is left out, so that a stream out of an archive will do."""

    def __init__(self, stream: IO[bytes], compressed_size: int, name: str, also_closed: tuple[IO[bytes], ...]):
        self._streams, self._name, self._size, self._count = (stream, *also_closed), name, compressed_size, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._streams[0].read(len(buffer))
        self._count += len(data)
        refuse_bomb(self._name, self._size, self._count)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            for stream in self._streams:
                stream.close()
        super().close()


class _Zstandard(io.RawIOBase):
    """Zstandard frames, one after the other; the library's own reader takes a file that is cut off for a whole one."""

    def __init__(self, stream: IO[bytes]):
        import zstandard

        self._new_frame = zstandard.ZstdDecompressor().decompressobj
        self._stream, self._frame = stream, self._new_frame()
        self._started, self._packed, self._held = False, b"", memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._held:
            self._packed = self._packed or self._stream.read(_BLOCK)
            if not self._packed:
                if self._started and not self._frame.eof:
                    raise EOFError("the file is cut off")
                return 0
            if self._frame.eof:
                self._frame = self._new_frame()
            self._started = True
            # A few bytes may stand for megabytes; a kilobyte at a time keeps even a bomb small.
            self._held = memoryview(self._frame.decompress(self._packed[:_ZSTANDARD_BLOCK]))
            self._packed = (self._frame.unused_data if self._frame.eof else b"") + self._packed[_ZSTANDARD_BLOCK:]
        count = min(len(buffer), len(self._held))
        buffer[:count], self._held = self._held[:count], self._held[count:]
        return count
