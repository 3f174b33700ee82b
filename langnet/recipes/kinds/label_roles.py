"""Semantic roles as a kind of task: who does what to whom, for each predicate of a sentence."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.evaluate.role_baselines import by_chain, by_position, by_word, nothing
from langnet.evaluate.role_scores import predicate_scores, role_f1, role_scores, role_statistics
from langnet.evaluate.scoring import Neighbour
from langnet.evaluate.tag_scores import type_lines
from langnet.recipes.kinds.kind import Columns, HeadOptions, Kind
from langnet.recipes.kinds.settings import SWITCH, read_settings
from langnet.tasks.label_roles import LabelRoles, RoleConfig, RoleGuess
from langnet.tasks.task import SupervisedTask
from langnet.text.corpus import Source
from langnet.text.frames import Frame, FramedSentence, base_role, is_core, role_tags
from langnet.text.role_files import overlapping, read_roles, write_roles
from langnet.text.structures import Bracket, Structure
from langnet.text.tag_schemes import OUTSIDE

MOST_COUNTED = 4  # predicates of a sentence, from which on it is one of many

# Settings of the head, and their values, the default first.
SETTINGS: dict[str, tuple[str, ...]] = {
    "crf": ("off", "on"),
    "words": ("last", "first", "mean"),
    "constraints": ("decoding", "always", "never"),
    "rules": ("off", "on"),
    "finder": SWITCH,
    "predicate": ("off", "on"),
    "mark": ("32", "8", "16", "64", "128"),
    "hidden": ("128", "0", "32", "64", "256", "512"),
    "layers": ("2", "1", "3", "4"),
    "output_mix": ("off", "on"),
}


class RoleLabeling(Kind[FramedSentence, RoleGuess]):
    """The roles of every predicate."""

    name = "label_roles"
    summary = "semantic roles: who does what to whom, for each predicate"
    unit = "sentences"
    labels_further = True

    def read(self, sources: Sequence[Source], columns: Columns, labelled: bool = True) -> list[FramedSentence]:
        return read_roles(sources, columns.text, columns.label, columns.second, labelled)

    def head(self, items: Sequence[FramedSentence], encoder: Encoder, options: HeadOptions) -> LabelRoles:
        """A head for the roles that occur; a role whose words are never more than one has no tag for further ones."""
        chosen = read_settings(self.name, options.settings, SETTINGS)
        settings = {name: values[0] for name, values in SETTINGS.items()} | chosen
        words: Any = settings["words"]
        constraints: Any = settings["constraints"]
        config = RoleConfig(
            labels=tuple(labels_of(items)),
            words=words,
            mark=int(settings["mark"]),
            predicate=settings["predicate"] == "on",
            hidden=int(settings["hidden"]) if options.hidden is None or "hidden" in chosen else options.hidden,
            layers=int(settings["layers"]),
            mixed_layers=encoder.n_layers + 1 if settings["output_mix"] == "on" else 0,
            crf=settings["crf"] == "on",
            constraints=constraints,
            rules=settings["rules"] == "on",
            finder=settings["finder"] == "on",
            dropout=options.dropout,
        )
        return LabelRoles(config, encoder.mixed_dim)

    def labels(self, task: SupervisedTask[FramedSentence, RoleGuess]) -> list[str] | None:
        assert isinstance(task, LabelRoles)
        return list(task.settings.labels)

    def labels_in(
        self, task: SupervisedTask[FramedSentence, RoleGuess], items: Sequence[FramedSentence]
    ) -> tuple[Sequence[str], Iterable[tuple[str, str]]]:
        known = list(dict.fromkeys(tag[2:] for tag in self.labels(task) or () if tag != OUTSIDE))
        frames = ((frame, item) for item in items for frame in item.frames or ())
        return known, ((role.type, item.source) for frame, item in frames for role in frame.roles or ())

    def statistics(self, items: Sequence[FramedSentence], methods: Sequence[Sequence[RoleGuess]]) -> np.ndarray:
        return role_statistics(_gold(items), [[guess.frames for guess in guesses] for guesses in methods])[0]

    def scores(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        return role_scores(sums)

    def simplest(self, train: Sequence[FramedSentence], test: Sequence[FramedSentence]) -> Neighbour:
        return Neighbour("no roles at all", [RoleGuess(tuple(own)) for own in nothing(test)])

    def neighbours(self, train: Sequence[FramedSentence], test: Sequence[FramedSentence]) -> list[Neighbour]:
        methods = [
            ("nearest words left and right", by_position(train, test), "the role most frequent there"),
            ("each word's most frequent role", by_word(train, test), "left and right of the predicate"),
            ("CRF of word features", by_chain(train, test), "L-BFGS, looks, predicate and distance"),
        ]
        others = [Neighbour(name, [RoleGuess(tuple(own)) for own in said], note) for name, said, note in methods]
        return [self.simplest(train, test), *others]

    def labelled(self, item: FramedSentence, guess: RoleGuess) -> tuple[FramedSentence, float]:
        """As sure as the least sure tag of any predicate; where none are given, also as each word's being one."""
        found = () if item.frames is not None else guess.predicates
        sure = [*guess.least, *(max(chance, 1 - chance) for chance in found)]
        return replace(item, frames=guess.frames), min(sure, default=0.0)

    def stratum(self, item: FramedSentence) -> Hashable:
        """How many predicates it has, up to `MOST_COUNTED`, and whether any of them has a role."""
        frames = item.frames or ()
        return min(len(frames), MOST_COUNTED), any(frame.roles for frame in frames)

    def written(self, items: Sequence[FramedSentence], guesses: Sequence[RoleGuess]) -> str:
        return write_roles(items, [guess.frames for guess in guesses])

    def written_as(self, suffix: str, items: Sequence[FramedSentence], guesses: Sequence[RoleGuess]) -> str:
        """In the format of the items; as jsonl with probabilities where the file's name asks for it."""
        came_as_json = all(item.layout is not None and item.layout.kind == "json" for item in items)
        if suffix not in (".jsonl", ".ndjson") or came_as_json:
            return self.written(items, guesses)
        return "".join(
            json.dumps(_told(item, guess), ensure_ascii=False) + "\n"
            for item, guess in zip(items, guesses, strict=True)
        )

    def writes_json(self, items: Sequence[FramedSentence]) -> bool:
        return True

    def remarks(self, items: Sequence[FramedSentence]) -> list[str]:
        told = overlapping(items)
        return [told] if told else []

    def structures(self, items: Sequence[FramedSentence], guesses: Sequence[RoleGuess]) -> list[Structure]:
        return [_structure(item, guess) for item, guess in zip(items, guesses, strict=True)]

    def details(self, items: Sequence[FramedSentence], guesses: Sequence[RoleGuess]) -> list[str]:
        """Scores by role, and those with predicates that were found instead of the given ones."""
        gold = _gold(items)
        table, types = role_statistics(gold, [[guess.frames for guess in guesses]])
        lines = type_lines(table[0].sum(0)[:-2], types)
        found = [guess.found for guess in guesses if guess.found is not None]
        if len(found) == len(guesses):
            f1, precision, recall = predicate_scores(gold, found)
            lines.append(
                f"predicates found instead of given: F1 {f1:.3f}, precision {precision:.3f}, recall {recall:.3f}; "
                f"with them, F1 of roles {role_f1(gold, found):.3f}"
            )
        return lines


def labels_of(items: Sequence[FramedSentence]) -> list[str]:
    """The tags that the roles of some sentences need, `O` first.

    Raises:
        LangnetError: they have no roles.
    """
    tags = {tag for item in items for frame in item.frames or () for tag in role_tags(frame, len(item.words))}
    # What is continued is begun too, if only in a sentence that was not drawn.
    tags |= {f"B-{tag[2:]}" for tag in tags if tag != OUTSIDE}
    if not tags - {OUTSIDE}:
        raise LangnetError("these sentences have no roles to be learned")
    return [OUTSIDE, *sorted(tags - {OUTSIDE}, key=lambda tag: (tag[2:], tag))]


def _gold(items: Sequence[FramedSentence]) -> list[Sequence[Frame]]:
    return [item.frames or () for item in items]


def _structure(item: FramedSentence, guess: RoleGuess) -> Structure:
    """A row of brackets a predicate."""
    rows, told = [], []
    for number, frame in enumerate(guess.frames):
        place, word = frame.predicate, item.words[frame.predicate]
        row = [Bracket(place, place + 1, frame.sense or "predicate", 0, f"predicate: {word}", True)]
        sure = guess.probabilities[number] if guess.probabilities else ()
        parts = []
        for index, role in enumerate(frame.roles or ()):
            said = f"{role.type}: {' '.join(item.words[role.start : role.end])}"
            chance = f", probability {sure[index]:.2f}" if sure else ""
            row.append(Bracket(role.start, role.end, role.type, _colour(role.type), said + chance))
            parts.append(said)
        rows.append(row)
        told.append(f"{word}: {'; '.join(parts) or 'no roles'}")
    return Structure(item.words, rows, (), ". ".join(told))


def _colour(role: str) -> int:
    """One for each of the first numbered roles, one for the further ones, one for modifiers."""
    base = base_role(role)
    return 4 if not is_core(base) else {"0": 0, "1": 1, "2": 2}.get(base[-1], 3)


def _told(item: FramedSentence, guess: RoleGuess) -> dict[str, Any]:
    frames = []
    for frame, sure in zip(guess.frames, guess.probabilities, strict=True):
        roles = [
            {
                "role": role.type, "start": role.start, "end": role.end,
                "words": " ".join(item.words[role.start : role.end]), "probability": round(chance, 4),
            }
            for role, chance in zip(frame.roles or (), sure, strict=True)
        ]  # fmt: skip
        told: dict[str, Any] = {"predicate": frame.predicate, "word": item.words[frame.predicate]}
        if guess.predicates:
            told["probability"] = round(guess.predicates[frame.predicate], 4)
        frames.append(told | ({"sense": frame.sense} if frame.sense else {}) | {"roles": roles})
    return {"source": item.source, "tokens": list(item.words), "frames": frames}
