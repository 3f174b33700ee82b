"""Every method trains, saves, loads and predicts the same; odd texts included."""

import numpy as np
import pytest
import torch

from langnet.errors import LangnetError
from langnet.recipes.finetune import FinetuneOptions, finetune
from langnet.recipes.model import load
from langnet.transfer.frozen import fit_frozen, read_features

ODD = ["", "a", "😀👩‍👩‍👧", "مرحبا بالعالم", "学而时习之", "word " * 3000, "\n\n", "<start> <pad>"]


@pytest.mark.parametrize(
    "options",
    [
        FinetuneOptions("frozen"),
        FinetuneOptions("finetune", epochs=2, gradual_unfreezing=True, auxiliary_lm=0.5),
        FinetuneOptions("finetune", epochs=2, head_first=False, pooling="concat", document_features=False),
        FinetuneOptions("scratch", epochs=2, validation_fraction=0.2),
    ],
    ids=["frozen", "remedies", "concat", "scratch"],
)
def test_trains_saves_loads_predicts_the_same(tmp_path, tiny_model, tiny_labelled, options):
    train, test = tiny_labelled.subset(40, 0), tiny_labelled.rows(range(350, 400))
    before = torch.cat([p.flatten() for p in tiny_model.encoder.parameters()]).clone()
    classifier = finetune(tiny_model, train.texts, train.labels, options)
    probabilities = classifier.predict_proba([*test.texts, *ODD])
    assert np.isfinite(probabilities).all()
    classifier.save(tmp_path / "c")
    again = load(tmp_path / "c")
    np.testing.assert_allclose(again.predict_proba([*test.texts, *ODD]), probabilities, atol=5e-3)
    assert again.labels == ["neg", "pos"]
    after = torch.cat([p.flatten() for p in tiny_model.encoder.parameters()])
    assert torch.equal(before, after), "the base model was changed"


def test_frozen_learns_and_the_head_is_installed_exactly(tiny_model, tiny_labelled):
    train, test = tiny_labelled.subset(60, 0), tiny_labelled.rows(range(300, 400))
    classifier = finetune(tiny_model, train.texts, train.labels, FinetuneOptions("frozen"))
    assert np.mean(np.array(classifier.predict(test.texts)) == np.array(test.labels)) > 0.9
    classes = np.array([int(label == "pos") for label in train.labels])
    table = read_features(tiny_model.encoder, tiny_model.examples(train.texts), tiny_model.tokenizer.pad_id)
    head, _ = fit_frozen(table, classes, 2, seed=0)
    expected = head(table).softmax(1).detach().numpy()
    np.testing.assert_allclose(classifier.predict_proba(train.texts), expected, atol=1e-4)


def test_same_seed_same_classifier(tiny_model, tiny_labelled):
    train = tiny_labelled.subset(20, 0)
    first, second = (
        finetune(tiny_model, train.texts, train.labels, FinetuneOptions(epochs=1)).predict_proba(train.texts)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("pooling", ["last", "mean", "concat"])
def test_fine_tunes_in_bfloat16(tiny_model, tiny_labelled, pooling):
    train = tiny_labelled.subset(20, 0)
    options = FinetuneOptions(epochs=1, pooling=pooling, head_first=False, precision="bf16")
    assert np.isfinite(finetune(tiny_model, train.texts, train.labels, options).predict_proba(ODD)).all()


def test_pseudo_labels_are_used(tiny_model, tiny_labelled):
    train = tiny_labelled.subset(20, 0)
    options = FinetuneOptions(epochs=1)
    classifier = finetune(tiny_model, train.texts, train.labels, options, unlabelled=tiny_labelled.texts[:200])
    assert 50 <= classifier.facts["finetune"]["pseudo_labelled"] <= 100


@pytest.mark.parametrize("unlabelled", [False, True])
def test_labels_that_are_held_out_teach_nothing(tiny_model, tiny_labelled, unlabelled):
    """After one step there is none to choose, so other labels there give the same classifier."""
    train, rest = tiny_labelled.subset(40, 0), tiny_labelled.texts[300:] if unlabelled else None
    options = FinetuneOptions(epochs=1e-3, least_steps=1, validation_fraction=0.25)
    held = np.random.default_rng(options.seed).permutation(40)[:10]
    other = [{"neg": "pos", "pos": "neg"}[label] if i in held else label for i, label in enumerate(train.labels)]
    one, two = (
        finetune(tiny_model, train.texts, labels, options, unlabelled=rest).predict_proba(train.texts)
        for labels in (train.labels, other)
    )
    np.testing.assert_array_equal(one, two)


def test_mistakes_are_said(tiny_model):
    with pytest.raises(LangnetError, match="2 texts but 1 labels"):
        finetune(tiny_model, ["a", "b"], ["x"])
    with pytest.raises(LangnetError, match="only 'x'"):
        finetune(tiny_model, ["a", "b"], ["x", "x"])
    with pytest.raises(LangnetError, match="without labels"):
        tiny_model.predict_proba(["a"])


def test_language_model_survives_its_folder(tmp_path, tiny_model):
    tiny_model.save(tmp_path / "lm")
    again = load(tmp_path / "lm")
    ids = torch.randint(5, 40, (2, 20))
    assert torch.equal(again.encoder(ids).top, tiny_model.encoder(ids).top)
    assert again.facts["validation"]["bits_per_byte"] > 0
