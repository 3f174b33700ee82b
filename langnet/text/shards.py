"""Token ids on disk: memory-mapped shards with document boundaries, so that memory does not grow with the corpus."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from langnet.errors import LangnetError

SHARD_TOKENS = 2**27
INDEX = "index.json"


class ShardWriter:
    """Writes documents one after another; the index comes last, so an unfinished folder is known as such.

    Args:
        folder: created if need be; what an earlier, unfinished writer left is replaced.
        vocabulary_size: chooses 16 or 32 bits an id.
        shard_tokens: tokens after which a new file begins.
    """

    def __init__(self, folder: Path, vocabulary_size: int, shard_tokens: int = SHARD_TOKENS):
        self.folder, self.shard_tokens = folder, shard_tokens
        self.dtype = np.dtype(np.uint16 if vocabulary_size <= 2**16 else np.uint32)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / INDEX).unlink(missing_ok=True)
        self.sizes: list[int] = []
        self.n_tokens = self.n_documents = self.n_bytes = 0
        self._shard: BinaryIO | None = None
        self._ends = (folder / "document_ends.bin").open("wb")
        self._bytes = (folder / "document_bytes.bin").open("wb")

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
        rest = np.asarray(ids, dtype=self.dtype)
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
        self._ends.write(np.int64(self.n_tokens).tobytes())
        self._bytes.write(np.int64(n_bytes).tobytes())

    def _next_shard(self) -> None:
        if self._shard is not None:
            self._shard.close()
        self._shard = (self.folder / f"tokens-{len(self.sizes):05d}.bin").open("wb")
        self.sizes.append(0)

    def close(self) -> None:
        """Finish the files and write the index."""
        for file in (self._shard, self._ends, self._bytes):
            if file is not None:
                file.close()
        index = {
            "dtype": self.dtype.name,
            "shards": self.sizes,
            "n_tokens": self.n_tokens,
            "n_documents": self.n_documents,
            "n_bytes": self.n_bytes,
        }
        temporary = self.folder / f"{INDEX}.new"
        temporary.write_text(json.dumps(index), encoding="utf8")
        temporary.rename(self.folder / INDEX)


class TokenShards:
    """A stream of documents on disk, read through memory maps.

    Attributes:
        n_tokens: length of the stream.
        n_documents: number of documents.
        n_bytes: bytes of their texts in UTF-8.
        document_ends: (n_documents,) int64, where each document ends in the stream.
        document_bytes: (n_documents,) int64.
    """

    def __init__(self, folder: Path):
        try:
            index = json.loads((folder / INDEX).read_text(encoding="utf8"))
        except (OSError, ValueError) as error:
            raise LangnetError(f"{folder} holds no finished token shards; prepare the corpus again") from error
        self.folder = folder
        self.n_tokens, self.n_documents, self.n_bytes = index["n_tokens"], index["n_documents"], index["n_bytes"]
        self.document_ends = _map(folder / "document_ends.bin", np.dtype(np.int64), self.n_documents)
        self.document_bytes = _map(folder / "document_bytes.bin", np.dtype(np.int64), self.n_documents)
        dtype = np.dtype(index["dtype"])
        names = [folder / f"tokens-{number:05d}.bin" for number in range(len(index["shards"]))]
        self._shards = [_map(name, dtype, size) for name, size in zip(names, index["shards"], strict=True)]
        self._starts = np.concatenate([[0], np.cumsum(index["shards"])]).astype(np.int64)

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
        start = int(self.document_ends[index - 1]) if index else 0
        return self.read(start, int(self.document_ends[index]))


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
