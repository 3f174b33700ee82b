"""The chain against every path, written out: partition, paths, best paths, marginals, gradients, constraints."""

import itertools

import numpy as np
import pytest
import torch

from langnet.tasks.crf import Chain, ChainWeights, Constraints, free_chain
from langnet.text.tag_schemes import inventory, may_follow, strict_spans

C = 4
LENGTHS = [5, 1, 0, 3, 2]


@pytest.fixture(scope="module", params=range(3))
def case(request):
    """Scores (N, T, C), lengths, and a chain, all random and in float64."""
    generator = torch.Generator().manual_seed(request.param)
    scores = torch.randn(len(LENGTHS), max(LENGTHS), C, generator=generator, dtype=torch.float64)
    weights = [torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((C, C), (C,), (C,))]
    return scores, torch.tensor(LENGTHS), Chain(*weights)


def every_path(scores, length, chain):
    """(path, score) of every path through one sequence, in numpy."""
    scores, transitions = scores.numpy(), chain.transitions.numpy()
    for path in itertools.product(range(C), repeat=length):
        value = chain.start.numpy()[path[0]] + chain.end.numpy()[path[-1]]
        value += sum(scores[t, tag] for t, tag in enumerate(path))
        value += sum(transitions[one, other] for one, other in itertools.pairwise(path))
        yield path, value


def test_partition_and_path_scores(case):
    scores, lengths, chain = case
    partition = chain.log_partition(scores, lengths)
    for n, length in enumerate(LENGTHS):
        if not length:
            assert partition[n] == 0
            continue
        paths = list(every_path(scores[n], length, chain))
        assert partition[n].item() == pytest.approx(np.logaddexp.reduce([value for _, value in paths]), abs=1e-10)
        for path, value in paths[:: len(paths) // 3]:
            padded = torch.tensor([*path, *[C - 1] * (max(LENGTHS) - length)])  # what stands behind does not count
            found = chain.path_scores(scores[n][None], padded[None], lengths[n][None])
            assert found.item() == pytest.approx(value, abs=1e-10)


def test_an_empty_path_scores_nothing(case):
    scores, lengths, chain = case
    assert chain.path_scores(scores, torch.zeros(len(LENGTHS), max(LENGTHS), dtype=torch.long), lengths)[2] == 0


def test_best_paths(case):
    scores, lengths, chain = case
    paths, values = chain.best_paths(scores, lengths)
    for n, length in enumerate(LENGTHS):
        if length:
            best, value = max(every_path(scores[n], length, chain), key=lambda pair: pair[1])
            assert tuple(paths[n, :length].tolist()) == best
            assert values[n].item() == pytest.approx(value, abs=1e-10)


def test_marginals(case):
    scores, lengths, chain = case
    marginals = chain.marginals(scores, lengths)
    for n, length in enumerate(LENGTHS):
        expected = np.zeros((length, C))
        if length:
            paths = list(every_path(scores[n], length, chain))
            shares = np.exp([value - np.logaddexp.reduce([v for _, v in paths]) for _, value in paths])
            for (path, _), share in zip(paths, shares, strict=True):
                expected[np.arange(length), path] += share
        np.testing.assert_allclose(marginals[n, :length].numpy(), expected, atol=1e-10)


def test_gradients(case):
    scores, lengths, chain = case
    tags = torch.randint(C, scores.shape[:2], generator=torch.Generator().manual_seed(9))

    def loss(scores, transitions, start, end):
        own = Chain(transitions, start, end)
        return own.log_partition(scores, lengths) - own.path_scores(scores, tags, lengths)

    inputs = [part.clone().requires_grad_() for part in (scores, chain.transitions, chain.start, chain.end)]
    assert torch.autograd.gradcheck(loss, inputs)


def test_the_gradient_of_the_partition_is_the_marginals(case):
    scores, lengths, chain = case
    leaf = scores.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(chain.log_partition(leaf, lengths).sum(), leaf)
    real = torch.arange(max(LENGTHS)) < lengths[:, None]
    np.testing.assert_allclose(gradient[real], chain.marginals(scores, lengths)[real], atol=1e-10)
    assert not gradient[~real].any()


@pytest.mark.parametrize("scheme", ["iob2", "iobes", "bilou"])
def test_constraints_leave_the_sequences_of_a_scheme(scheme):
    tags = inventory(["x", "y"], scheme)
    chain = Constraints(*may_follow(tags, scheme)).double().added_to(free_chain(torch.zeros(1, len(tags)).double()))
    zeros = torch.zeros(1, 3, len(tags), dtype=torch.float64)
    valid = 0
    for path in itertools.product(range(len(tags)), repeat=3):
        value = chain.path_scores(zeros, torch.tensor([path]), torch.tensor([3])).item()
        named = [tags[tag] for tag in path]
        whole = sum(span.end - span.start for span in strict_spans(named, scheme)) == sum(tag != "O" for tag in named)
        assert (value == 0) == whole, named
        valid += whole
    assert chain.log_partition(zeros, torch.tensor([3])).item() == pytest.approx(np.log(valid))


def test_constrained_paths_are_valid_whatever_the_scores():
    tags = inventory(["x", "y"], "iobes")
    scores = 20 * torch.randn(64, 12, len(tags), generator=torch.Generator().manual_seed(0))
    lengths = torch.randint(1, 13, (64,), generator=torch.Generator().manual_seed(1))
    chain = Constraints(*may_follow(tags, "iobes")).added_to(ChainWeights(len(tags)).chain())
    paths, _ = chain.best_paths(scores, lengths)
    for path, length in zip(paths.tolist(), lengths.tolist(), strict=True):
        named = [tags[tag] for tag in path[:length]]
        assert sum(s.end - s.start for s in strict_spans(named, "iobes")) == sum(tag != "O" for tag in named)
