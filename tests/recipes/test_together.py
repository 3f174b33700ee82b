"""Several tasks at once: a model a task, each as if made alone; what helps one is learned by the other."""

import json

import numpy as np
import pytest
import torch

from langnet.errors import LangnetError
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.kinds.kind import HeadOptions
from langnet.recipes.kinds.registry import find_kind
from langnet.recipes.model import load
from langnet.recipes.pretrain import PretrainOptions, pretrain
from langnet.recipes.together import transfer_together
from langnet.recipes.transfer import TransferOptions, evaluate_task
from langnet.tasks.classify import Classify
from langnet.text.labelled import LabelledText
from tests.recipes.kind_items import TRAIN

QUICK = TransferOptions(FinetuneOptions(epochs=1, least_steps=1, batch_size=8), HeadOptions(hidden=8), head_epochs=1)


@pytest.fixture(scope="module", params=["gpt", "elmo"])
def model(request, tiny_labelled):
    options = PretrainOptions(request.param, "tiny", context=32, steps=2, batch_tokens=256, document_vectors=False)
    return pretrain(tiny_labelled.texts[:100], options, texts=True)


def tasks(data, n=24):
    return {name: (name.split("-")[0], TRAIN[name.split("-")[0]](data)[:n]) for name in ("entail", "tag", "tag-more")}


def test_each_is_a_model_by_itself(tmp_path, model, tiny_labelled):
    wanted = tasks(tiny_labelled)
    before = torch.cat([p.flatten() for p in model.encoder.parameters()]).clone()
    made = transfer_together(model, wanted, QUICK, folder=tmp_path / "run")
    assert list(made) == list(wanted)
    assert sum(one.facts["finetune"]["together"]["shares"]["tag"] for one in made.values()) == pytest.approx(
        1, abs=1e-3
    )
    for name, (kind, items) in wanted.items():
        guesses = made[name].guess(items[:5])
        made[name].save(tmp_path / name)
        again = load(tmp_path / name)
        assert again.network.task.name == kind
        assert find_kind(kind).statistics(items[:5], [again.guess(items[:5])]) == pytest.approx(
            find_kind(kind).statistics(items[:5], [guesses])
        )
    first, second = (list(made[name].encoder.parameters()) for name in ("entail", "tag"))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True)), "they share what they read with"
    assert torch.equal(before, torch.cat([p.flatten() for p in model.encoder.parameters()])), "the base was changed"


def labelled(data, n):
    return [LabelledText(text, label) for text, label in zip(data.texts[:n], data.labels[:n], strict=True)]


def test_a_classifier_comes_out_as_an_ordinary_one(tmp_path, model, tiny_labelled):
    items = labelled(tiny_labelled, 40)
    wanted = {"mood": ("classify", items), "tag": ("tag", TRAIN["tag"](tiny_labelled)[:24])}
    made = transfer_together(model, wanted, QUICK)["mood"]
    guesses = made.guess(items)
    made.save(tmp_path / "mood")
    again = load(tmp_path / "mood")
    assert again.is_classifier
    assert type(again.network.task) is Classify
    texts = [item.text for item in items]
    assert again.labels == sorted(set(tiny_labelled.labels))
    assert again.predict(texts) == [guess.label for guess in guesses]
    assert again.predict_proba(texts)[:, 0] == pytest.approx(
        [guess.probabilities[again.labels[0]] for guess in guesses], abs=1e-6
    )


@pytest.mark.parametrize("model", ["gpt"], indirect=True)
def test_classes_are_learned(model, tiny_labelled):
    items = labelled(tiny_labelled, 160)
    wanted = {"mood": ("classify", items[:100]), "tag": ("tag", TRAIN["tag"](tiny_labelled)[:40])}
    made = transfer_together(model, wanted, TransferOptions(FinetuneOptions(epochs=2), head_epochs=1))
    assert "strength" in made["mood"].facts["finetune"]["frozen_choice"]
    report, _ = evaluate_task(made["mood"], find_kind("classify", together=True), items[100:], items[:100])
    assert [row.name for row in report.rows][1:] == ["majority", "TF-IDF"]
    own, majority = (next(iter(row.scores.values())).value for row in report.rows[:2])
    assert own > majority + 0.2
    with pytest.raises(LangnetError, match="at least two different labels, found pos"):
        transfer_together(model, {**wanted, "mood": ("classify", [LabelledText("a", "pos")] * 9)}, QUICK)
    with pytest.raises(LangnetError, match="there is no task 'classify'"):
        find_kind("classify")


@pytest.mark.parametrize("model", ["gpt"], indirect=True)
def test_they_are_learned(model, tiny_labelled):
    items = TRAIN["tag"](tiny_labelled)
    wanted = {"tag": ("tag", items[:60]), "similarity": ("similarity", TRAIN["similarity"](tiny_labelled)[:40])}
    options = TransferOptions(FinetuneOptions("scratch", epochs=6, validation_fraction=0.1), HeadOptions(hidden=8))
    made = transfer_together(model, wanted, options, temperature=1)
    report, _ = evaluate_task(made["tag"], find_kind("tag"), items[100:140])
    assert next(iter(report.rows[0].scores.values())).value > 0.9
    record = [record for record in made["tag"].history if "validation_mean of 1 - score" in record][-1]
    parts = [value for key, value in record.items() if ": 1 - " in key]
    assert record["validation_mean of 1 - score"] == pytest.approx(np.mean(parts))


@pytest.mark.parametrize("model", ["gpt"], indirect=True)
class TestRefused:
    def test_one_task(self, model, tiny_labelled):
        with pytest.raises(LangnetError, match="two or more"):
            transfer_together(model, {"tag": ("tag", TRAIN["tag"](tiny_labelled))}, QUICK)

    def test_frozen(self, model, tiny_labelled):
        with pytest.raises(LangnetError, match="on a frozen encoder tasks learn nothing from each other"):
            transfer_together(model, tasks(tiny_labelled), TransferOptions(FinetuneOptions("frozen")))

    def test_temperature(self, model, tiny_labelled):
        with pytest.raises(LangnetError, match="the temperature must be 1 or more"):
            transfer_together(model, tasks(tiny_labelled), QUICK, temperature=0.5)


@pytest.fixture
def run(tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    return call


def test_the_command_line(run, tmp_path, tiny_model):
    tiny_model.save("lm")
    pairs = [{"premise": "a film", "hypothesis": "a joy", "label": label} for label in ("yes", "no")] * 6
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, pairs)))
    (tmp_path / "words.conll").write_text("The\tO\nfilm\tB-X\n\nA\tO\njoy\tB-X\n\n" * 6)
    code, said = run("multitask", "lm", "entail=pairs.jsonl", "ner:tag=words.conll", "-o", "both", "--epochs", 1)
    assert code == 0, said.err
    assert "both/ner: a model for the task 'tag' from 12 items, in 50% of the steps" in said.out
    assert not (tmp_path / "both.run" / "checkpoint").exists()
    code, said = run("evaluate", "both/ner", "words.conll")
    assert code == 0, said.err
    assert "CRF of word features" in said.out
    code, said = run("multitask", "lm", "entail=pairs.jsonl", "ner:tag=words.conll", "-o", "both")
    assert (code, said.err.count("\n")) == (2, 1)
    assert "both/entail exists already" in said.err


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["tag=a", "sing=b"], "there is no kind 'sing' to learn together; choose from classify"),
        (["tag=a", "entail"], "'entail' is no task: write KIND=FILE"),
        (["tag=a", "tag=b"], "several tasks are learned together; for one: langnet finetune"),
        (["x:tag=a", "x:entail=b"], "the task 'x' is of the kind 'tag' and of 'entail'"),
        (["a/b:tag=a", "entail=b"], "a task's name becomes a folder"),
        (["tag=nowhere.conll", "entail=b"], "there is no file or folder 'nowhere.conll'"),
    ],
)
def test_mistakes(run, tiny_model, given, told):
    tiny_model.save("lm")
    code, said = run("multitask", "lm", *given, "-o", "x")
    assert (code, said.err.count("\n")) == (2, 1)
    assert told in said.err
