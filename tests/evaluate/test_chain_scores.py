"""Scores of chains: published examples, and a recomputation mention by mention on random documents."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langnet.evaluate.chain_scores import chain_scores, chain_statistics


def chains(text: str) -> tuple:
    """`abc de` are two chains whose mentions are the words a, b, c and d, e."""
    return tuple(tuple(sorted((ord(c), ord(c)) for c in part)) for part in text.split())


def scores(key: str, response: str) -> dict[str, float]:
    found = chain_scores(chain_statistics(chains(key), chains(response)))
    return {name: round(float(value), 4) for name, value in found.items()}


def by_hand(key: list[set], response: list[set]) -> dict[str, float]:
    """The definitions, one mention and one alignment after another."""

    def f1(recall: float, precision: float) -> float:
        return 2 * recall * precision / (recall + precision) if recall + precision else 0.0

    def muc(one: list[set], other: list[set]) -> float:
        kept = links = 0
        for chain in one:
            parts = {next((i for i, o in enumerate(other) if m in o), ("alone", m)) for m in chain}
            kept, links = kept + len(chain) - len(parts), links + len(chain) - 1
        return kept / links if links else 0.0

    def b_cubed(one: list[set], other: list[set]) -> float:
        values = [len(c & next((o for o in other if m in o), set())) / len(c) for c in one for m in c]
        return sum(values) / len(values) if values else 0.0

    def ceaf() -> float:
        short, long = sorted((key, response), key=len)
        best = 0.0
        for order in permutations(long, len(short)):
            best = max(best, sum(2 * len(a & b) / (len(a) + len(b)) for a, b in zip(short, order, strict=True)))
        return best

    best = ceaf()
    found = {
        "MUC": f1(muc(key, response), muc(response, key)),
        "B3": f1(b_cubed(key, response), b_cubed(response, key)),
        "CEAFe": f1(best / len(key) if key else 0, best / len(response) if response else 0),
    }
    return {"CoNLL_F1": sum(found.values()) / 3, **found}


class TestPublished:
    def test_perfect(self) -> None:
        assert scores("abc de f", "f abc de") == {"CoNLL_F1": 1, "MUC": 1, "B3": 1, "CEAFe": 1, "mentions": 1}

    def test_pradhan_2014(self) -> None:
        """Pradhan et al. 2014, section 5, worked there by hand: B-cubed's recall is 0.42, its precision 0.50."""
        found = scores("abc defg", "ab cd fghi")
        assert found["MUC"] == 0.4
        recall, precision = (5 / 3 + 1 / 4 + 1) / 7, 4 / 8
        assert found["B3"] == pytest.approx(2 * recall * precision / (recall + precision), abs=1e-4)
        assert found["CEAFe"] == pytest.approx(0.52, abs=1e-3)

    def test_luo_2005(self) -> None:
        """Luo 2005, table 1: the true chains {1 2 3 4 5} {6 7} {8 9 A B C}; of his responses (a) to (d)."""
        truth = "12345 67 89ABC"
        assert [scores(truth, r)["MUC"] for r in ("12345 6789ABC", "1234589ABC 67", "123456789ABC")] == [
            0.9474, 0.9474, 0.9,
        ]  # fmt: skip
        b_cubed = [scores(truth, r)["B3"] for r in ("12345 6789ABC", "1234589ABC 67", "123456789ABC")]
        assert b_cubed == pytest.approx([0.865, 0.737, 0.545], abs=1e-3)
        entity = [scores(truth, r)["CEAFe"] for r in ("12345 6789ABC", "1234589ABC 67", "123456789ABC")]
        assert entity == pytest.approx([0.733, 0.667, 0.294], abs=1e-3)
        alone = scores(truth, " ".join("123456789ABC"))
        assert (alone["MUC"], alone["CEAFe"]) == (0.0, pytest.approx(0.178, abs=1e-3))

    def test_nothing_found(self) -> None:
        assert set(scores("ab", "").values()) == {0}
        assert set(scores("", "ab").values()) == {0}
        assert set(scores("", "").values()) == {0}

    def test_sums_over_documents(self) -> None:
        one, other = chain_statistics(chains("ab c"), chains("abc")), chain_statistics(chains("de"), chains("d e"))
        both = chain_scores(one + other)
        assert both["MUC"] == pytest.approx(2 * (1 / 2) * (1 / 2) / (1 / 2 + 1 / 2))
        stacked = chain_scores(np.stack([one, other]))
        assert stacked["MUC"].shape == (2,)


partition = st.lists(st.integers(0, 5), min_size=0, max_size=9)


@settings(max_examples=60, deadline=None)
@given(partition, partition, st.integers(0, 3))
def test_random_documents(first: list[int], second: list[int], shift: int) -> None:
    def sides(numbers: list[int], start: int) -> list[set]:
        groups: dict[int, set] = {}
        for mention, number in enumerate(numbers):
            groups.setdefault(number, set()).add((mention + start, mention + start))
        return list(groups.values())

    key, response = sides(first, 0), sides(second, shift)
    found = chain_scores(chain_statistics([tuple(c) for c in key], [tuple(c) for c in response]))
    for name, value in by_hand(key, response).items():
        assert found[name] == pytest.approx(value, abs=1e-9), name
