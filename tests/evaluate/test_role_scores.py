"""Scores of roles: by hand, against a recomputation that knows nothing of ours."""

import random
import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langnet.evaluate.role_baselines import by_chain, by_position, by_word, nothing
from langnet.evaluate.role_scores import predicate_scores, role_f1, role_scores, role_statistics
from langnet.text.frames import Frame, FramedSentence
from langnet.text.role_columns import written_brackets
from langnet.text.tag_schemes import Span

GOLD = [[Frame(2, (Span("A0", 0, 2), Span("A1", 3, 5), Span("C-A1", 6, 7))), Frame(5, (Span("A0", 0, 2),))], []]


def scored(gold, said):
    table, types = role_statistics(gold, [said])
    return table[0].sum(0), types


def test_by_hand():
    said = [[Frame(2, (Span("A0", 0, 2), Span("A1", 3, 5), Span("AM", 7, 8))), Frame(5, (Span("A0", 0, 2),))], []]
    sums, types = scored(GOLD, said)
    # A1 lacks its continuation, so it is wrong as a whole; AM is too much; one of two predicates is all right.
    assert types == ["A0", "A1", "AM"]
    assert sums.tolist() == [2, 2, 2, 0, 1, 1, 0, 1, 0, 1, 2]
    scores = role_scores(sums)
    assert {name: float(value) for name, value in scores.items()} == pytest.approx(
        {"f1": 4 / 7, "precision": 2 / 4, "recall": 2 / 3, "whole": 1 / 2}
    )
    assert role_f1(GOLD, GOLD) == 1
    assert role_f1(GOLD, [[], []]) == 0


def test_the_predicate_itself_does_not_count():
    gold = [[Frame(1, (Span("A0", 0, 1), Span("C-V", 2, 3)))]]
    said = [[Frame(1, (Span("A0", 0, 1), Span("V", 3, 4)))]]
    assert role_f1(gold, said) == 1
    assert scored(gold, said)[1] == ["A0"]


def test_a_continuation_of_nothing_is_the_role_itself():
    assert role_f1([[Frame(0, (Span("C-A1", 1, 2),))]], [[Frame(0, (Span("A1", 1, 2),))]]) == 1


def test_roles_of_what_is_no_predicate_are_wrong():
    said = [[*GOLD[0], Frame(1, (Span("A0", 0, 1),))], []]
    scores = role_scores(scored(GOLD, said)[0])
    assert float(scores["precision"]) == pytest.approx(3 / 4)
    assert float(scores["recall"]) == 1
    assert predicate_scores(GOLD, said) == pytest.approx((4 / 5, 2 / 3, 1))


# Recomputed from brackets in text, as the official program reads them, with a regular expression and lists.


def recomputed(gold, said, lengths):
    """(found, predicted, true, perfect, predicates), from columns of brackets alone."""
    right = predicted = true = perfect = predicates = 0
    for frames, mine, length in zip(gold, said, lengths, strict=True):
        by_place = {frame.predicate: frame for frame in mine}
        for frame in frames:
            one, other = (read_column(column(f, length)) for f in (frame, by_place[frame.predicate]))
            hits = [argument for argument in other if argument in one]
            right, predicted, true = right + len(hits), predicted + len(other), true + len(one)
            perfect, predicates = perfect + (len(hits) == len(one) == len(other)), predicates + 1
    return right, predicted, true, perfect, predicates


def column(frame, length):
    return written_brackets([*frame.roles, Span("V", frame.predicate, frame.predicate + 1)], length)


def read_column(cells):
    """The arguments of a column: lists of a name and of pieces, continuations with what they continue."""
    pieces, opened = [], None
    for number, cell in enumerate(cells):
        name = re.match(r"\((.*?)\*", cell)
        if name:
            opened = [name[1], number, None]
        if cell.endswith(")"):
            opened[2] = number
            pieces.append(opened)
    arguments = []
    for name, first, last in pieces:
        plain = name[2:] if name.startswith("C-") else name
        earlier = [argument for argument in arguments if argument[0] == plain]
        if name.startswith("C-") and earlier:
            earlier[-1][1].append((first, last))
        else:
            arguments.append([plain, [(first, last)]])
    return [argument for argument in arguments if argument[0] != "V"]


ROLES = ["A0", "A1", "AM-TMP", "C-A0", "C-A1", "C-V", "R-A0", "C-AM-TMP"]


def drawn(generator, count):
    """Sentences' frames and guesses of them, alike in part."""
    gold, said, lengths = [], [], []
    for _ in range(count):
        length = generator.randint(2, 12)
        places = sorted(generator.sample(range(length), generator.randint(0, min(3, length))))
        frames = [Frame(place, _roles(generator, length, place)) for place in places]
        gold.append(frames)
        said.append([f if generator.random() < 0.4 else _changed(generator, f, length) for f in frames])
        lengths.append(length)
    return gold, said, lengths


def _roles(generator, length, place):
    cuts = sorted(generator.sample(range(length + 1), generator.randint(0, length)))
    return tuple(
        Span(generator.choice(ROLES), a, b)
        for a, b in pairwise(cuts)
        if not a <= place < b and generator.random() < 0.7
    )


def _changed(generator, frame, length):
    if generator.random() < 0.3:
        return Frame(frame.predicate, _roles(generator, length, frame.predicate))
    roles = [s._replace(type=generator.choice(ROLES)) if generator.random() < 0.3 else s for s in frame.roles]
    return Frame(frame.predicate, tuple(role for role in roles if generator.random() < 0.8))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9))
def test_the_sums_are_those_of_the_columns(seed):
    gold, said, lengths = drawn(random.Random(seed), 4)
    sums, _ = scored(gold, said)
    own = [sums[kind:-2:3].sum() for kind in range(3)]
    assert [*own, *sums[-2:]] == list(recomputed(gold, said, lengths))
    swapped, _ = scored(said, gold)
    assert float(role_scores(swapped)["precision"]) == float(role_scores(sums)["recall"])
    assert role_f1(gold, gold) == (1 if any(read_column(column(f, n)) for fs, n in zip(gold, lengths, strict=True)
                                            for f in fs) else 0)  # fmt: skip


def sentences(count, seed=0):
    """Whoever stands before `sees` sees what stands behind it; before `is seen by` it is the other way round."""
    generator = random.Random(seed)
    names = ["Ann", "Bob", "Eve", "Tom"]
    found = []
    for _ in range(count):
        one, other = generator.sample(names, 2)
        if generator.random() < 0.7:
            words, roles = (one, "sees", other, "."), (Span("A0", 0, 1), Span("A1", 2, 3))
            found.append(FramedSentence(words, (Frame(1, roles),)))
        else:
            words, roles = (one, "was", "seen", "by", other, "."), (Span("A1", 0, 1), Span("A0", 4, 5))
            found.append(FramedSentence(words, (Frame(2, roles),)))
    return found


def test_neighbours():
    train, test = sentences(60), sentences(30, seed=1)
    gold = [sentence.frames for sentence in test]
    assert role_f1(gold, nothing(test)) == 0
    position, word, chain = (role_f1(gold, method(train, test)) for method in (by_position, by_word, by_chain))
    assert 0.5 < position < 1  # by position alone the passive is missed
    assert 0.4 < word < 1
    assert chain == 1  # which sees the predicate
    assert [[f.predicate for f in own] for own in by_word(train, test)] == [[f.predicate for f in own] for own in gold]


def test_neighbours_of_what_was_never_seen():
    train = sentences(20)
    test = [FramedSentence(("Zoe", "greets", "Kim"), (Frame(1, (Span("A0", 0, 1),)),)), FramedSentence((), ())]
    for method in (by_position, by_word, by_chain):
        assert [len(own) for own in method(train, test)] == [1, 0]
    bare = [FramedSentence(("a", "b"), (Frame(0, ()),))]
    for method in (by_position, by_word, by_chain):
        assert method(bare, test)[0] == [Frame(1, ())]


def test_sums_serve_the_bootstrap():
    table, _ = role_statistics(GOLD, [GOLD, [[], []]])
    assert table.shape == (2, 2, 8)
    scores = role_scores(table.sum(1))
    np.testing.assert_allclose(scores["f1"], [1, 0])
