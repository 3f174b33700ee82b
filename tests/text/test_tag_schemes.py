"""Schemes of tags: recognised, read as conlleval reads them, strictly, converted to and fro, what may follow what."""

import itertools
import random

import pytest

from langnet.errors import LangnetError
from langnet.text.tag_schemes import (
    Span,
    converted,
    faults,
    inventory,
    joined,
    may_follow,
    odd_tags,
    parts,
    recognise,
    spans,
    strict_spans,
    written,
)

SAME = {  # two spans of x that touch, a single y, a longer x
    "iob1": "I-x B-x I-x O I-y I-x I-x",
    "iob2": "B-x B-x I-x O B-y B-x I-x",
    "iobes": "S-x B-x E-x O S-y B-x E-x",
    "bilou": "U-x B-x L-x O U-y B-x L-x",
}
FOUND = [Span("x", 0, 1), Span("x", 1, 3), Span("y", 4, 5), Span("x", 5, 7)]


@pytest.mark.parametrize("scheme", SAME)
def test_every_scheme_is_recognised_and_read(scheme):
    tags = SAME[scheme].split()
    assert recognise([tags]) == scheme
    assert spans(tags) == strict_spans(tags, scheme) == FOUND
    assert written(FOUND, len(tags), scheme) == tags
    assert not faults(tags, scheme)


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(SAME, 2)))
def test_every_scheme_becomes_every_other(one, other):
    assert converted(SAME[one].split(), other) == SAME[other].split()


def test_random_spans_come_back():
    generator = random.Random(0)
    for _ in range(200):
        length = generator.randint(0, 12)
        cuts = sorted(generator.sample(range(length + 1), min(length + 1, generator.randint(0, 6))))
        chosen = [Span(generator.choice("xyz"), a, b) for a, b in itertools.pairwise(cuts) if generator.random() < 0.6]
        for scheme in SAME:
            tags = written(chosen, length, scheme)
            assert spans(tags) == chosen
            assert strict_spans(tags, scheme) == chosen


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("NOUN VERB O", "plain"),
        ("B-x M-x O", "plain"),
        ("B-x E-x L-x", "plain"),  # letters of two schemes
        ("O O", "iob2"),
        ("B I O", "iob2"),
        ("I-x I-x O", "iob1"),
        ("B-x I-x O I-x", "iob2"),  # one fault as IOB2, one as IOB1
        ("I-x O I-x O B-x", "iob1"),
        ("", "iob2"),
    ],
)
def test_recognised(tags, scheme):
    assert recognise([tags.split()]) == scheme


@pytest.mark.parametrize(
    ("tags", "odd"),
    [
        ("O o O B-PER I-PER O B-LOC O B-PER O", "o"),
        ("O O B-PER I-PER Q-PER B-LOC O B-PER O", "Q-PER"),
        ("B-x E-x O O S-x S-x L-x", "L-x"),  # of another scheme than its neighbours
        ("B-x M-x E-x S-x M-x O O O O O", ""),  # a scheme of its own
        ("NOUN VERB O", ""),
        ("NN -LRB- B NN -RRB- NN NN NN", ""),
        ("O O O O", ""),
        ("O o o O O B-x O", ""),
        ("B I O B I", ""),
        ("", ""),
    ],
)
def test_one_odd_tag_among_many(tags, odd):
    assert odd_tags([tags.split()]) == frozenset(odd.split())
    assert not odd or odd_tags([tags.split(), ["O", "B-x"] * 1000]) == frozenset(odd.split())


def test_broken_sequences_are_read_as_conlleval_does_and_repaired():
    tags = ["I-x", "I-y", "O", "I-x", "B-x"]
    assert spans(tags) == [Span("x", 0, 1), Span("y", 1, 2), Span("x", 3, 4), Span("x", 4, 5)]
    assert converted(tags, "iob2") == ["B-x", "B-y", "O", "B-x", "B-x"]
    assert [fault.place for fault in faults(tags, "iob2")] == [0, 1, 3]
    assert faults(tags, "iob2")[0].reason == "'I-x' where IOB2 has 'B-x'"
    assert strict_spans(tags, "iob2") == [Span("x", 4, 5)]
    assert strict_spans(["B-x", "O", "B-x", "E-x"], "iobes") == [Span("x", 2, 4)]


def test_a_type_may_hold_hyphens_or_be_missing():
    assert parts("B-creative-work") == ("B", "creative-work")
    assert spans(["B-creative-work", "I-creative-work"]) == [Span("creative-work", 0, 2)]
    assert spans(["B", "I", "O", "B"]) == [Span("", 0, 2), Span("", 3, 4)]
    assert written([Span("", 0, 2)], 2, "bilou") == ["B", "L"]
    assert joined("O", "x") == "O"


@pytest.mark.parametrize("scheme", ["iob2", "iobes", "bilou"])
def test_what_may_follow_is_what_the_scheme_has(scheme):
    tags = inventory(["x", "y"], scheme)
    follows, first, last = may_follow(tags, scheme)
    for pair in itertools.product(range(len(tags)), repeat=2):
        named = [tags[i] for i in pair]
        whole = sum(span.end - span.start for span in strict_spans(named, scheme)) == sum(tag != "O" for tag in named)
        assert (first[pair[0]] and follows[pair[0]][pair[1]] and last[pair[1]]) == whole, named


def test_tags_without_spans_have_none():
    for call in (
        lambda: strict_spans(["NOUN"], "plain"),
        lambda: written([], 1, "plain"),
        lambda: inventory([], "plain"),
    ):
        with pytest.raises(LangnetError):
            call()
    assert converted(["NOUN"], "plain") == ["NOUN"]
    assert not faults(["NOUN"], "plain")
    assert all(itertools.chain(*may_follow(["NOUN", "VERB"], "plain")[0]))
