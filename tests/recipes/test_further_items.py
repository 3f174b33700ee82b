"""Unlabelled items of a task: which guesses become labels, and that learning from them too helps."""

import json
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from langnet.cli import main
from langnet.errors import LangnetError
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.further_items import guessed_items
from langnet.recipes.kinds.kind import HeadOptions
from langnet.recipes.kinds.registry import KINDS, find_kind
from langnet.recipes.transfer import TransferJob, TransferOptions, transfer
from langnet.tasks.choose import ChoiceGuess
from langnet.tasks.multilabel import LabelSetGuess
from langnet.tasks.tag import TagGuess
from langnet.tasks.task import ClassGuess
from langnet.text.multiple_choice import MultipleChoice
from langnet.text.pairs import Pair
from langnet.text.tagged_sentences import Sentence
from langnet.text.text_items import TextItem
from langnet.transfer.pseudo_labels import PseudoLabelOptions
from tests.conftest import BAD, GOOD, THINGS
from tests.recipes.kind_items import TRAIN
from tests.recipes.test_switches import Notes
from tests.training.test_loop import KilledAt

QUICK = FinetuneOptions(epochs=1, least_steps=1, batch_size=4, precision="no")
FURTHER = [name for name, kind in KINDS.items() if kind.labels_further]


class Guessing:
    """A model that says what it is told to."""

    def __init__(self, guesses):
        self.guesses = guesses

    def guess(self, items):
        return [self.guesses[item.first] for item in items]


def test_the_surest_of_each_class_in_its_proportion():
    """Three quarters of the labels are a: of the half that is kept, three are a and one is b; c has no labels."""
    shares = {"1": 0.9, "2": 0.8, "3": 0.7, "4": 0.6, "5": 0.55, "6": 0.52, "7": 0.95}
    guesses = {name: ClassGuess("a", {"a": share, "b": 1 - share}) for name, share in shares.items()}
    guesses |= {"8": ClassGuess("b", {"a": 0.4, "b": 0.6}), "9": ClassGuess("c", {"c": 1.0})}
    known = [Pair("x", "y", "a"), Pair("x", "y", "a"), Pair("x", "y", "a"), Pair("x", "y", "b")]
    asked = [Pair(name, "y") for name in guesses]
    found = guessed_items(Guessing(guesses), find_kind("entail"), known, asked, PseudoLabelOptions(), 0)
    assert [(item.first, item.label) for item in found] == [("1", "a"), ("2", "a"), ("7", "a"), ("8", "b")]
    few = PseudoLabelOptions(max_encoded=2)
    assert len(guessed_items(Guessing(guesses), find_kind("entail"), known, asked, few, 0)) <= 2


@pytest.mark.parametrize(
    ("kind", "item", "guess", "label", "probability", "stratum"),
    [
        ("entail", Pair("a", "b"), ClassGuess("x", {"x": 0.7, "y": 0.3}), "x", 0.7, "x"),
        ("choose", MultipleChoice("a", ("b", "c")), ChoiceGuess((0.2, 0.8)), 1, 0.8, 1),
        ("multilabel", TextItem("a"), LabelSetGuess(("x",), {"x": 0.9, "y": 0.3}), ("x",), 0.7, ("x",)),
        ("tag", Sentence(("a", "b")), TagGuess(("B-X", "O"), (0.6, 0.9)), ("B-X", "O"), 0.6, ("X",)),
        ("tag", Sentence(("a", "b")), TagGuess(("NOUN", "VERB"), (0.6, 0.9)), ("NOUN", "VERB"), 0.6, ()),
        ("tag", Sentence(()), TagGuess((), ()), (), 0.0, ()),
    ],
)
def test_what_a_guess_says(kind, item, guess, label, probability, stratum):
    made, sure = find_kind(kind).labelled(item, guess)
    held = {"choose": "answer", "tag": "tags"}.get(kind, "label")
    assert (getattr(made, held), sure) == (label, pytest.approx(probability))
    assert find_kind(kind).stratum(made) == stratum


def unlabelled(kind, items):
    """The same items without what is to be guessed."""
    held = {"choose": "answer", "tag": "tags"}.get(kind, "label")
    return [replace(item, **{held: None}) for item in items]


@pytest.mark.parametrize("method", ["finetune", "frozen"])
@pytest.mark.parametrize("kind", FURTHER)
def test_every_such_kind_learns_from_them(tiny_model, tiny_labelled, kind, method):
    items, notes = TRAIN[kind](tiny_labelled)[:40], Notes()
    passes = 8 if kind == "tag" else 1  # a tagger that has hardly begun finds no spans, and nothing is taken
    shared, head = FinetuneOptions(method, epochs=1, least_steps=1, batch_size=4), HeadOptions(hidden=8)
    options = TransferOptions(shared, head if kind == "tag" else HeadOptions(), 1e-2, head_epochs=passes)
    more = unlabelled(kind, items[12:])
    made = transfer(tiny_model, kind, items[:12], options, unlabelled=more, progress=notes)
    n = made.facts["finetune"].get("pseudo_labelled", 0)
    assert made.facts["finetune"]["examples"] == 12
    assert 0 < n <= 14
    assert any(f"{n} of 28 unlabelled" in line for line in notes.lines)
    alone = transfer(tiny_model, kind, items[:12], options)
    assert any(
        not torch.equal(a, b) for a, b in zip(made.network.parameters(), alone.network.parameters(), strict=True)
    )


def test_they_help(tiny_model, tiny_labelled):
    """Words that no labelled text has stand beside words that some have, in the unlabelled ones."""
    generator = np.random.default_rng(0)

    def items(words_of, n):
        found = []
        for label, words in (("good", GOOD), ("bad", BAD)):
            for _ in range(n):
                parts = [f"The {generator.choice(THINGS)} was {generator.choice(words[words_of])}." for _ in range(3)]
                found.append(TextItem(" ".join(parts), (label,)))
        return found

    few, test = items(slice(4), 8), items(slice(4, None), 50)
    more = [TextItem(text) for text in tiny_labelled.texts[:200]]
    options = TransferOptions(FinetuneOptions("frozen", document_features=False))

    def right(**rest):
        guesses = transfer(tiny_model, "multilabel", few, options, **rest).guess(test)
        surest = [max(guess.probabilities, key=guess.probabilities.get) for guess in guesses]
        return np.mean([(one,) == item.label for one, item in zip(surest, test, strict=True)])

    assert right(unlabelled=more) > max(0.85, right() + 0.1)


def test_nothing_is_judged_by_guesses(tiny_model, tiny_labelled):
    items = TRAIN["entail"](tiny_labelled)[:20]
    job = TransferJob(tiny_model, find_kind("entail"), items[:12], TransferOptions(QUICK), None, 0, items[12:])
    assert (len(job.examples), len(job.learned)) == (20, 12)
    assert job.task.settings.labels == ("other", "same")
    held = TransferOptions(FinetuneOptions(validation_fraction=0.5))
    job = TransferJob(tiny_model, find_kind("entail"), items[:12], held, None, 0, items[12:])
    assert (len(job.examples), len(job.learned), len(job.held_out)) == (14, 6, 6)
    assert not {item.first for item in job.held_out} & {item.first for item in items[12:]}


def test_killed_and_resumed_gives_the_same_weights(tmp_path, tiny_model, tiny_labelled):
    items = TRAIN["choose"](tiny_labelled)[:30]
    data = items[:8], TransferOptions(QUICK, head_epochs=1)
    more = unlabelled("choose", items[8:])
    whole = transfer(tiny_model, "choose", *data, unlabelled=more)
    with pytest.raises(KeyboardInterrupt):  # in the last step of the second model
        transfer(tiny_model, "choose", *data, unlabelled=more, folder=tmp_path, progress=KilledAt(whole_steps(whole)))
    assert (tmp_path / "checkpoint").exists()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the stages that had no checkpoint
        resumed = transfer(tiny_model, "choose", *data, unlabelled=more, folder=tmp_path, resume=True)
    torch.testing.assert_close(resumed.network.state_dict(), whole.network.state_dict(), rtol=0, atol=0)


def whole_steps(model):
    """Readings of states, head and all of the first model (8 items), and of the second, with its guesses."""
    second = -(-(8 + model.facts["finetune"]["pseudo_labelled"]) // 4)
    return (1 + 2 + 2) + (1 + second + second)


def test_kinds_without_probabilities_are_refused(tmp_path, monkeypatch, capsys, tiny_model, tiny_labelled):
    for kind in set(KINDS) - set(FURTHER):
        items = TRAIN[kind](tiny_labelled)[:4]
        with pytest.raises(LangnetError, match=f"'{kind}' has no probabilities of classes .* leave --unlabelled out"):
            transfer(tiny_model, kind, items, TransferOptions(QUICK), unlabelled=items)
        with pytest.raises(LangnetError, match="no probabilities"):
            KINDS[kind].labelled(items[0], None)


def test_on_the_command_line(tmp_path, monkeypatch, capsys, tiny_model, tiny_labelled):
    tiny_model.save(tmp_path / "lm")
    numbers = {"neg": 1, "pos": 5}  # labels of texts as well as numbers of texts
    pairs = list(zip(tiny_labelled.texts[:40], tiny_labelled.labels, strict=False))
    rows = [{"text": text, "label": numbers[label]} for text, label in pairs]
    (tmp_path / "few.jsonl").write_text("\n".join(map(json.dumps, rows[:12])))
    (tmp_path / "many.jsonl").write_text("\n".join(json.dumps({"text": row["text"]}) for row in rows[12:]))
    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["langnet", "finetune", "lm", "few.jsonl", "--unlabelled", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return stopped.value.code, " ".join((said.out + said.err).split())

    code, said = command("many.jsonl", "--task", "multilabel", "-o", "made", "--epochs", "1")
    assert (code, "of 28 unlabelled texts got guesses as labels" in said) == (0, True), said
    assert "further texts got their labels from the model itself" in (tmp_path / "made" / "card.md").read_text()
    code, said = command("many.jsonl", "--task", "regress", "-o", "other", "--epochs", "1")
    assert (code, "leave --unlabelled out" in said) == (2, True), said
