"""The comparison of encoders on one budget runs, resumes, and counts operations as PyTorch does."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import equal_budget
from benchmarks.bounds import KINDS, Bounds
from benchmarks.equal_budget_table import kept, write
from benchmarks.equal_budget_texts import READ, shortened
from benchmarks.operations import Words, operations_a_token, operations_of_word_vectors
from benchmarks.sources import read_masakhane, read_yoruba
from langnet.encoders.awd_lstm import AWDLSTM, AWDLSTMConfig
from langnet.encoders.elmo import ELMo, ELMoConfig
from langnet.encoders.encoder import Encoder
from langnet.encoders.gpt import GPT, GPTConfig
from langnet.errors import LangnetError
from langnet.recipes.word_vectors import WordVectorOptions
from langnet.tasks.bidirectional import BidirectionalLanguageModel
from langnet.tasks.language_model import LanguageModel
from langnet.text.batches import Batch
from langnet.text.characters import spell
from langnet.transfer.model import TaskModel
from tests.conftest import sentences

B, T, V = 3, 64, 200


def counted(encoder: Encoder, task: torch.nn.Module, batch: Batch, in_place: float = 0.0) -> float:
    """Operations a token of forward and backward, by PyTorch's own counter, which does not know `addmm_`.

    `in_place` are those: two a weight of the softmax, whose gradient is summed so where all words are scored.
    """
    model = TaskModel(encoder, [(task, 1.0)]).train()  # type: ignore[list-item]
    with FlopCounterMode(display=False) as counter:
        model(batch)["loss"].backward()
    return counter.get_total_flops() / int(batch.mask.sum()) + in_place


def ids() -> torch.Tensor:
    return torch.randint(5, V, (B, T), generator=torch.Generator().manual_seed(0))


def batch_of(shown: torch.Tensor) -> Batch:
    real = torch.ones(B, T, dtype=torch.bool)
    return Batch(shown, real, targets=ids(), previous=ids())


@pytest.mark.parametrize("norm", ["pre-rms", "pre-layer"])
def test_operations_of_gpt(norm):
    encoder = GPT(GPTConfig(V, T, 32, 2, 2, 96, norm=norm, positions="learned"))
    expected = operations_a_token(encoder, T)
    # PyTorch counts the whole square of attention, of which a causal model needs half.
    square = expected + 6 * 2 * T * 32
    assert counted(encoder, LanguageModel(), batch_of(ids()), 2 * V * 32) == pytest.approx(square, rel=0.02)
    assert expected == 6 * (2 * (4 * 32**2 + 2 * 32 * 96) + V * 32 + 2 * T * 32)


def test_operations_of_awd_lstm():
    encoder = AWDLSTM(AWDLSTMConfig(V, 24, 40, 3))
    found = counted(encoder, LanguageModel(), batch_of(ids()), 2 * V * 24)
    assert operations_a_token(encoder, T) == pytest.approx(found, rel=0.02)


@pytest.mark.parametrize("negatives", [0, 64])
def test_operations_of_elmo(negatives):
    config = ELMoConfig(V, 16, 48, 2, ((1, 8), (2, 8), (3, 16)), 8, n_highway=1, max_characters=20)
    words = spell([f"word{i}".encode() for i in range(V)])[ids().flatten().numpy()].astype(np.int64)
    batch = batch_of(torch.from_numpy(words).view(B, T, -1))
    torch.manual_seed(0)
    in_place = 0 if negatives else 2 * 2 * V * 16
    found = counted(ELMo(config), BidirectionalLanguageModel(negatives), batch, in_place)
    read = Words.of([batch])
    assert 0 < read.distinct < 1
    assert read.characters == 9  # word123 between its two marks
    assert operations_a_token(ELMo(config), T, negatives, read) == pytest.approx(found, rel=0.05)


def test_operations_of_word_vectors_by_hand():
    # Nothing is discarded: 10 words, 5 + 1 neighbours each on average, one true word and five drawn ones, 3 dimensions.
    counts = np.array([6, 4])
    skipgram = WordVectorOptions("word2vec-skipgram", 3, sample=0.0)
    assert operations_of_word_vectors(skipgram, counts) == 10 * 6 * (6 * 3 * 2 * 3)
    cbow = WordVectorOptions("word2vec-cbow", 3, sample=0.0)
    assert operations_of_word_vectors(cbow, counts) == 10 * (6 * 3 * 2 * 3 + 6 * 4 * 3)
    glove = WordVectorOptions("glove", 3)
    assert operations_of_word_vectors(glove, counts, pairs=7) == 7 * 3 * 12
    often = WordVectorOptions("word2vec-cbow", 3, sample=1e-3)
    assert operations_of_word_vectors(often, counts) < operations_of_word_vectors(cbow, counts) / 10


def test_what_bounds_a_step():
    shares = dict(zip(KINDS, (0.5, 0.1, 0.2, 0.15, 0.05), strict=True))
    assert Bounds(1.0, shares).bound(0.45) == "elementwise work and memory"
    assert Bounds(1.0, shares).bound(0.1) == "products of small matrices"
    assert Bounds(1.0, shares).speed_of_products(0.4) == pytest.approx(0.8)


def imdb(folder: Path) -> Path:
    """Reviews as aclImdb has them."""
    data = sentences(180, seed=1)
    for number, (text, label) in enumerate(zip(data.texts, data.labels, strict=True)):
        side = "neg" if label == data.label_names[0] else "pos"
        part = "train/unsup" if number < 80 else f"train/{side}" if number < 130 else f"test/{side}"
        place = folder / "imdb" / part
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}_1.txt").write_text(text, encoding="utf8")
    return folder


ARGUMENTS = ["--set", "imdb", "--minutes", "0.002", "--labels", "8", "--draws", "1", "--tests", "20"]
ARGUMENTS += [
    "--finetuning-steps",
    "2",
    "--steps",
    "1",
    "1",
    "1",
    "--matrix",
    "32",
    "--rows",
    "word2vec-cbow",
    "awd-lstm",
]


@pytest.mark.slow
def test_it_runs_and_goes_on_where_it_stood(tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    arguments = [*ARGUMENTS, "--data", str(imdb(tmp_path)), "--output", str(page)]
    equal_budget.main(arguments)
    text = page.read_text(encoding="utf8")
    for name in ("word2vec, CBOW", "awd-lstm", "majority class", "LSA"):
        assert f"| {name}" in text or name in text
    held = json.loads(page.with_suffix(".json").read_text(encoding="utf8"))
    row = held["rows"][1]
    assert set(row["accuracy"]) == {"scratch", "frozen", "finetune", "documents"}
    assert all(len(values) == 1 and min(values) >= 0 for values in row["accuracy"].values())
    assert sum(row["facts"]["shares"].values()) == pytest.approx(1)
    assert row["facts"]["operations_per_second"] > 0
    monkeypatch.setattr(equal_budget, "pretrain", None)  # nothing is learned again
    monkeypatch.setattr(equal_budget, "train_word_vectors", None)
    equal_budget.main(arguments)
    assert json.loads(page.with_suffix(".json").read_text(encoding="utf8"))["rows"] == held["rows"]


def test_a_row_of_another_run_joins_the_page(tmp_path):
    page = tmp_path / "page.md"
    facts = {"command": "old", "date": "d1", "machine": "m", "minutes": 5.0, "set": "imdb"}
    new = facts | {"command": "new", "date": "d2"}
    with pytest.raises(LangnetError, match="there are no other rows to keep"):
        kept(page, [], new, ["gpt"])
    held = {**facts, "rows": [{"key": "gpt", "n": 1}, {"key": "glove", "n": 1}], "neighbours": {"majority": [0.5]}}
    page.with_suffix(".json").write_text(json.dumps(held), encoding="utf8")
    rows, neighbours, told = kept(
        page, [{"key": "glove", "n": 2}, {"key": "elmo", "n": 2}], new, ["glove", "gpt", "elmo"]
    )
    assert rows == [{"key": "glove", "n": 2}, {"key": "gpt", "n": 1}, {"key": "elmo", "n": 2}]
    assert neighbours == held["neighbours"]
    assert {name: told[name] for name in facts} == facts
    assert told["later"]["glove"] == {"command": "new", "date": "d2", "machine": "m"}
    with pytest.raises(LangnetError, match="made with another minutes"):
        kept(page, [], new | {"minutes": 3.0}, ["gpt"])


def test_texts_are_cut_in_their_middle():
    text = " ".join(f"w{number}" for number in range(1000))
    short = shortened(text)
    assert READ - 12 < len(short) <= READ
    head, tail = short.split("\n")
    assert text.startswith(head + " ")
    assert text.endswith(" " + tail)
    assert shortened(short) == short


def test_elmo_is_marked_as_not_comparable(tmp_path):
    facts = {
        "parameters": 1, "vocabulary": 2, "minutes": 1.0, "tokens": 3, "steps": 4, "processor_share": 1.0,
        "bits_per_byte": 1.5, "interval": [1.4, 1.6], "operations_per_second": 1e9, "tokens_per_second": 5.0,
        "share_of_peak": 0.1, "peak": 1e10, "precision": "no", "shares": dict.fromkeys(KINDS, 0.2),
    }  # fmt: skip
    accuracy = {key: [0.5, 0.6] for key in ("scratch", "finetune", "documents")}
    accuracy["frozen"] = [0.7, 0.8, 0.9]  # fewer draws where a network is trained
    rows = [
        {"key": key, "size": "tiny", "facts": facts, "accuracy": accuracy, "states_used": 1} for key in ("gpt", "elmo")
    ]
    told = {
        "minutes": 1.0, "set": "imdb", "command": "c", "date": "d", "raw_texts": 1, "raw_words": 1, "labels": 1,
        "draws": 3, "slow_draws": 2, "tests": 1, "read": 1, "development": True, "busy": True, "matrix": 8,
        "machine": "m",
    }  # fmt: skip
    write(tmp_path / "page.md", rows, {"majority": [0.5, 0.5]}, told)
    text = (tmp_path / "page.md").read_text(encoding="utf8")
    assert "| gpt | 1.500 [1.400, 1.600] |" in text
    assert "| elmo | (1.500 [1.400, 1.600])* |" in text
    assert "development texts" in text
    assert "3 draws of them (2 where a network is trained)" in text
    assert (
        "| 0.800 [0.552, 1.048] | 0.550 [-0.085, 1.185] | +0.200 [+0.200, +0.200] | +0.000 [+0.000, +0.000] |" in text
    )


def test_yoruba_is_cut_into_documents(tmp_path):
    with pytest.raises(LangnetError, match="no Yoruba text"):
        read_yoruba(tmp_path)
    (tmp_path / "TheYorubaBlog").mkdir()
    lines = [f"ọ̀rọ̀ {number} " + "a" * 400 for number in range(10)]
    (tmp_path / "TheYorubaBlog" / "blog.txt").write_text("\n".join(lines), encoding="utf8")
    documents = read_yoruba(tmp_path)
    assert len(documents) == 4
    assert "\n".join(documents) == "\n".join(lines)


def test_masakhane_joins_headline_and_text(tmp_path):
    with pytest.raises(LangnetError, match=r"no train\.tsv"):
        read_masakhane(tmp_path)
    for name in ("train", "test"):
        rows = f'category\theadline\ttext\turl\nsports\tA {name}\t"He said ""go""."\tu\n'
        (tmp_path / f"{name}.tsv").write_text(rows, encoding="utf8")
    train, test = read_masakhane(tmp_path)
    assert (train.texts, train.labels) == (['A train\nHe said "go".'], ["sports"])
    assert test.texts == ['A test\nHe said "go".']
