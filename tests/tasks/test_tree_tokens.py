"""Trees as tokens: there and back, and rules that let every tree be written, and nothing else."""

import numpy as np
import pytest
import torch

from langnet.tasks.tree_tokens import END, FIRST, START, WORD, TreeRules, along, n_tokens, tree_spans, tree_tokens
from tests.tasks.test_tree_chart import every

LABELS = 2


def test_there_and_back():
    spans = [(0, 5, 1), (0, 2, 0), (0, 1, 1), (2, 5, 0), (3, 5, 1)]
    tokens = tree_tokens(spans, 6)
    names = {WORD: "XX"} | {FIRST + 2 * i: f"({i}" for i in range(2)} | {FIRST + 2 * i + 1: f"){i}" for i in range(2)}
    assert " ".join(names[one] for one in tokens) == "(1 (0 (1 XX )1 XX )0 (0 XX (1 XX XX )1 )0 )1 XX"
    assert tree_spans(tokens) == spans
    assert tree_tokens([], 0) == []


@pytest.mark.parametrize(("n", "labels"), [(0, 2), (1, 2), (2, 2), (3, 1)])
def test_every_tree_can_be_written_in_one_way_and_nothing_else(n, labels):
    found, waiting = [], [(TreeRules.before(torch.tensor([n]), labels), [])]
    while waiting:
        rules, tokens = waiting.pop()
        allowed = rules.allowed()[0].nonzero().flatten().tolist()
        assert allowed, f"stuck after {tokens}"
        for token in allowed:
            if token == END:
                found.append(tuple(tree_spans(tokens)))
            else:
                waiting.append((rules.taken(torch.tensor([0]), torch.tensor([token])), [*tokens, token]))
    assert len(found) == len(set(found))
    shapes = {frozenset((a, b - a - 1) for a, b, _ in tree) for tree in found}
    assert shapes == (set(every(n)) if n else {frozenset()})
    assert len(found) == sum(labels ** len(shape) for shape in shapes)


@pytest.mark.parametrize("seed", range(5))
def test_random_walks_end_as_trees(seed):
    generator = np.random.default_rng(seed)
    lengths = torch.tensor([9, 4, 0, 1, 6])
    rules, rows = TreeRules.before(lengths, 3), torch.arange(5)
    written = [[] for _ in lengths]
    for _ in range(5 * 9 + 1):
        allowed, places = rules.allowed(), rules.places()
        for row, own in enumerate(written):
            n = int(lengths[row])
            assert places[row] == (own.count(WORD) if own.count(WORD) < n else -1)
        tokens = torch.tensor([int(generator.choice(one.nonzero().flatten())) for one in allowed])
        for own, token in zip(written, tokens.tolist(), strict=True):
            if token != END:
                own.append(token)
        rules = rules.taken(rows, tokens)
    assert rules.allowed()[:, END].all()
    for own, n in zip(written, lengths.tolist(), strict=True):
        spans = tree_spans(own)
        assert own.count(WORD) == n
        assert tree_tokens(spans, n) == own
        assert len({(start, end) for start, end, _ in spans}) == len(spans), "no bracket holds one bracket alone"


def test_rows_may_be_taken_in_any_order():
    rules = TreeRules.before(torch.tensor([2, 1]), LABELS)
    both = rules.taken(torch.tensor([1, 0, 1]), torch.tensor([WORD, FIRST, FIRST + 2]))
    assert both.n_words.tolist() == [1, 2, 1]
    assert both.left.tolist() == [0, 2, 1]
    assert both.allowed()[0].nonzero().flatten().tolist() == [END]
    assert both.allowed()[2].nonzero().flatten().tolist() == [WORD]


def test_along_a_known_tree():
    tokens = tree_tokens([(0, 2, 1)], 2)
    allowed, places = along(torch.tensor([[*tokens, END, -100]]), torch.tensor([2]), LABELS)
    assert allowed.shape == (1, 6, n_tokens(LABELS))
    assert places.tolist() == [[0, 0, 1, -1, -1, -1]]
    assert all(allowed[0, step, token] for step, token in enumerate([*tokens, END]))
    assert not allowed[..., START].any()
