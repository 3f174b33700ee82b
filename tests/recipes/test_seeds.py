"""Several runs from few labels: which is kept, what is told of failed ones, and what is resumed."""

import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from langnet.cli import main
from langnet.errors import LangnetError, LangnetWarning
from langnet.estimators import TextChooser, TextClassifier
from langnet.recipes import finetune_options, seeds
from langnet.recipes.finetune import finetune
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.kinds.registry import KINDS, find_kind
from langnet.recipes.seeds import Judged, chosen, sampled
from langnet.recipes.together import transfer_together
from langnet.recipes.transfer import TransferJob, TransferOptions, transfer
from tests.recipes.kind_items import TRAIN
from tests.recipes.test_switches import Notes
from tests.training.test_loop import KilledAt

JUDGED = 500


@pytest.fixture(autouse=True)
def many_judge(monkeypatch):
    monkeypatch.setattr(seeds, "JUDGED", JUDGED)


QUICK = FinetuneOptions(epochs=1, least_steps=1, batch_size=4, precision="no", seeds=3)


def run(score, loss, held_out=None, neighbour=0.5):
    return Judged("accuracy", score, "majority", neighbour, loss, None if held_out is None else {"loss": held_out})


@pytest.mark.parametrize(
    ("runs", "kept"),
    [
        ([run(0.9, 0.3), run(0.8, 0.1), run(0.7, 0.2)], 2),  # the loss in the middle, not the least
        ([run(0.9, 0.3), run(0.5, 0.2), run(0.8, 0.1)], 2),  # the middle one is no better than the majority
        ([run(0.5, 0.3), run(0.4, 0.1), run(0.9, 0.9)], 2),  # the only sound one
        ([run(0.5, 0.3), run(0.4, 0.1), run(0.5, 0.2)], 2),  # none is sound
        ([run(0.9, 0.3, 0.4), run(0.9, 0.2, 0.5), run(0.9, 0.1, 0.3)], 2),  # the best on held-out items
        ([run(1.0, 0.3, neighbour=1.0), run(0.9, 0.1, neighbour=1.0)], 0),  # nothing is better than all right
    ],
)
def test_which_is_kept(runs, kept):
    assert chosen(runs) == kept


def test_how_many_runs(monkeypatch):
    monkeypatch.setattr(finetune_options, "RUNS_OF_FEW", 3)
    assert [FinetuneOptions().runs(n) for n in (499, 500)] == [3, 1]
    assert [FinetuneOptions(seeds=n).runs(499) for n in (1, 5)] == [1, 5]
    assert FinetuneOptions("scratch").runs(10) == 3
    assert FinetuneOptions("frozen").runs(10) == 1
    assert TextClassifier(seeds=2)._options().seeds == 2
    assert TextChooser(seeds=2)._options().finetune.seeds == 2
    for wrong, told in (({"seeds": 0}, "0 runs"), ({"method": "frozen", "seeds": 2}, "is learned once")):
        with pytest.raises(LangnetError, match=told):
            FinetuneOptions(**wrong)


@pytest.mark.filterwarnings("ignore:all 3 runs")
def test_each_run_is_that_of_its_seed(tiny_model, tiny_labelled):
    """Head, order and dropout are the seed's; the states of the frozen encoder are read once for all."""
    items, notes = TRAIN["choose"](tiny_labelled)[:12], Notes()
    started = []
    notes.start = started.append
    options = TransferOptions(replace(QUICK, seed=4, dropout=0.3), head_epochs=1)
    made = transfer(tiny_model, "choose", items, options, progress=notes)
    found = made.facts["finetune"]["seeds"]
    assert [row["seed"] for row in found["runs"]] == [4, 5, 6]
    assert len({row["loss"] for row in found["runs"]}) == 3
    assert sum("reading" in line for line in started) == 1
    assert any("3 runs of a seed each, so 3 times as long" in line for line in notes.lines)
    assert sum("run " in line and "on its own items" in line for line in notes.lines) == 3
    alone = transfer(
        tiny_model, "choose", items, replace(options, finetune=replace(QUICK, seed=found["kept"], seeds=1, dropout=0.3))
    )
    torch.testing.assert_close(made.network.state_dict(), alone.network.state_dict(), rtol=0, atol=0)
    assert "seeds" not in alone.facts["finetune"]


def test_what_is_written_of_a_run(tiny_model, tiny_labelled):
    """Accuracy and loss of the kept run, recomputed from the model."""
    texts, labels = tiny_labelled.texts[:16], tiny_labelled.labels[:16]
    notes = Notes()
    started = []
    notes.start = started.append
    made = finetune(tiny_model, texts, labels, replace(QUICK, auxiliary_lm=0.5), progress=notes)
    found = made.facts["finetune"]["seeds"]
    assert sum("reading" in line for line in started) == 1, "the frozen head is learned once"
    own = next(row for row in found["runs"] if row["seed"] == found["kept"])
    table, gold = made.predict_proba(texts), [made.labels.index(label) for label in labels]
    assert own["score"] == np.mean(table.argmax(1) == gold)
    assert own["neighbour"] == max(labels.count(label) for label in set(labels)) / len(labels)
    assert own["loss"] == pytest.approx(-np.log(table[np.arange(len(gold)), gold]).mean(), rel=1e-4)


@pytest.mark.filterwarnings("ignore:all 3 runs")
@pytest.mark.parametrize("kind", ["classify", "entail"])
def test_held_out_items_choose(tiny_model, tiny_labelled, kind):
    """The split is one, so the runs can be compared on it."""
    options = replace(QUICK, validation_fraction=0.3, learning_rate=3e-3)
    if kind == "classify":
        made = finetune(tiny_model, tiny_labelled.texts[:20], tiny_labelled.labels[:20], options)
    else:
        made = transfer(tiny_model, kind, TRAIN[kind](tiny_labelled)[:20], TransferOptions(options, head_epochs=1))
    found = made.facts["finetune"]["seeds"]
    assert found["by_held_out"]
    watched = {row["seed"]: next(iter(row["held_out"].values())) for row in found["runs"]}
    assert watched[found["kept"]] == min(watched.values())
    split = [
        TransferJob(tiny_model, find_kind("entail"), TRAIN["entail"](tiny_labelled)[:20],
                    TransferOptions(replace(options, seed=seed)), None, 0).held_out
        for seed in (0, 1)
    ]  # fmt: skip
    assert split[0] == split[1]


def test_degenerate_runs_are_named(tmp_path, tiny_model, tiny_labelled):
    """Nothing is learned at such a rate, so nobody beats the majority of nine in ten."""
    rare = [i for i, label in enumerate(tiny_labelled.labels) if label == "pos"][:2]
    often = [i for i, label in enumerate(tiny_labelled.labels) if label == "neg"][:18]
    data = tiny_labelled.rows([*rare, *often])
    options = replace(QUICK, method="scratch", learning_rate=1e-9, seeds=2)
    notes = Notes()
    with pytest.warns(LangnetWarning, match=r"all 2 runs are degenerate.*'majority'; try --method frozen"):
        made = finetune(tiny_model, data.texts, data.labels, options, progress=notes)
    found = made.facts["finetune"]["seeds"]
    assert [row["degenerate"] for row in found["runs"]] == [True, True]
    assert sum("no better than majority (0.900): degenerate" in line for line in notes.lines) == 2
    made.save(tmp_path / "m")
    assert "2 runs, accuracy on the items learned from: seed 0" in (tmp_path / "m" / "card.md").read_text()


@pytest.mark.parametrize("kind", ["classify", "choose"])
def test_a_single_run_is_judged_too(tiny_model, tiny_labelled, kind):
    """Of a rate at which nothing is learned; one that learns is not called so."""
    rare = [i for i, label in enumerate(tiny_labelled.labels) if label == "pos"][:2]
    often = [i for i, label in enumerate(tiny_labelled.labels) if label == "neg"][:18]
    data = tiny_labelled.rows([*rare, *often])
    options = replace(QUICK, method="scratch", learning_rate=1e-9, seeds=1)
    items = [replace(item, answer=0) for item in TRAIN["choose"](tiny_labelled)[:12]]
    learn = {
        "classify": lambda: finetune(tiny_model, data.texts, data.labels, options),
        "choose": lambda: transfer(tiny_model, kind, items, TransferOptions(options, head_epochs=1)),
    }[kind]
    with pytest.warns(LangnetWarning, match=r"this run is degenerate: .*no better than 'majority"):
        made = learn()
    assert made.facts["finetune"]["degenerate"]
    assert "judged" not in made.facts["finetune"]
    sound = finetune(tiny_model, tiny_labelled.texts[:60], tiny_labelled.labels[:60], FinetuneOptions("frozen"))
    assert "degenerate" not in sound.facts["finetune"]


def test_of_many_items_a_part_judges():
    assert sampled(range(JUDGED)) == list(range(JUDGED))
    part = sampled(range(4 * JUDGED))
    assert len(set(part)) == len(part) == JUDGED
    assert part == sorted(part)
    assert max(part) > 3 * JUDGED


def test_a_failed_run_is_not_kept(monkeypatch, tiny_model, tiny_labelled):
    scores = iter([0.0, 0.9, 0.0])
    judge = TransferJob.judge
    monkeypatch.setattr(
        TransferJob, "judge", lambda job, *how: replace(judge(job, *how), score=next(scores), neighbour=0.5)
    )
    made = transfer(tiny_model, "choose", TRAIN["choose"](tiny_labelled)[:12], TransferOptions(QUICK, head_epochs=1))
    found = made.facts["finetune"]["seeds"]
    assert ([row["degenerate"] for row in found["runs"]], found["kept"]) == ([True, False, True], 1)


@pytest.mark.parametrize("kind", ["classify", "choose"])
def test_killed_and_resumed_gives_the_same_weights(tmp_path, tiny_model, tiny_labelled, kind):
    """In its second run; the first, which had ended, is taken as it is."""
    options = replace(QUICK, epochs=3, seeds=2, dropout=0.3)

    def learned(options=options, **rest):
        if kind == "classify":
            return finetune(tiny_model, tiny_labelled.texts[:12], tiny_labelled.labels[:12], options, **rest)
        items = TRAIN[kind](tiny_labelled)[:12]
        return transfer(tiny_model, kind, items, TransferOptions(options, head_epochs=3), **rest)

    steps = []
    counting = Notes()
    counting.update = lambda fraction, tokens, seconds, loss: steps.append(loss) if loss is not None else None
    whole = learned(progress=counting)
    n_steps = len(steps)
    with pytest.raises(KeyboardInterrupt):
        learned(folder=tmp_path, progress=KilledAt(1 + n_steps - 4))  # after one reading of the states
    assert (tmp_path / "seed-0" / "model").exists()
    assert (tmp_path / "seed-1" / "checkpoint").exists()
    with pytest.raises(LangnetError, match=r"seed-0.model was made with other settings"):
        learned(replace(options, epochs=2), folder=tmp_path, resume=True)
    steps.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the head, which had no checkpoint
        resumed = learned(folder=tmp_path, resume=True, progress=counting)
    assert len(steps) <= n_steps // 2
    torch.testing.assert_close(resumed.network.state_dict(), whole.network.state_dict(), rtol=0, atol=0)
    assert resumed.facts["finetune"]["seeds"]["runs"] == whole.facts["finetune"]["seeds"]["runs"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_judged(tiny_model, tiny_labelled, kind):
    items, found = TRAIN[kind](tiny_labelled)[:6], find_kind(kind)
    first, plain = found.neighbours(items, items)[0], found.simplest(items, items)
    assert (plain.name, [*plain.guesses]) == (first.name, [*first.guesses])
    options = FinetuneOptions("scratch", epochs=1, least_steps=1, seeds=1)
    job = TransferJob(tiny_model, found, items, TransferOptions(options), None)
    judged = job.judge()
    assert np.isfinite([judged.score, judged.neighbour, judged.loss]).all()


def test_tasks_together_are_one_run(tiny_model, tiny_labelled):
    tasks = {kind: (kind, TRAIN[kind](tiny_labelled)[:8]) for kind in ("choose", "similarity")}
    with pytest.raises(LangnetError, match="learned in one run"):
        transfer_together(tiny_model, tasks, TransferOptions(QUICK))


def test_on_the_command_line(tmp_path, monkeypatch, capsys, tiny_model, tiny_labelled):
    monkeypatch.setattr(finetune_options, "RUNS_OF_FEW", 2)
    tiny_model.save(tmp_path / "lm")
    rows = [f'"{t}",{y}' for t, y in zip(tiny_labelled.texts[:8], tiny_labelled.labels[:8], strict=True)]
    (tmp_path / "train.csv").write_text("\n".join(["text,label", *rows]))
    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["langnet", "finetune", "lm", "train.csv", "--epochs", "1", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return stopped.value.code, " ".join((said.out + said.err).split())

    code, said = command("-o", "few")
    assert (code, "since 8 labelled items are few; --seeds 1 makes one" in said) == (0, True)
    assert "seeds: 2 runs, accuracy on the items learned from: seed 0" in said
    assert not [*(tmp_path / "few.run").rglob("*.safetensors")], "no copy of a model is left behind"
    assert (tmp_path / "few.run" / "seed-1" / "history.jsonl").exists()
    code, said = command("-o", "one", "--seeds", "1")
    assert (code, "seeds:" in said, (tmp_path / "one.run" / "history.jsonl").exists()) == (0, False, True)
    code, said = command("-o", "none", "--seeds", "3", "--method", "frozen")
    assert (code, "is learned once" in said) == (2, True)
