"""From raw text to token ids on disk: read, clean, split, tokenise; in memory that does not grow with the corpus."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from langnet.errors import LangnetError
from langnet.text.corpus import (
    CorpusOptions,
    CorpusReport,
    Document,
    Source,
    clean_documents,
    fingerprint,
    read_documents,
    split_of,
    total_bytes,
)
from langnet.text.shards import ShardWriter, TokenShards
from langnet.text.tokenizer import Kind, Tokenizer

SAMPLE_CHARACTERS = 50_000_000  # what the tokenizer is trained on at most
_SHORTEST_SECTION = 200
PIECE_CHARACTERS = 200_000  # a larger document is encoded in pieces, since an encoding takes a hundred bytes a token
BATCH_CHARACTERS = 2_000_000

ProgressCallback = Callable[[int, int | None], None]


@dataclass(frozen=True)
class PrepareOptions:
    """How raw text becomes token ids.

    Attributes:
        tokenizer: bpe, unigram, words, characters or bytes.
        vocabulary_size: None sizes it to the corpus.
        validation_fraction: part of the documents that is held out, by their hash.
        corpus: how files are read and cleaned.
        seed: of the split and of the tokenizer's sample.
    """

    tokenizer: Kind = "bpe"
    vocabulary_size: int | None = None
    validation_fraction: float = 0.02
    corpus: CorpusOptions = field(default_factory=CorpusOptions)
    seed: int = 0


@dataclass
class PreparedCorpus:
    """A corpus on disk."""

    tokenizer: Tokenizer
    train: TokenShards
    validation: TokenShards
    report: CorpusReport


def prepare_corpus(
    sources: Sequence[Source] | Iterable[str],
    folder: Path,
    options: PrepareOptions,
    tokenizer: Tokenizer | None = None,
    progress: ProgressCallback | None = None,
    texts: bool = False,
) -> PreparedCorpus:
    """Read, clean, split and tokenise; each document is stored as start, ids, extract.

    The text is read twice, once for the tokenizer and once to be encoded. A folder that already holds the same sources,
    prepared the same way, is used as it is.

    Args:
        sources: what `langnet.text.corpus.read_documents` reads, or texts themselves.
        folder: where the ids are kept.
        options: how.
        tokenizer: an existing one; None trains one.
        progress: called with done and total bytes.
        texts: whether `sources` are the texts themselves.

    Raises:
        LangnetError: a source cannot be read.
    """
    held = list(sources) if texts or any(str(source) == "-" for source in sources) else sources
    if not texts and any(str(source) == "-" for source in held):  # standard input can be read only once
        held = [document.text for document in read_documents(held, options.corpus, CorpusReport())]  # type: ignore[arg-type]
        texts = True
    key = None if texts else _key(held, options, tokenizer)  # type: ignore[arg-type]
    found = _reuse(folder, key)
    if found is not None:
        return found
    job = _Preparation(held, options, texts, progress)  # type: ignore[arg-type]
    tokenizer = tokenizer or Tokenizer.train(job.sample(), options.tokenizer, options.vocabulary_size)
    report = CorpusReport()
    (folder / "corpus.json").unlink(missing_ok=True)  # it names what the folder no longer holds
    job.write(folder, tokenizer, report)
    if not report.documents:
        raise LangnetError(f"there is no text in {', '.join(map(str, held)) or 'the sources'}; every document is empty")
    if options.validation_fraction > 0 and job.held_out == 0:  # too few documents to hold some out: hold out parts
        job.section_characters = max(_SHORTEST_SECTION, int(report.characters * options.validation_fraction / 10))
        report = CorpusReport()
        job.write(folder, tokenizer, report)
    job.finish()
    tokenizer.save(folder / "tokenizer.json")
    facts = {"key": key, "report": report.to_dict()}
    (folder / "corpus.json").write_text(json.dumps(facts), encoding="utf8")
    return _open(folder, report)


@dataclass
class _Preparation:
    """The two passes over a corpus."""

    sources: Sequence[Source] | Sequence[str]
    options: PrepareOptions
    texts: bool
    progress: ProgressCallback | None
    done: int = 0
    total: int | None = None
    section_characters: int = 0
    held_out: int = 0

    def documents(self, report: CorpusReport) -> Iterator[Document]:
        """Clean documents, with progress."""
        if self.texts:
            raw: Iterable[Document] = (Document(str(text), f"text {i + 1}") for i, text in enumerate(self.sources))
        else:
            raw = read_documents(self.sources, self.options.corpus, report)
        for document in clean_documents(self._counted(raw), self.options.corpus, report):
            for section in _pieces(document.text, self.section_characters or len(document.text)):
                yield Document(section, document.source)

    def _counted(self, documents: Iterable[Document]) -> Iterator[Document]:
        if self.total is None and not self.texts:
            size = total_bytes(self.sources)
            self.total = 2 * size if size is not None else None
        for document in documents:
            self.done += len(document.text.encode("utf8", "surrogatepass"))
            if self.total is not None:  # compressed files hold more text than bytes, and a third pass is rare
                self.done = min(self.done, self.total)
            if self.progress:
                self.progress(self.done, self.total)
            yield document

    def finish(self) -> None:
        """Say that all is done."""
        if self.progress:
            self.progress(self.total or self.done, self.total or self.done)

    def sample(self) -> list[str]:
        """Documents for the tokenizer: all of a small corpus, a uniform reservoir of a large one (Vitter 1985)."""
        generator = np.random.default_rng(self.options.seed)
        kept: list[str] = []
        characters = 0
        full = False
        for seen, document in enumerate(self.documents(CorpusReport()), 1):
            text = document.text[:1_000_000]
            full = full or characters + len(text) > SAMPLE_CHARACTERS
            if not full or not kept:
                kept.append(text)
                characters += len(text)
            elif (place := int(generator.integers(seen))) < len(kept):
                kept[place] = text
        return kept

    def write(self, folder: Path, tokenizer: Tokenizer, report: CorpusReport) -> None:
        """Encode every document into its side of the split."""
        writers = {side: ShardWriter(folder / side, tokenizer.vocabulary_size) for side in ("train", "validation")}
        pending: list[str] = []
        size = 0
        for document in self.documents(report):
            pending.append(document.text)
            size += len(document.text)
            if size >= BATCH_CHARACTERS:
                self._encode(pending, tokenizer, writers)
                pending, size = [], 0
        self._encode(pending, tokenizer, writers)
        for writer in writers.values():
            writer.close()
        self.held_out = writers["validation"].n_documents

    def _encode(self, texts: list[str], tokenizer: Tokenizer, writers: dict[str, ShardWriter]) -> None:
        pieces = [_pieces(text, PIECE_CHARACTERS) for text in texts]
        encoded = iter(tokenizer.encode_batch([piece for parts in pieces for piece in parts]))
        for text, parts in zip(texts, pieces, strict=True):
            writer = writers[self._side(text, writers)]
            writer.add_tokens([tokenizer.start_id])
            for _ in parts:
                writer.add_tokens(next(encoded))
            writer.add_tokens([tokenizer.extract_id])
            writer.end_document(len(text.encode("utf8")))

    def _side(self, text: str, writers: dict[str, ShardWriter]) -> str:
        """The document's side; a corpus whose first documents all fall on one side still gets both."""
        side = split_of(text, self.options.validation_fraction, self.options.seed)
        enough = writers["train"].n_documents >= 1
        if self.options.validation_fraction > 0 and enough and writers["validation"].n_documents == 0:
            late = writers["train"].n_documents >= 2 / self.options.validation_fraction
            return "validation" if late else side
        return side if enough else "train"


def _pieces(text: str, longest: int) -> list[str]:
    """A large document in pieces, cut before a blank where there is one."""
    pieces, start = [], 0
    while len(text) - start > longest:
        cut = text.rfind(" ", start + longest // 2, start + longest)
        end = cut if cut > start else start + longest
        pieces.append(text[start:end])
        start = end
    return [*pieces, text[start:]]


def _key(sources: Sequence[Source], options: PrepareOptions, tokenizer: Tokenizer | None) -> str | None:
    name = fingerprint(sources, options.corpus)
    if name is None:
        return None
    own = {**asdict(options), "given": tokenizer.to_json() if tokenizer else None}
    return f"{name} {json.dumps(own, sort_keys=True)}"


def _reuse(folder: Path, key: str | None) -> PreparedCorpus | None:
    """What an earlier run left in the folder, where it is the same."""
    try:
        facts = json.loads((folder / "corpus.json").read_text(encoding="utf8"))
    except (OSError, ValueError):
        return None
    if key is None or facts.get("key") != key:
        return None
    return _open(folder, CorpusReport(**facts["report"]))


def _open(folder: Path, report: CorpusReport) -> PreparedCorpus:
    return PreparedCorpus(
        Tokenizer.load(folder / "tokenizer.json"),
        TokenShards.open(folder / "train"),
        TokenShards.open(folder / "validation"),
        report,
    )
