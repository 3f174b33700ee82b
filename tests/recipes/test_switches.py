"""What is transferred, and what learns: layers and kept states through the whole of a transfer."""

import sys
import warnings

import numpy as np
import pytest
import torch

from langnet.cli import main
from langnet.encoders.registry import build_encoder_like
from langnet.encoders.vectors import vectors_of
from langnet.encoders.word_space import WordSpace
from langnet.errors import LangnetError
from langnet.recipes import fit
from langnet.recipes import transfer as transfer_module
from langnet.recipes.finetune import finetune
from langnet.recipes.finetune_options import Course, FinetuneOptions
from langnet.recipes.model import Model
from langnet.recipes.transfer import TransferOptions, transfer
from langnet.tasks.language_model import LanguageModel
from langnet.training.progress import SilentProgress
from langnet.transfer.model import TaskModel
from tests.recipes.kind_items import TRAIN
from tests.short import FULL
from tests.training.test_loop import KilledAt
from tests.transfer.test_layers import equal_groups

KINDS = ["classify", "choose"]


def learned(model, data, kind, options, **rest):
    """A model for classification or another task, from a few items."""
    if kind == "classify":
        return finetune(model, data.texts[:24], data.labels[:24], options, **rest)
    return transfer(model, kind, TRAIN[kind](data)[:12], TransferOptions(options, head_epochs=1), **rest)


class Notes(SilentProgress):
    """What was said."""

    def __init__(self):
        self.lines = []

    def note(self, text):
        self.lines.append(text)


@pytest.mark.parametrize("kind", KINDS)
def test_the_layers_above_are_drawn_anew(tiny_model, tiny_labelled, kind):
    """A frozen transfer shows what the encoder was before anything learned."""
    notes = Notes()
    made = learned(tiny_model, tiny_labelled, kind, FinetuneOptions("frozen", layers=1, seed=3), progress=notes)
    assert equal_groups(made.encoder, tiny_model.encoder) == [True, True, False]
    assert equal_groups(made.encoder, build_encoder_like(tiny_model.encoder, 3)) == [False, False, True]
    assert made.facts["finetune"]["options"]["layers"] == 1
    assert any("lowest 1 of 2 layers are the model's, the other 1 are drawn anew" in line for line in notes.lines)


@pytest.mark.parametrize("kind", KINDS)
def test_all_layers_are_the_ordinary_transfer(tiny_model, tiny_labelled, kind):
    options = {"epochs": 1, "least_steps": 1, "precision": "no"}
    one, other = (learned(tiny_model, tiny_labelled, kind, FinetuneOptions(layers=n, **options)) for n in (None, 2))
    torch.testing.assert_close(one.network.state_dict(), other.network.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("step", [7, 14], ids=["while the head learns", "while all learns"])
def test_killed_and_resumed_gives_the_same_weights(tmp_path, tiny_model, tiny_labelled, step):
    """What is kept of the states hangs on the items alone."""
    shared = FinetuneOptions("finetune", epochs=3, least_steps=1, batch_size=4)
    items, options = TRAIN["choose"](tiny_labelled)[:12], TransferOptions(shared, head_epochs=3)
    whole = transfer(tiny_model, "choose", items, options)
    with pytest.raises(KeyboardInterrupt):  # after one reading of the states, which is told of like a step
        transfer(tiny_model, "choose", items, options, folder=tmp_path, progress=KilledAt(1 + step))
    assert (tmp_path / "head" / "checkpoint").exists() == (step < 9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the stage that was not interrupted has no checkpoint
        resumed = transfer(tiny_model, "choose", items, options, folder=tmp_path, resume=True)
    torch.testing.assert_close(resumed.network.state_dict(), whole.network.state_dict(), rtol=0, atol=0)


class Stopped(Exception):
    """Before the first step."""


@pytest.mark.parametrize(
    ("kind", "options", "rate", "steps"),
    [  # 24 texts and 12 items, 4 a step
        ("classify", {}, 3e-4, 3 * 6),
        ("classify", {"method": "scratch"}, 1e-3, 10 * 6),
        ("classify", {"adapters": 2}, 3e-3, 3 * 6),
        ("classify", {"method": "scratch", "learning_rate": 5e-3, "epochs": 2}, 5e-3, 2 * 6),
        ("classify", {"least_steps": 50}, 3e-4, 50),
        ("choose", {}, 1e-3, 10 * 3),
        ("choose", {"batch_size": 1}, 1e-3, 10 * 12),
        ("choose", {"method": "scratch"}, 2e-3, 30 * 3),
        ("choose", {"adapters": 2}, 3e-3, 10 * 3),
        ("choose", {"method": "scratch", "learning_rate": 5e-3}, 5e-3, 30 * 3),
        ("choose", {"learning_rate": 5e-4, "epochs": 2}, 5e-4, 2 * 3),
    ],
)
def test_rates_and_passes_where_they_are_left_open(monkeypatch, tiny_model, tiny_labelled, kind, options, rate, steps):
    seen = []

    def trainer(network, groups, batches, config, **rest):
        seen.append((config.optimizer.learning_rate, config.budget.steps))
        raise Stopped

    monkeypatch.setattr(fit, "Trainer", trainer)
    for name, course in zip(("FINETUNE", "SCRATCH"), FULL, strict=True):
        monkeypatch.setattr(transfer_module, name, course)
    head_first = kind == "classify" and options.get("method") != "scratch"  # whose head is fitted, and not trained
    given = FinetuneOptions(**{"least_steps": 1, "batch_size": 4, "seeds": 1, "head_first": head_first, **options})
    with pytest.raises(Stopped):
        learned(tiny_model, tiny_labelled, kind, given)
    assert seen == [(rate, steps)]


@pytest.mark.parametrize(("batches", "passes"), [(10, 10), (60, 5), (100, 3), (5000, 3)])
def test_over_more_items_there_are_fewer_passes(batches, passes):
    course = Course(1e-3, 3, 10, 300)
    assert course.passes(FinetuneOptions(), batches) == passes
    assert course.passes(FinetuneOptions(epochs=7), batches) == 7
    assert course.passes(FinetuneOptions(least_steps=20_000), batches) == 20_000 / batches


@pytest.fixture(scope="module")
def word_vectors(tiny_labelled):
    words = sorted({word for text in tiny_labelled.texts for word in text.replace(".", " .").split()})
    vectors = np.random.default_rng(0).normal(size=(len(words), 8)).astype(np.float32)
    encoder, tokenizer = vectors_of(WordSpace(words, vectors, None, False, "here"))
    return Model("vectors", tokenizer, TaskModel(encoder, [(LanguageModel(), 1.0)]))


@pytest.mark.parametrize("kind", KINDS)
def test_word_vectors(word_vectors, tiny_labelled, kind):
    made = learned(word_vectors, tiny_labelled, kind, FinetuneOptions("frozen", layers=0))
    assert equal_groups(made.encoder, word_vectors.encoder) == [True]
    with pytest.raises(LangnetError, match="has no layer above its embeddings"):
        learned(word_vectors, tiny_labelled, kind, FinetuneOptions("finetune", layers=1))


def test_contradictions_are_told():
    with pytest.raises(LangnetError, match="from scratch no layers are taken"):
        FinetuneOptions("scratch", layers=1)
    with pytest.raises(LangnetError, match="-1 layers cannot be taken"):
        FinetuneOptions(layers=-1)
    with pytest.raises(LangnetError, match="megabytes"):
        FinetuneOptions(cached_megabytes=-1)


def test_on_the_command_line(tmp_path, monkeypatch, capsys, tiny_model, tiny_labelled):
    tiny_model.save(tmp_path / "lm")
    rows = [f'"{t}",{y}' for t, y in zip(tiny_labelled.texts[:20], tiny_labelled.labels[:20], strict=True)]
    (tmp_path / "train.csv").write_text("\n".join(["text,label", *rows]))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["langnet", "finetune", "lm", "train.csv", "-o", "made", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return stopped.value.code, said.out + said.err

    code, said = run("--layers", "3")
    assert (code, "this encoder has 2 layers" in said) == (2, True)
    assert not (tmp_path / "made").exists()
    code, said = run("--layers", "1", "--epochs", "1")
    assert code == 0, said
    assert "the lowest 1 of 2 layers" in said
