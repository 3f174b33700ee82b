"""A labelled task as pretraining: of a classifier the encoder is kept, the head is not, and that is said."""

import json
import sys

import numpy as np
import pytest
import torch

from langnet.cli import main
from langnet.errors import LangnetWarning
from langnet.recipes.finetune import FinetuneOptions, finetune
from langnet.recipes.model import load


@pytest.fixture(scope="module")
def classifier(tiny_model, tiny_labelled):
    """Of moods, fine-tuned so far that its encoder is no longer the language model's."""
    options = FinetuneOptions("finetune", epochs=1, least_steps=6, learning_rate=1e-3)
    texts, labels = tiny_labelled.texts[:60], tiny_labelled.labels[:60]
    return finetune(tiny_model, texts, labels, options, unlabelled=tiny_labelled.texts[100:160])


@pytest.fixture(scope="module")
def lengths(tiny_labelled):
    """Other labels for the same kind of texts: how many sentences there are."""
    texts = tiny_labelled.texts[60:140]
    return texts, [["few", "some", "many"][min(text.count("."), 4) - 2] for text in texts]


def test_the_encoder_is_kept_and_the_head_is_not(tmp_path, tiny_model, classifier, lengths):
    texts, labels = lengths
    with pytest.warns(LangnetWarning, match=r"is a classifier \(neg, pos\); its encoder is kept, its head replaced"):
        second = finetune(classifier, texts, labels, FinetuneOptions("frozen"))
    assert second.labels == ["few", "many", "some"]
    for name, tensor in classifier.encoder.state_dict().items():
        assert torch.equal(second.encoder.state_dict()[name], tensor), name
    moved = [
        not torch.equal(a, b) for a, b in zip(second.encoder.parameters(), tiny_model.encoder.parameters(), strict=True)
    ]
    assert any(moved)
    assert second.network.task.output.out_features == 3
    assert classifier.labels == ["neg", "pos"]  # what was given is left as it is
    again = load(second.save(tmp_path / "second"))
    np.testing.assert_allclose(again.predict_proba(texts[:5]), second.predict_proba(texts[:5]), atol=1e-6)


def test_what_came_before_is_recorded(tmp_path, classifier, lengths):
    with pytest.warns(LangnetWarning):
        second = finetune(classifier, *lengths, FinetuneOptions("frozen"))
    with pytest.warns(LangnetWarning):
        third = finetune(second, *lengths, FinetuneOptions("frozen"))
    assert [(f["n_labels"], f["examples"]) for f in third.facts["supervised"]] == [(2, 60), (3, 80)]
    assert "finetune" not in third.facts["supervised"][0]
    assert "supervised" not in classifier.facts
    third.save(tmp_path / "third")
    assert "**Supervised pretraining on 2 labels.** Fine-tuning of all weights, from 60 labelled texts" in third.card


def test_document_vectors_stay_without_the_old_scores(classifier, lengths):
    """Co-training leaves the scores of its labels behind the vectors; they were part of the head."""
    assert classifier.document_vectors.bias is not None
    with pytest.warns(LangnetWarning):
        second = finetune(classifier, *lengths, FinetuneOptions("frozen"))
    assert second.document_vectors.bias is None
    assert second.document_vectors.dim == classifier.document_vectors.unit_dim
    assert classifier.document_vectors.bias is not None


def test_from_scratch_nothing_is_kept_and_nothing_said(classifier, lengths, recwarn):
    options = FinetuneOptions("scratch", epochs=0.1, least_steps=1)
    second = finetune(classifier, *lengths, options)
    assert not [w for w in recwarn if issubclass(w.category, LangnetWarning) and "kept" in str(w.message)]
    assert second.labels == ["few", "many", "some"]


def test_on_the_command_line(tmp_path, monkeypatch, capsys, classifier, lengths):
    monkeypatch.chdir(tmp_path)
    classifier.save(tmp_path / "moods")
    rows = [{"text": text, "label": label} for text, label in zip(*lengths, strict=True)]
    (tmp_path / "lengths.jsonl").write_text("\n".join(map(json.dumps, rows)))
    monkeypatch.setattr(
        sys, "argv", ["langnet", "finetune", "moods", "lengths.jsonl", "-o", "second", "--method", "frozen"]
    )
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr()
    assert stopped.value.code == 0, said.err
    assert "its encoder is kept, its head replaced by a new one" in " ".join((said.out + said.err).split())
    assert load("second").labels == ["few", "many", "some"]
