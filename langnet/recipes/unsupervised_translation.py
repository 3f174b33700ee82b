"""`langnet backtranslate`: two translators from two texts that are no translations of each other.

Lample et al. 2018 and Artetxe et al. 2018. Word vectors of each text are mapped into one space; a translation word by
word (`transfer.word_by_word`) is round 0. From then on each direction has a network: an encoder of the two languages'
words with their fixed vectors in the common space, the task `translate` over it. In every round each network reads what
the other direction made of real sentences in the round before, and learns to write these; and reads sentences of its
own target with words dropped, hidden and moved, and learns to write them whole, which the common space allows. Which
round is kept is said without any parallel text: by how much of a held-out sentence comes back from there and back
again. What differs from the papers: two networks that share fixed vectors instead of one, no adversary, and rounds
offline. The rounds themselves are in `recipes.back_translation`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from langnet.encoders.vectors import space_of, vectors_of
from langnet.encoders.word_space import WordSpace
from langnet.errors import LangnetError
from langnet.evaluate.translation_pairs import identical_pairs, known_pairs
from langnet.evaluate.translation_scores import translation_scores, translation_statistics
from langnet.recipes.finetune_options import Course, FinetuneOptions
from langnet.recipes.fit import Fit
from langnet.recipes.kinds.kind import HeadOptions
from langnet.recipes.kinds.translate import Translating
from langnet.recipes.model import Model
from langnet.recipes.word_vectors import WordVectorOptions, train_word_vectors
from langnet.tasks.examples import ExampleBatches
from langnet.tasks.translate import Translate
from langnet.text.noise import NoiseOptions, noised
from langnet.text.translations import Translation
from langnet.training.machine import default_device, describe_machine
from langnet.training.progress import Progress
from langnet.transfer.alignment import AlignOptions, align_unsupervised
from langnet.transfer.model import TaskModel
from langnet.transfer.word_by_word import WordByWord, WordByWordOptions, words_of

Direction = Literal["forward", "backward"]
DIRECTIONS: tuple[Direction, Direction] = ("forward", "backward")
OTHER: dict[Direction, Direction] = {"forward": "backward", "backward": "forward"}
HEAD = {
    "hidden": 96,
    "decoder_hidden": 128,
    "vocabulary_size": 4000,
    "input_feeding": False,
    "lexical": True,
    "beam": 4,
}
LEAST = 100  # sentences of each side


@dataclass(frozen=True)
class BackTranslationOptions:
    """How translators are learned without parallel text.

    Attributes:
        vectors: the word vectors of each side; small and few passes on small texts, where more of either align worse.
        align: how they are brought together; of words spelled alike, unless pairs are given.
        words: the translation word by word of round 0.
        noise: of the sentences that are learned whole again.
        rounds: of back-translation.
        sentences: of each side in every round, drawn anew; None takes all.
        denoising: sentences that are learned whole again, as a part of those that are translated back.
        epochs: passes over a round's pairs.
        batch_size: pairs a step.
        learning_rate: peak rate of a round.
        head: settings of the task `translate`.
        dropout: of the networks.
        held_out: sentences of each side that choose the round.
        seed: of everything random.
        device: None chooses.
    """

    vectors: WordVectorOptions = field(default_factory=lambda: WordVectorOptions(dim=50, epochs=10))
    align: AlignOptions = field(default_factory=lambda: AlignOptions(reweight=True, most_frequent=1000))
    words: WordByWordOptions = field(default_factory=WordByWordOptions)
    noise: NoiseOptions = field(default_factory=NoiseOptions)
    rounds: int = 5
    sentences: int | None = 10_000
    denoising: float = 0.5
    epochs: float = 1.0
    batch_size: int = 16
    learning_rate: float = 3e-3
    head: Mapping[str, Any] = field(default_factory=lambda: dict(HEAD))
    dropout: float = 0.2
    held_out: int = 200
    seed: int = 0
    device: str | None = None

    def __post_init__(self) -> None:
        for name in ("rounds", "epochs", "batch_size", "learning_rate", "held_out"):
            if getattr(self, name) <= 0:
                raise LangnetError(f"the {name.replace('_', ' ')} must be above zero, not {getattr(self, name):g}")
        if self.sentences is not None and self.sentences < LEAST:
            raise LangnetError(f"a round takes {LEAST} sentences or more, not {self.sentences}")
        if self.denoising < 0:
            raise LangnetError(f"the part of sentences learned whole again must be 0 or more, not {self.denoising:g}")


@dataclass(frozen=True)
class Round:
    """What a round has come to.

    Attributes:
        number: 0 is word by word.
        round_trip: BLEU of held-out sentences translated there and back, the mean of both sides.
        seconds: of processor time.
    """

    number: int
    round_trip: float
    seconds: float


@dataclass
class Translators:
    """What was learned.

    Attributes:
        models: by direction; those of the round that was chosen.
        words: by direction, the translation word by word.
        rounds: all, from 0.
        chosen: the number of the round whose models these are.
    """

    models: dict[Direction, Model]
    words: dict[Direction, WordByWord]
    rounds: list[Round]
    chosen: int


@dataclass(frozen=True)
class BackTranslationRun:
    """Where a run keeps its rounds, and how it shows itself.

    Attributes:
        folder: of the rounds; None keeps them in memory.
        resume: go on behind the last round in `folder`.
        progress: of each part.
        on_round: called with every round and its models, also those of an earlier run.
    """

    folder: Path | None = None
    resume: bool = False
    progress: Progress | None = None
    on_round: Callable[[Round, Mapping[Direction, Model]], None] | None = None


def common_space(
    texts: Sequence[Sequence[str]],
    options: BackTranslationOptions,
    pairs: Sequence[tuple[str, str]] | None = None,
    progress: Progress | None = None,
) -> tuple[WordSpace, WordSpace]:
    """The words of both sides in one space.

    Args:
        texts: sentences of either side.
        options: how.
        pairs: words and their translations to begin with; None takes those spelled alike.
        progress: of the training of vectors.

    Raises:
        LangnetError: no words are spelled alike, or no pair is known.
    """
    spaces = []
    for own in texts:
        if progress is not None:
            progress.note(f"word vectors of {len(own):,} sentences")
        model = train_word_vectors(list(own), options.vectors, texts=True)
        spaces.append(space_of(model.encoder, model.tokenizer, "the vectors"))
    one, other = spaces
    begun = identical_pairs(one, other) if pairs is None else list(pairs)
    known = known_pairs(one, other, begun)
    if pairs is None and not known:
        raise LangnetError("no word is spelled alike on both sides, where the alignment begins; give a dictionary")
    found = align_unsupervised(one.vectors, other.vectors, options.align, pairs=known)
    if progress is not None:
        progress.note(
            f"{len(one):,} and {len(other):,} words in one space: from {len(known):,} pairs, {found.rounds} rounds of "
            f"self-learning, mean cosine {found.similarity:.3f}"
        )
    lower = options.vectors.lowercase
    return (
        WordSpace(one.words, found.map_source(one.vectors), lowercase=lower),
        WordSpace(other.words, found.map_target(other.vectors), lowercase=lower),
    )


def untrained_translator(
    source: WordSpace, target: WordSpace, texts: Sequence[str], options: BackTranslationOptions
) -> Model:
    """A translator that has learned nothing: it reads words of either side by their vectors, and writes the target's.

    A word that both sides spell alike is read as the source's.

    Args:
        source, target: words in one space.
        texts: sentences of the target, whose vocabulary is learned.
        options: the head's settings, the seed.
    """
    known = set(source.words)
    more = [i for i, word in enumerate(target.words) if word not in known]
    words = [*source.words, *(target.words[i] for i in more)]
    rows = np.concatenate([source.vectors, target.vectors[more]])
    encoder, tokenizer = vectors_of(WordSpace(words, rows, lowercase=source.lowercase), "word2vec-skipgram")
    items = [Translation("", text) for text in texts]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        settings = {"width": target.dim, **options.head}
        head = Translating().head(items, encoder, HeadOptions(options.dropout, settings=settings))
    assert isinstance(head, Translate), "there is nothing to go on with in words' vectors"
    _begin_as(head, target)
    return Model("vectors", tokenizer, TaskModel(encoder, [(head, 1.0)]).eval())


@torch.no_grad()
def _begin_as(head: Translate, target: WordSpace) -> None:
    """Let the entries of the head's vocabulary that are words begin as the words' vectors."""
    table = head.decoder.own
    if table is None or table.embedding_dim != target.dim:
        return
    for index in range(table.num_embeddings):
        place = target.find(head.tokenizer.decode([index]).strip().lower())
        if place is not None:  # a vector of length one has the size that rows are drawn at
            table.weight[index] = torch.from_numpy(target.vectors[place])


def translated(model: Model, texts: Sequence[str], beam: int = 1) -> list[str]:
    """The translation of each text with a beam of this size: for back-translation the quickest will do."""
    task = model.network.task
    assert isinstance(task, Translate)
    own = task.settings
    task.settings = replace(own, beam=beam)
    try:
        return [guess.text for guess in model.guess([Translation(text) for text in texts])]
    finally:
        task.settings = own


def learn_pairs(
    model: Model,
    items: Sequence[Translation],
    options: BackTranslationOptions,
    seed: int,
    progress: Progress | None = None,
) -> None:
    """Let a translator learn from pairs; its words' vectors stay as they are."""
    device = options.device or str(default_device())
    task, network = model.network.task, model.network.to(device)
    shared = FinetuneOptions(
        "frozen", epochs=options.epochs, batch_size=options.batch_size, dropout=options.dropout, seed=seed,
        device=device,
    )  # fmt: skip
    batches = ExampleBatches(task.examples(items, model.writer), options.batch_size, seed, model.collate)
    course = Course(options.learning_rate, options.epochs, options.epochs)
    network.frozen = True
    try:
        model.history = Fit(shared, course, device, None, progress).run(network, batches)
    finally:
        network.frozen = False
    network.eval()


def round_trip(there: Callable[[Sequence[str]], list[str]], back: Callable[[Sequence[str]], list[str]],
               texts: Sequence[str]) -> float:  # fmt: skip
    """BLEU of texts that were translated there and back again, against themselves (Lample et al. 2018, section 3.2)."""
    returned = back(there(texts))
    return float(translation_scores(translation_statistics(returned, list(texts)).sum(0))["BLEU"])


def denoising_pairs(texts: Sequence[str], options: NoiseOptions, generator: np.random.Generator) -> list[Translation]:
    """Sentences as they are to be written, and what is read of them."""
    return [Translation(" ".join(noised(words_of(text), options, generator)), text) for text in texts]


def facts_of(rounds: Sequence[Round], options: BackTranslationOptions, counts: Sequence[int]) -> dict[str, Any]:
    """What the card and the configuration say."""
    return {
        "unsupervised_translation": {
            "sentences": list(counts),
            "round": rounds[-1].number,
            "round_trip": rounds[-1].round_trip,
            "rounds": [asdict(one) for one in rounds],
            "options": asdict(options),
            "machine": describe_machine(),
        },
    }
