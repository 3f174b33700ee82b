"""Scores of constituency trees as EVALB has them: labelled brackets, whole trees, crossings and tags.

Sekine & Collins's program with Collins's parameters (COLLINS.prm, 1997), the measure of Black et al. 1991: punctuation
and empty elements go, labels lose their functions, ADVP and PRT are one, and what only holds a tree together (TOP) is
no bracket. A bracket is right where both trees have one of its label over the same words; several over the same words
are counted as often as both have them. What a sentence adds is a row of numbers, so that all scores are sums.

EVALB drops punctuation by each tree's own tags. Where a parser takes a comma for a word, the trees then differ in
length, and the sentence counts in no score. That would let a model gain by a wrong tag, so here the true tags decide
for both trees, unless `own_tags` asks for EVALB's way; where the tags of punctuation agree there is no difference.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from langnet.evaluate.metrics import ratio
from langnet.evaluate.tag_scores import FOUND, PREDICTED, TRUE
from langnet.text.trees import ROOTS, Bracket, Tree, category, without_words

# The numbers of a sentence.
MATCHED, GOLD, GUESSED, EXACT, VALID, CROSSING, UNCROSSED, TAGS, WORDS, ERRORS, SKIPPED = range(11)
WIDTH = 11
CUT_OFF = 40  # words of what EVALB calls short sentences


@dataclass(frozen=True)
class BracketRules:
    """What is counted, and what is taken for the same.

    Attributes:
        deleted_tags: words with these tags are taken out.
        deleted_labels: brackets with these labels are, and what they hold stays.
        equal_labels: another name of a label or a tag.
        equal_words: another spelling of a word.
        own_tags: whether each tree's own tags say what is deleted of it, as in EVALB; else the true ones.
    """

    deleted_tags: frozenset[str] = frozenset({"-NONE-", ",", ":", "``", "''", "."})
    deleted_labels: frozenset[str] = frozenset(ROOTS)
    equal_labels: Mapping[str, str] = field(default_factory=lambda: {"PRT": "ADVP"})
    equal_words: Mapping[str, str] = field(default_factory=dict)
    own_tags: bool = False


COLLINS = BracketRules()
EVALB = BracketRules(own_tags=True)


def bracket_statistics(
    gold: Sequence[Tree], methods: Sequence[Sequence[Tree | None]], rules: BracketRules = COLLINS
) -> np.ndarray:
    """What each sentence adds to the scores of each of M methods, (M, N, 11): the numbers that this module names.

    Args:
        gold: the true trees of N sentences.
        methods: of each method its trees; None where it has none, which EVALB skips.
        rules: what is counted.
    """
    table = np.zeros((len(methods), len(gold), WIDTH))
    for method, trees in enumerate(methods):
        for n, (true, guess) in enumerate(zip(gold, trees, strict=True)):
            table[method, n] = _sentence(true, guess, rules)
    return table


def bracket_scores(sums: np.ndarray) -> dict[str, np.ndarray]:
    """F1, precision, recall of brackets; whole trees; accuracy of tags: of sums (..., 11)."""
    matched, gold, guessed = (sums[..., kind] for kind in (MATCHED, GOLD, GUESSED))
    return {
        "f1": ratio(2 * matched, gold + guessed),
        "precision": ratio(matched, guessed),
        "recall": ratio(matched, gold),
        "exact_match": ratio(sums[..., EXACT], sums[..., VALID]),
        "tagging_accuracy": ratio(sums[..., TAGS], sums[..., WORDS]),
    }


def bracket_f1(gold: Sequence[Tree], guesses: Sequence[Tree | None], rules: BracketRules = COLLINS) -> float:
    """F1 over all brackets."""
    return float(bracket_scores(bracket_statistics(gold, [guesses], rules)[0].sum(0))["f1"])


def label_counts(
    gold: Sequence[Tree], guesses: Sequence[Tree | None], rules: BracketRules = COLLINS
) -> tuple[np.ndarray, list[str]]:
    """Of every label the brackets that were found, guessed and that there are, as `type_lines` reads them.

    Returns:
        (3 K,), and the K labels in their order.
    """
    counts: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(3))
    for one, other in zip(gold, guesses, strict=True):
        pair = _comparable(one, other, rules)
        if isinstance(pair, int):
            continue
        true, said = (Counter(_counted(tree, rules)) for tree in pair)
        for kind, part in ((FOUND, true & said), (PREDICTED, said), (TRUE, true)):
            for bracket, times in part.items():
                counts[bracket.label][kind] += times
    labels = sorted(counts)
    return np.concatenate([counts[label] for label in labels] or [np.zeros(0)]), labels


def _sentence(gold: Tree, guess: Tree | None, rules: BracketRules) -> np.ndarray:
    row = np.zeros(WIDTH)
    pair = _comparable(gold, guess, rules)
    if isinstance(pair, int):
        row[pair] = 1
        return row
    true, said = (_counted(tree, rules) for tree in pair)
    matched = (Counter(true) & Counter(said)).total()
    crossing = sum(any(_cross(one, other) for other in true) for one in said)
    equal = rules.equal_labels
    tags = sum(equal.get(a, a) == equal.get(b, b) for a, b in zip(pair[0].tags, pair[1].tags, strict=True))
    row[[MATCHED, GOLD, GUESSED]] = matched, len(true), len(said)
    row[[EXACT, VALID]] = len(true) == len(said) == matched, 1
    row[[CROSSING, UNCROSSED]] = crossing, crossing == 0
    row[[TAGS, WORDS]] = tags, len(pair[0].tags)
    return row


def _comparable(gold: Tree, guess: Tree | None, rules: BracketRules) -> tuple[Tree, Tree] | int:
    """Both trees without the words that do not count; or why they cannot be compared, ERRORS or SKIPPED."""
    if guess is None:
        return SKIPPED
    if rules.own_tags:
        pair = _shortened(gold, gold.tags, rules), _shortened(guess, guess.tags, rules)
    else:  # empty elements were never said, so each tree has its own
        one, other = (without_words(tree, [tag == "-NONE-" for tag in tree.tags]) for tree in (gold, guess))
        if len(one.words) != len(other.words):
            return ERRORS if other.words else SKIPPED
        pair = _shortened(one, one.tags, rules), _shortened(other, one.tags, rules)
    if not pair[1].words:
        return SKIPPED
    equal = rules.equal_words
    words = ([equal.get(word, word) for word in tree.words] for tree in pair)
    return pair if next(words) == next(words) else ERRORS


def _shortened(tree: Tree, tags: Sequence[str], rules: BracketRules) -> Tree:
    return without_words(tree, [tag in rules.deleted_tags for tag in tags])


def _counted(tree: Tree, rules: BracketRules) -> list[Bracket]:
    """The brackets that count, under the labels that they count as."""
    found = []
    for label, start, end in tree.brackets:
        name = category(label)
        if name not in rules.deleted_labels:
            found.append(Bracket(rules.equal_labels.get(name, name), start, end))
    return found


def _cross(one: Bracket, other: Bracket) -> bool:
    return one.start < other.start < one.end < other.end or other.start < one.start < other.end < one.end
