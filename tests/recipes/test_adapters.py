"""Adapters through whole transfers: each family saves, loads and predicts the same; resumed, the same."""

import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from langnet.cli import main
from langnet.errors import LangnetError
from langnet.estimators import TextChooser, TextClassifier
from langnet.recipes.finetune import finetune
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.model import load
from langnet.recipes.pretrain import PretrainOptions, pretrain
from langnet.recipes.together import transfer_together
from langnet.recipes.transfer import TransferOptions, transfer
from langnet.transfer.adapters import adapted, adapter_weights
from tests.recipes.kind_items import TRAIN
from tests.recipes.test_kinds import _plain
from tests.recipes.test_switches import Notes, word_vectors  # noqa: F401 - a fixture
from tests.training.test_loop import KilledAt

QUICK = FinetuneOptions(adapters=2, epochs=1, least_steps=1, batch_size=4, precision="no", document_features=False)
# A kind for each family, the remedies by turns.
CASES = [
    ("gpt", None, "tag", {"gradual_unfreezing": True, "layer_decay": 2.6}),
    ("gpt-2018", None, "choose", {"auxiliary_lm": 0.5}),
    ("gpt-2", "bidirectional", "similarity", {"validation_fraction": 0.3}),
    ("awd-lstm", None, "entail", {"auxiliary_lm": 0.5, "gradual_unfreezing": True, "learned_tokens": 8}),
    ("elmo", None, "multilabel", {"layer_decay": 2.6}),
]


@pytest.mark.parametrize(("family", "objective", "kind", "more"), CASES, ids=[case[0] for case in CASES])
def test_every_family(tmp_path, tiny_labelled, family, objective, kind, more):
    options = PretrainOptions(
        family, "tiny", context=32, steps=1, batch_tokens=256, document_vectors=False, objective=objective
    )
    model = pretrain(tiny_labelled.texts[:60], options, texts=True)
    items = TRAIN[kind](tiny_labelled)[:12]
    made = transfer(model, kind, items, TransferOptions(replace(QUICK, **more), head_epochs=1))
    places = adapted(model.encoder, 2)
    for name, weight in made.encoder.named_parameters():
        assert torch.equal(weight, model.encoder.get_parameter(name)) == (name not in places), name
    facts = made.facts["finetune"]["learned_weights"]
    heads = sum(p.numel() for part in (made.network.tasks, made.network.mix) for p in part.parameters())
    assert facts["n"] == adapter_weights(model.encoder, 2) + heads
    assert facts["share"] == pytest.approx(facts["n"] / (model.encoder.n_parameters + heads), abs=1e-6)
    guesses = made.guess(items)
    made.save(tmp_path / "m")
    assert _plain(load(tmp_path / "m").guess(items)) == pytest.approx(_plain(guesses), abs=1e-5)
    assert "Low-rank adapters of rank 2" in (tmp_path / "m" / "card.md").read_text()


def test_killed_and_resumed_gives_the_same_weights(tmp_path, tiny_labelled):
    pretraining = PretrainOptions("awd-lstm", "tiny", context=32, steps=1, batch_tokens=256, document_vectors=False)
    model = pretrain(tiny_labelled.texts[:60], pretraining, texts=True)
    options = replace(QUICK, epochs=2, gradual_unfreezing=True, dropout=0.3)
    texts, labels = tiny_labelled.texts[:16], tiny_labelled.labels[:16]
    whole = finetune(model, texts, labels, options)
    with pytest.raises(KeyboardInterrupt):
        finetune(model, texts, labels, options, folder=tmp_path, progress=KilledAt(1 + 5))  # one after the reading
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it finds a checkpoint
        resumed = finetune(model, texts, labels, options, folder=tmp_path, resume=True)
    torch.testing.assert_close(resumed.network.state_dict(), whole.network.state_dict(), rtol=0, atol=0)


def test_several_tasks_share_the_products(tiny_model, tiny_labelled):
    tasks = {kind: (kind, TRAIN[kind](tiny_labelled)[:8]) for kind in ("choose", "similarity")}
    made = transfer_together(tiny_model, tasks, TransferOptions(QUICK, head_epochs=1))
    encoders = [model.encoder for model in made.values()]
    places = adapted(tiny_model.encoder, 2)
    for name, weight in encoders[0].named_parameters():
        assert torch.equal(weight, encoders[1].get_parameter(name))
        assert torch.equal(weight, tiny_model.encoder.get_parameter(name)) == (name not in places)
    assert made["choose"].facts["finetune"]["learned_weights"]["n"] > 0


def test_they_learn(tiny_model, tiny_labelled):
    """Without a head that was fitted first, what is right is learned by products and head together."""
    options = replace(QUICK, epochs=8, batch_size=8, head_first=False, learning_rate=3e-3)
    made = finetune(tiny_model, tiny_labelled.texts[:80], tiny_labelled.labels[:80], options)
    guessed = np.array(made.predict(tiny_labelled.texts[300:]))
    assert np.mean(guessed == np.array(tiny_labelled.labels[300:])) > 0.9


def test_contradictions_are_told_before_anything_learns(tiny_model, tiny_labelled, word_vectors):  # noqa: F811
    for method in ("frozen", "scratch"):
        with pytest.raises(LangnetError, match=f"the method '{method}' has no use for"):
            FinetuneOptions(method, adapters=4)
    with pytest.raises(LangnetError, match="adapters of rank -1"):
        FinetuneOptions(adapters=-1)
    data = tiny_labelled.texts[:8], tiny_labelled.labels[:8]
    with pytest.raises(LangnetError, match="have to learn whole"):
        finetune(tiny_model, *data, replace(QUICK, layers=1))
    with pytest.raises(LangnetError, match="embeddings alone; leave --adapters out"):
        finetune(word_vectors, *data, QUICK)
    with pytest.raises(LangnetError, match="rank 500"):
        transfer(
            tiny_model, "choose", TRAIN["choose"](tiny_labelled)[:4], TransferOptions(replace(QUICK, adapters=500))
        )


def test_estimators_have_them():
    assert TextClassifier(adapters=3)._options().adapters == 3
    assert TextChooser(adapters=3)._options().finetune.adapters == 3


def test_what_learns_is_said(tmp_path, monkeypatch, capsys, tiny_model, tiny_labelled):
    notes = Notes()
    finetune(tiny_model, tiny_labelled.texts[:8], tiny_labelled.labels[:8], QUICK, progress=notes)
    assert any("weights learn, head included, beside a model of" in line for line in notes.lines)
    tiny_model.save(tmp_path / "lm")
    rows = [f'"{t}",{y}' for t, y in zip(tiny_labelled.texts[:8], tiny_labelled.labels[:8], strict=True)]
    (tmp_path / "train.csv").write_text("\n".join(["text,label", *rows]))
    monkeypatch.chdir(tmp_path)
    for more, code, said in (("frozen", 2, "has no use for"), ("finetune", 0, "weights learn, head included")):
        arguments = ["lm", "train.csv", "-o", "made", "--adapters", "2", "--epochs", "1", "--method", more]
        monkeypatch.setattr(sys, "argv", ["langnet", "finetune", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        told = capsys.readouterr()
        assert stopped.value.code == code
        assert said in " ".join((told.out + told.err).split())
