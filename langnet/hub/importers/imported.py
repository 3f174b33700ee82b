"""What every importer takes and returns: options in, the contents of a new folder and a report out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.hub.card import CardFacts, write_card
from langnet.hub.description import architecture, direction_of, network_config
from langnet.hub.folder import FolderContents, FolderSummary, write_folder
from langnet.hub.importers.guard import origin
from langnet.tasks.task import Task
from langnet.text.tokenizer import Direction, Tokenizer
from langnet.transfer.model import TaskModel

_SHOWN = 3


@dataclass(frozen=True)
class ImportOptions:
    """What a user may add to a path.

    Attributes:
        vocabulary: a file with the vocabulary, where it lies elsewhere.
        most: read at most so many words of a table of vectors, the first ones.
        direction: in which the model was trained to read, where its files do not say; None means forward.
    """

    vocabulary: Path | None = None
    most: int | None = None
    direction: Direction | None = None

    def given(self) -> frozenset[str]:
        """Names of the options that the user gave."""
        values = {"vocabulary": self.vocabulary, "most": self.most, "direction": self.direction}
        return frozenset(name for name, value in values.items() if value is not None)


@dataclass
class ImportReport:
    """What was read, for the user and for the model's card.

    Attributes:
        format: what the files are, such as "GPT-2 of transformers".
        used: how many tensors of the files are now in the model.
        total: how many they hold.
        unused: names of those that were left.
        notes: what else the user should know, a short phrase each: new rows, a conversion of numbers.
    """

    format: str
    used: int
    total: int
    unused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [f"{self.format}: {self.used:,} of {self.total:,} tensors"]
        if self.unused:
            more = f" and {len(self.unused) - _SHOWN:,} more" if len(self.unused) > _SHOWN else ""
            parts.append(f"unused: {', '.join(self.unused[:_SHOWN])}{more}")
        return "; ".join([*parts, *self.notes])


@dataclass
class Imported:
    """A model of another program as a folder of langnet will hold it.

    Attributes:
        contents: what `hub.folder.write_folder` writes: a language model, word vectors, anything with a folder.
        report: what was read and what was not.
        card: what the card says, in place of `contents.card`.
    """

    contents: FolderContents
    report: ImportReport
    card: CardFacts | None = None

    def write(self, folder: Path, overwrite: bool = False) -> FolderSummary:
        """Write the folder; its card, if there are facts for one, has the folder's name.

        Raises:
            LangnetError: as `hub.folder.write_folder`.
        """
        if self.card is not None:
            self.contents.card = write_card(replace(self.card, name=folder.name))
        return write_folder(folder, self.contents, overwrite=overwrite)


@dataclass(frozen=True)
class Importer:
    """One format as data.

    Attributes:
        format: what it is called in messages.
        looks_for: the files by which it is recognised, for the message where nothing is.
        recognises: whether a path is of this format, judged by content; never raises, reads little.
        read: the model at a path that `recognises` accepted; raises LangnetError where it is damaged.
        options: names of the fields of `ImportOptions` that mean something here.
    """

    format: str
    looks_for: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path, ImportOptions], Imported]
    options: frozenset[str] = frozenset()


class TensorTable:
    """The named tensors of a file, taken one by one, so that what is left over can be told.

    Args:
        source: the file or folder, for messages.
        tensors: by name; they may be mapped from the disk.
    """

    def __init__(self, source: Path, tensors: Mapping[str, Tensor]):
        self.source, self.tensors = source, dict(tensors)
        self.taken: set[str] = set()
        self._dtypes: set[torch.dtype] = set()

    def take(self, name: str, shape: Sequence[int]) -> Tensor:
        """A tensor in float32 and in memory of its own.

        Raises:
            LangnetError: it is missing, of another shape, not of numbers, or has values that are not finite.
        """
        if name not in self.tensors:
            raise LangnetError(
                f"{self.source} lacks the tensor '{name}' ({len(self.tensors):,} others are there); the file is "
                "incomplete, or of another model than its configuration says"
            )
        found = self.tensors[name]
        if tuple(found.shape) != tuple(shape):
            raise LangnetError(
                f"{self.source}: '{name}' has the shape {list(found.shape)} where the configuration asks for "
                f"{list(shape)}; they are of different models"
            )
        if not found.is_floating_point():
            raise LangnetError(
                f"{self.source}: '{name}' holds {found.dtype} and no weights; give the unquantised model"
            )
        value = found.to(torch.float32, copy=True)
        if not bool(torch.isfinite(value).all()):
            raise LangnetError(f"{self.source}: '{name}' has values that are not finite; the file is damaged")
        self._dtypes.add(found.dtype)
        self.taken.add(name)
        return value

    def left(self) -> list[str]:
        """Names that were not taken."""
        return [name for name in self.tensors if name not in self.taken]

    def report(self, format: str, notes: Iterable[str] = ()) -> ImportReport:
        """How many tensors were taken, and the names of the rest."""
        converted = sorted(str(d).removeprefix("torch.") for d in self._dtypes - {torch.float32})
        told = [f"{', '.join(converted)} became float32"] if converted else []
        return ImportReport(format, len(self.taken), len(self.tensors), self.left(), [*told, *notes])


def imported_model(
    report: ImportReport,
    family: str,
    encoder: Encoder,
    task: Task,
    tokenizer: Tokenizer,
    files: Sequence[Path],
    size: str | None = None,
    facts: dict[str, Any] | None = None,
) -> Imported:
    """An encoder with its pretraining task, as `recipes.model.Model.save` would write it.

    Args:
        report: what was read.
        family: name of the encoder's family.
        encoder: with its weights.
        task: the pretraining task.
        tokenizer: of the encoder.
        files: that it was read from; their SHA-256 goes into the card.
        size: the named size that the encoder has, if any.
        facts: further ones for the card.
    """
    facts = {
        **(facts or {}),
        "imported": {"format": report.format, "files": origin(files), "report": str(report)},
        "size": size,
    }
    network = TaskModel(encoder, [(task, 1.0)], None)
    config = network_config(network, family, size, 2048, facts)
    config["direction"] = direction_of(encoder, tokenizer)
    table = architecture(network, tokenizer, None)
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    contents = FolderContents(config, tensors, tokenizer.to_json())
    return Imported(contents, report, CardFacts("", family, size, table, None, 2048, facts))
