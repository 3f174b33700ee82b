"""Text from elsewhere through the `datasets` library: the Hugging Face hub, object stores, web addresses; streamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langnet.errors import LangnetError
from langnet.text.formats import format_of

SCHEMES = ("hf://", "s3://", "gs://", "gcs://", "az://", "abfs://", "http://", "https://", "memory://", "file://")
# Which builder of `datasets` reads which file.
_BUILDERS = {".jsonl": "json", ".ndjson": "json", ".json": "json", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet"}


def is_remote(source: str) -> bool:
    """Whether a source is an address rather than a path."""
    return source.startswith(SCHEMES)


def read_remote(source: str, text_column: str) -> Iterator[tuple[str, str]]:
    """Texts of a remote source, one at a time, each with where it came from.

    `hf://datasets/owner/name`, with `:config` and `:split` after it where they are needed, is a data set of the hub
    (split `train` by default); every other address names files, read by their suffix.

    Raises:
        LangnetError: the address cannot be opened, or has no such column.
    """
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise LangnetError(
            f"reading {source} needs the library datasets; install it with: pip install datasets"
        ) from error
    try:
        rows: Any = load_dataset(**_request(source), streaming=True)
        for number, row in enumerate(rows):
            if text_column not in row:
                found = ", ".join(f"'{key}'" for key in row)
                raise LangnetError(f"{source} has no column '{text_column}'; the columns are {found}")
            yield str(row[text_column] or ""), f"{source}:{number + 1}"
    except LangnetError:
        raise
    except Exception as error:  # the library and its file systems raise whatever they like
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise LangnetError(f"cannot read {source}: {reason}") from error


def _request(source: str) -> dict[str, Any]:
    """The arguments of `load_dataset` for an address."""
    if source.startswith("hf://datasets/") and not format_of(source):
        name, *rest = source.removeprefix("hf://datasets/").split(":")
        request: dict[str, Any] = {"path": name, "split": rest[-1] if rest else "train"}
        if len(rest) > 1:
            request["name"] = rest[0]
        return request
    kind = format_of(source)
    request = {"path": _BUILDERS.get(kind, "text"), "data_files": source, "split": "train"}
    if kind == ".tsv":
        request["sep"] = "\t"
    if request["path"] == "text":
        request["sample_by"] = "document"
    return request
