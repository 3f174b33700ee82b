"""Translation as a kind of task: sentences in one language, and in another."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from math import exp
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.evaluate.scoring import Neighbour
from langnet.evaluate.translation_scores import signatures, translation_scores, translation_statistics
from langnet.evaluate.word_translation import WordTranslator
from langnet.recipes.alignments import alignments
from langnet.recipes.kinds.kind import Columns, HeadOptions, Kind
from langnet.recipes.kinds.settings import SWITCH, Known, read_values
from langnet.tasks.task import SupervisedTask
from langnet.tasks.translate import Translate, TranslateConfig, TranslateGuess
from langnet.tasks.translate_sequence import SequenceConfig, TranslateSequence
from langnet.text.corpus import Source
from langnet.text.structures import Aligned
from langnet.text.tokenizer import Tokenizer
from langnet.text.translations import Translation, read_translations, write_translations
from langnet.text.written_tables import ROW_FORMATS

if TYPE_CHECKING:
    from langnet.recipes.model import Model

VOCABULARY = 8000  # entries of a vocabulary of its own, at most
OF_SEQUENCES = {"source_loss", "beam", "length_penalty", "longest"}
MOST_UNKNOWN = 0.05  # part of the translations' tokens that a shared vocabulary may not know
SETTINGS: dict[str, Known] = {
    "vocabulary_size": int, "hidden": int, "layers": int, "width": int, "decoder_hidden": int, "decoder_layers": int,
    "attention": ("dot", "additive"), "input_feeding": SWITCH, "smoothing": float, "beam": int, "length_penalty": float,
    "longest": int, "form": ("attention", "sequence"), "source_loss": SWITCH, "lexical": SWITCH,
    "vocabulary": ("separate", "shared"),
}  # fmt: skip


class Translating(Kind[Translation, TranslateGuess]):
    """A sentence in another language."""

    name = "translate"
    summary = "translation: parallel sentences"
    unit = "sentences"
    labels_further = True
    several_runs = False  # to translate every sentence that was learned from takes longer than learning from it

    def read(self, sources: Sequence[Source], columns: Columns, labelled: bool = True) -> list[Translation]:
        return read_translations(sources, columns.text, columns.second or columns.label, labelled)

    def head(
        self, items: Sequence[Translation], encoder: Encoder, options: HeadOptions
    ) -> SupervisedTask[Translation, TranslateGuess]:
        """A head with a vocabulary learned from the training translations, or with the encoder's own."""
        targets = [item.target for item in items if item.target]
        if not targets:
            raise LangnetError("no sentence has a translation; there is nothing to learn")
        given = read_values(self.name, options.settings, SETTINGS)
        if given.pop("form", "attention") == "sequence":
            return _sequence(targets, encoder, options, given)
        if "source_loss" in given:
            raise LangnetError("source_loss is for form=sequence; leave it out, or choose that form")
        size = given.pop("vocabulary_size", None)
        shared = given.pop("vocabulary", "separate") == "shared"
        tokenizer = _shared(targets, encoder, options.tokenizer, size) if shared else _learned(targets, size)
        rows = encoder.embedder if shared else None
        if isinstance(rows, nn.Embedding):
            given.setdefault("width", rows.embedding_dim)
        if options.hidden is not None:
            given["hidden"] = options.hidden
        config = TranslateConfig(tokenizer=tokenizer.to_json(), dropout=options.dropout, **given)
        task = Translate(config, encoder.mixed_dim)
        if isinstance(rows, nn.Embedding):
            task.decoder.start_from(rows.weight)
        return task

    def begin(self, model: Model, examples: Sequence[Any], fit: bool, seed: int) -> Mapping[str, Any] | None:
        """Nothing is learned before the encoder does where the head has no weights."""
        return {} if isinstance(model.network.task, TranslateSequence) else None

    def statistics(self, items: Sequence[Translation], methods: Sequence[Sequence[TranslateGuess]]) -> np.ndarray:
        references = [item.target or "" for item in items]
        return np.array([translation_statistics([guess.text for guess in own], references) for own in methods])

    def scores(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        return translation_scores(sums)

    def simplest(self, train: Sequence[Translation], test: Sequence[Translation]) -> Neighbour:
        return Neighbour("the sentence itself", [TranslateGuess(item.text) for item in test])

    def neighbours(self, train: Sequence[Translation], test: Sequence[Translation]) -> list[Neighbour]:
        lexicon = WordTranslator([item.text for item in train], [item.target or "" for item in train])
        return [
            self.simplest(train, test),
            Neighbour("word by word", [TranslateGuess(lexicon.translate(item.text)) for item in test], "IBM model 1"),
        ]

    def labelled(self, item: Translation, guess: TranslateGuess) -> tuple[Translation, float]:
        """As sure as its tokens and its end are on average: their probabilities' geometric mean."""
        sure = exp(guess.log_probability / (len(guess.tokens) + 1)) if guess.text.strip() else 0.0
        return replace(item, target=guess.text), sure

    def stratum(self, item: Translation) -> Hashable:
        """How long it is, by factors of two, so that short sentences do not swallow the others."""
        return len(item.text).bit_length()

    def written(self, items: Sequence[Translation], guesses: Sequence[TranslateGuess]) -> str:
        return self.written_as("", items, guesses)

    def written_as(self, suffix: str, items: Sequence[Translation], guesses: Sequence[TranslateGuess]) -> str:
        return write_translations(items, [guess.text for guess in guesses], suffix)

    def check_output(self, items: Sequence[Translation], suffix: str = "") -> None:
        if not (suffix in ROW_FORMATS and self.writes_json(items)):
            super().check_output(items, suffix)

    def writes_json(self, items: Sequence[Translation]) -> bool:
        return all(item.cells is not None for item in items)

    def drawings(self, model: Model, items: Sequence[Translation], guesses: Sequence[TranslateGuess]) -> list[Aligned]:
        return alignments(model, items, guesses)

    def details(self, items: Sequence[Translation], guesses: Sequence[TranslateGuess]) -> list[str]:
        """How the scores are counted, and how long the translations are."""
        own, other = (sum(len(t.split()) for t in side) for side in (
            [guess.text for guess in guesses], [item.target or "" for item in items],
        ))  # fmt: skip
        return [*signatures(), f"words: {own:,}, of the references {other:,}"]


def _learned(targets: Sequence[str], size: int | None) -> Tokenizer:
    """A vocabulary of the translations."""
    tokenizer = Tokenizer.train(targets, "bpe", size)
    if size is None and tokenizer.vocabulary_size > VOCABULARY:
        return Tokenizer.train(targets, "bpe", VOCABULARY)
    return tokenizer


def _sequence(
    targets: Sequence[str], encoder: Encoder, options: HeadOptions, given: dict[str, Any]
) -> TranslateSequence:
    """Sentence and translation as one sequence of the encoder's own.

    Raises:
        LangnetError: the encoder writes no text from left to right, or stays as it is, or a setting has no use.
    """
    if encoder.bidirectional or encoder.characters is not None or not encoder.predicts_next or not encoder.causal:
        raise LangnetError(
            "form=sequence goes on with the sentence by the encoder's own softmax, from left to right, as a gpt or an "
            "awd-lstm does; this encoder does not, so take form=attention"
        )
    if options.frozen:
        raise LangnetError(
            "form=sequence has no weights but the encoder's, so a frozen one learns nothing; take --method finetune or "
            "scratch, or form=attention"
        )
    useless = sorted(given.keys() - OF_SEQUENCES - {"vocabulary"})
    if useless or given.pop("vocabulary", "shared") != "shared":
        raise LangnetError(
            f"form=sequence has no use for {', '.join(useless) or 'vocabulary=separate'}; it has "
            f"{', '.join(sorted(OF_SEQUENCES))}"
        )
    return TranslateSequence(SequenceConfig(_shared(targets, encoder, options.tokenizer, None).to_json(), **given))


def _shared(targets: Sequence[str], encoder: Encoder, tokenizer: Tokenizer | None, size: int | None) -> Tokenizer:
    """The encoder's own vocabulary, where it can write the translations.

    Raises:
        LangnetError: it cannot, or another size was asked for.
    """
    if tokenizer is None:
        raise LangnetError("a shared vocabulary is the model's, whose tokenizer was not given to the head")
    if size is not None:
        raise LangnetError("a shared vocabulary has the model's size; leave vocabulary_size out")
    ids = [index for own in tokenizer.encode_batch(targets) for index in own]
    unknown = ids.count(tokenizer.unknown_id) / max(1, len(ids))
    if encoder.characters is not None or unknown > MOST_UNKNOWN:
        what = f"does not know {unknown:.0%} of the translations' tokens" if unknown else "is of words it only reads"
        raise LangnetError(f"the model's vocabulary {what}, so it cannot write them; take vocabulary=separate")
    return tokenizer
