"""How tags of words mark spans: IOB1, IOB2, IOBES and BILOU recognised, read as conlleval reads them, and converted.

IOB2 (also called BIO) begins every span with B-; IOB1 (Ramshaw & Marcus 1995) only one that follows another of its
type; IOBES ends spans with E- and marks those of one word with S- (Ratinov & Roth 2009, who call them L- and U-:
BILOU). Tags of no scheme, such as parts of speech, mark no spans.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from langnet.errors import LangnetError

Scheme = Literal["iob1", "iob2", "iobes", "bilou", "plain"]
SCHEMES: tuple[Scheme, ...] = ("iob1", "iob2", "iobes", "bilou", "plain")
OUTSIDE = "O"
ODD = 100  # odd among the others: one tag in so many, or a single one
_SPANS = 4  # and no more than one for so many tags that mark spans
_TAG = re.compile(r"(?P<prefix>[BIESLU])(?:-(?P<type>.*))?", re.DOTALL)
_COMMON = str.maketrans("LU", "ES")  # BILOU's letters as IOBES has them
_LETTERS: dict[Scheme, dict[str, str]] = {
    "iob1": {"B": "B", "I": "I", "E": "I", "S": "B"},
    "iob2": {"B": "B", "I": "I", "E": "I", "S": "B"},
    "iobes": {"B": "B", "I": "I", "E": "E", "S": "S"},
    "bilou": {"B": "B", "I": "I", "E": "L", "S": "U"},
}


class Span(NamedTuple):
    """Words start .. end - 1 and what they are; the type is empty where the tags say none."""

    type: str
    start: int
    end: int


@dataclass(frozen=True)
class Fault:
    """A tag that breaks its scheme: its place in the sequence, and why."""

    place: int
    reason: str


def parts(tag: str) -> tuple[str, str]:
    """The letter of a tag, as IOBES has it, and the type: `B`, `PER` of `B-PER`; `O` and nothing of what is no span."""
    found = _TAG.fullmatch(tag)
    return (found["prefix"].translate(_COMMON), found["type"] or "") if found else (OUTSIDE, "")


def joined(letter: str, type: str) -> str:
    """A tag of its letter and its type."""
    return f"{letter}-{type}" if type and letter != OUTSIDE else letter


def recognise(sequences: Iterable[Sequence[str]]) -> Scheme:
    """The scheme of sequences of tags: the one that they break least; `plain` where other tags occur."""
    held = list(sequences)
    tags = {tag for tags in held for tag in tags}
    letters = set()
    for tag in tags - {OUTSIDE}:
        found = _TAG.fullmatch(tag)
        if found is None:
            return "plain"
        letters.add(found["prefix"])
    if letters & {"L", "U"} and not letters & {"E", "S"}:
        return "bilou"
    if letters & {"E", "S"}:
        return "plain" if letters & {"L", "U"} else "iobes"
    broken = {scheme: sum(len(faults(tags, scheme)) for tags in held) for scheme in ("iob2", "iob1")}
    return "iob1" if broken["iob1"] < broken["iob2"] else "iob2"


def fits(tag: str, scheme: Scheme) -> bool:
    """Whether a tag has the form of a scheme's; anything has that of `plain`."""
    return scheme == "plain" or tag == OUTSIDE or _TAG.fullmatch(tag) is not None


def odd_tags(sequences: Iterable[Sequence[str]]) -> frozenset[str]:
    """The few tags that fit no scheme among many that do, such as one `o` for `O`; none of tags that are plain.

    Letters of IOBES and of BILOU do not fit each other: the rarer ones are the odd ones.
    """
    counts = Counter(tag for tags in sequences for tag in tags)
    found = {tag: _TAG.fullmatch(tag) for tag in counts if tag != OUTSIDE}
    closing: dict[bool, set[str]] = {False: set(), True: set()}
    for tag, match in found.items():
        if match and match["prefix"] in "ESLU":
            closing[match["prefix"] in "LU"].add(tag)
    odd = {tag for tag, match in found.items() if match is None}
    if all(closing.values()):
        odd |= min(closing.values(), key=lambda tags: sum(counts[tag] for tag in tags))
    n_odd = sum(counts[tag] for tag in odd)
    n_spans = sum(counts[tag] for tag in found) - n_odd
    few = n_odd <= max(1, counts.total() // ODD) and _SPANS * n_odd <= n_spans
    return frozenset(odd) if few else frozenset()


def spans(tags: Sequence[str]) -> list[Span]:
    """The spans as conlleval and seqeval read them: of any scheme, and of sequences that break every one.

    A span begins at B and S, after E and S, and wherever the type changes or something follows O; it ends where the
    next word is O, begins another, or has another type.
    """
    found: list[Span] = []
    before, type_before, start = OUTSIDE, "", 0
    for place, tag in enumerate([*tags, OUTSIDE]):
        letter, type = parts(tag)
        new = letter in ("B", "S") or before in ("E", "S", OUTSIDE) or type != type_before
        if before != OUTSIDE and (letter == OUTSIDE or new):
            found.append(Span(type_before, start, place))
        if letter != OUTSIDE and new:
            start = place
        before, type_before = letter, type
    return found


def strict_spans(tags: Sequence[str], scheme: Scheme) -> list[Span]:
    """Only the spans that are whole and correct in their scheme; of IOB1, where everything is, those of `spans`.

    Raises:
        LangnetError: the scheme has no spans.
    """
    if scheme == "plain":
        raise LangnetError("these tags mark no spans")
    if scheme == "iob1":
        return spans(tags)
    found: list[Span] = []
    start, type_before = -1, ""  # of a span that is not closed yet
    closes = scheme in ("iobes", "bilou")
    for place, tag in enumerate([*tags, OUTSIDE]):
        letter, type = parts(tag)
        goes_on = start >= 0 and letter in ("I", "E") and type == type_before
        if goes_on and letter == "E":
            found.append(Span(type, start, place + 1))
            start = -1
        elif not goes_on:
            if start >= 0 and not closes:
                found.append(Span(type_before, start, place))
            start, type_before = (place, type) if letter == "B" else (-1, "")
            if letter == "S":
                found.append(Span(type, place, place + 1))
    return found


def written(found: Iterable[Span], length: int, scheme: Scheme) -> list[str]:
    """Tags of `length` words for spans that do not overlap.

    Raises:
        LangnetError: the scheme has no spans.
    """
    if scheme == "plain":
        raise LangnetError("spans need a scheme: " + ", ".join(SCHEMES[:-1]))
    letters, tags, before = _LETTERS[scheme], [OUTSIDE] * length, Span("", -1, -1)
    for span in found:
        for place in range(span.start, span.end):
            first, last = place == span.start, place == span.end - 1
            tags[place] = joined(letters["S" if first and last else "B" if first else "E" if last else "I"], span.type)
        touches = before.end == span.start and before.type == span.type
        if scheme == "iob1" and not touches:
            tags[span.start] = joined("I", span.type)
        before = span
    return tags


def converted(tags: Sequence[str], scheme: Scheme) -> list[str]:
    """The tags in another scheme; sequences that break theirs are repaired, as conlleval reads them."""
    return list(tags) if scheme == "plain" else written(spans(tags), len(tags), scheme)


def faults(tags: Sequence[str], scheme: Scheme) -> list[Fault]:
    """Where tags break a scheme, and why."""
    if scheme == "plain":
        return []
    found = []
    for place, (tag, right) in enumerate(zip(tags, converted(tags, scheme), strict=True)):
        if tag != right:
            found.append(Fault(place, f"'{tag}' where {scheme.upper()} has '{right}'"))
    return found


def may_follow(tags: Sequence[str], scheme: Scheme) -> tuple[list[list[bool]], list[bool], list[bool]]:
    """Which tag may follow which, (from, to); which may stand first; which last. In `plain` and IOB1 all may."""
    read = [parts(tag) for tag in tags]
    if scheme in ("plain", "iob1"):
        return [[True] * len(tags) for _ in tags], [True] * len(tags), [True] * len(tags)
    closes = scheme in ("iobes", "bilou")

    def follows(one: tuple[str, str], other: tuple[str, str]) -> bool:
        inside = one[0] in ("B", "I")
        if other[0] in ("I", "E"):
            return inside and one[1] == other[1]
        return not (closes and inside)

    outside = (OUTSIDE, "")
    between = [[follows(one, other) for other in read] for one in read]
    return between, [follows(outside, one) for one in read], [follows(one, outside) for one in read]


def inventory(types: Iterable[str], scheme: Scheme) -> list[str]:
    """Every tag of a scheme for some types, `O` first."""
    letters = {"iob1": "BI", "iob2": "BI", "iobes": "BIES", "bilou": "BILU"}
    if scheme == "plain":
        raise LangnetError("tags that mark no spans have no types")
    return [OUTSIDE, *(joined(letter, type) for type in sorted(types) for letter in letters[scheme])]
