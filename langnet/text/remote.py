"""Text from elsewhere: data sets of the Hugging Face hub, files in object stores and on the web; all of it streamed."""

from __future__ import annotations

import io
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from langnet.errors import LangnetError
from langnet.text.archives import is_archive
from langnet.text.formats import format_of

HUB = "hf://datasets/"
SCHEMES = ("hf://", "s3://", "gs://", "gcs://", "az://", "abfs://", "http://", "https://", "memory://", "file://")
_PACKAGES = {"s3": "'langnet[s3]'", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
_CREDENTIALS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or FSSPEC_S3_ANON=true for a public bucket",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS, or FSSPEC_GS_TOKEN=anon for a public bucket",
    "hf": "log in with `hf auth login`, or set HF_TOKEN",
}
_REFUSED = ("credential", "forbidden", "access denied", "unauthorized", "gated")
_HEADERS = {"User-Agent": "langnet"}
_TIMEOUT = 60  # seconds without an answer
_USUAL_SPLITS = ("train", "test", "validation", "dev", "unsupervised", "all")


@dataclass(frozen=True)
class RemoteFile:
    """One file elsewhere: its name, its size, and its bytes as a stream."""

    name: str
    size: int
    stream: IO[bytes]


def is_remote(source: str) -> bool:
    """Whether a source is an address rather than a path."""
    return source.startswith(SCHEMES)


def is_hub_data_set(source: str) -> bool:
    """Whether an address names a data set of the hub, `hf://datasets/owner/name`, rather than a file in one."""
    return source.startswith(HUB) and source.removeprefix(HUB).strip("/").count("/") <= 1


def hub_rows(source: str) -> Iterator[dict[str, Any]]:
    """The rows of `hf://datasets/owner/name[:config][:split]`, one at a time, through the `datasets` library.

    One word after the name is a split where it is a usual one (train, test, validation, ...), else a configuration.

    Raises:
        LangnetError: the data set cannot be opened.
    """
    from datasets import load_dataset

    name, *rest = source.removeprefix(HUB).strip("/").split(":")
    if len(rest) > 2:
        raise LangnetError(f"cannot read {source}: an address is hf://datasets/owner/name:configuration:split")
    split = rest.pop() if len(rest) == 2 or (rest and rest[0] in _USUAL_SPLITS) else "train"
    try:
        yield from load_dataset(name, rest[0] if rest else None, split=split, streaming=True)
    except Exception as error:  # the library raises whatever it likes
        raise _unreadable(source, error) from error


def remote_files(source: str) -> Iterator[RemoteFile | None]:
    """The files that an address names, a folder or glob of an object store among them; None for those of other kinds.

    Raises:
        LangnetError: the address cannot be opened, or nothing is there.
    """
    if source.startswith(("http://", "https://")):
        yield from _web(source)
        return
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(source)
        paths = _paths(system, path)
    except Exception as error:  # file systems raise whatever they like
        raise _unreadable(source, error) from error
    if not paths:
        raise LangnetError(f"there is nothing at {source}; check the address")
    for path in paths:
        name = str(system.unstrip_protocol(path))
        if len(paths) > 1 and not _known(name):
            yield None
            continue
        try:
            size = system.info(path).get("size") or 0
            stream = system.open(path, "rb")
        except Exception as error:
            raise _unreadable(name, error) from error
        with stream:
            yield RemoteFile(name, size or 2**63, stream)


def _web(address: str) -> Iterator[RemoteFile]:
    """One file of a web server; fsspec would need another package for it."""
    try:
        response = urllib.request.urlopen(urllib.request.Request(address, headers=_HEADERS), timeout=_TIMEOUT)
    except Exception as error:
        raise _unreadable(address, error) from error
    with response:
        size = int(response.headers.get("Content-Length") or 0)
        name = urllib.parse.unquote(address.split("?")[0].split("#")[0])
        yield RemoteFile(name, size or 2**63, io.BufferedReader(_Whole(response, size)))


class _Whole(io.RawIOBase):
    """A response that says so when it ends too early."""

    def __init__(self, response: IO[bytes], size: int):
        self._response, self._size, self._count = response, size, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._response.read(len(buffer))
        self._count += len(data)
        if not data and self._count < self._size:
            raise EOFError(f"the connection ended after {self._count:,} of {self._size:,} bytes; try again")
        buffer[: len(data)] = data
        return len(data)


def _paths(system: Any, path: str) -> list[str]:
    if system.isfile(path):
        return [path]
    if system.isdir(path):
        return sorted(system.find(path))
    return sorted(found for found in system.glob(path) if system.isfile(found))


def _known(name: str) -> bool:
    return is_archive(name) or bool(format_of(name))


def _unreadable(source: str, error: Exception) -> LangnetError:
    if isinstance(error, LangnetError):
        return error
    scheme = source.split(":")[0]
    package = _PACKAGES.get(scheme)
    if isinstance(error, ImportError) and package:
        return LangnetError(
            f"reading {source} needs a package that is not installed; install it with: pip install {package}"
        )
    if isinstance(error, FileNotFoundError):
        return LangnetError(f"there is nothing at {source}; check the address")
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    refused = any(sign in reason.lower() for sign in _REFUSED)
    hint = f"; {_CREDENTIALS[scheme]}" if refused and scheme in _CREDENTIALS else ""
    return LangnetError(f"cannot read {source}: {reason}{hint}")
