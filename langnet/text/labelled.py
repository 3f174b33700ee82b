"""Labelled texts: from tables with named columns, or a folder a class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from langnet.errors import LangnetError
from langnet.text.clean import clean_text
from langnet.text.corpus import Source
from langnet.text.formats import TABLES, damage_errors, decode, format_of, open_bytes, read_rows, usual_text
from langnet.text.formats import text_column as cell_text
from langnet.text.paths import require_path


@dataclass(frozen=True)
class LabelledText:
    """One text of `LabelledData`.

    Attributes:
        text: cleaned.
        label: None where it is to be predicted.
        source: `file:line` or `file`.
    """

    text: str
    label: str | None = None
    source: str = ""


@dataclass
class LabelledData:
    """Texts with one label each.

    Attributes:
        texts: cleaned.
        labels: strings, whatever they were in the file.
        sources: `file:line` or `file` of each.
    """

    texts: list[str]
    labels: list[str]
    sources: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def items(self) -> list[LabelledText]:
        """One by one."""
        sources = self.sources or [""] * len(self)
        return [LabelledText(*row) for row in zip(self.texts, self.labels, sources, strict=True)]

    @property
    def label_names(self) -> list[str]:
        """The different labels, sorted."""
        return sorted(set(self.labels))

    def rows(self, index: Sequence[int] | np.ndarray) -> LabelledData:
        """Some of the rows, in the given order."""
        sources = [self.sources[i] for i in index] if self.sources else []
        return LabelledData([self.texts[i] for i in index], [self.labels[i] for i in index], sources)

    def subset(self, n: int, seed: int) -> LabelledData:
        """`n` rows, stratified and nested: for one seed, a smaller subset is part of every larger one.

        Rows are ordered so that every prefix has the classes in their proportions, and the first C rows have one
        of each; the subset is a prefix.

        Raises:
            LangnetError: more rows are asked for than there are, or fewer than there are classes.
        """
        if n > len(self):
            raise LangnetError(f"{n} labelled texts are asked for, but there are only {len(self)}")
        if n < len(self.label_names):
            raise LangnetError(f"{n} texts cannot hold one of each of {len(self.label_names)} classes; ask for more")
        return self.rows(self._stratified_order(seed)[:n])

    def split(self, fraction: float, seed: int) -> tuple[LabelledData, LabelledData]:
        """Two parts, stratified; the second holds `fraction` of the rows."""
        order = self._stratified_order(seed)
        count = len(self) - round(fraction * len(self))
        return self.rows(order[:count]), self.rows(order[count:])

    def _stratified_order(self, seed: int) -> np.ndarray:
        generator = np.random.default_rng(seed)
        labels = np.array(self.labels)
        position = np.zeros(len(labels))
        for name in self.label_names:
            own = generator.permutation(np.flatnonzero(labels == name))
            # Each class spreads its rows evenly over [0, 1); its first comes before everybody's second.
            position[own] = (np.arange(len(own)) + generator.random()) / len(own)
            position[own[0]] = generator.random() - 1
        return np.argsort(position, kind="stable")


def read_labelled(
    sources: Sequence[Source] | Source, text_column: str = "text", label_column: str = "label"
) -> LabelledData:
    """Read tables (csv, tsv, jsonl, json, parquet, also compressed) or folders with one sub-folder of texts a class.

    Where the text's column is not named, another usual name is found, such as `sentence`.

    Raises:
        LangnetError: no such file or column, a row without a label, a cell that is no text, bytes that are not UTF-8,
            or nothing to read.
    """
    data, listed = LabelledData([], [], []), [sources] if isinstance(sources, str | Path) else sources
    for source in listed:
        path = require_path(source)
        rows = _folder(path) if path.is_dir() else _table(path, text_column, label_column)
        for text, label, where in rows:
            data.texts.append(clean_text(text).text)
            data.labels.append(label)
            data.sources.append(where)
    if not data.texts:
        raise LangnetError(f"no labelled text in {', '.join(map(str, listed))}")
    return data


def _table(path: Path, text_column: str, label_column: str) -> Iterator[tuple[str, str, str]]:
    if format_of(path.name) not in TABLES:
        raise LangnetError(
            f"{path} is no table; labelled texts are read from {', '.join(TABLES)} "
            "or a folder with a sub-folder a class"
        )
    try:
        with open_bytes(path) as stream:
            for row in read_rows(stream, str(path), asked=(text_column, label_column)):
                text = cell_text(row, usual_text(row, text_column), str(path))
                label = cell_text(row, label_column, str(path)).strip()
                if not label:
                    raise LangnetError(
                        f"{path}, line {row.line}: the column '{label_column}' is empty; every text needs a label"
                    )
                yield text, label, f"{path}:{row.line}"
    except damage_errors() as error:
        raise LangnetError(f"cannot read {path}: {str(error) or 'the file is cut off'}") from error


def _folder(path: Path) -> Iterator[tuple[str, str, str]]:
    classes = sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))
    if len(classes) < 2:
        raise LangnetError(
            f"{path} has {len(classes)} sub-folders; a labelled folder has one for each of two or more classes"
        )
    for folder in classes:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not file.name.startswith("."):
                with open_bytes(file) as stream:
                    yield decode(stream.read(), str(file)).text, folder.name, str(file)
