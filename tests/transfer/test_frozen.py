"""Frozen heads: the penalty holds whatever is mixed, and with one layer the fit is scikit-learn's."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from langnet.transfer.frozen import FeatureTable, FrozenHead, best_temperature, choose, unlabelled_loss


def table(n, seed):
    """A document feature that tells the class, beside three layers of states that are mostly noise."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 4, n)
    layers = generator.normal(size=(n, 3, 64))
    document = np.eye(4)[labels] + 0.4 * generator.normal(size=(n, 4))
    return FeatureTable(torch.from_numpy(layers).float(), torch.from_numpy(document).float()), labels


def test_mix_cannot_escape_the_penalty():
    train, labels = table(60, 0)
    test, gold = table(400, 1)
    head = FrozenHead(train, 4, 0.3, True)
    with torch.no_grad():
        uniform, uniform_test = head.inputs(train).numpy(), head.inputs(test).numpy()
    head.fit(train, torch.as_tensor(labels), 32.0)
    expected = LogisticRegression(C=32.0, max_iter=2000).fit(uniform, labels).score(uniform_test, gold)
    reached = float((head(test).argmax(1).numpy() == gold).mean())
    assert head.mix.gamma.item() == 1.0
    assert reached > expected - 0.05


@pytest.mark.parametrize("n_classes", [2, 4])
def test_one_layer_equals_scikit_learn(n_classes):
    train, labels = table(80, 0)
    labels = labels % n_classes
    train = FeatureTable(train.layers[:, :1], train.document)
    head = FrozenHead(train, n_classes, 1.0, True)
    with torch.no_grad():
        features = head.inputs(train).numpy()
    head.fit(train, torch.as_tensor(labels), 2.0)
    expected = LogisticRegression(C=2.0, max_iter=5000, tol=1e-8).fit(features, labels).predict_proba(features)
    np.testing.assert_allclose(head(train).softmax(1).detach().numpy(), expected, atol=2e-3)


def test_unlabelled_loss_by_hand():
    scores = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    share = torch.tensor([0.25, 0.75])
    p = np.exp(scores.numpy()) / np.exp(scores.numpy()).sum(1, keepdims=True)
    entropy = -(p * np.log(p)).sum(1).mean()
    divergence = (p.mean(0) * np.log(p.mean(0) / share.numpy())).sum()
    np.testing.assert_allclose(unlabelled_loss(scores, share).item(), entropy + 2 * divergence, rtol=1e-5)


def clouds(n, seed):
    """Two round clouds in thirty dimensions; a line between few points of them points far from where they lie apart."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    points = 0.5 * generator.normal(size=(n, 30))
    points[:, 0] += 2 * labels - 1
    return FeatureTable(torch.zeros(n, 1, 0), torch.from_numpy(points / 3).float()), labels


def test_unlabelled_documents_show_where_the_gap_is():
    unlabelled, _ = clouds(500, 100)
    test, gold = clouds(500, 101)
    reached = np.zeros((5, 2))
    for seed in range(5):
        train, labels = clouds(6, seed)
        for column, others in enumerate((None, unlabelled)):
            head = FrozenHead(train, 2, 0.0, True)
            head.fit(train, torch.as_tensor(labels), 8.0, others, 3.0)
            reached[seed, column] = (head(test).argmax(1).numpy() == gold).mean()
    alone, together = reached.mean(0)
    assert together > alone + 0.03, f"{alone:.3f} without the unlabelled documents, {together:.3f} with them"


def test_temperature_that_calibrates_is_found():
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(20_000, 3))
    gold = np.array([generator.choice(3, p=p) for p in np.exp(scores) / np.exp(scores).sum(1, keepdims=True)])
    temperature, loss = best_temperature(5 * scores, gold)
    np.testing.assert_allclose(temperature, 5, rtol=0.05)
    np.testing.assert_allclose(loss, best_temperature(scores, gold)[1], atol=1e-4)


def test_a_class_of_one_example_leaves_nothing_to_validate_on():
    data, _ = table(6, 0)
    choice = choose(data, np.array([0, 0, 0, 1, 1, 2]), 3, seed=0)
    assert (choice.state_weight, choice.document) == (0.0, True)
    bare = FeatureTable(data.layers, data.document[:, :0])
    assert (choose(bare, np.array([0, 0, 0, 1, 1, 2]), 3, seed=0).state_weight) == 1.0
