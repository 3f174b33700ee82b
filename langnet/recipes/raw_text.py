"""Raw text that an option names: where it lies, and how it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from langnet.errors import LangnetError
from langnet.text.corpus import CorpusOptions


@dataclass(frozen=True)
class RawText:
    """Text that is read where a recipe needs it.

    Attributes:
        sources: files, folders, globs, `-`; see `langnet.text.corpus.read_documents`.
        corpus: how they are read.
    """

    sources: Sequence[str | Path]
    corpus: CorpusOptions = field(default_factory=CorpusOptions)

    def __post_init__(self) -> None:
        if isinstance(self.sources, str):
            raise LangnetError(f"the sources of raw text are several: write ({self.sources!r},)")
        object.__setattr__(self, "sources", tuple(map(str, self.sources)))
