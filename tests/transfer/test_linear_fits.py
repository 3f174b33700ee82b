"""Logistic regressions and ridge regression are scikit-learn's; frozen heads for sets and numbers are the same."""

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.special import expit
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss

from langnet.transfer.frozen import FeatureTable, FrozenHead
from langnet.transfer.frozen_targets import LABEL_SETS, NUMBERS, fit_targets
from langnet.transfer.linear_fits import (
    MOST_CROSS_VALIDATED,
    best_sigmoid_temperature,
    held_out_scores,
    one_vs_rest,
    plain_splits,
    ridge,
)


def problem(n=120, width=9, n_labels=4):
    generator = np.random.default_rng(0)
    features = generator.normal(size=(n, width))
    return features, (features[:, :n_labels] + generator.normal(size=(n, n_labels)) > 0.5).astype(float)


@pytest.mark.parametrize("packed", [np.asarray, sparse.csr_matrix])
def test_one_vs_rest(monkeypatch, packed):
    features, targets = problem()
    features[np.abs(features) < 0.5] = 0
    weights, bias = one_vs_rest(packed(features), targets, 2.0)
    for label in range(4):
        model = LogisticRegression(C=2.0, tol=1e-8, max_iter=1000).fit(features, targets[:, label])
        np.testing.assert_allclose(weights[:, label], model.coef_[0], atol=5e-3)
        assert bias[label] == pytest.approx(model.intercept_[0], abs=5e-3)
    monkeypatch.setattr("langnet.transfer.linear_fits.MOST_WEIGHTS", 10)  # a label at a time
    np.testing.assert_allclose(one_vs_rest(packed(features), targets, 2.0)[0], weights, atol=1e-2)


def test_labels_that_all_or_none_have():
    features, targets = problem()
    targets[:, 0], targets[:, 1] = 1, 0
    weights, bias = one_vs_rest(features, targets, 2.0)
    assert not weights[:, :2].any()
    np.testing.assert_allclose(bias[:2], [np.log(120.5 / 0.5), np.log(0.5 / 120.5)])


def test_ridge():
    features, _ = problem()
    targets = features[:, :2] + 3
    weights, bias = ridge(features, targets, 0.5)
    model = Ridge(alpha=2.0).fit(features, targets)
    np.testing.assert_allclose(weights, model.coef_.T)
    np.testing.assert_allclose(bias, model.intercept_)
    assert ridge(features, targets[:, :1], 0.5)[0].shape == (9, 1)


def test_folds_hold_out_every_example():
    assert plain_splits(9, 0) == []
    for n, rounds in ((10, 2), (501, 1)):
        held_out = np.concatenate([held for _, held in plain_splits(n, 0)])
        assert (np.bincount(held_out, minlength=n) == rounds).all()
    parts = plain_splits(5000, 0)
    assert sum(len(held) for _, held in parts) == MOST_CROSS_VALIDATED
    assert all(not set(train) & set(held) for train, held in parts)
    features, targets = problem()
    parts = plain_splits(120, 1)
    scores = held_out_scores(features, targets, one_vs_rest, 1.0, parts)
    train, held = parts[0]
    weights, bias = one_vs_rest(features[train], targets[train], 1.0)
    np.testing.assert_allclose(scores[: len(held)], features[held] @ weights + bias)


def test_the_temperature_has_the_least_loss():
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(500, 3)) * 2
    targets = (generator.random((500, 3)) < expit(scores / 3)).astype(float)
    temperature, loss = best_sigmoid_temperature(scores, targets)
    assert temperature == pytest.approx(3, rel=0.25)
    by_hand = sum(log_loss(targets[:, label], expit(scores[:, label] / temperature)) for label in range(3))
    assert loss == pytest.approx(by_hand)
    tried = [
        np.logaddexp(0, -(2 * targets - 1) * scores / t).sum(1).mean() for t in np.linspace(0.5, 8, 60)
    ]  # none is better
    assert loss <= min(tried) + 1e-6


@pytest.mark.parametrize(("objective", "strength"), [(LABEL_SETS, 2.0), (NUMBERS, 0.3)])
def test_the_frozen_head_of_one_layer_is_the_linear_fit(objective, strength):
    features, targets = problem()
    if objective is NUMBERS:
        targets = features[:, :1] * 2 + 1
    table = FeatureTable(torch.from_numpy(features[:, None, :6]).float(), torch.from_numpy(features[:, 6:]).float())
    head = FrozenHead(table, targets.shape[1], 1.0, True)
    read = head.inputs(table).detach().double().numpy()
    head.fit(table, torch.from_numpy(targets).float(), strength, loss=objective.loss)
    weights, bias = objective.fit(read, targets, strength)
    np.testing.assert_allclose(head(table).detach().numpy(), read @ weights + bias, atol=2e-2)


def test_what_is_chosen_does_well_on_what_was_held_out():
    features, targets = problem(200)
    generator = np.random.default_rng(1)
    states = torch.from_numpy(generator.normal(size=(200, 2, 5))).float()  # noise
    table = FeatureTable(states, torch.from_numpy(features).float())
    found = fit_targets(table, targets, LABEL_SETS, 0)
    assert found.choice.document
    assert len(found.index) == len(found.scores) == 400
    hits = ((found.scores > 0) == (targets[found.index] > 0)).mean()
    assert hits > 0.7
    loss = LABEL_SETS.judge(found.scores, targets[found.index])[1]
    assert found.choice.held_out_loss == pytest.approx(loss, rel=1e-3)
    few = fit_targets(table.rows(np.arange(5)), targets[:5], LABEL_SETS, 0)
    assert not len(few.index)
    assert few.head(table).shape == (200, 4)
