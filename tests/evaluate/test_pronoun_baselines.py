"""Names for pronouns by rules; GAP's official scorer stands in test_official_scorers.py."""

import pytest

from langnet.evaluate.pronoun_baselines import PlaceRules, both_names, nearer_name
from langnet.recipes.kinds.registry import find_kind
from langnet.text.chains import Document, PronounChoice

WORDS = ("Ann", "Lee", "met", "Eve", "Ray", ".", "Then", "she", "left", ".")
ANN, EVE, SHE = (0, 1), (3, 4), (7, 7)


def document(gold=None, a=ANN, b=EVE, pronoun=SHE):
    return Document(WORDS, (0, 6), choice=PronounChoice(pronoun, a, b, gold, True))


def test_both_names():
    assert both_names(document()) == (ANN, EVE, SHE)


@pytest.mark.parametrize(
    ("a", "b", "pronoun", "nearer"),
    [(ANN, EVE, SHE, EVE), (EVE, ANN, SHE, EVE), ((3, 3), (9, 9), (5, 5), (3, 3)), ((1, 1), (3, 3), (2, 2), (1, 1))],
)
def test_the_nearer_name_before_or_behind_the_pronoun(a, b, pronoun, nearer):
    assert nearer_name(document(a=a, b=b, pronoun=pronoun)) == tuple(sorted([nearer, pronoun]))


def test_places_are_learned():
    """The first name of two is meant, whether it is called A or B."""
    train = [document((True, False)), document((False, True), EVE, ANN)] * 10
    rules = PlaceRules(train)
    assert rules.chain(document()) == (ANN, SHE)
    assert rules.chain(document(a=EVE, b=ANN)) == (ANN, SHE)
    assert PlaceRules([document((False, False))]).chain(document()) == (SHE,), "one answer alone"


def test_neighbours_of_questions():
    kind = find_kind("corefer")
    train, test = [document((True, False))] * 3, [document((False, True)), document((True, False))]
    neighbours = kind.neighbours(train, test)
    assert [one.name for one in neighbours] == ["both names", "nearer name", "places of the names"]
    sums = kind.statistics(test, [one.guesses for one in neighbours]).sum(1)
    f1 = [float(kind.scores(own)["F1"]) for own in sums]
    assert f1 == pytest.approx([2 / 3, 1 / 2, 1 / 2])
    assert [one.name for one in kind.neighbours([], test)] == ["both names", "nearer name"]
