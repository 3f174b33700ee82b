"""`langnet vectors train`: from raw text to a folder of word vectors, and words with vectors from wherever they lie."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from langnet.encoders.vectors import FAMILY, KINDS, space_of, vectors_of
from langnet.encoders.word_space import Subwords, WordSpace
from langnet.errors import LangnetError
from langnet.hub.folder import is_model_folder
from langnet.hub.importers.word_vectors import read_word_vectors
from langnet.hub.names import resolve_model
from langnet.recipes.model import Model, load
from langnet.recipes.pretrain import Run, working_folder
from langnet.tasks.word_contexts import WordContexts
from langnet.text.cooccurrences import CountOptions, count_cooccurrences, kernels
from langnet.text.corpus import CorpusOptions
from langnet.text.prepare import PrepareOptions, prepare_corpus
from langnet.text.prepared import PreparedCorpus
from langnet.text.tokenizer import SPECIAL_TOKENS, Tokenizer
from langnet.training.glove import GloveOptions, cap_for, train_glove
from langnet.training.machine import describe_machine
from langnet.training.progress import Progress
from langnet.training.word2vec import Word2VecOptions, train_word2vec
from langnet.transfer.model import TaskModel

Kind = Literal["word2vec-skipgram", "word2vec-cbow", "fasttext", "glove"]


@dataclass(frozen=True)
class WordVectorOptions:
    """How word vectors are trained.

    Attributes:
        kind: `word2vec-skipgram`, `word2vec-cbow`, `fasttext` (skip-gram with n-grams) or `glove`.
        dim: width of the vectors.
        window: the largest distance of two words; None takes the kind's: 15 for glove, 5 for the others.
        epochs: passes; None takes the kind's: 25 over the counts for glove, 5 over the text for the others.
        learning_rate: None takes the kind's: 0.05 for glove and for cbow, 0.025 for the others.
        min_count: rarer words get no vector.
        vocabulary_size: words at most, the frequent ones; None takes all.
        lowercase: read words in small letters.
        cap: of glove, the count from which on all pairs weigh the same; None sizes it to the text, `glove.cap_for`.
        negatives, sample: of word2vec and fasttext; see `Word2VecOptions`.
        buckets: of fasttext's n-grams.
        threads: with glove their number changes speed alone; with the others, more than one gives other vectors each
            time.
        memory_megabytes: what glove's counting may take; beyond it goes to disk.
        corpus: how files are read and cleaned.
        seed: of everything random.
    """

    kind: Kind = "word2vec-skipgram"
    dim: int = 100
    window: int | None = None
    epochs: int | None = None
    learning_rate: float | None = None
    min_count: int = 5
    vocabulary_size: int | None = None
    lowercase: bool = True
    cap: float | None = None
    negatives: int = 5
    sample: float = 1e-3
    buckets: int = 200_000
    threads: int = 1
    memory_megabytes: int = 1024
    corpus: CorpusOptions = field(default_factory=CorpusOptions)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise LangnetError(f"there are no word vectors '{self.kind}'; choose one of {', '.join(KINDS)}")
        self.of_word2vec(), self.of_glove(0), self.of_counting()  # what makes no sense is told before the text is read

    def of_word2vec(self) -> Word2VecOptions:
        """The options of word2vec and fastText."""
        cbow = self.kind == "word2vec-cbow"
        rate = self.learning_rate or (0.05 if cbow else 0.025)
        return Word2VecOptions(
            "cbow" if cbow else "skipgram", self.dim, self.window_taken, self.epochs_taken, self.negatives,
            self.sample, rate, self.kind == "fasttext", self.buckets, self.threads, self.seed,
        )  # fmt: skip

    def of_counting(self) -> CountOptions:
        """The options of counting for GloVe."""
        return CountOptions(self.window_taken, self.memory_megabytes, self.threads, self.seed)

    def of_glove(self, n_tokens: int) -> GloveOptions:
        """The options of GloVe for a text of so many words."""
        rate = 0.05 if self.learning_rate is None else self.learning_rate
        cap = cap_for(n_tokens) if self.cap is None else self.cap
        return GloveOptions(self.dim, self.epochs_taken, rate, cap, threads=self.threads, seed=self.seed)

    @property
    def window_taken(self) -> int:
        """The window, or what the kind takes where it is left open."""
        return self.window if self.window is not None else 15 if self.kind == "glove" else 5

    @property
    def epochs_taken(self) -> int:
        """The passes, or what the kind takes where they are left open."""
        return self.epochs if self.epochs is not None else 25 if self.kind == "glove" else 5


def train_word_vectors(
    sources: Sequence[str | Path],
    options: WordVectorOptions | None = None,
    run: Run | None = None,
    *,
    texts: bool = False,
) -> Model:
    """Train word vectors on raw text. The same text, options and seed give the same vectors, bit for bit on a CPU.

    Args:
        sources: files, folders, globs, or whatever else `langnet.text.corpus.read_documents` reads.
        options: how.
        run: where the tokenised corpus is kept, and where progress is shown.
        texts: whether `sources` are the texts themselves instead of paths.

    Raises:
        LangnetError: nothing to read, no word often enough, or glove without numba.
    """
    options, run = options or WordVectorOptions(), run or Run()
    if options.kind == "glove":
        kernels()
    prepare = PrepareOptions(
        "words", options.vocabulary_size, 0.0, options.corpus, options.seed, options.min_count, options.lowercase
    )
    with working_folder(run.folder) as folder:
        corpus = prepare_corpus(sources, folder / "corpus", prepare, progress=run.on_prepare, texts=texts)
        if corpus.tokenizer.vocabulary_size <= len(SPECIAL_TOKENS):
            raise LangnetError(
                f"no word occurs {options.min_count} times in {corpus.report.documents:,} documents; "
                "give more text, or lower --min-count"
            )
        started = time.monotonic()
        vectors, subwords, facts = _train(corpus, options, folder, run.progress)
        space = WordSpace(corpus.tokenizer.words(), vectors, subwords, options.lowercase)
    model = model_of(space, options.kind, corpus.tokenizer)
    model.facts |= {
        "corpus": corpus.report.to_dict(),
        "vectors": {
            "kind": options.kind,
            "words": len(space),
            "tokens": _words_of(corpus),
            "window": options.window_taken,
            "epochs": options.epochs_taken,
            "minutes": round((time.monotonic() - started) / 60, 2),
            "options": asdict(options),
            "machine": describe_machine(),
            **facts,
        },
    }
    return model


def _words_of(corpus: PreparedCorpus) -> int:
    """How many words the text has, without the start and the end of each document."""
    return corpus.train.n_tokens - 2 * corpus.train.n_documents


def _train(
    corpus: PreparedCorpus, options: WordVectorOptions, folder: Path, progress: Progress | None
) -> tuple[np.ndarray, Subwords | None, dict[str, Any]]:
    words = corpus.tokenizer.words()
    if options.kind != "glove":
        return *train_word2vec(corpus.train, words, options.of_word2vec(), progress), {}
    with tempfile.TemporaryDirectory(prefix="pairs-", dir=folder) as pairs_folder:
        started = time.monotonic()
        pairs = count_cooccurrences(corpus.train, len(words), Path(pairs_folder), options.of_counting())
        counting = time.monotonic() - started
        if progress:
            progress.note(f"{len(pairs.words):,} pairs of words counted in {counting:.1f} s")
        chosen = options.of_glove(_words_of(corpus))
        found = train_glove(pairs, chosen, progress)
        facts = {
            "cap": chosen.cap,
            "pairs": len(pairs.words),
            "counting_seconds": round(counting, 2),
            "losses": found.losses,
        }
        return found.vectors, None, facts


def model_of(space: WordSpace, kind: str = "imported", tokenizer: Tokenizer | None = None) -> Model:
    """A model of words and their vectors; see `encoders.vectors.vectors_of`."""
    encoder, tokenizer = vectors_of(space, kind, tokenizer)
    network = TaskModel(encoder, [(WordContexts(), 1.0)]).eval()
    return Model(FAMILY.name, tokenizer, network, facts={"vectors": {"kind": kind, "words": len(space)}})


def load_word_space(path: str | Path, most: int = 0) -> WordSpace:
    """Words with vectors from a folder of langnet's, its name, or a file of word2vec, fastText or GloVe.

    Args:
        path: of the folder or file.
        most: only so many words, the first ones; 0 is all.

    Raises:
        LangnetError: there is no such thing, it is damaged, or it holds no word vectors.
    """
    place = Path(path).expanduser()
    if place.is_file():
        return read_word_vectors(place, most).space
    folder = place if is_model_folder(place) else resolve_model(path)
    model = load(folder)
    return space_of(model.encoder, model.tokenizer, str(path)).most_frequent(most)
