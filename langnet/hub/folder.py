"""A model is a folder: written whole or not at all, checked byte by byte before anything in it is parsed.

    config.json           what rebuilds the model, and under "langnet" what describes the folder itself
    weights.safetensors   every tensor, tied ones once
    tokenizer.json        the tokenizer
    labels.json           the label names in the order of the head's outputs; only models with labels have it
    card.md               the measured model card
    history.jsonl         one line a record of training
    checksums.json        size and SHA-256 of each file above

Nothing here is a pickle, and no file that the table of checksums does not list is ever opened. `list_models` shows
`family`, `size`, `task`, `parameters`, `bits_per_byte` and `bits_note` from the config, if they are there.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langnet.errors import LangnetError
from langnet.hub import checksums, weights
from langnet.hub.checksums import CHECKSUMS_NAME, FORMAT_VERSION, FileSum
from langnet.hub.json_text import from_json, from_utf8, to_json, to_utf8

if TYPE_CHECKING:
    from torch import Tensor

CONFIG_NAME = "config.json"
WEIGHTS_NAME = "weights.safetensors"
TOKENIZER_NAME = "tokenizer.json"
LABELS_NAME = "labels.json"
CARD_NAME = "card.md"
HISTORY_NAME = "history.jsonl"

RESERVED_KEY = "langnet"  # the one key of config.json that belongs to the folder and not to the model

_ALLOWED = frozenset({CONFIG_NAME, WEIGHTS_NAME, TOKENIZER_NAME, LABELS_NAME, CARD_NAME, HISTORY_NAME})
_REQUIRED = _ALLOWED - {LABELS_NAME}
_DESKTOP_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


@dataclass
class FolderContents:
    """All that a model folder holds.

    Attributes:
        config: JSON-serialisable; rebuilds the model. NaN and infinities become null, tuples become lists.
        tensors: by name, in any dtype; names whose tensors share memory are tied again after reading.
        tokenizer_json: the tokenizer as one JSON text.
        labels: label names in the order of the head's outputs, or None for a model without labels.
        card: the model card in Markdown.
        history: records of training, one dict each.
    """

    config: dict[str, Any]
    tensors: dict[str, Tensor]
    tokenizer_json: str
    labels: list[str] | None = None
    card: str = ""
    history: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class FolderSummary:
    """What `verify_folder` found in a folder that is whole.

    Attributes:
        folder: the folder.
        format_version: the layout it was written in.
        created: when it was written, ISO 8601 in UTC.
        n_bytes: size of all files together.
        n_tensors: names in the weights, tied ones included.
        n_parameters: values in the weights, tied ones once.
        n_labels: labels, 0 for a model without.
        digest: SHA-256 of the table of checksums; the same digest means the same contents.
        files: size and SHA-256 by file name.
    """

    folder: Path
    format_version: int
    created: str
    n_bytes: int
    n_tensors: int
    n_parameters: int
    n_labels: int
    digest: str
    files: dict[str, FileSum]

    def __str__(self) -> str:
        return (
            f"{self.folder} is whole: {len(self.files)} files, {self.n_bytes:,} bytes, {self.n_tensors} tensors, "
            f"{self.n_parameters:,} parameters, {self.n_labels} labels, digest {self.digest[:12]}"
        )


@dataclass(frozen=True)
class ModelSummary:
    """One line of `langnet models`; what the config does not say is None; `problem` says why it won't load."""

    name: str
    path: Path
    family: str | None = None
    size: str | None = None
    parameters: int | None = None
    task: str | None = None
    bits_per_byte: float | None = None
    direction: str | None = None
    bits_note: str | None = None
    created: str | None = None
    n_bytes: int | None = None
    problem: str | None = None


def write_folder(folder: Path | str, contents: FolderContents, overwrite: bool = False) -> FolderSummary:
    """Write a model folder; it stands whole under its name, or nothing has changed.

    The files go to a temporary folder beside the target, are flushed to the disk, and take the name in one rename.
    With `overwrite` the old folder keeps its place until the new one is complete; only a folder that is itself a
    langnet model and holds nothing else is ever replaced.

    Raises:
        LangnetError: the target exists (or is no model folder), its parent is missing or cannot be written, the disk
            is full, or the contents cannot be stored.
    """
    target = Path(folder).expanduser()
    target = target.resolve() if target.is_symlink() else target
    _check_target(target, overwrite)
    stored, tied = weights.split_tied(contents.tensors)
    small_files = _encode(contents, stored, tied)
    temporary = target.parent / f".{target.name}.new-{secrets.token_hex(4)}"
    try:
        temporary.mkdir()
        for name, content in small_files.items():
            (temporary / name).write_bytes(content)
        weights.write_weights(temporary / WEIGHTS_NAME, stored)
        table = {name: checksums.sum_file(temporary / name) for name in [*small_files, WEIGHTS_NAME]}
        (temporary / CHECKSUMS_NAME).write_bytes(checksums.table_bytes(table))
        for path in temporary.iterdir():
            _flush(path)
        _flush(temporary)
        _check_target(target, overwrite)  # training takes an hour: look again before anything is replaced
        _put_in_place(temporary, target)
    except OSError as error:
        raise LangnetError(f"cannot write the model folder {target}: {_reason(error)}; nothing was changed") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return _summary(target, table, _folder_facts(stored, tied), contents.labels)


def read_folder(folder: Path | str) -> FolderContents:
    """Read a model folder after checking every size and checksum.

    Raises:
        LangnetError: the folder is missing, damaged, incomplete, of a newer format, or holds what is no part of it.
    """
    return _read(Path(folder).expanduser())[0]


def verify_folder(folder: Path | str) -> FolderSummary:
    """Check a model folder as `read_folder` does and describe it.

    Raises:
        LangnetError: as `read_folder`.
    """
    return _read(Path(folder).expanduser())[1]


def list_models(root: Path | str) -> Iterator[ModelSummary]:
    """Describe each model folder directly in `root`, by name; weights are not read, so damage in them goes unseen."""
    root = Path(root).expanduser()
    for path in sorted(root.iterdir()) if root.is_dir() else []:
        if not path.name.startswith(".") and all((path / name).is_file() for name in (CONFIG_NAME, CHECKSUMS_NAME)):
            yield describe_model(path)


def describe_model(path: Path) -> ModelSummary:
    """Describe one folder; what is no whole model says why not under `problem`."""
    name = os.path.basename(os.path.abspath(path))  # of '.', too
    try:
        table = _check_names(path)
        config, facts = _parse_config(path, checksums.read_checked(path / CONFIG_NAME, table[CONFIG_NAME]))
    except (LangnetError, OSError) as error:
        return ModelSummary(name, path, problem=str(error))
    bits = config.get("bits_per_byte")
    return ModelSummary(
        name,
        path,
        family=_text_or_none(config.get("family")),
        size=_text_or_none(config.get("size")),
        parameters=config.get("parameters") or facts.get("parameters"),
        task=_text_or_none(config.get("task")),
        bits_per_byte=float(bits) if isinstance(bits, int | float) else None,
        direction=_text_or_none(config.get("direction")),
        bits_note=_text_or_none(config.get("bits_note")),
        created=facts.get("created"),
        n_bytes=sum(entry.bytes for entry in table.values()),
    )


def is_model_folder(folder: Path) -> bool:
    """Whether a folder was written by langnet, whole or not; opens only its config."""
    path = folder / CONFIG_NAME
    if not (folder / CHECKSUMS_NAME).is_file() or not path.is_file():
        return False
    try:
        config = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(config, dict) and isinstance(config.get(RESERVED_KEY), dict)


# Writing


def _check_target(target: Path, overwrite: bool) -> None:
    parent = target.parent
    if target.name in ("", ".", ".."):
        raise LangnetError(f"{str(target)!r} is no name for a model folder; give a new one, such as ./my-lm")
    if not parent.is_dir():
        raise LangnetError(f"cannot write {target}: the folder {parent} does not exist; create it (mkdir -p {parent})")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise LangnetError(f"cannot write {target}: no permission to write in {parent}; choose another place")
    if not target.exists():
        return
    if not target.is_dir():
        raise LangnetError(f"cannot write {target}: a file of that name exists; choose another name")
    present = {path.name for path in target.iterdir()} - _DESKTOP_LITTER
    if not present:
        return
    if not is_model_folder(target):
        raise LangnetError(f"{target} exists and is no langnet model, so it is not replaced; choose another name")
    foreign = sorted(present - _ALLOWED - {CHECKSUMS_NAME})
    if foreign:
        raise LangnetError(f"{target} also holds {foreign[0]}, which replacing it would delete; move that file first")
    if not overwrite:
        raise LangnetError(f"{target} exists; choose another name, or allow it to be replaced with overwrite=True")


def _encode(contents: FolderContents, stored: Mapping[str, Tensor], tied: Mapping[str, str]) -> dict[str, bytes]:
    """Every file but the weights and the table, ready to be written."""
    if RESERVED_KEY in contents.config:
        raise LangnetError(f"the config has a key {RESERVED_KEY!r}, which the model folder keeps for itself; rename it")
    try:
        json.loads(contents.tokenizer_json)
    except ValueError:
        raise LangnetError("the tokenizer is not valid JSON; pass what Tokenizer.save writes") from None
    config = {RESERVED_KEY: _folder_facts(stored, tied), **contents.config}
    files = {
        CONFIG_NAME: to_json(config, "config", indent=2),
        TOKENIZER_NAME: to_utf8(contents.tokenizer_json, "tokenizer"),
        CARD_NAME: to_utf8(contents.card, "card"),
        HISTORY_NAME: b"".join(to_json(record, "history") for record in contents.history),
    }
    if contents.labels is not None:
        _check_labels(contents.labels)
        files[LABELS_NAME] = to_json(contents.labels, "labels", indent=2)
    return files


def _folder_facts(stored: Mapping[str, Tensor], tied: Mapping[str, str]) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "tensors": len(stored) + len(tied),
        "parameters": weights.count_values(stored),
        "tied": dict(tied),
    }


def _check_labels(labels: object) -> None:
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise LangnetError("the labels are not a list of texts; convert them with [str(label) for label in labels]")
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise LangnetError(f"the label {repeated[0]!r} is there twice; give every label once")


def _put_in_place(temporary: Path, target: Path) -> None:
    """Give the finished folder its name; an old one steps aside first and comes back if that fails."""
    set_aside: Path | None = None
    if target.exists():
        set_aside = target.parent / f".{target.name}.old-{secrets.token_hex(4)}"
        target.rename(set_aside)
    try:
        temporary.rename(target)
    except BaseException:
        if set_aside is not None:
            set_aside.rename(target)
        raise
    _flush(target.parent)
    if set_aside is not None:
        shutil.rmtree(set_aside, ignore_errors=True)


def _flush(path: Path) -> None:
    """Have the disk write a file or a folder's entries now (folders only where the system allows it)."""
    if path.is_dir() and os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() or os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


# Reading


def _read(folder: Path) -> tuple[FolderContents, FolderSummary]:
    table = _check_names(folder)
    try:
        contents = {name: checksums.read_checked(folder / name, table[name]) for name in table if name != WEIGHTS_NAME}
        checksums.check_size(folder / WEIGHTS_NAME, table[WEIGHTS_NAME])
        checksums.check_sum(folder / WEIGHTS_NAME, checksums.sum_file(folder / WEIGHTS_NAME), table[WEIGHTS_NAME])
        # Every byte of the folder is now as it was written; only from here on is anything parsed.
        config, facts = _parse_config(folder, contents[CONFIG_NAME])
        stored = weights.read_weights(folder / WEIGHTS_NAME)
    except OSError as error:
        raise LangnetError(f"{folder} cannot be read: {_reason(error)}; copy the folder again") from None
    labels = from_json(folder / LABELS_NAME, contents[LABELS_NAME]) if LABELS_NAME in contents else None
    if labels is not None:
        _check_labels(labels)
    tensors = weights.join_tied(stored, facts["tied"])
    names = (HISTORY_NAME, TOKENIZER_NAME, CARD_NAME)
    lines, tokenizer, card = (from_utf8(folder / name, contents[name]) for name in names)
    history = [from_json(folder / HISTORY_NAME, line) for line in lines.split("\n") if line]
    summary = _summary(folder, table, {**facts, "parameters": weights.count_values(stored)}, labels)
    return FolderContents(config, tensors, tokenizer, labels, card, history), summary


def _check_names(folder: Path) -> dict[str, FileSum]:
    """Check that the folder has every file that its table lists, and no other; nothing but the table is opened."""
    if not folder.is_dir():
        raise LangnetError(_not_there(folder))
    if not (folder / CHECKSUMS_NAME).exists() and not (folder / CONFIG_NAME).exists():
        raise LangnetError(f"{folder} is no langnet model: it has no {CONFIG_NAME}; give a folder that langnet wrote")
    table = checksums.read_table(folder, _REQUIRED, _ALLOWED)
    for path in sorted(folder.iterdir()):
        if path.name in table or path.name == CHECKSUMS_NAME:
            checksums.check_regular(path, folder)
        elif not path.name.startswith(".") and path.name not in _DESKTOP_LITTER:
            raise LangnetError(
                f"{path} is no part of this model, and langnet reads only what it wrote (never pickles); "
                "move it out of the folder"
            )
    for name in table:
        checksums.check_regular(folder / name, folder)
    return table


def _not_there(folder: Path) -> str:
    if folder.exists():
        return f"{folder} is a file, not a model folder; give the folder that langnet wrote"
    aside = sorted(folder.parent.glob(f".{folder.name}.old-*")) if folder.parent.is_dir() else []
    if aside:
        return f"{folder} does not exist: replacing it was interrupted; bring it back with mv {aside[0]} {folder}"
    return f"{folder} does not exist; give the path of a model folder"


def _parse_config(folder: Path, content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The model's config, and the folder's facts that were written beside it."""
    path = folder / CONFIG_NAME
    config = from_json(path, content)
    facts = config.pop(RESERVED_KEY, None) if isinstance(config, dict) else None
    if not isinstance(facts, dict) or not isinstance(facts.get("tied"), dict):
        raise LangnetError(f"{path} was not written by langnet: it has no {RESERVED_KEY!r} part")
    checksums.check_version(facts.get("format_version"), folder)
    return config, facts


def _summary(
    folder: Path, table: Mapping[str, FileSum], facts: Mapping[str, Any], labels: list[str] | None
) -> FolderSummary:
    return FolderSummary(
        folder=folder,
        format_version=facts["format_version"],
        created=str(facts.get("created", "")),
        n_bytes=sum(entry.bytes for entry in table.values()),
        n_tensors=int(facts["tensors"]),
        n_parameters=int(facts["parameters"]),
        n_labels=len(labels or []),
        digest=checksums.table_digest(table),
        files=dict(table),
    )


def _text_or_none(value: object) -> str | None:
    value = value.get("name") if isinstance(value, dict) else value  # a task is an object with a name
    return value if isinstance(value, str) else None
