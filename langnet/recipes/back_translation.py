"""The rounds of `recipes.unsupervised_translation`: translate, learn, choose, and go on where a run was interrupted."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from langnet.encoders.word_space import WordSpace
from langnet.errors import LangnetError
from langnet.hub.json_text import to_json
from langnet.recipes.model import Model, load
from langnet.recipes.unsupervised_translation import (
    DIRECTIONS,
    LEAST,
    OTHER,
    BackTranslationOptions,
    BackTranslationRun,
    Direction,
    Round,
    Translators,
    common_space,
    denoising_pairs,
    facts_of,
    learn_pairs,
    round_trip,
    translated,
    untrained_translator,
)
from langnet.recipes.word_vectors import load_word_space, model_of
from langnet.text.translations import Translation
from langnet.transfer.word_by_word import WordByWord

RECORD, SETTINGS = "round.json", "settings.json"
Translating = Callable[[Sequence[str]], list[str]]


def back_translate(
    source: Sequence[str],
    target: Sequence[str],
    options: BackTranslationOptions | None = None,
    run: BackTranslationRun | None = None,
    *,
    pairs: Sequence[tuple[str, str]] | None = None,
) -> Translators:
    """Learn to translate in both directions from sentences that are no translations of each other.

    Args:
        source, target: sentences of either language, of the same sort.
        options: how.
        run: where rounds are kept, and whether to resume.
        pairs: words and translations from which the alignment begins; None takes words spelled alike.

    Raises:
        LangnetError: too few sentences, nothing to begin the alignment with, or a folder of other texts or options.
    """
    return _Rounds(source, target, options or BackTranslationOptions(), run or BackTranslationRun()).run(pairs)


class _Rounds:
    """One run: what its steps share. The `forward` direction writes the target."""

    def __init__(
        self, source: Sequence[str], target: Sequence[str], options: BackTranslationOptions, run: BackTranslationRun
    ):
        self.options, self.where, self.progress = options, run, run.progress
        sides = [[text for text in side if text.strip()] for side in (source, target)]
        least = LEAST + options.held_out
        if min(map(len, sides)) < least:
            raise LangnetError(f"each side needs {least:,} sentences or more, not {min(map(len, sides)):,}")
        self.texts: dict[Direction, list[str]] = {}  # that a direction learns to write
        self.held_out: dict[Direction, list[str]] = {}  # of the same side
        for direction, own in zip(DIRECTIONS, reversed(sides), strict=True):
            order = np.random.default_rng([options.seed, len(self.texts)]).permutation(len(own))
            self.held_out[direction] = [own[i] for i in order[: options.held_out]]
            self.texts[direction] = [own[i] for i in order[options.held_out :]]
        self.models: dict[Direction, Model] = {}
        self.words: dict[Direction, WordByWord] = {}
        self.rounds: list[Round] = []
        self.best: dict[Direction, Model] = {}

    def run(self, pairs: Sequence[tuple[str, str]] | None) -> Translators:
        started = time.process_time()
        done = self._prepare_folder(pairs)
        one, other = self._spaces(pairs, done)
        spaces: dict[Direction, tuple[WordSpace, WordSpace]] = {"forward": (one, other), "backward": (other, one)}
        for direction, (own, others) in spaces.items():
            self.words[direction] = WordByWord(own, others, self.texts[direction], self.options.words)
            self.models[direction] = untrained_translator(own, others, self.texts[direction], self.options)
        for number in range(self.options.rounds + 1):
            if number < done:
                self._reload(number)
            else:
                self._round(number, started)
            started = time.process_time()
        chosen = self._best()
        return Translators(self.best, self.words, self.rounds, chosen)

    def _round(self, number: int, started: float) -> None:
        if number:
            self._learn(number)
        there: dict[Direction, Translating] = {
            direction: self._translating(direction, number) for direction in DIRECTIONS
        }
        score = float(np.mean([
            round_trip(there[OTHER[direction]], there[direction], self.held_out[direction]) for direction in DIRECTIONS
        ]))  # fmt: skip
        self._end(Round(number, score, time.process_time() - started))

    def _learn(self, number: int) -> None:
        """Every direction learns from what the other one made of real sentences in the round before."""
        items = {direction: self._items(direction, number) for direction in DIRECTIONS}
        for place, direction in enumerate(DIRECTIONS):
            seed = self.options.seed + 1000 * number + place
            learn_pairs(self.models[direction], items[direction], self.options, seed, self.progress)

    def _items(self, direction: Direction, number: int) -> list[Translation]:
        """Pairs whose written side is real, and sentences to be learned whole again."""
        options = self.options
        generator = np.random.default_rng([options.seed, number, DIRECTIONS.index(direction)])
        own = self.texts[direction]
        order = generator.permutation(len(own))[: options.sentences]
        drawn = [own[i] for i in order]
        if self.progress is not None:
            self.progress.note(f"round {number}: translating {len(drawn):,} sentences {OTHER[direction]}")
        made = self._translating(OTHER[direction], number - 1)(drawn)
        pairs = [Translation(text, target) for text, target in zip(made, drawn, strict=True) if text.strip()]
        whole = [own[i] for i in generator.permutation(len(own))[: round(options.denoising * len(drawn))]]
        return pairs + denoising_pairs(whole, options.noise, generator)

    def _translating(self, direction: Direction, number: int) -> Translating:
        """How a direction translates after a round, as quickly as it can."""
        if number:
            return lambda texts: translated(self.models[direction], texts)
        return lambda texts: [self.words[direction].translate(text) for text in texts]

    def _end(self, done: Round) -> None:
        """Keep a round, and tell of it."""
        self.rounds.append(done)
        best = max(self.rounds[1:], key=lambda one: one.round_trip, default=done)
        counts = [len(self.texts[direction]) for direction in reversed(DIRECTIONS)]
        if self.where.folder is not None:
            self._folder(done.number).mkdir(parents=True, exist_ok=True)
        for direction, model in self.models.items():
            model.facts = facts_of(self.rounds, self.options, counts)
            if self.where.folder is not None and done.number:
                model.save(self._folder(done.number) / direction, overwrite=True)
        if self.where.folder is not None:
            (self._folder(done.number) / RECORD).write_bytes(to_json(asdict(done), "record of the round"))
        if done.number and best is done:
            self.best = {direction: copy.deepcopy(model) for direction, model in self.models.items()}
        self._tell(done)

    def _tell(self, done: Round) -> None:
        if self.progress is not None:
            what = f"round {done.number}" if done.number else "word by word"
            self.progress.note(
                f"{what}: BLEU there and back {done.round_trip:.1f}, {done.seconds:.0f} s of processor time"
            )
        if self.where.on_round is not None:
            self.where.on_round(done, self.models if done.number else {})

    def _reload(self, number: int) -> None:
        """A round of an earlier run."""
        done = Round(**json.loads((self._folder(number) / RECORD).read_text(encoding="utf8")))
        self.rounds.append(done)
        if number:
            self.models = {direction: load(self._folder(number) / direction) for direction in DIRECTIONS}
            if max(self.rounds[1:], key=lambda one: one.round_trip) is done:
                self.best = {direction: copy.deepcopy(model) for direction, model in self.models.items()}
        self._tell(done)

    def _best(self) -> int:
        return max(self.rounds[1:], key=lambda one: one.round_trip).number

    def _spaces(self, pairs: Sequence[tuple[str, str]] | None, done: int) -> tuple[WordSpace, WordSpace]:
        """The words of both sides in one space, kept with round 0."""
        folder = self._folder(0) if self.where.folder is not None else None
        if done and folder is not None:
            return load_word_space(folder / "source"), load_word_space(folder / "target")
        found = common_space([self.texts["backward"], self.texts["forward"]], self.options, pairs, self.progress)
        if folder is not None:
            for name, space in zip(("source", "target"), found, strict=True):
                model_of(space, self.options.vectors.kind).save(folder / name, overwrite=True)
        return found

    def _folder(self, number: int) -> Path:
        assert self.where.folder is not None
        return self.where.folder / f"round-{number}"

    def _prepare_folder(self, pairs: Sequence[tuple[str, str]] | None) -> int:
        """How many rounds, word by word counted, an earlier run has left.

        Raises:
            LangnetError: they are of other texts or options.
        """
        folder = self.where.folder
        if folder is None:
            return 0
        settings = to_json(self._settings(pairs), "settings of the run")
        place = folder / SETTINGS
        if self.where.resume and place.is_file():
            if place.read_bytes() != settings:
                raise LangnetError(f"{folder} holds a run on other texts or with other options; leave --resume out")
            done = 0
            while (self._folder(done) / RECORD).is_file():
                done += 1
            return done
        for old in folder.glob("round-*"):
            shutil.rmtree(old)
        self._folder(0).mkdir(parents=True, exist_ok=True)
        place.write_bytes(settings)
        return 0

    def _settings(self, pairs: Sequence[tuple[str, str]] | None) -> Mapping[str, object]:
        """What a run hangs on, but for the number of rounds."""
        digest = hashlib.sha256()
        for direction in DIRECTIONS:
            digest.update("\n".join([*self.texts[direction], "", *self.held_out[direction]]).encode("utf8", "replace"))
        digest.update(repr(pairs).encode("utf8", "replace"))
        return {**asdict(self.options), "rounds": None, "texts": digest.hexdigest()}
