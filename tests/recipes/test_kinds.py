"""Every kind of task on every family of encoders by every method: trains, saves, loads, guesses the same."""

import dataclasses
import functools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from langnet.cli.tasks import TASKS
from langnet.errors import LangnetError
from langnet.recipes.explain import ExplainOptions, explain_items
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.kinds.kind import HeadOptions
from langnet.recipes.kinds.registry import KINDS, find_kind
from langnet.recipes.model import Model, load
from langnet.recipes.pretrain import PretrainOptions, pretrain
from langnet.recipes.transfer import TransferOptions, evaluate_task, transfer
from langnet.tasks.task import ClassGuess
from langnet.training.progress import SilentProgress
from tests.conftest import sentences
from tests.recipes import kind_items
from tests.recipes.kind_items import HEADS, ODD, TRAIN

FAMILIES = ["gpt", "gpt-2018", "awd-lstm", "elmo"]
METHODS = {
    "frozen": FinetuneOptions("frozen", epochs=1, least_steps=1),
    "finetune": FinetuneOptions("finetune", epochs=1, least_steps=1, layer_decay=2.6, gradual_unfreezing=True),
    "scratch": FinetuneOptions("scratch", epochs=1, least_steps=1),
    "layers": FinetuneOptions("finetune", layers=1, epochs=1, least_steps=1, gradual_unfreezing=True),
}


class Losses(SilentProgress):
    """The loss of every step."""

    def __init__(self):
        self.losses: list[float] = []

    def update(self, fraction, tokens, seconds, loss):
        self.losses += [] if loss is None else [loss]


@functools.cache  # a fixture's parameter that stands in a row beside others is made anew for each row
def pretrained(family: str) -> Model:
    options = PretrainOptions(family, "tiny", context=32, steps=2, batch_tokens=256, document_vectors=False)
    return pretrain(sentences(100, seed=1).texts, options, texts=True)


@pytest.fixture(params=FAMILIES)
def model(request):
    return pretrained(request.param)


def _head(kind: str) -> HeadOptions:
    return HeadOptions(settings=HEADS.get(kind, {}))


def test_the_command_line_knows_every_kind():
    assert set(TASKS) == set(KINDS) == set(TRAIN) == set(ODD)


def _every_pair_and_by_turns_every_method() -> Iterator[Any]:
    """Every family with every kind by one method, which one in turns; by the other methods in the slow tests."""
    for row, family in enumerate(FAMILIES):
        for column, kind in enumerate(KINDS):
            for number, method in enumerate(METHODS):
                marks = [] if (row + column) % len(METHODS) == number else [pytest.mark.slow]
                yield pytest.param(family, kind, method, marks=marks, id=f"{family}-{kind}-{method}")


@pytest.mark.parametrize(("model", "kind", "method"), [*_every_pair_and_by_turns_every_method()], indirect=["model"])
def test_trains_saves_loads_and_guesses_the_same(tmp_path, model, tiny_labelled, kind, method):
    items, odd = TRAIN[kind](tiny_labelled)[:12], ODD[kind]()
    made = transfer(model, kind, items, TransferOptions(METHODS[method], _head(kind), head_epochs=1))
    guesses = made.guess([*items, *odd])
    made.save(tmp_path / "m")
    again = load(tmp_path / "m").guess([*items, *odd])
    assert _plain(again) == pytest.approx(_plain(guesses), abs=5e-3)
    assert len(guesses) == len(items) + len(odd)
    # One at a time: what stands beside an item in a batch must not matter.
    assert _plain([made.guess([item])[0] for item in items[:3]]) == pytest.approx(_plain(guesses[:3]), abs=5e-3)


def _every_kind_and_by_turns_every_family() -> Iterator[Any]:
    """Every kind with one family, which one in turns; with the others, and the dearest, in the slow tests."""
    for row, family in enumerate(FAMILIES):
        for column, kind in enumerate(KINDS):
            dear = kind in ("translate", "label_roles") and family == "awd-lstm"
            marks = [] if column % len(FAMILIES) == row and not dear else [pytest.mark.slow]
            yield pytest.param(family, kind, marks=marks, id=f"{family}-{kind}")


@pytest.mark.parametrize(("model", "kind"), [*_every_kind_and_by_turns_every_family()], indirect=["model"])
def test_kept_states_give_the_same_head(model, tiny_labelled, kind):
    """Several rows an item, windows, held-out items, and a limit that some of the states fit in, too."""
    items = TRAIN[kind](tiny_labelled)[:12]
    options = FinetuneOptions("frozen", least_steps=1, batch_size=3, validation_fraction=0.25, precision="no")
    runs = []
    for megabytes in (0, 1, 64):
        progress = Losses()
        how = TransferOptions(replace(options, cached_megabytes=megabytes), _head(kind), head_epochs=2)
        made = transfer(model, kind, items, how, progress=progress)
        runs.append((progress.losses, _plain(made.guess(items))))
    at_once = "frozen_choice" in made.facts["finetune"]  # fitted without steps
    assert len(runs[0][0]) == (0 if at_once else 6)
    for losses, guesses in runs[1:]:
        np.testing.assert_allclose(losses, runs[0][0], rtol=1e-4, atol=1e-5)
        assert guesses == pytest.approx(runs[0][1], abs=5e-3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_tokens(monkeypatch, model, tiny_labelled, kind):
    items = TRAIN[kind](tiny_labelled)[:12]
    made = transfer(model, kind, items, TransferOptions(METHODS["frozen"], _head(kind), head_epochs=1))
    monkeypatch.setattr(kind_items, "ODD_TEXTS", ["word " * 10_000])
    odd = ODD[kind]()
    assert len(made.guess(odd)) == len(odd)


def _plain(guesses):
    """Every fraction in the guesses in a row; what is chosen by them may fall either way where two are equal."""
    numbers = []

    def walk(value):
        if isinstance(value, dict):
            [walk(value[key]) for key in sorted(value)]
        elif isinstance(value, list | tuple):
            [walk(one) for one in value]
        elif isinstance(value, float):
            numbers.append(float(value))

    for guess in guesses:
        walk(dataclasses.asdict(guess) if dataclasses.is_dataclass(guess) else guess)
    return numbers


@pytest.mark.parametrize("model", FAMILIES[:1], indirect=True)
@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_encoder_stays_as_it_is(model, tiny_labelled, kind):
    made = transfer(model, kind, TRAIN[kind](tiny_labelled)[:8], TransferOptions(METHODS["frozen"], head_epochs=1))
    for name, weight in model.encoder.state_dict().items():
        np.testing.assert_array_equal(weight.numpy(), made.encoder.state_dict()[name].numpy(), err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_evaluates_beside_its_neighbours(tiny_model, tiny_labelled, kind):
    items = TRAIN[kind](tiny_labelled)
    made = transfer(tiny_model, kind, items[:40], TransferOptions(METHODS["frozen"], head_epochs=1))
    report, guesses = evaluate_task(made, find_kind(kind), items[40:80], items[:40])
    assert report.n == len(guesses) == 40
    assert len(report.rows) > 1
    assert json.dumps(report.to_dict()["rows"][0]["scores"])
    assert find_kind(kind).written(items[40:80], guesses)


@pytest.mark.parametrize("kind", KINDS)
def test_classes_can_be_calibrated_and_guesses_explained(tiny_model, tiny_labelled, kind):
    items, found = TRAIN[kind](tiny_labelled), find_kind(kind)
    made = transfer(tiny_model, kind, items[:12], TransferOptions(METHODS["frozen"], head_epochs=1))
    guesses = made.guess(items[:6])
    classes = all(isinstance(guess, ClassGuess) for guess in guesses)
    assert (found.gold(items[:6]) is not None) == classes, "a kind whose guesses are classes says which are true"
    decides = found.decisions(items[:6], guesses) is not None
    assert decides or not classes
    report = evaluate_task(made, found, items[:6])[0]
    assert (report.calibration is not None) == decides
    assert (report.abstention is not None) == classes
    explained = explain_items(made, items[:2], ExplainOptions("gradient"))
    assert np.isfinite([one.total for one in explained]).all()
    (lost,) = explain_items(made, items[:1], ExplainOptions("occlusion", "sentence"))
    assert lost.score == pytest.approx(explained[0].score, abs=1e-3)
    assert not any("Guess(" in one.guess or "Rating(" in one.guess for one in explained), "guesses are for people"
    if classes:
        assert [one.guess for one in explained] == [guess.label for guess in guesses[:2]]


def test_an_unknown_task_is_named(tiny_model):
    with pytest.raises(LangnetError, match="there is no task 'sing'; choose one of"):
        transfer(tiny_model, "sing", [])


def test_a_language_model_guesses_nothing(tiny_model):
    with pytest.raises(LangnetError, match="language model without labels"):
        tiny_model.guess([1])
