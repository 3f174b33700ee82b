"""Fixtures: small generated texts, one tiny pretrained model, and no network."""

import os
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from langnet.cli import main
from langnet.recipes.model import Model
from langnet.recipes.pretrain import PretrainOptions, pretrain
from langnet.text.labelled import LabelledData
from tests.short import shorten
from tests.warm import Commands

torch.set_num_threads(1)
shorten()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests marked `gpu` are skipped where there is none."""
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


GOOD = ["wonderful", "moving", "a joy", "brilliant", "funny", "superb"]
BAD = ["dreadful", "a waste", "boring", "awful", "clumsy", "terrible"]
THINGS = ["film", "story", "acting", "script", "music", "ending", "hero", "dialogue"]


def sentences(n: int, seed: int) -> LabelledData:
    """Reviews of a few sentences, each wholly in favour or against."""
    generator = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(n):
        label = ["neg", "pos"][int(generator.integers(2))]
        words = GOOD if label == "pos" else BAD
        parts = [
            f"The {generator.choice(THINGS)} was {generator.choice(words)}." for _ in range(generator.integers(2, 6))
        ]
        texts.append(" ".join(parts))
        labels.append(label)
    return LabelledData(texts, labels)


@pytest.fixture(scope="session")
def runner() -> Iterator[Commands]:
    """Runs commands of langnet without the wait for imports."""
    commands = Commands()
    yield commands
    commands.close()


@pytest.fixture(scope="session")
def tiny_labelled() -> LabelledData:
    return sentences(400, seed=1)


@pytest.fixture(scope="session")
def tiny_model(tiny_labelled: LabelledData) -> Model:
    options = PretrainOptions(size="tiny", context=32, steps=30, batch_tokens=512, seed=0)
    return pretrain(tiny_labelled.texts, options, texts=True)


@pytest.fixture
def call(monkeypatch, capsys):
    """Runs `langnet` with arguments in this process; gives its exit code, and what it said."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["langnet", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        return stopped.value.code, capsys.readouterr()

    return call


@pytest.fixture
def answered(call):
    """The same where the exit code is known: gives the output, of a mistake the message."""

    def answered(*arguments, code=0):
        ended, said = call(*arguments)
        assert ended == code, said.err
        return said.err if code else said.out

    return answered
