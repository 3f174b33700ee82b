"""From raw text to token ids on disk: read, clean, split, tokenise; in memory that does not grow with the corpus."""

from __future__ import annotations

import hashlib
import heapq
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from langnet.errors import LangnetError
from langnet.text.clean import digest
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
from langnet.text.pieces import cut_text
from langnet.text.prepared import PreparedCorpus, open_parts
from langnet.text.shards import ShardWriter
from langnet.text.spelling import LAST_ID, SpellingWriter
from langnet.text.tokenizer import Direction, Kind, Tokenizer

SAMPLE_CHARACTERS = 50_000_000  # what the tokenizer is trained on at most
SAMPLE_PIECE = 100_000  # a larger document is sampled in pieces, so that a sample shows all of it
PIECE_CHARACTERS = 200_000  # a larger document is encoded in pieces, since an encoding takes a hundred bytes a token
BATCH_CHARACTERS = 2_000_000
_STANDARD_INPUT = "standard-input.txt"
_COPIED_AT_ONCE = 2**20  # bytes
_FEW = 4  # documents that a small corpus holds out at least
_SHORTEST_SECTION = 200
_FORMAT = 2  # of the folder; one prepared by another version is prepared again

ProgressCallback = Callable[[int, int | None], None]


@dataclass(frozen=True)
class PrepareOptions:
    """How raw text becomes token ids.

    Attributes:
        tokenizer: bpe, unigram, words, characters or bytes; None takes the encoder's usual one, else bpe.
        vocabulary_size: None sizes it to the corpus.
        validation_fraction: part of the documents that is held out, by their hash.
        corpus: how files are read and cleaned.
        seed: of the split and of the tokenizer's sample.
        min_count: take every word of the corpus that occurs so often, for word vectors; None sizes the vocabulary.
        lowercase: read words in small letters; with `min_count` only.
        spell: keep the characters of words that the vocabulary lacks, for encoders that read characters; the tokenizer
            is one of words.
        mask: give a new tokenizer an entry for hidden tokens, for masked objectives.
        direction: in which a model reads for which a new tokenizer is made; an existing one has its own.
        new_vocabulary: learn a vocabulary from the corpus that cuts text as the given tokenizer's does.
    """

    tokenizer: Kind | None = None
    vocabulary_size: int | None = None
    validation_fraction: float = 0.02
    corpus: CorpusOptions = field(default_factory=CorpusOptions)
    seed: int = 0
    min_count: int | None = None
    lowercase: bool = False
    spell: bool = False
    mask: bool = False
    direction: Direction = "forward"
    new_vocabulary: bool = False


def prepare_corpus(
    sources: Sequence[Source] | Source | Iterable[str | Document],
    folder: Path,
    options: PrepareOptions,
    tokenizer: Tokenizer | None = None,
    progress: ProgressCallback | None = None,
    texts: bool = False,
) -> PreparedCorpus:
    """Read, clean, split and tokenise; each document is stored as start, ids, extract.

    The text is read twice, once for the tokenizer and once to be encoded. A folder that already holds the same sources,
    prepared the same way, is used as it is. A corpus too small for its part of validation to come to a few documents
    holds out a few of them, and one of very few documents holds out sections of them.

    Args:
        sources: what `langnet.text.corpus.read_documents` reads, or documents, or texts themselves.
        folder: where the ids are kept.
        options: how.
        tokenizer: an existing one; None trains one.
        progress: called with done and total bytes.
        texts: whether strings among `sources` are the texts themselves.

    Raises:
        LangnetError: a source cannot be read, or the options make no sense.
    """
    if not 0 <= options.validation_fraction < 1:
        raise LangnetError(f"a validation fraction of {options.validation_fraction} leaves nothing; take 0 to below 1")
    with ExitStack() as stack:
        job = _Preparation.of(sources, options, texts, progress)
        job.copy_standard_input(folder, stack)
        return _prepare(job, folder, options, tokenizer)


def _prepare(job: _Preparation, folder: Path, options: PrepareOptions, tokenizer: Tokenizer | None) -> PreparedCorpus:
    key = job.key(tokenizer)
    _require_words(options, tokenizer)
    found = _reuse(folder, key, options.spell)
    if found is not None:
        return found
    known = tokenizer is not None and not options.new_vocabulary
    job.expect(passes=1 if known else 2)
    tokenizer = tokenizer if tokenizer is not None and known else job.new_tokenizer(tokenizer)
    (folder / "corpus.json").unlink(missing_ok=True)  # it names what the folder no longer holds
    report = job.write(folder, tokenizer)
    if not report.documents:
        raise LangnetError(f"there is no text in {job.described()}; every document is empty")
    if job.hold_out_more(report):
        report = job.write(folder, tokenizer)
    job.finish()
    tokenizer.save(folder / "tokenizer.json")
    facts = {"key": key, "report": report.to_dict()}
    (folder / "corpus.json").write_text(json.dumps(facts), encoding="utf8")
    return open_parts(folder, report, options.spell)


@dataclass
class _Preparation:
    """The passes over a corpus, and what they find out."""

    paths: Sequence[Source]
    given: list[Document] | None  # documents that were given themselves, instead of paths
    options: PrepareOptions
    progress: ProgressCallback | None
    done: int = 0
    total: int | None = None
    copy: Path | None = None  # of standard input
    copied: str = ""  # names what that held
    section_characters: int = 0  # documents are cut into sections of this size; 0: they stay whole
    held_out: int = 0
    candidates: list[tuple[int, bytes]] = field(default_factory=list)  # a few documents chosen by hash, for `chosen`
    first: bytes = b""  # digest of the first document
    chosen: frozenset[bytes] = frozenset()  # digests of documents that are held out beside those of `split_of`

    @classmethod
    def of(
        cls,
        sources: Sequence[Source] | Source | Iterable[str | Document],
        options: PrepareOptions,
        texts: bool,
        progress: ProgressCallback | None,
    ) -> _Preparation:
        """Tell paths from texts."""
        held = [sources] if isinstance(sources, str | Path) else list(sources)
        if texts or any(isinstance(source, Document) for source in held):
            given = [s if isinstance(s, Document) else Document(str(s), f"text {i}") for i, s in enumerate(held, 1)]
            return cls([], given, options, progress)
        paths = [source for source in held if not isinstance(source, Document)]
        return cls(paths, None, options, progress)

    def copy_standard_input(self, folder: Path, stack: ExitStack) -> None:
        """Standard input can be read only once: it goes into a file, which is deleted when `stack` ends."""
        if not any(str(source) == "-" for source in self.paths):
            return
        folder.mkdir(parents=True, exist_ok=True)
        copy = folder / _STANDARD_INPUT
        stack.callback(copy.unlink, missing_ok=True)
        running = hashlib.blake2b(digest_size=16)
        with copy.open("wb") as file:
            while block := sys.stdin.buffer.read(_COPIED_AT_ONCE):
                running.update(block)
                file.write(block)
        self.paths = [copy if str(source) == "-" else source for source in self.paths]
        self.copy = copy
        self.copied = running.hexdigest()

    def described(self) -> str:
        """The sources, for a message."""
        names = ("standard input" if source is self.copy else str(source) for source in self.paths)
        return ", ".join(names) or "the given texts"

    def key(self, tokenizer: Tokenizer | None) -> str | None:
        """What a folder must hold to be the result of this; None where that cannot be known before reading."""
        if self.given is None:
            name = fingerprint([source for source in self.paths if source is not self.copy], self.options.corpus)
            name = name and name + self.copied
        else:
            running = hashlib.blake2b(digest_size=16)
            for document in self.given:
                running.update(digest(document.text))
            name = running.hexdigest()
        if name is None:
            return None
        own = {**asdict(self.options), "given": tokenizer.to_json() if tokenizer else None, "format": _FORMAT}
        return f"{name} {json.dumps(own, sort_keys=True)}"

    def expect(self, passes: int) -> None:
        """Set the total of the progress."""
        size = total_bytes(self.paths) if self.given is None else sum(_n_bytes(d.text) for d in self.given)
        self.total = None if size is None else passes * size

    def documents(self, report: CorpusReport) -> Iterator[Document]:
        """Clean documents, with progress."""
        raw = read_documents(self.paths, self.options.corpus, report) if self.given is None else self.given
        for document in clean_documents(self._counted(raw), self.options.corpus, report):
            for section in cut_text(document.text, self.section_characters or len(document.text)):
                yield Document(section, document.source)

    def _counted(self, documents: Iterable[Document]) -> Iterator[Document]:
        for document in documents:
            self.done += _n_bytes(document.text)
            if self.total is not None:  # compressed files hold more text than bytes, and a third pass is rare
                self.done = min(self.done, self.total)
            if self.progress:
                self.progress(self.done, self.total)
            yield document

    def finish(self) -> None:
        """Say that all is done."""
        if self.progress:
            self.progress(self.total or self.done, self.total or self.done)

    def new_tokenizer(self, like: Tokenizer | None = None) -> Tokenizer:
        """A tokenizer of a sample of the corpus, or of all of its words where they are counted."""
        options = self.options
        if like is not None:
            return like.retrained(self.sample(), options.vocabulary_size)
        if options.min_count is None:
            trained = Tokenizer.train(self.sample(), options.tokenizer or "bpe", options.vocabulary_size)
            made = trained.turned(options.direction)
            return made.with_mask() if options.mask else made
        texts = (
            piece for document in self.documents(CorpusReport()) for piece in cut_text(document.text, SAMPLE_PIECE)
        )
        return Tokenizer.train_words(texts, options.min_count, options.vocabulary_size, options.lowercase)

    def sample(self) -> list[str]:
        """Text for the tokenizer: all of a small corpus, pieces from all over a large one.

        Every piece draws a number, and those with the lowest stay, as many as fit; so the sample is spread evenly and
        its size is bounded whatever the lengths of the documents.
        """
        generator = np.random.default_rng(self.options.seed)
        kept: list[tuple[float, int, str]] = []  # a heap; the piece with the highest number on top
        characters = order = 0
        for document in self.documents(CorpusReport()):
            for piece in cut_text(document.text, SAMPLE_PIECE):
                heapq.heappush(kept, (-generator.random(), order, piece))
                characters, order = characters + len(piece), order + 1
                while characters > SAMPLE_CHARACTERS and len(kept) > 1:
                    characters -= len(heapq.heappop(kept)[2])
        return [piece for _, _, piece in sorted(kept, key=lambda entry: entry[1])]

    def write(self, folder: Path, tokenizer: Tokenizer) -> CorpusReport:
        """Encode every document into its side of the split."""
        report = CorpusReport()
        with ExitStack() as stack:
            speller = None
            if self.options.spell:
                speller = stack.enter_context(closing(SpellingWriter(folder, tokenizer.vocabulary_size)))
            largest = LAST_ID if speller else tokenizer.vocabulary_size
            writers = {
                side: stack.enter_context(ShardWriter(folder / side, largest)) for side in ("train", "validation")
            }
            pending: list[str] = []
            size = 0
            for document in self.documents(report):
                pending.append(document.text)
                size += len(document.text)
                if size >= BATCH_CHARACTERS:
                    self._encode(pending, writers, tokenizer, speller)
                    pending, size = [], 0
            self._encode(pending, writers, tokenizer, speller)
        self.held_out = writers["validation"].n_documents
        return report

    def _encode(
        self,
        texts: list[str],
        writers: dict[str, ShardWriter],
        tokenizer: Tokenizer,
        speller: SpellingWriter | None,
    ) -> None:
        pieces = [_pieces(text, tokenizer) for text in texts]
        encoded = _encoded((piece for parts in pieces for piece in parts), tokenizer, speller)
        for text, parts in zip(texts, pieces, strict=True):
            writer = writers[self._side(text, writers)]
            writer.add_tokens([tokenizer.start_id])
            for _ in parts:
                writer.add_tokens(next(encoded))
            writer.add_tokens([tokenizer.extract_id])
            writer.end_document(_n_bytes(text))

    def _side(self, text: str, writers: dict[str, ShardWriter]) -> str:
        """The document's side, by its hash; but the first goes to training, so that there is some."""
        name = digest(f"{self.options.seed} {text}")
        if writers["train"].n_documents == 0 or name == self.first:  # copies of the first one stay with it
            self.first = name
            return "train"
        if split_of(text, self.options.validation_fraction, self.options.seed) == "validation" or name in self.chosen:
            return "validation"
        heapq.heappush(self.candidates, (-int.from_bytes(name), name))
        if len(self.candidates) > _FEW:
            heapq.heappop(self.candidates)
        return "train"

    def hold_out_more(self, report: CorpusReport) -> bool:
        """Whether too little was held out; then documents, or sections of so few documents, are chosen for it."""
        enough = max(1, min(_FEW, report.documents // 5))
        if self.options.validation_fraction == 0 or self.held_out >= enough:
            return False
        if report.documents >= 5 * _FEW:
            lowest = sorted(self.candidates, reverse=True)[: _FEW - self.held_out]
            self.chosen = frozenset(name for _, name in lowest)
            return True
        wanted = int(report.characters * self.options.validation_fraction / 10)
        most = report.characters // (5 * _FEW)
        self.section_characters = max(1, min(max(wanted, _SHORTEST_SECTION), most))
        self.chosen = frozenset(self._section_names())
        return True

    def _section_names(self) -> list[bytes]:
        """A few sections, chosen by hash, so that some are held out even where `split_of` finds none."""
        names = {digest(f"{self.options.seed} {document.text}") for document in self.documents(CorpusReport())}
        return heapq.nsmallest(min(_FEW, len(names) // 5), names)


def encode_documents(texts: Sequence[str], tokenizer: Tokenizer) -> list[np.ndarray]:
    """The ids of each text as a corpus stores them, start and extract included; texts may be of any length."""
    pieces = [_pieces(text, tokenizer) for text in texts]
    encoded = _encoded((piece for parts in pieces for piece in parts), tokenizer)
    documents = []
    for parts in pieces:
        body = [np.asarray(next(encoded), dtype=np.int64) for _ in parts]
        documents.append(np.concatenate([[tokenizer.start_id], *body, [tokenizer.extract_id]]).astype(np.int64))
    return documents


def _pieces(text: str, tokenizer: Tokenizer) -> list[str]:
    """Pieces of a text that are encoded one by one, in the order in which the model reads them."""
    return tokenizer.in_order(list(cut_text(text, PIECE_CHARACTERS)))


def _require_words(options: PrepareOptions, tokenizer: Tokenizer | None) -> None:
    kind = tokenizer.kind if tokenizer else options.tokenizer
    if options.spell and kind != "words":
        raise LangnetError(f"this encoder reads words as characters; its tokenizer is 'words', not '{kind}'")


def _encoded(
    pieces: Iterable[str], tokenizer: Tokenizer, speller: SpellingWriter | None = None
) -> Iterator[list[int] | np.ndarray]:
    """The ids of each piece, encoded a bounded number of characters at a time."""

    def encode(texts: list[str]) -> Sequence[list[int] | np.ndarray]:
        if speller is None:
            return tokenizer.encode_batch(texts)
        return [speller.encode(ids, words) for ids, words in tokenizer.encode_words(texts)]

    batch: list[str] = []
    size = 0
    for piece in pieces:
        batch.append(piece)
        size += len(piece)
        if size >= BATCH_CHARACTERS:
            yield from encode(batch)
            batch, size = [], 0
    yield from encode(batch)


def _n_bytes(text: str) -> int:
    return len(text.encode("utf8", "surrogatepass"))


def _reuse(folder: Path, key: str | None, spelled: bool) -> PreparedCorpus | None:
    """What an earlier run left in the folder, where it is the same and whole."""
    try:
        facts = json.loads((folder / "corpus.json").read_text(encoding="utf8"))
        if key is None or facts["key"] != key:
            return None
        return open_parts(folder, CorpusReport(**facts["report"]), spelled)
    except (OSError, ValueError, KeyError, TypeError, LangnetError):
        return None
