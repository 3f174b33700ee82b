"""The best roles of a predicate that keep the rules of PropBank, found exactly.

He et al. 2017 (section 3.2) rule out, beside tags that IOB2 does not have: a numbered role twice; a continuation `C-X`
without `X` before it; a reference `R-X` without `X`. Each role X is then followed by a little automaton of three
states,

    nothing yet;  R-X and no X yet;  X

in which `X`, `C-X` and `R-X` are steps, some of them forbidden, and the second state is none to end in. Viterbi's
algorithm over the product of a chain's tags with the automata of s roles needs 3^s times the work. But the best path
by the chain alone breaks few rules or none, and where it breaks none it is the best that keeps them, since the rules
only take paths away. So only roles that a path breaks a rule of are followed, one after another until none is broken:
exact, where He et al. search with A*, and as quick as the chain alone for most predicates.
`tests/tasks/test_role_rules.py` holds it against every path written out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from langnet.text.frames import is_core
from langnet.text.tag_schemes import parts

MOST_FOLLOWED = 5  # roles at once, 243 states; more in conflict over one predicate is a head that learned nothing
NOTHING, REFERRED, THERE = range(3)
_NONE, _BEGINS, _REFERS, _CONTINUES = range(4)
_NEVER = -1
_PREFIX, _TWOFOLD = re.compile("^[CR]-"), re.compile("[CR]-[CR]-")  # what is twofold, as C-R-A1, is left alone


class RoleRules:
    """The rules for a head's tags.

    Args:
        labels: tags in IOB2, in the order of the scores.
    """

    def __init__(self, labels: Sequence[str]):
        types = [type if letter == "B" and not _TWOFOLD.match(type) else "" for letter, type in map(parts, labels)]
        bases = sorted({_PREFIX.sub("", type) for type in types if type})
        place = {base: index for index, base in enumerate(bases)}
        self.core = np.array([is_core(base) for base in bases], dtype=bool)  # (K,)
        self.step = np.full(len(labels), _NONE)  # what each tag is to its role
        self.role = np.full(len(labels), _NEVER)  # (C,) the role that each tag begins, refers to or continues
        for index, type in enumerate(types):
            if type:
                self.step[index] = {"R-": _REFERS, "C-": _CONTINUES}.get(type[:2], _BEGINS)
                self.role[index] = place[_PREFIX.sub("", type)]

    def broken(self, paths: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Which roles each path breaks a rule of, (N, K).

        Args:
            paths: (N, T) tags.
            lengths: (N,) words of each path.
        """
        n_rows, width = paths.shape
        real = np.arange(width) < lengths[:, None]
        role, step = np.where(real, self.role[paths], _NEVER), self.step[paths]

        def seen(kind: int) -> tuple[np.ndarray, np.ndarray]:
            """How often a step is made for each role, (N, K), and where first; at the end where never."""
            rows, places = np.nonzero((role != _NEVER) & (step == kind))
            count = np.zeros((n_rows, len(self.core)), dtype=np.int64)
            first = np.full(count.shape, width)
            np.add.at(count, (rows, role[rows, places]), 1)
            np.minimum.at(first, (rows, role[rows, places]), places)
            return count, first

        (begun, first), (referred, _), (_, continued) = seen(_BEGINS), seen(_REFERS), seen(_CONTINUES)
        twice, alone = (begun > 1) & self.core, continued < first
        result: np.ndarray = twice | alone | ((referred > 0) & (begun == 0))
        return result

    def best_path(self, scores: np.ndarray, between: np.ndarray, ends: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """The path (T,) of the highest score that keeps every rule.

        Where more than `MOST_FOLLOWED` roles conflict, the further ones are thinned out instead, so that the path keeps
        the rules but need not be the best that does.

        Args:
            scores: (T, C) of each word's tags, T of one or more.
            between: (C, C) of transitions, from row to column.
            ends: (C,) of the first and (C,) of the last tag.
        """
        scores = scores.copy()
        followed: list[int] = []
        while True:
            path = _best(scores, between, ends, self._automaton(followed))
            broken = np.flatnonzero(self.broken(path[None], np.array([len(path)]))[0])
            if not len(broken):
                return path
            room = MOST_FOLLOWED - len(followed)
            followed += broken[:room].tolist()
            if room <= 0:
                self._thin_out(scores, path, int(broken[0]))

    def _thin_out(self, scores: np.ndarray, path: np.ndarray, role: int) -> None:
        """Forbid a role's continuations and references, and its beginnings beside the best of the path's."""
        mine = self.role == role
        scores[:, mine & (self.step != _BEGINS)] = -np.inf
        begins = mine & (self.step == _BEGINS)
        places = np.flatnonzero(begins[path])
        if len(places) > 1:
            kept = places[scores[places, path[places]].argmax()]
            held = scores[kept].copy()
            scores[:, begins] = -np.inf
            scores[kept] = held

    def _automaton(self, followed: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """The automata of some roles as one.

        Returns:
            (3, M, C): the states from which a tag leads to each, -1 for none; and (M,) whether one may end in a state.
        """
        n_states = 3 ** len(followed)
        states = np.arange(n_states)
        before = np.full((3, n_states, len(self.role)), _NEVER)
        before[0] = states[:, None]
        final = np.ones(n_states, dtype=bool)
        for number, role in enumerate(followed):
            size = 3**number
            own = states // size % 3
            final &= own != REFERRED
            for tag in np.flatnonzero(self.role == role):
                before[:, :, tag] = _NEVER
                for start in (NOTHING, REFERRED, THERE):
                    end = _after(int(self.step[tag]), start, bool(self.core[role]))
                    if end != _NEVER:
                        from_ = states[own == start]
                        before[start, from_ + (end - start) * size, tag] = from_
        return before, final


def _after(step: int, state: int, core: bool) -> int:
    """The state of a role after a step; -1 where the step is forbidden."""
    if step == _BEGINS:
        return _NEVER if core and state == THERE else THERE
    if step == _REFERS:
        return THERE if state == THERE else REFERRED
    return THERE if state == THERE else _NEVER


def _best(
    scores: np.ndarray,
    between: np.ndarray,
    ends: tuple[np.ndarray, np.ndarray],
    automaton: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Viterbi's algorithm over pairs of an automaton's state and a tag; the path's tags (T,)."""
    before, final = automaton  # (3, M, C), (M,)
    n_tags = scores.shape[1]
    known, tags = before >= 0, np.arange(n_tags)

    def moved(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """From values (M, C) of (state before, tag) to those of (state after, tag), and the states before."""
        found = np.where(known, values[before, tags], -np.inf)  # (3, M, C)
        best = found.argmax(0)  # (M, C)
        return np.take_along_axis(found, best[None], 0)[0], np.take_along_axis(before, best[None], 0)[0]

    first = np.full(before.shape[1:], -np.inf)
    first[0] = ends[0] + scores[0]
    alpha, _ = moved(first)
    trail = []
    for now in scores[1:]:
        reached = alpha[:, :, None] + between  # (M, C, C)
        tag_before = reached.argmax(1)  # (M, C) by state before
        value = np.take_along_axis(reached, tag_before[:, None], 1)[:, 0] + now
        alpha, state_before = moved(value)
        trail.append((state_before, tag_before))
    last = np.where(final[:, None], alpha + ends[1], -np.inf)
    state, tag = np.unravel_index(int(last.argmax()), last.shape)
    path = [int(tag)]
    for state_before, tag_before in reversed(trail):
        state = state_before[state, path[-1]]
        path.append(int(tag_before[state, path[-1]]))
    return np.array(path[::-1])
