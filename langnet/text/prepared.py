"""A corpus on disk, as `langnet.text.prepare` leaves it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from langnet.errors import LangnetError
from langnet.text.corpus import CorpusReport
from langnet.text.shards import TokenShards
from langnet.text.spelling import Spelling
from langnet.text.tokenizer import Tokenizer


@dataclass
class PreparedCorpus:
    """A corpus on disk; with a spelling, its shards hold ids past the vocabulary, see `langnet.text.spelling`."""

    tokenizer: Tokenizer
    train: TokenShards
    validation: TokenShards
    report: CorpusReport
    spelling: Spelling | None = None


def open_corpus(folder: Path, spelled: bool = False) -> PreparedCorpus:
    """What `prepare_corpus` left in a folder.

    Args:
        folder: the corpus's own.
        spelled: whether it was prepared with `PrepareOptions.spell`.

    Raises:
        LangnetError: the folder holds no finished corpus.
    """
    try:
        facts = json.loads((folder / "corpus.json").read_text(encoding="utf8"))
        return open_parts(folder, CorpusReport(**facts["report"]), spelled)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LangnetError(f"{folder} holds no finished corpus; prepare it again") from error


def open_parts(folder: Path, report: CorpusReport, spelled: bool) -> PreparedCorpus:
    """The files of a corpus whose report is known; errors are those of the files."""
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    return PreparedCorpus(
        tokenizer,
        TokenShards.open(folder / "train"),
        TokenShards.open(folder / "validation"),
        report,
        Spelling.open(folder, tokenizer) if spelled else None,
    )
