"""Heads for sets of labels and for numbers: losses by hand, thresholds, long documents."""

import math

import numpy as np
import pytest
import torch

from langnet.encoders.encoder import Encoding
from langnet.encoders.registry import build_encoder_like
from langnet.errors import LangnetError
from langnet.recipes.pretrain import PretrainOptions, pretrain
from langnet.tasks.multilabel import LabelSetGuess, MultiLabel, MultiLabelConfig, label_set_guesses, set_loss
from langnet.tasks.regress import Regress, RegressConfig
from langnet.text.batches import Batch
from langnet.text.text_items import TextItem
from langnet.transfer.model import TaskModel


def encoded(n=3, dim=4):
    states = torch.from_numpy(np.random.default_rng(0).normal(size=(n, 5, dim))).float()
    ids = torch.zeros(n, 5, dtype=torch.long)
    return Encoding([states], None), Batch(ids, torch.ones(n, 5, dtype=torch.bool), n_examples=n), states.mean(1)


def test_the_loss_is_minus_the_log_probability_of_the_set():
    scores, targets = torch.tensor([[2.0, -1.0], [0.0, 3.0]]), torch.tensor([[1.0, 1.0], [0.0, 1.0]])
    p = 1 / (1 + np.exp(-scores.double().numpy()))
    chance = np.where(targets.numpy() == 1, p, 1 - p).prod(axis=1)
    assert float(set_loss(scores, targets)) == pytest.approx(-np.log(chance).mean(), rel=1e-6)


def test_labels_are_given_from_their_thresholds_on():
    guesses = label_set_guesses(["a", "b"], np.array([[0.4, 0.4], [0.5, 0.2]]), np.array([0.5, 0.3]))
    assert [guess.labels for guess in guesses] == [("b",), ("a",)]
    assert guesses[0].probabilities == {"a": 0.4, "b": 0.4}
    assert str(LabelSetGuess((), {})) == "{}"


def test_a_set_is_guessed_and_scored():
    encoding, batch, mean = encoded()
    task = MultiLabel(MultiLabelConfig(("a", "b")), 4).eval().requires_grad_(False)
    logits = (mean @ task.output.weight.T + task.output.bias).double().numpy()
    guesses = task.guesses(encoding, batch)
    p = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose([list(guess.probabilities.values()) for guess in guesses], p, rtol=1e-5)
    expected = [np.log([v if n in g.labels else 1 - v for n, v in g.probabilities.items()]).sum() for g in guesses]
    np.testing.assert_allclose(task.guess_scores(encoding, batch, guesses), expected, rtol=1e-4)
    task.settle([0.0, 1.0])
    assert {guess.labels for guess in task.guesses(encoding, batch)} == {("a",)}


def test_labels_that_are_not_known():
    task = MultiLabel(MultiLabelConfig(("a", "b")), 4)
    assert task.targets([TextItem("x", ("b",)), TextItem("y", ())]).tolist() == [[0, 1], [0, 0]]
    with pytest.raises(LangnetError, match=r"f:3: the model does not know the label 'c'; it knows a, b"):
        task.targets([TextItem("x", ("c",), "f:3")])
    with pytest.raises(LangnetError, match="no set of labels"):
        task.targets([TextItem("x")])


def test_numbers_are_standardised_and_kept_within_their_range():
    encoding, batch, mean = encoded()
    task = Regress(RegressConfig(1.0, 5.0, 3.0, 2.0), 4).eval().requires_grad_(False)
    targets = task.targets([TextItem("x", value) for value in (1.0, 3.0, 5.0)])
    assert targets[:, 0].tolist() == [-1, 0, 1]
    batch.labels = torch.from_numpy(targets)
    own = (mean @ task.output.weight.T + task.output.bias).double().numpy()
    assert float(task.loss(None, encoding, batch)) == pytest.approx(((own - targets) ** 2).mean(), rel=1e-5)
    assert [g.value for g in task.guesses(encoding, batch)] == pytest.approx(np.clip(own[:, 0] * 2 + 3, 1, 5))
    task.output.bias.fill_(100.0)
    assert [g.value for g in task.guesses(encoding, batch)] == [5.0] * 3
    free = Regress(RegressConfig(1.0, 5.0, 3.0, 2.0, bounded=False), 4).eval()
    free.load_state_dict(task.state_dict())
    assert min(g.value for g in free.guesses(encoding, batch)) > 100
    with pytest.raises(LangnetError, match="has to be a number"):
        task.targets([TextItem("x", ("a",))])


@pytest.fixture(scope="module")
def reader(tiny_labelled):
    options = PretrainOptions("awd-lstm", "tiny", steps=1, batch_tokens=256, document_vectors=False)
    return pretrain(tiny_labelled.texts[:50], options, texts=True)


@pytest.mark.parametrize("kind", ["multilabel", "regress"])
def test_long_documents_are_learned_from_at_their_end_and_read_whole(reader, kind):
    """Backpropagation through time for text classification: bounded in what is learned from, not in what is read."""
    encoder = build_encoder_like(reader.encoder, 0)
    torch.manual_seed(0)
    if kind == "multilabel":
        task, label = MultiLabel(MultiLabelConfig(("a", "b")), encoder.dim), np.array([1, 0], dtype=np.float32)
    else:
        task, label = Regress(RegressConfig(0, 1, 0.5, 1), encoder.dim), np.array([0.3], dtype=np.float32)
    seen = []
    hook = encoder.embedder.register_forward_hook(lambda module, inputs, output: seen.append(output))
    # The first half of the document is spelled by tokens that its end does not have.
    ids = np.concatenate([np.full(40, 5), np.full(8, 9)])
    examples = reader.writer.documents_as_examples(["x"], [label])
    batch = task.collate([type(examples[0])(ids, label)], None, 0)
    slopes, losses = {}, {}
    for learned in (8, 48):
        network = TaskModel(encoder, [(task, 1.0)], None, learned).train()
        encoder.scale_dropout(0.0)
        task.dropout.p = 0.0
        network.zero_grad()
        loss = network(batch)["loss"]
        loss.backward()
        slopes[learned] = encoder.embedder.weight.grad[[5, 9]].abs().sum(1).tolist()
        losses[learned] = float(loss.detach())
    hook.remove()
    assert losses[8] == pytest.approx(losses[48], abs=1e-5)  # all of it is read, and pooled
    assert slopes[8][0] == 0
    assert min(slopes[8][1], *slopes[48]) > 0
    assert math.isfinite(losses[8])
