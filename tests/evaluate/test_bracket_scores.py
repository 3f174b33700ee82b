"""Scores of trees: EVALB's own sample, examples worked by hand, and trees drawn at random counted in another way."""

import numpy as np
import pytest

from langnet.evaluate import bracket_scores as scoring
from langnet.evaluate.bracket_scores import (
    COLLINS,
    EVALB,
    BracketRules,
    bracket_f1,
    bracket_scores,
    bracket_statistics,
    label_counts,
)
from langnet.text.trees import Tree, parse_trees

# EVALB's sample/sample.gld and sample.tst (in the public domain) where they differ, a sentence a row; then what its
# sample.rsl says of the sentence: status (1 error, 2 skipped), brackets matched, of gold and of test, crossing, words
# and right tags. Its sample.prm takes T and TT for one label, This and this for one word, and keeps full stops.
PLAIN = "(S (A (P this)) (B (Q is) (A (R a) (T test))))"
LONG = f"(S {' '.join(['(A (P this)) (B (Q is) (A (R a) (T test)))'] * 11)})"
SAMPLE = [
    (PLAIN, PLAIN, (0, 4, 4, 4, 0, 4, 4)),
    (PLAIN, "(S (A (P this)) (B (Q is) (C (R a) (T test))))", (0, 3, 4, 4, 0, 4, 4)),
    (PLAIN, "(S (A (P this)) (B (Q is) (A (R a) (U test))))", (0, 4, 4, 4, 0, 4, 3)),
    (PLAIN, "(S (C (P this)) (B (Q is) (A (R a) (U test))))", (0, 3, 4, 4, 0, 4, 3)),
    (PLAIN, "(S (A (P this)) (B (Q is) (R a) (A (T test))))", (0, 3, 4, 4, 0, 4, 4)),
    (PLAIN, "(S (A (P this) (Q is)) (A (R a) (T test)))", (0, 2, 4, 3, 1, 4, 4)),
    (PLAIN, "(S (P this) (Q is) (R a) (T test))", (0, 1, 4, 1, 0, 4, 4)),
    (PLAIN, "(P this) (Q is) (R a) (T test)", (0, 0, 4, 0, 0, 4, 4)),
    (PLAIN, "(S (A (P this)) (B (Q is) (A (A (R a) (T test)))))", (0, 4, 4, 5, 0, 4, 4)),
    (PLAIN, "(S (A (P this)) (B (Q is) (A (A (A (A (A (R a) (T test))))))))", (0, 4, 4, 8, 0, 4, 4)),
    (PLAIN, "", (2, 0, 0, 0, 0, 0, 0)),
    (PLAIN, "(S (A (P this)) (B (Q was) (A (A (R a) (T test)))))", (1, 0, 0, 0, 0, 0, 0)),
    (PLAIN, "(S (A (P this)) (B (Q is) (U not) (A (A (R a) (T test)))))", (1, 0, 0, 0, 0, 0, 0)),
    (PLAIN, "", (2, 0, 0, 0, 0, 0, 0)),
    (PLAIN, f"(TOP {PLAIN})", (0, 4, 4, 4, 0, 4, 4)),
    (PLAIN, "(S (A (P this)) (NONE *) (B (Q is) (A (R a) (T test))))", (1, 0, 0, 0, 0, 0, 0)),
    (PLAIN, "(S (A (P this)) (S (NONE abc) (A (NONE *))) (B (Q is) (A (R a) (T test))))", (1, 0, 0, 0, 0, 0, 0)),
    (PLAIN, "(S (A (P this)) (B (Q is) (A (R a) (TT test))))", (0, 4, 4, 4, 0, 4, 4)),
    (PLAIN, "(S (A (P This)) (B (Q is) (A (R a) (T test))))", (0, 4, 4, 4, 0, 4, 4)),
    (PLAIN, "(S (A (P That)) (B (Q is) (A (R a) (T test))))", (1, 0, 0, 0, 0, 0, 0)),
    ("(S (A-SBJ-1 (P this)) (B-WHATEVER (Q is) (A (R a) (T test))))", PLAIN, (0, 4, 4, 4, 0, 4, 4)),
    (LONG, LONG, (0, 34, 34, 34, 0, 44, 44)),
    (f"{PLAIN[:-1]} (-NONE- *))", f"{PLAIN[:-1]} (-NONE- *))", (0, 4, 4, 4, 0, 4, 4)),
    (f"{PLAIN[:-1]} (: *))", f"{PLAIN[:-1]} (: *))", (0, 4, 4, 4, 0, 4, 4)),
]
SAMPLE_RULES = BracketRules(
    deleted_tags=frozenset({"-NONE-", ",", ":", "``", "''"}),
    equal_labels={"TT": "T"},
    equal_words={"This": "this"},
    own_tags=True,
)


def tree(text):
    """The tree of a line, or the trees of it side by side; None of an empty one."""
    found = list(parse_trees([f"( {text})"], "x")) if text else []
    return found[0][0] if found else None


def numbers(row):
    status = 1 if row[scoring.ERRORS] else 2 if row[scoring.SKIPPED] else 0
    counted = [scoring.MATCHED, scoring.GOLD, scoring.GUESSED, scoring.CROSSING, scoring.WORDS, scoring.TAGS]
    return (status, *map(int, row[counted]))


def test_the_sample_of_evalb():
    gold, test = [tree(one) for one, _, _ in SAMPLE], [tree(other) for _, other, _ in SAMPLE]
    (table,) = bracket_statistics(gold, [test], SAMPLE_RULES)
    assert [numbers(row) for row in table] == [expected for _, _, expected in SAMPLE]
    sums = table.sum(0)
    assert (sums[scoring.ERRORS], sums[scoring.SKIPPED], sums[scoring.VALID]) == (5, 2, 17)
    scores = {name: round(100 * float(value), 2) for name, value in bracket_scores(sums).items()}
    assert scores == {
        "f1": 89.12, "precision": 90.53, "recall": 87.76, "exact_match": 52.94, "tagging_accuracy": 98.15,
    }  # fmt: skip
    short = table[[i for i, (one, _, _) in enumerate(SAMPLE) if one is not LONG]].sum(0)
    assert round(100 * float(bracket_scores(short)["f1"]), 2) == 83.20
    assert round(100 * short[scoring.UNCROSSED] / short[scoring.VALID], 2) == 93.75


def test_punctuation_goes_by_the_true_tags_or_by_each_trees_own():
    gold = tree("(S (NP (NN a) (, ,) (NN b)) (. .))")
    wrong = tree("(S (NP (NN a) (CC ,) (NN b)) (. .))")
    assert numbers(bracket_statistics([gold], [[wrong]])[0, 0]) == (0, 2, 2, 2, 0, 2, 2)
    assert numbers(bracket_statistics([gold], [[wrong]], EVALB)[0, 0]) == (1, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("gold", "guess", "expected"),
    [
        # ADVP and PRT are one; functions do not count.
        ("(VP (VB go) (PRT (RP on)))", "(VP-X (VB go) (ADVP=3 (RB on)))", (0, 2, 2, 2, 0, 2, 1)),
        # A bracket twice over the same words is matched as often as both have it.
        ("(NP (NP (NN a)))", "(NP (NP (NP (NN a))))", (0, 2, 2, 3, 0, 1, 1)),
        # A bracket around punctuation alone goes with it.
        ("(S (NN a) (X (. .)))", "(S (NN a) (. .))", (0, 1, 1, 1, 0, 1, 1)),
        # Punctuation alone leaves nothing to compare.
        ("(S (. .))", "(S (. .))", (2, 0, 0, 0, 0, 0, 0)),
        # Empty elements may differ.
        ("(S (NP (-NONE- *)) (VB go))", "(S (VB go))", (0, 1, 1, 1, 0, 1, 1)),
        ("(S (A (N a) (N b)) (N c))", "(S (N a) (B (N b) (N c)))", (0, 1, 2, 2, 1, 3, 3)),
        ("(S (N a))", "(S (N b))", (1, 0, 0, 0, 0, 0, 0)),
        ("(S (N a))", "(S (N a) (N b))", (1, 0, 0, 0, 0, 0, 0)),
    ],
)
def test_by_hand(gold, guess, expected):
    (one,), (other,) = ([tree(text)] for text in (gold, guess))
    assert numbers(bracket_statistics([one], [[other]])[0, 0]) == expected


def test_scores_of_nothing():
    assert all(float(value) == 0 for value in bracket_scores(np.zeros(scoring.WIDTH)).values())
    gold = tree("(S (N a) (. .))")
    none = Tree(("a", "."), ("N", "."))
    assert bracket_f1([gold], [none]) == 0
    assert bracket_statistics([gold], [[none]])[0, 0, scoring.VALID] == 1


def test_labels():
    gold, guess = tree("(S (NP (N a)) (VP (V b) (NP (N c))))"), tree("(S (NP (N a)) (NP (V b)) (X (N c)))")
    sums, labels = label_counts([gold, gold], [guess, None])
    assert labels == ["NP", "S", "VP", "X"]
    assert sums.tolist() == [1, 2, 2, 1, 1, 1, 0, 0, 1, 0, 1, 0], "found, guessed and true of each"
    assert label_counts([], [])[1] == []


def counted_otherwise(gold, guess):
    """Matched, gold, guessed and crossing brackets by the sets of words that they hold, without any shared code."""

    def sets(whole):
        kept = [i for i, tag in enumerate(gold.tags) if tag not in COLLINS.deleted_tags]
        found = []
        for label, start, end in whole.brackets:
            words = frozenset(i for i in kept if start <= i < end)
            name = label.split("-")[0].split("=")[0].replace("PRT", "ADVP")
            if words and name not in ("", "TOP", "ROOT"):
                found.append((name, words))
        return found

    true, said = sets(gold), sets(guess)
    left, matched = list(true), 0
    for one in said:
        if one in left:
            left.remove(one)
            matched += 1
    crossing = sum(
        any(words & other and words - other and other - words for _, other in true) for _, words in said
    )  # fmt: skip
    return matched, len(true), len(said), crossing


def test_random_trees():
    generator = np.random.default_rng(0)
    labels, tags = ["NP", "VP-X", "ADVP", "PRT=1", "TOP", "S"], ["NN", ",", ".", "VB"]

    def build(n):
        text, waiting = "", [(0, n, 0)]
        while waiting:
            start, end, depth = waiting.pop()
            if start < 0:
                text += ")"
            elif end - start == 1 and generator.random() < 0.6:
                text += f"({kinds[start]} w{start})"
            else:
                middle = int(generator.integers(start + 1, end + 1)) if end - start > 1 else end
                text += f"({generator.choice(labels)} "
                waiting.append((-1, 0, 0))
                waiting += [(middle, end, depth + 1)] * (middle < end) + [(start, middle, depth + 1)]
        return tree(text)

    for _ in range(100):
        n = int(generator.integers(1, 9))
        kinds = [str(generator.choice(tags)) for _ in range(n)]
        gold, guess = build(n), build(n)
        row = bracket_statistics([gold], [[guess]])[0, 0]
        if set(kinds) <= COLLINS.deleted_tags:
            assert row[scoring.SKIPPED] == 1
            continue
        found = tuple(int(row[i]) for i in (scoring.MATCHED, scoring.GOLD, scoring.GUESSED, scoring.CROSSING))
        assert found == counted_otherwise(gold, guess)
        assert bracket_statistics([gold], [[gold]])[0, 0, scoring.EXACT] == 1
