"""What a set of texts holds, said before anything is trained on it."""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from langnet.errors import LangnetError
from langnet.text.clean import DuplicateFilter, clean_text, digest
from langnet.text.corpus import CorpusOptions, CorpusReport, Source, read_documents
from langnet.text.labelled import read_labelled

if TYPE_CHECKING:
    from rich.console import RenderableType

PERCENTILES = (5, 25, 50, 75, 95, 100)
_LANGUAGE_SAMPLE = 300  # texts whose language is guessed; a share is known to 3 points then
_LANGUAGE_CHARACTERS = 1_000  # of each, from its middle: many files begin with a notice in English
_LANGUAGE_WEIGHT = 10_000  # a text counts by its characters up to here: a guess on five words is worth little
_SMALLEST_SHARE = 0.01  # languages rarer than this are summed up as "other"
_WITHOUT_BLANKS = ("zh", "ja", "th", "lo", "km", "my", "bo")  # languages that write no blanks between words

# A text and its label; None for raw text.
LabelledText = tuple[str, str | None]
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")
_BARS = " ▏▎▍▌▋▊▉█"


@dataclass
class InspectionReport:
    """The findings.

    Attributes:
        corpus: what reading and cleaning counted.
        languages: share by ISO 639 code, in a sample whose texts count by their length; `none` has no language.
        near_duplicates: texts that equal an earlier one but for case and blanks, exact duplicates left aside.
        labels: number of texts by label; empty for raw text.
        conflicting: texts that occur with more than one label.
        characters, words: length percentiles; no words for scripts that put no blanks between them.
        test_texts, test_overlap: texts of the second set, and those of them that the first set holds too.
        markup: share of the sampled texts that contain HTML tags.
        warnings: one line each.
    """

    corpus: CorpusReport
    languages: dict[str, float] = field(default_factory=dict)
    near_duplicates: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    conflicting: int = 0
    characters: dict[str, int] = field(default_factory=dict)
    words: dict[str, int] = field(default_factory=dict)
    test_texts: int | None = None
    test_overlap: int | None = None
    markup: float = 0.0
    warnings: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def render(self) -> RenderableType:
        """For a terminal of 80 columns."""
        return _render(self)


def inspect_corpus(
    sources: Sequence[Source] | Source,
    options: CorpusOptions | None = None,
    label_column: str | None = None,
    test: Sequence[Source] | Source | None = None,
    seed: int = 0,
) -> InspectionReport:
    """Read everything once and report; nothing is changed.

    Args:
        sources: raw text as `read_documents` reads it, or labelled text as `read_labelled` does.
        options: how raw text is read.
        label_column: the column of labels, or any name for a folder with a sub-folder a class; None for raw text.
        test: a second set, whose overlap with the first is counted.
        seed: of the sample whose languages are guessed.

    Raises:
        LangnetError: a source cannot be read.
    """
    options, counts = options or CorpusOptions(), CorpusReport()
    texts = _texts(_listed(sources), options, label_column, counts)
    others = None if test is None else _texts(_listed(test), options, label_column, CorpusReport())
    try:
        return inspect_texts(texts, others, seed, counts)
    except _NothingThere:
        raise LangnetError(
            f"there is no text in {', '.join(map(str, _listed(sources)))}; every document is empty"
        ) from None


def inspect_texts(
    texts: Iterable[LabelledText],
    test: Iterable[LabelledText] | None = None,
    seed: int = 0,
    counts: CorpusReport | None = None,
) -> InspectionReport:
    """Go through texts once and report.

    Args:
        texts: each with its label, or None.
        test: a second set, whose overlap with the first is counted.
        seed: of the sample whose languages are guessed.
        counts: what reading has counted and goes on counting while `texts` is gone through.

    Raises:
        LangnetError: there is no text, or all are empty.
    """
    report = InspectionReport(counts or CorpusReport())
    survey = _Survey(report, np.random.default_rng(seed))
    try:
        for text, label in texts:
            survey.add(text, label)
        if report.corpus.empty == report.corpus.documents:
            raise _NothingThere("there is no text to inspect; every document is empty")
        survey.finish()
        if test is not None:
            survey.compare(text for text, _ in test)
    finally:
        survey.close()
    report.warnings = _warnings(report)
    return report


class _NothingThere(LangnetError):
    """All texts are empty; who knows where they came from says so."""


def _listed(sources: Sequence[Source] | Source) -> list[Source]:
    return [sources] if not isinstance(sources, Sequence) or isinstance(sources, str) else list(sources)


def _texts(
    sources: list[Source], options: CorpusOptions, label_column: str | None, counts: CorpusReport
) -> Iterator[LabelledText]:
    if label_column is None:
        for document in read_documents(sources, options, counts):
            yield document.text, None
        return
    data = read_labelled(sources, options.text_column, label_column)
    # `file:line` of tables, `file` of folders
    counts.files += len({re.sub(r":\d+$", "", source) for source in data.sources})
    yield from zip(data.texts, data.labels, strict=True)


def _folded(text: str) -> str:
    """The text as near duplicates share it: without case and differences of blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


class _Survey:
    """Counts over a stream of texts; memory grows by some bytes a text, never by its length."""

    def __init__(self, report: InspectionReport, generator: np.random.Generator):
        self.report, self._generator = report, generator
        self._exact, self._near = DuplicateFilter(), DuplicateFilter()
        self._characters, self._words = array("q"), array("q")
        self._sample: list[tuple[str, int]] = []
        self._labels: Counter[str] = Counter()
        self._label_of: dict[bytes, str] = {}
        self._conflicting: set[bytes] = set()

    def add(self, text: str, label: str | None) -> None:
        """Count one text."""
        counts, cleaned = self.report.corpus, clean_text(text)
        counts.nulls += cleaned.nulls
        counts.control_characters += cleaned.control_characters
        text = cleaned.text
        counts.documents += 1
        counts.characters += len(text)
        counts.bytes += len(text.encode("utf8"))
        self._characters.append(len(text))
        self._words.append(len(text.split()))
        if label is not None:
            self._label(text, label)
        if not text:
            counts.empty += 1
            return
        near_new = self._near.is_new(_folded(text))
        if not self._exact.is_new(text):
            counts.duplicates += 1
        elif not near_new:
            self.report.near_duplicates += 1
        self._draw(text)

    def _label(self, text: str, label: str) -> None:
        self._labels[label] += 1
        key = digest(text)
        if self._label_of.setdefault(key, label) != label:
            self._conflicting.add(key)

    def _draw(self, text: str) -> None:
        """Reservoir sampling (Vitter 1985)."""
        place = len(self._sample)
        if place == _LANGUAGE_SAMPLE:
            place = int(self._generator.integers(self.report.corpus.documents - self.report.corpus.empty))
            if place >= _LANGUAGE_SAMPLE:
                return
        start = max(0, (len(text) - _LANGUAGE_CHARACTERS) // 2)
        drawn = (text[start : start + _LANGUAGE_CHARACTERS], min(len(text), _LANGUAGE_WEIGHT))
        self._sample[place : place + 1] = [drawn]

    def finish(self) -> None:
        """Work out what needs the whole set."""
        report = self.report
        report.languages = _languages(self._sample)
        report.characters = _percentiles(self._characters)
        report.words = {} if next(iter(report.languages)) in _WITHOUT_BLANKS else _percentiles(self._words)
        report.labels = dict(sorted(self._labels.items(), key=lambda item: (-item[1], item[0])))
        report.conflicting = len(self._conflicting)
        report.markup = sum(bool(_MARKUP.search(text)) for text, _ in self._sample) / max(len(self._sample), 1)

    def compare(self, test: Iterable[str]) -> None:
        """Count the texts of a second set that the first holds."""
        self.report.test_texts = self.report.test_overlap = 0
        for text in test:
            text = _folded(clean_text(text).text)
            self.report.test_texts += 1
            self.report.test_overlap += bool(text) and self._near.has(text)

    def close(self) -> None:
        """Give memory and disk back."""
        self._exact.close()
        self._near.close()


def _percentiles(values: array[int]) -> dict[str, int]:
    found = np.percentile(np.array(values), PERCENTILES, method="nearest")
    return {"longest" if p == 100 else f"{p} %": int(value) for p, value in zip(PERCENTILES, found, strict=True)}


def _languages(sample: list[tuple[str, int]]) -> dict[str, float]:
    import py3langid

    found: Counter[str] = Counter()
    for text, weight in sample:
        name = str(py3langid.classify(text)[0])
        found["none" if name == "zxx" else name] += weight
    total = found.total()
    shares = {name: weight / total for name, weight in found.most_common() if weight >= _SMALLEST_SHARE * total}
    rest = 1 - sum(shares.values())
    return {**shares, "other": rest} if rest > 1e-9 else shares


def _warnings(report: InspectionReport) -> list[str]:
    counts, found = report.corpus, []
    if counts.empty:
        found.append(f"{_are(counts.empty, 'text')} empty")
    if counts.duplicates > 0.01 * counts.documents:
        found.append(f"{counts.duplicates:,} texts repeat an earlier one exactly")
    if report.near_duplicates > 0.01 * counts.documents:
        found.append(f"{report.near_duplicates:,} texts repeat an earlier one but for case and blanks")
    if counts.bad_bytes:
        found.append(f"{_are(counts.bad_bytes, 'byte')} not UTF-8; if that is many, convert the files first")
    if counts.nulls + counts.control_characters > 0.02 * counts.characters:
        signs = counts.nulls + counts.control_characters
        found.append(f"{signs:,} NULs and control characters beside {counts.characters:,} others: is all of it text?")
    if len(report.languages) > 1 and max(report.languages.values()) < 0.9:
        names = ", ".join(f"{name} {share:.0%}" for name, share in list(report.languages.items())[:4])
        found.append(f"the texts are in several languages ({names})")
    if report.markup > 0.3:
        found.append(f"{report.markup:.0%} of the texts contain HTML tags; strip them if they carry no meaning")
    if counts.cut:
        them = "it" if counts.cut == 1 else "them"
        found.append(f"{_are(counts.cut, 'text')} so long that training reads {them} in pieces; is each one document?")
    elif report.characters.get("longest", 0) > 1_000_000:
        found.append(f"the longest text has {report.characters['longest']:,} characters; is it one document?")
    return found + _label_warnings(report) + _test_warnings(report)


def _are(count: int, what: str) -> str:
    return f"{_number(count, what)} {'is' if count == 1 else 'are'}"


def _number(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {what}s"


def _is_free_text(report: InspectionReport) -> bool:
    """Whether labels look like something that nobody would learn to predict."""
    return len(report.labels) > 20 and len(report.labels) > 0.3 * sum(report.labels.values())


def _label_warnings(report: InspectionReport) -> list[str]:
    labels, total, found = report.labels, sum(report.labels.values()), []
    if not labels:
        return []
    if len(labels) == 1:
        return [f"there is only one label, '{next(iter(labels))}'; a classifier needs two"]
    few = [name for name, count in labels.items() if count < 5]
    if _is_free_text(report):
        found.append(f"{len(labels):,} different labels on {total:,} texts: the label column looks like free text")
    elif few:
        classes = "1 class has" if len(few) == 1 else f"{len(few):,} classes have"
        found.append(f"{classes} under 5 examples ({', '.join(few[:3])}{', …' if len(few) > 3 else ''})")
    name, most = next(iter(labels.items()))
    if most > 0.8 * total:
        found.append(
            f"one label dominates: '{name}' is on {most / total:.0%} of the texts; read macro F1, not accuracy"
        )
    if report.conflicting:
        found.append(f"{report.conflicting:,} texts occur with more than one label")
    return found


def _test_warnings(report: InspectionReport) -> list[str]:
    if not report.test_overlap:
        return []
    return [f"train and test share {report.test_overlap:,} of {report.test_texts:,} documents; take them out of train"]


def _render(report: InspectionReport) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    counts = report.corpus
    parts: list[RenderableType] = [Text("\n".join(_headline(report)))]
    lengths = Table("length", *report.characters, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, row in (("characters", report.characters), ("words", report.words)):
        if not row:
            continue
        lengths.add_row(name, *(f"{value:,}" for value in row.values()))
    for column in lengths.columns[1:]:
        column.justify = "right"
    parts += [Text(), lengths, Text(), _shares("language", report.languages, None, 10)]
    if report.labels:
        total = max(sum(report.labels.values()), 1)
        shares = {name: count / total for name, count in report.labels.items()}
        parts += [Text(), _shares("label", shares, report.labels, most=5 if _is_free_text(report) else 25)]
    parts.append(Text())
    if not report.warnings:
        parts.append(Text(f"Nothing to warn about in {_number(counts.documents, 'text')}.", style="green"))
    parts += [Text(f"! {warning}", style="yellow") for warning in report.warnings]
    return Group(*parts)


def _headline(report: InspectionReport) -> list[str]:
    counts = report.corpus
    files = f" in {_number(counts.files, 'file')}" if counts.files else ""
    lines = [
        f"{_number(counts.documents, 'text')}{files}, {counts.characters:,} characters, {counts.bytes / 1e6:,.1f} MB",
        f"{counts.empty:,} empty, {counts.duplicates:,} exact duplicates, {report.near_duplicates:,} near duplicates",
    ]
    mended = {"bad bytes": counts.bad_bytes, "NULs": counts.nulls, "control characters": counts.control_characters}
    if any(mended.values()):
        lines.append(", ".join(f"{count:,} {name}" for name, count in mended.items() if count))
    if counts.skipped_files:
        lines.append(f"{counts.skipped_files:,} files of other kinds skipped")
    if report.test_texts is not None:
        lines.append(f"{report.test_texts:,} test texts, {report.test_overlap:,} of them in the first set too")
    return lines


def _shares(title: str, shares: dict[str, float], counts: dict[str, int] | None, most: int) -> RenderableType:
    """A table of names and bars; what is beyond the first rows is summed in a last one."""
    from rich.table import Table

    table = Table(title, "", "", "", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.columns[0].max_width, table.columns[0].overflow = 28, "ellipsis"
    table.columns[0].no_wrap = True
    table.columns[1].justify = table.columns[2].justify = "right"
    shown = list(shares.items())[:most]
    rest = list(shares)[most:]
    for name, share in shown:
        table.add_row(name, f"{counts[name]:,}" if counts else "", f"{share:.1%}", _bar(share / shown[0][1]))
    if rest:
        number = f"{sum(counts[name] for name in rest):,}" if counts else ""
        table.add_row(f"{len(rest):,} more", number, f"{sum(shares[name] for name in rest):.1%}", "")
    return table


def _bar(part: float, width: int = 24) -> str:
    whole, eighths = divmod(round(part * width * 8), 8)
    return "█" * whole + (_BARS[eighths] if eighths else "")
