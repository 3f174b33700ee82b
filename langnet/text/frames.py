"""Who does what to whom: predicates of a sentence, and the words that fill their roles.

Role names are those of PropBank (Palmer et al. 2005) as the shared tasks write them: numbered ones (`A0`, `ARG0`),
modifiers (`AM-TMP`, `ARGM-TMP`), and before the name of another role `C-`, where it goes on after a break, and `R-`,
where a pronoun refers to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from langnet.text.tag_schemes import Span, written

VERB = "V"  # what the predicate itself is called among its roles
_CORE = re.compile(r"(?:A|ARG)[0-5A]")
_PREFIX = re.compile(r"(?:[CR]-)+")


@dataclass(frozen=True)
class Frame:
    """A predicate and its roles.

    Attributes:
        predicate: the number of its word.
        roles: in the order of their words, the predicate itself left out; None where they are to be predicted.
        sense: such as `come.03`; empty where nothing says it.
    """

    predicate: int
    roles: tuple[Span, ...] | None = None
    sense: str = ""


@dataclass(frozen=True)
class RoleLayout:
    """Where a file has predicates and roles. Columns are counted from 0.

    Attributes:
        kind: `lists`, one cell with all roles of a predicate (Universal Propositions 2); `columns`, one column a
            predicate with a role's name at one word (Universal Propositions 1); `brackets`, one column a predicate with
            `(A0*` and `*)` (CoNLL-2005, CoNLL-2012); an object of `json`; or `text`, which has none.
        tabs: whether cells are parted by tabs alone.
        first: the first column of roles.
        after: how many columns stand behind those.
        predicate: the column that says which words are predicates; None for none.
        heads, spans: the columns of a list's two ways to say where roles are; None for none.
        marked: whether a column of roles has `V` at the predicate.
        lemma, head: the columns of lemmas, and of the numbers of the words that words depend on; None for none.
        added: what the file has not, and gets.
        field: of the object, where guesses are written to.
    """

    kind: Literal["lists", "columns", "brackets", "json", "text"]
    tabs: bool = True
    first: int = 0
    after: int = 0
    predicate: int | None = None
    heads: int | None = None
    spans: int | None = None
    marked: bool = True
    lemma: int | None = None
    head: int | None = None
    added: bool = False
    field: str = "frames"


@dataclass(frozen=True)
class FramedSentence:
    """Words with their predicates and roles, and the lines that they stand in.

    Attributes:
        words: as they stand in the file.
        frames: in the order of their predicates; None where the predicates are to be found too.
        source: `file:line` of the first word.
        lines: of the file, from the end of the sentence before, line ends included; empty where there was no file.
        rows: which of the lines holds each word.
        layout: where its roles are written.
    """

    words: tuple[str, ...]
    frames: tuple[Frame, ...] | None = None
    source: str = ""
    lines: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    layout: RoleLayout | None = None


class Argument(NamedTuple):
    """A role of a predicate with everything that belongs to it: its words, and those of its continuations."""

    type: str
    predicate: int
    phrases: tuple[tuple[int, int], ...]


def base_role(role: str) -> str:
    """The role that `C-A1` continues and `R-A1` refers to: `A1`, as of itself."""
    return _PREFIX.sub("", role, count=1)


def is_core(role: str) -> bool:
    """Whether it is a numbered role, which a predicate has once."""
    return _CORE.fullmatch(role) is not None


def arguments(frame: Frame) -> list[Argument]:
    """The roles of a frame as CoNLL-2005's official program counts them, the predicate itself left out.

    A continuation joins the last role before it that has the name it continues; where there is none, it is that role
    itself. `C-V` continues the predicate, and so is left out.
    """
    last: dict[str, list[tuple[int, int]]] = {VERB: []}
    found: list[tuple[str, list[tuple[int, int]]]] = []
    for role, start, end in sorted(frame.roles or (), key=lambda span: (span.start, span.end, span.type)):
        name = role.removeprefix("C-")
        if name != role and name in last:
            last[name].append((start, end))
        else:
            last[name] = [(start, end)]
            found.append((name, last[name]))
    return [Argument(name, frame.predicate, tuple(phrases)) for name, phrases in found if name != VERB]


def flat_roles(roles: Iterable[Span]) -> list[Span]:
    """Those that can stand together as one tag a word: of two that overlap the longer, of equals the first."""
    kept: list[Span] = []
    for span in sorted(roles, key=lambda span: (span.start - span.end, span.start, span.type)):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda span: span.start)


def role_tags(frame: Frame, length: int) -> list[str]:
    """The roles as tags of `length` words in the scheme IOB2."""
    return written(flat_roles(frame.roles or ()), length, "iob2")


def word_of(frame: Frame, sentence: Sequence[str]) -> str:
    """The predicate's word."""
    return sentence[frame.predicate]
