"""Token ids on disk: memory-mapped shards with document boundaries, so that memory does not grow with the corpus."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from langnet.errors import LangnetError

SHARD_TOKENS = 2**27
INDEX = "index.json"


class ShardWriter:
    """Writes documents one after another; the index comes last, so an unfinished folder is known as such.

    As a context manager it closes itself, and after an exception it leaves the folder without an index.

    Args:
        folder: created if need be; what an earlier, unfinished writer left is replaced.
        vocabulary_size: chooses 16 or 32 bits an id.
        shard_tokens: tokens after which a new file begins.
    """

    def __init__(self, folder: Path, vocabulary_size: int, shard_tokens: int = SHARD_TOKENS):
        self.folder, self.vocabulary_size, self.shard_tokens = folder, vocabulary_size, shard_tokens
        self.dtype = np.dtype(np.uint16 if vocabulary_size <= 2**16 else np.uint32)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / INDEX).unlink(missing_ok=True)
        for old in folder.glob("tokens-*.bin"):  # a shorter stream would leave some behind
            old.unlink()
        self.sizes: list[int] = []
        self.n_tokens = self.n_documents = self.n_bytes = 0
        self._shard: BinaryIO | None = None
        self._offsets = ColumnWriter(folder / "document_offsets.npy")
        self._bytes = ColumnWriter(folder / "document_bytes.npy")
        self._offsets.append(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close() if kind is None else self.abandon()

    def add_document(self, ids: Sequence[int] | np.ndarray, n_bytes: int) -> None:
        """Append one whole document.

        Args:
            ids: its tokens.
            n_bytes: length of its text in UTF-8, for bits per byte.
        """
        self.add_tokens(ids)
        self.end_document(n_bytes)

    def add_tokens(self, ids: Sequence[int] | np.ndarray) -> None:
        """Append tokens to the document that is being written; for documents too large to encode at once."""
        given = np.asarray(ids, dtype=np.int64)
        if len(given) and not 0 <= given.min() <= given.max() < self.vocabulary_size:
            raise ValueError(f"ids {given.min()} to {given.max()} do not fit a vocabulary of {self.vocabulary_size}")
        rest = given.astype(self.dtype)
        while len(rest):
            if self._shard is None or self.sizes[-1] >= self.shard_tokens:
                self._next_shard()
            assert self._shard is not None
            part = rest[: self.shard_tokens - self.sizes[-1]]
            self._shard.write(part.tobytes())
            self.sizes[-1] += len(part)
            self.n_tokens += len(part)
            rest = rest[len(part) :]

    def end_document(self, n_bytes: int) -> None:
        """End the document that is being written."""
        self.n_documents += 1
        self.n_bytes += n_bytes
        self._offsets.append(self.n_tokens)
        self._bytes.append(n_bytes)

    def _next_shard(self) -> None:
        if self._shard is not None:
            self._shard.close()
        self._shard = (self.folder / f"tokens-{len(self.sizes):05d}.bin").open("wb")
        self.sizes.append(0)

    def close(self) -> None:
        """Finish the files and write the index."""
        self.abandon()
        index = {
            "dtype": self.dtype.name,
            "shards": self.sizes,
            "n_tokens": self.n_tokens,
            "n_documents": self.n_documents,
            "n_bytes": self.n_bytes,
        }
        temporary = self.folder / f"{INDEX}.new"
        temporary.write_text(json.dumps(index), encoding="utf8")
        temporary.replace(self.folder / INDEX)

    def abandon(self) -> None:
        """Close the files without an index, so that the folder counts as unfinished."""
        if self._shard is not None:
            self._shard.close()
        self._offsets.close()
        self._bytes.close()


class ColumnWriter:
    """A .npy file of int64 that is written number by number; its header is set right at the end."""

    def __init__(self, path: Path):
        self.length = 0
        self._file = path.open("wb")
        self._header()

    def append(self, number: int) -> None:
        """Write one number."""
        self._file.write(np.int64(number).tobytes())
        self.length += 1

    def close(self) -> None:
        """Set the header right; a second call does nothing."""
        if not self._file.closed:
            self._file.seek(0)
            self._header()
            self._file.close()

    def _header(self) -> None:
        """NumPy pads a header so that its size does not depend on the array's length."""
        facts = {"descr": np.dtype(np.int64).str, "fortran_order": False, "shape": (self.length,)}
        np.lib.format.write_array_header_1_0(self._file, facts)


class TokenShards:
    """A stream of documents on disk, read through memory maps.

    Attributes:
        n_tokens: length of the stream.
        n_documents: number of documents.
        n_bytes: bytes of their texts in UTF-8.
        document_offsets: (n_documents + 1,) int64; document i is the stream from offset i to offset i + 1.
        document_bytes: (n_documents,) int64.
    """

    def __init__(self, folder: Path):
        try:
            index = json.loads((folder / INDEX).read_text(encoding="utf8"))
            self.n_tokens, self.n_documents, self.n_bytes = (index[k] for k in ("n_tokens", "n_documents", "n_bytes"))
            dtype, sizes = np.dtype(index["dtype"]), index["shards"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LangnetError(f"{folder} holds no finished token shards; prepare the corpus again") from error
        self.folder = folder
        self.document_offsets = _column(folder / "document_offsets.npy", self.n_documents + 1)
        self.document_bytes = _column(folder / "document_bytes.npy", self.n_documents)
        names = [folder / f"tokens-{number:05d}.bin" for number in range(len(sizes))]
        self._shards = [_map(name, dtype, size) for name, size in zip(names, sizes, strict=True)]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    @classmethod
    def open(cls, folder: Path) -> TokenShards:
        """Open a finished folder.

        Raises:
            LangnetError: the folder is unfinished or damaged.
        """
        return cls(folder)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Tokens start .. stop of the stream, int64."""
        parts = []
        shard = int(np.searchsorted(self._starts, start, side="right")) - 1
        while start < min(stop, self.n_tokens):
            offset = start - int(self._starts[shard])
            part = self._shards[shard][offset : offset + stop - start]
            parts.append(part.astype(np.int64))
            start, shard = start + len(part), shard + 1
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)

    def document(self, index: int) -> np.ndarray:
        """The tokens of one document, int64."""
        if not 0 <= index < self.n_documents:
            raise IndexError(index)
        return self.read(int(self.document_offsets[index]), int(self.document_offsets[index + 1]))


def _map(path: Path, dtype: np.dtype, length: int) -> np.ndarray:
    """A read-only memory map of a file whose length is known."""
    if length == 0:
        return np.zeros(0, dtype=dtype)
    found = path.stat().st_size if path.exists() else 0
    if found != length * dtype.itemsize:
        raise LangnetError(
            f"{path} has {found:,} bytes where {length * dtype.itemsize:,} are expected; prepare the corpus again"
        )
    return np.memmap(path, dtype=dtype, mode="r")


def read_column(path: Path) -> np.ndarray:
    """A read-only memory map of what a `ColumnWriter` wrote, at least one number.

    Raises:
        LangnetError: there is no such file, or it is damaged.
    """
    try:
        column: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise LangnetError(f"cannot read {path}: {error}; prepare the corpus again") from error
    return column


def _column(path: Path, length: int) -> np.ndarray:
    """A read-only memory map of a .npy file whose length is known."""
    if length == 0:  # an empty file cannot be mapped
        return np.zeros(0, dtype=np.int64)
    column = read_column(path)
    if column.shape != (length,):
        raise LangnetError(
            f"{path} has {len(column):,} entries where {length:,} are expected; prepare the corpus again"
        )
    return column
