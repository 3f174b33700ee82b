"""Neighbours of a parser: trees to one side, and the grammar against the enumeration of every derivation."""

from collections import Counter

import numpy as np
import pytest

from langnet.evaluate import treebank_grammar
from langnet.evaluate.bracket_scores import bracket_f1
from langnet.evaluate.tree_baselines import Branching, grammar_trees
from langnet.evaluate.treebank_grammar import TreebankGrammar
from langnet.text.trees import bare, children_of, from_spans, parse_trees, spans_of

TEXT = """
(S (NP (DT the) (NN cat)) (VP (VBD saw) (NP (DT a) (NN dog))) (. .))
(S (NP (PRP she)) (VP (VBD ran) (PP (IN to) (NP (DT the) (NN dog)))) (. .))
(S (NP (NP (DT a) (NN dog)) (PP (IN in) (NP (DT the) (NN house)))) (VP (VBD ran)) (. .))
(NP (NN house))
(S (VP (VB run)))
(UH yes)
"""


@pytest.fixture(scope="module")
def trees():
    return [bare(tree) for tree, _ in parse_trees(TEXT.splitlines(), "x")]


def test_to_the_right_and_to_the_left(trees):
    branching = Branching(trees)
    (right,) = branching.parse([("the", "dog", "saw", "she", ".")], "right", "ROOT")
    assert str(right) == "(ROOT (S (DT the) (NP (NN dog) (VP (VBD saw) (PRP she))) (. .)))" or str(right).startswith(
        "(ROOT (S (NP (DT the)"
    )
    assert {(b.start, b.end) for b in right.brackets} == {(0, 5), (0, 4), (1, 4), (2, 4)}
    (left,) = branching.parse([("the", "dog", "saw", "she", ".")], "left")
    assert {(b.start, b.end) for b in left.brackets} == {(0, 5), (0, 4), (0, 3), (0, 2)}
    assert left.brackets[-1].label == "NP", "as the tags at its ends are called in the training trees"
    assert [str(one) for one in branching.parse([(), ("cat",)], "right")] == ["", "(NN cat)"]


def test_nothing_to_learn_from():
    assert Branching([]).parse([("a", "b")], "right")[0].words == ("a", "b")


def derivations(grammar, symbol, words, start, end):
    """Every derivation of a symbol over words, as its log-probability and its spans; written without any chart."""
    name = {number: key for key, number in grammar.numbers.items()}[symbol]
    if isinstance(name, str):
        tag = grammar.tags.index(name)
        return [(float(grammar.word_logs(words[start])[tag]), ())] if end - start == 1 else []
    own = ((grammar.chains[symbol], start, end),) if grammar.chains[symbol] else ()
    found = []
    for over, under, log in zip(grammar.over, grammar.under, grammar.alone_logs, strict=True):
        if over == symbol:
            found += [(log + one, own + rest) for one, rest in derivations(grammar, under, words, start, end)]
    for parent, left, right, log in zip(grammar.parents, grammar.lefts, grammar.rights, grammar.rule_logs, strict=True):
        for middle in range(start + 1, end) if parent == symbol else ():
            for one, first in derivations(grammar, left, words, start, middle):
                found += [
                    (log + one + other, own + first + rest)
                    for other, rest in derivations(grammar, right, words, middle, end)
                ]
    return found


@pytest.mark.parametrize(
    "words",
    ["house", "the dog", "a cat ran .", "she saw the dog in a house .", "blorp saw the dog", "she ran in in the cat ."],
)
def test_the_best_derivation_of_all(trees, words):
    grammar = TreebankGrammar(trees)
    own = words.split()
    every = derivations(grammar, grammar.numbers[treebank_grammar.ROOT], own, 0, len(own))
    found = grammar.parse(own)
    if not every:
        assert found is None
        return
    best = max(every)
    assert found is not None
    assert {(span.chain, span.start, span.end) for span in found[0]} == set(best[1])
    assert all(found[1])


def test_probabilities_are_counts(trees):
    grammar = TreebankGrammar(trees)
    number = {number: key for key, number in grammar.numbers.items()}
    sums = Counter()
    for parent, log in [
        *zip(grammar.parents, grammar.rule_logs, strict=True),
        *zip(grammar.over, grammar.alone_logs, strict=True),
    ]:
        sums[int(parent)] += np.exp(log)
    assert all(total == pytest.approx(1) for total in sums.values())
    whole = {
        number[int(u)]: np.exp(log)
        for o, u, log in zip(grammar.over, grammar.under, grammar.alone_logs, strict=True)
        if number[int(o)] == treebank_grammar.ROOT
    }
    assert whole[("S",), ""] == pytest.approx(3 / 6)
    assert whole["UH"] == pytest.approx(1 / 6)


def test_a_new_word_is_what_looks_like_it(trees):
    grammar = TreebankGrammar(trees)
    logs = grammar.word_logs("fan")  # ends like `ran`, which is a VBD here and as rare as a word can be
    assert grammar.tags[int((logs + np.log([grammar.tag_counts[t] for t in grammar.tags])).argmax())] == "VBD"
    assert np.isfinite(grammar.word_logs("Ω")).all()


def test_beside_each_other(trees):
    sentences = [tree.words for tree in trees]
    right = Branching(trees).parse(sentences, "right")
    found, others = grammar_trees(trees, [*sentences, ("a",) * 90], [*right, right[0]])
    assert others == 1
    assert found[-1] is right[0]
    assert bracket_f1(trees, found[:-1]) == 1.0 > bracket_f1(trees, right)
    for tree in found[:-1]:
        assert from_spans(tree.words, tree.tags, spans_of(bare(tree))).words == tree.words
        assert sum(len(held) for held in children_of(spans_of(tree), len(tree.words))) > 0
