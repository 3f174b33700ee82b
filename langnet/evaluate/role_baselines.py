"""Neighbours of a labeller of roles: rules of position, words' own roles, and a chain over features of words.

All learn from the labelled sentences alone, and are told the predicates.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from langnet.evaluate.tag_baselines import chain_of_features, shape, word_features
from langnet.text.frames import Frame, FramedSentence, role_tags
from langnet.text.tag_schemes import OUTSIDE, spans

CANDIDATE = 0.3  # share of a word's occurrences as a role, from which on it is taken for one that has roles
FARTHEST = 10  # words between a word and the predicate, beyond which all are as far
UNKNOWN = "?"  # the name of what never occurred
BETWEEN = 4  # words, up to which what stands between a word and the predicate is one feature


@dataclass(frozen=True)
class Marked:
    """A sentence and one of its predicates; as long as the sentence."""

    words: tuple[str, ...]
    predicate: int

    def __len__(self) -> int:
        return len(self.words)


Names = Callable[[Marked], list[str]]  # of each word of a sentence, as the predicate sees it


def by_position(train: Sequence[FramedSentence], test: Sequence[FramedSentence]) -> list[list[Frame]]:
    """The nearest word to the left of a predicate that may have a role gets the role most frequent there, and so on.

    Which words may have one (nouns, mostly), and which role the first, the second, ... to the left and to the right has
    most often, is counted in the training sentences; words that never occurred there may have one.
    """
    seen, filled = Counter[str](), Counter[str]()
    for sentence in train:
        heads = {role.end - 1 for frame in sentence.frames or () for role in frame.roles or ()}
        for number, word in enumerate(sentence.words):
            seen[word.lower()] += 1
            filled[word.lower()] += number in heads

    def places(marked: Marked) -> list[str]:
        """`L1` of the nearest that may have a role to the left, `R2` of the second to the right, `-` of others."""
        lower = [word.lower() for word in marked.words]
        may = [w not in seen or filled[w] >= CANDIDATE * seen[w] for w in lower]
        out = ["-"] * len(lower)
        for side, order in (("L", range(marked.predicate - 1, -1, -1)), ("R", range(marked.predicate + 1, len(lower)))):
            for rank, number in enumerate([i for i in order if may[i]], 1):
                out[number] = f"{side}{min(rank, FARTHEST)}"
        return out

    return _tagged(train, test, places)


def by_word(train: Sequence[FramedSentence], test: Sequence[FramedSentence]) -> list[list[Frame]]:
    """Each word's most frequent role to the left of a predicate, and to its right."""

    def names(marked: Marked) -> list[str]:
        sides = ["left"] * marked.predicate + ["predicate"] + ["right"] * (len(marked) - marked.predicate - 1)
        return [f"{side} {word.lower()}" for side, word in zip(sides, marked.words, strict=True)]

    return _tagged(train, test, names)


def _tagged(train: Sequence[FramedSentence], test: Sequence[FramedSentence], names: Names) -> list[list[Frame]]:
    """Roles by what words are called relative to a predicate: for each name its most frequent role, or none.

    Which names have a role is what gives the best F1 on the training sentences: those whose role is right most often,
    down to some share. Names that never occurred are taken as those that occurred once are.
    """
    learned, tags = _marked(train)
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for marked, own in zip(learned, tags, strict=True):
        for name, tag in zip(names(marked), own, strict=True):
            counts[name][tag] += 1
    counts[UNKNOWN] = Counter(tag for held in counts.values() if held.total() == 1 for tag in held)
    roles = {}
    for name, held in counts.items():
        begun = {tag: count for tag, count in held.items() if tag.startswith("B")}
        if begun:
            role = min(begun, key=lambda tag: (-begun[tag], tag))
            roles[name] = (role, begun[role], held.total())
    order = sorted(roles, key=lambda name: (-roles[name][1] / roles[name][2], name))
    right, said = (np.cumsum([roles[name][part] for name in order]) for part in (1, 2))
    truth = sum(tag.startswith("B") for own in tags for tag in own)
    kept = set(order[: int((2 * right / (said + truth)).argmax()) + 1]) if order else set()
    asked, _ = _marked(test)
    chosen = [[name if name in counts else UNKNOWN for name in names(marked)] for marked in asked]
    return _frames(test, [[roles[name][0] if name in kept else OUTSIDE for name in own] for own in chosen])


def by_chain(train: Sequence[FramedSentence], test: Sequence[FramedSentence]) -> list[list[Frame]]:
    """A conditional random field on words' looks, and on where they stand to the predicate and what it is."""
    learned, tags = _marked(train)
    asked, _ = _marked(test)
    return _frames(test, chain_of_features(learned, tags, asked, features=role_features))


def role_features(marked: Marked) -> Iterator[list[str]]:
    """The features of each word: its own, the predicate, on which side and how far it stands, and what is between."""
    words, place = marked.words, marked.predicate
    lower = [word.lower() for word in words]
    verb, ending = lower[place], lower[place][-3:]
    for number, own in enumerate(word_features(words)):
        step = number - place
        side = "=" if step == 0 else "<" if step < 0 else ">"
        near = f"{side}{min(abs(step), FARTHEST)}"
        first, last = sorted((number, place))
        between = " ".join(lower[first + 1 : last]) if last - first - 1 <= BETWEEN else "..."
        yield [
            *own, f"p={verb}", f"p>{ending}", f"d={near}", f"d={side}", f"p{side}={verb}", f"pd={verb}{near}",
            f"pw{side}={verb} {lower[number]}", f"w{side}={lower[number]}", f"s{side}={shape(words[number])}",
            f"wd={lower[number]}{near}", f">{side}={lower[number][-3:]}", f"b{side}={between}",
        ]  # fmt: skip


def _marked(sentences: Sequence[FramedSentence]) -> tuple[list[Marked], list[list[str]]]:
    """Each predicate with its sentence, and the tags of its roles; none where they are not known."""
    pairs = [(sentence, frame) for sentence in sentences for frame in sentence.frames or ()]
    marked = [Marked(sentence.words, frame.predicate) for sentence, frame in pairs]
    return marked, [role_tags(frame, len(s.words)) if frame.roles is not None else [] for s, frame in pairs]


def _frames(sentences: Sequence[FramedSentence], tags: Sequence[Sequence[str]]) -> list[list[Frame]]:
    """Tags of each predicate as the frames of each sentence."""
    told = iter(tags)
    return [
        [Frame(frame.predicate, tuple(spans(next(told))), frame.sense) for frame in sentence.frames or ()]
        for sentence in sentences
    ]


def nothing(sentences: Sequence[FramedSentence]) -> list[list[Frame]]:
    """No roles at all, the most frequent tag."""
    return _frames(sentences, [[OUTSIDE] * len(s.words) for s in sentences for _ in s.frames or ()])
