"""Bracketed trees: read in every layout, told where they are wrong, written, and reduced to what is learned."""

import numpy as np
import pytest

from langnet.errors import LangnetError
from langnet.text.trees import (
    Bracket,
    Span,
    Tree,
    bare,
    category,
    children_of,
    from_spans,
    outer_label,
    parse_trees,
    said,
    spans_of,
    tree_text,
)

SPREAD = """
( (S
    (NP-SBJ-1 (DT the)
      (NN cat))
    (VP (VBD sat) (NP (-NONE- *-1)) )
    (. .)) )
(NN Yes) (TOP (NP
(NN No)))

"""


def read(text):
    return list(parse_trees(text.splitlines(keepends=True), "x.ptb"))


def drawn(generator, n):
    """A tree drawn at random, with chains, functions and empty elements."""
    labels, tags = ["NP", "NP-SBJ=2", "S", "VP", "ADVP-TMP"], ["NN", "-NONE-", ".", "-LRB-"]

    def build(start, end, depth):
        found = []
        while generator.random() < 0.3 and depth < 20:
            found.append(Bracket(str(generator.choice(labels)), start, end))
            depth += 1
        if end - start > 1:
            cuts = sorted(set(generator.integers(start + 1, end, size=generator.integers(0, 3)).tolist()))
            for a, b in zip([start, *cuts], [*cuts, end], strict=True):
                found += build(a, b, depth + 1) if cuts else []
        return found

    brackets = [Bracket("ROOT", 0, n), *build(0, n, 0)]
    words = [f"w{i}" for i in range(n)]
    return Tree(tuple(words), tuple(str(generator.choice(tags)) for _ in words), tuple(brackets))


def test_any_layout():
    (first, one), (second, two), (third, three) = read(SPREAD)
    assert (one, two, three) == (2, 7, 7)
    assert str(first) == "( (S (NP-SBJ-1 (DT the) (NN cat)) (VP (VBD sat) (NP (-NONE- *-1))) (. .)))"
    assert first.brackets[2] == Bracket("NP-SBJ-1", 0, 2)
    assert (second.words, second.tags, second.brackets) == (("Yes",), ("NN",), ())
    assert str(third) == "(TOP (NP (NN No)))"
    assert [outer_label(tree) for tree in (first, second, third)] == ["", None, "TOP"]


@pytest.mark.parametrize("seed", range(20))
def test_written_and_read_again(seed):
    generator = np.random.default_rng(seed)
    tree = drawn(generator, int(generator.integers(1, 12)))
    ((again, _),) = read(tree_text(tree))
    assert again == tree


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("(S (NN a))\n(S (NP (NN b)\n(S (NN c))\n", 2, r"not closed by the end of the file \(line 3\): 2 brackets are"),
        ("(S (NN a)\n", 1, "1 bracket is missing"),
        ("(S (NN a))\n)\n", 2, "closed that was never opened"),
        ("(S (NN a))\nand (S (NN b))\n", 2, "'and' stands between trees"),
        ("(S (NP\n the (NN cat)))", 2, "a bracket opens behind the word 'the', inside of its tag"),
        ("(S (NP (DT the)\n cat))", 2, "the word 'cat' has no tag"),
        ("(S (NN two words))", 1, "two words, 'two' and 'words', share the tag NN"),
        ("(S\n(NP))", 2, r"the bracket '\(NP\)' holds no words"),
        ("\n()", 2, r"the bracket '\(\)' holds no words"),
        ("(S (NN a)) (())", 1, "holds no words"),
    ],
)
def test_what_is_wrong_and_where(text, line, message):
    with pytest.raises(LangnetError, match=rf"^x\.ptb, line {line}: .*{message}"):
        read(text)


def test_ten_thousand_brackets_deep():
    deep = "(A " * 10_000 + "(NN x)" + ")" * 10_000
    ((tree, _),) = read(deep)
    assert len(tree.brackets) == 10_000
    assert tree_text(tree) == deep
    assert len(spans_of(tree)) == 1


def test_signs_that_the_format_needs_are_written_by_name():
    tree = Tree(("(", "a b", "", "x)"), ("(", "NN", "", "N N"), ())
    assert tree_text(tree) == "(-LRB- -LRB-) (NN a_b) (_ _) (N_N x-RRB-)"
    assert tree_text(Tree((), ())) == ""


def test_a_no_break_space_is_no_blank():
    text = "(S (NP (CD 1\u00a0000) (NN \u3000)) (VP (VB go)))"
    ((tree, _),) = read(text)
    assert tree.words == ("1\u00a0000", "\u3000", "go")
    assert tree_text(tree) == text


def test_words_as_running_text_has_them():
    words = ["-LRB-", "a-RRB-", "``", "''", r"1\/2", r"\*", "-LSB-", "'s", "\\"]
    assert said(words) == ("(", "a)", '"', '"', "1/2", "*", "[", "'s", "\\")


@pytest.mark.parametrize(
    ("label", "expected"),
    [("NP-SBJ=2", "NP"), ("NP=3", "NP"), ("S", "S"), ("-NONE-", "-NONE-"), ("-LRB-", "-LRB-"), ("PP-LOC-PRD", "PP")],
)
def test_category(label, expected):
    assert category(label) == expected


def test_bare():
    text = "(ROOT (S (NP-SBJ (-NONE- *)) (VP (VB go) (NP-1 (NP (-NONE- T)) (NN home)) (ADVP (-NONE- *)))))"
    ((tree, _),) = read(text)
    assert str(bare(tree)) == "(S (VP (VB go) (NP (NN home))))"
    assert bare(bare(tree)) == bare(tree)


def test_chains_are_one_span_and_come_apart_again():
    ((tree, _),) = read("(ROOT (S (VP (VB go) (NP (NP (NN home)))) (. .)))")
    small = bare(tree)
    assert spans_of(small) == [Span(("S",), 0, 3), Span(("VP",), 0, 2), Span(("NP", "NP"), 1, 2)]
    shuffled = spans_of(small)[::-1]
    assert from_spans(small.words, small.tags, shuffled, "ROOT") == tree
    assert from_spans(small.words, small.tags, shuffled) == small


@pytest.mark.parametrize("seed", range(20))
def test_spans_and_back(seed):
    generator = np.random.default_rng(seed)
    small = bare(drawn(generator, int(generator.integers(1, 12))))
    spans = spans_of(small)
    assert len({(start, end) for _, start, end in spans}) == len(spans)
    assert bare(from_spans(small.words, small.tags, spans, "TOP")) == small


@pytest.mark.parametrize(
    ("spans", "outer", "expected"),
    [
        ([], None, "( (A a) (B b))"),
        ([], "TOP", "(TOP (A a) (B b))"),
        ([Span(("X",), 0, 1)], None, "( (X (A a)) (B b))"),
        ([Span(("X",), 0, 2)], None, "(X (A a) (B b))"),
        ([Span(("X",), 0, 2)], "", "( (X (A a) (B b)))"),
    ],
)
def test_what_holds_a_tree_together(spans, outer, expected):
    assert str(from_spans(("a", "b"), ("A", "B"), spans, outer)) == expected


def test_nothing_around_no_words():
    assert from_spans((), (), [], "ROOT") == Tree((), ())
    assert str(from_spans(("a",), ("A",), [])) == "(A a)"


def test_children():
    ((tree, _),) = read("(S (NP (DT a) (NN b)) (VP (V c) (NP (NN d))) (. .))")
    spans = spans_of(tree)
    assert [span.chain for span in spans] == [("S",), ("NP",), ("VP",), ("NP",)]
    assert children_of(spans, 5) == [[1, 2, -5], [-1, -2], [-3, 3], [-4], [0]]
    assert children_of([], 2) == [[-1, -2]]
    assert children_of([Span(("X",), 1, 2)], 3) == [[-2], [-1, 0, -3]]
