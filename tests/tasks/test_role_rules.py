"""The best path that keeps PropBank's rules, against every path written out."""

import itertools
import re

import numpy as np
import pytest

from langnet.tasks import role_rules
from langnet.tasks.role_rules import RoleRules
from langnet.text.tag_schemes import may_follow, spans

TAGS = ["O", "B-A0", "I-A0", "B-A1", "B-C-A1", "B-R-A0", "B-AM", "I-AM", "B-R-AM"]


def keeps(tags):
    """Whether a sequence keeps the rules, from their wording."""
    types = [span.type for span in spans(tags)]
    for number, type in enumerate(types):
        if re.fullmatch("A[0-5]", type) and types.count(type) > 1:
            return False
        if type.startswith("C-") and type[2:] not in types[:number]:
            return False
        if type.startswith("R-") and type[2:] not in types:
            return False
    return True


def penalties(tags):
    follows, first, last = may_follow(tags, "iob2")
    return [np.where(np.array(part), 0.0, -1e4) for part in (follows, first, last)]


def drawn(generator, length, tags, spread=1.0):
    """Scores, transitions and ends at random, with what IOB2 does not have forbidden."""
    follows, first, last = penalties(tags)
    sizes = ((length, len(tags)), (len(tags), len(tags)), (len(tags),), (len(tags),))
    scores, between, start, end = (spread * generator.normal(size=size) for size in sizes)
    return scores, between + follows, (start + first, end + last)


def totals(paths, scores, between, ends):
    """The score of each path of (N, T)."""
    own = sum(scores[place, paths[:, place]] for place in range(paths.shape[1]))
    steps = sum(between[paths[:, place - 1], paths[:, place]] for place in range(1, paths.shape[1]))
    return own + steps + ends[0][paths[:, 0]] + ends[1][paths[:, -1]]


@pytest.mark.parametrize("seed", range(25))
def test_the_best_of_all_paths(seed):
    generator = np.random.default_rng(seed)
    length = 1 + seed % 5
    case = drawn(generator, length, TAGS)
    paths = np.array(list(itertools.product(range(len(TAGS)), repeat=length)))
    order = np.argsort(-totals(paths, *case))
    best = next(path for path in paths[order].tolist() if keeps([TAGS[tag] for tag in path]))
    assert RoleRules(TAGS).best_path(*case).tolist() == best


def test_every_broken_rule_is_seen():
    rules, generator = RoleRules(TAGS), np.random.default_rng(0)
    lengths = generator.integers(0, 7, size=300)
    paths = generator.integers(0, len(TAGS), size=(300, 6))
    paths[paths == 2] = 1  # only beginnings are counted, which is what I follows in a path that IOB2 has
    paths[paths == 7] = 6
    found = rules.broken(paths, lengths).any(1)
    assert found.tolist() == [not keeps([TAGS[t] for t in path[:n]]) for path, n in zip(paths, lengths, strict=True)]
    assert 50 < found.sum() < 290


def test_what_conflicts_beyond_measure_still_keeps_the_rules(monkeypatch):
    tags = ["O", *(f"B-{role}" for n in range(6) for role in (f"A{n}", f"C-A{n}", f"R-A{n}"))]
    generator = np.random.default_rng(1)
    cases = [drawn(generator, 30, tags, 5) for _ in range(3)]
    for most in (0, 1):
        monkeypatch.setattr(role_rules, "MOST_FOLLOWED", most)
        for case in cases:
            path = RoleRules(tags).best_path(*case)
            assert keeps([tags[tag] for tag in path])
            assert len(path) == 30


def test_a_continued_reference_is_left_alone():
    rules = RoleRules(["O", "B-A0", "B-R-A0", "B-C-R-A0"])
    assert not rules.broken(np.array([[1, 2, 3]]), np.array([3])).any()
