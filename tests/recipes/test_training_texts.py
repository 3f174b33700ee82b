"""A classifier knows its training texts again, by content, and tells no absolute path."""

import json

import pytest

from langnet.recipes.finetune import FinetuneOptions, finetune
from langnet.recipes.training_texts import describe_training_texts, digest_of, find_training_texts
from langnet.text.labelled import LabelledData, read_labelled


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [{"t": f"text {i}", "y": "ab"[i % 2]} for i in range(10)]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "models").mkdir()
    return read_labelled("data/train.jsonl", "t", "y")


def test_a_classifier_made_in_python_knows_them_too(tiny_model):
    texts, labels = ["good film", "bad film", "good story"] * 4, ["pos", "neg", "pos"] * 4
    facts = finetune(tiny_model, texts, labels, FinetuneOptions("frozen")).facts["finetune"]["training_texts"]
    assert facts == {"n": 12, "digest": digest_of(LabelledData(texts, labels)), "labels": {"pos": 8, "neg": 4}}


def test_the_digest_is_of_the_rows_in_any_order():
    data = LabelledData(["x", "y"], ["a", "b"])
    assert digest_of(data) == digest_of(data.rows([1, 0]))
    assert digest_of(data) != digest_of(LabelledData(["x", "y"], ["b", "a"]))
    assert digest_of(data) != digest_of(data.rows([0, 1, 1]))


def test_found_again_also_after_all_has_moved(data, tmp_path):
    facts = describe_training_texts(data, ["data/train.jsonl"], tmp_path / "models" / "c", ("t", "y"))
    assert str(tmp_path) not in json.dumps(facts)
    assert facts["labels"] == {"a": 5, "b": 5}
    assert find_training_texts(facts, tmp_path / "models" / "c").texts == data.texts
    (tmp_path / "elsewhere").mkdir()
    for name in ("data", "models"):
        (tmp_path / name).rename(tmp_path / "elsewhere" / name)
    assert find_training_texts(facts, tmp_path / "models" / "c") is None
    assert find_training_texts(facts, tmp_path / "elsewhere" / "models" / "c").texts == data.texts


def test_a_changed_file_is_not_taken_for_the_texts(data, tmp_path):
    facts = describe_training_texts(data, ["data/train.jsonl"], tmp_path / "models" / "c", ("t", "y"))
    (tmp_path / "data" / "train.jsonl").write_text('{"t": "other", "y": "a"}\n')
    assert find_training_texts(facts, tmp_path / "models" / "c") is None
    (tmp_path / "data" / "train.jsonl").write_text('{"t": "cut')
    assert find_training_texts(facts, tmp_path / "models" / "c") is None


def test_files_outside_the_working_folder_are_not_named(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "models")
    path = str(tmp_path / "data" / "train.jsonl")
    facts = describe_training_texts(data, [path], tmp_path / "models" / "c", ("t", "y"))
    assert "files" not in facts
    assert find_training_texts(facts, tmp_path / "models" / "c") is None
    assert facts["n"] == 10
