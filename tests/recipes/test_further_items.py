"""Unlabelled items of a task: which guesses become labels, and that learning from them too helps."""

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from langnet.errors import LangnetError
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.further_items import guessed_items
from langnet.recipes.kinds.kind import HeadOptions
from langnet.recipes.kinds.registry import KINDS, find_kind
from langnet.recipes.seeds import mean_loss
from langnet.recipes.transfer import TransferJob, TransferOptions, transfer
from langnet.tasks.answer import AnswerGuess, Span
from langnet.tasks.choose import ChoiceGuess
from langnet.tasks.corefer import CoreferGuess
from langnet.tasks.examples import ExampleBatches
from langnet.tasks.label_roles import RoleGuess
from langnet.tasks.multilabel import LabelSetGuess
from langnet.tasks.parse import ParseGuess
from langnet.tasks.tag import TagGuess
from langnet.tasks.task import ClassGuess
from langnet.tasks.translate import TranslateGuess
from langnet.text.chains import Document, PronounChoice
from langnet.text.frames import Frame, FramedSentence
from langnet.text.multiple_choice import MultipleChoice
from langnet.text.pairs import Pair
from langnet.text.questions import Answer, Question, write_questions
from langnet.text.role_files import write_roles
from langnet.text.tag_schemes import Span as RoleSpan
from langnet.text.tagged_sentences import Sentence
from langnet.text.text_items import TextItem
from langnet.text.translations import Translation
from langnet.text.tree_files import ParseItem
from langnet.text.trees import Tree
from langnet.transfer.pseudo_labels import PseudoLabelOptions
from tests.conftest import BAD, GOOD, THINGS
from tests.recipes.kind_items import HEADS, TRAIN, questions
from tests.recipes.test_switches import Notes
from tests.training.test_loop import KilledAt

QUICK = FinetuneOptions(epochs=1, least_steps=1, batch_size=4, precision="no")
FURTHER = [name for name, kind in KINDS.items() if kind.labels_further]
# Heads that are learned quickly, and passes of them: who has hardly begun finds no spans, and nothing is taken.
SMALL = {
    "tag": (HeadOptions(hidden=8), 8),
    "label_roles": (HeadOptions(hidden=0), 8),
    "corefer": (HeadOptions(hidden=0, settings={"width": 16, "longest": 2}), 8),
    "translate": (HeadOptions(hidden=8, settings=HEADS["translate"] | {"width": 8, "decoder_hidden": 8}), 8),
    "parse": (HeadOptions(hidden=8, settings={"span_hidden": "64"}), 1),
    "answer": (HeadOptions(hidden=8), 1),
}
HELD = {"answer": "answers", "choose": "answer", "corefer": "chains", "label_roles": "frames", "tag": "tags"}
HELD |= {"parse": "tree", "translate": "target"}  # others: label
TREE = Tree(("a", "b", "c", "d"), ("X",) * 4, ())
A_B, WHO = ((0, 0), (1, 1)), Document(("a", "b", "c", "d"), choice=PronounChoice((3, 3), (0, 0), (2, 2)))
ASKED = Question("Who sang?", "Ann sang.")
SINGS = Frame(1, (RoleSpan("A0", 0, 1),))
FOUND, GIVEN = FramedSentence(("Ann", "sang")), FramedSentence(("Ann", "sang"), (Frame(1),))


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


def test_what_has_no_probability_is_left_out():
    """Also where the stratum that it is of has room."""
    guesses = {"1": ClassGuess("a", {"a": 0.9}), "2": ClassGuess("a", {"a": 0.0}), "3": ClassGuess("b", {"b": 0.0})}
    known, asked = [Pair("x", "y", "a"), Pair("x", "y", "b")] * 2, [Pair(name, "y") for name in guesses]
    every = PseudoLabelOptions(for_training=1.0)
    found = guessed_items(Guessing(guesses), find_kind("entail"), known, asked, every, 0)
    assert [item.first for item in found] == ["1"]


@pytest.mark.parametrize(
    ("kind", "item", "guess", "label", "probability", "stratum"),
    [
        ("entail", Pair("a", "b"), ClassGuess("x", {"x": 0.7, "y": 0.3}), "x", 0.7, "x"),
        ("choose", MultipleChoice("a", ("b", "c")), ChoiceGuess((0.2, 0.8)), 1, 0.8, 1),
        ("multilabel", TextItem("a"), LabelSetGuess(("x",), {"x": 0.9, "y": 0.3}), ("x",), 0.7, ("x",)),
        ("tag", Sentence(("a", "b")), TagGuess(("B-X", "O"), (0.6, 0.9)), ("B-X", "O"), 0.6, ("X",)),
        ("tag", Sentence(("a", "b")), TagGuess(("NOUN", "VERB"), (0.6, 0.9)), ("NOUN", "VERB"), 0.6, ()),
        ("tag", Sentence(()), TagGuess((), ()), (), 0.0, ()),
        ("answer", ASKED, AnswerGuess("Ann", 0, 3, 0.4, 0.1), (Answer("Ann", 0),), 0.4, True),
        ("answer", ASKED, AnswerGuess("", 0, 0, 0.8, 0.8, (Span("Ann", 0, 3, 0.2),)), (), 0.8, False),
        ("answer", ASKED, AnswerGuess("", 0, 0, 0.0, 0.0), (), 0.0, False),
        ("translate", Translation("abcd"), TranslateGuess("wx", (7, 8), -1.5), "wx", np.exp(-0.5), 3),
        ("translate", Translation("abcd"), TranslateGuess(" ", (7,), -1.5), " ", 0.0, 3),
        ("parse", ParseItem(("a", "b", "c", "d")), ParseGuess(TREE, -2.0, (0.9,)), TREE, np.exp(-0.5), 3),
        ("parse", ParseItem(()), ParseGuess(Tree((), (), ())), Tree((), (), ()), 0.0, 0),
        ("corefer", Document(("a", "b")), CoreferGuess((A_B,), (), 0.7), (A_B,), 0.7, True),
        ("corefer", Document(("a", "b")), CoreferGuess((((0, 0),),), (), 0.7), (((0, 0),),), 0.7, False),
        ("corefer", WHO, CoreferGuess((((0, 1), (3, 3)),), (), 0.6), (((0, 0), (3, 3)),), 0.6, (True, False)),
        ("corefer", WHO, CoreferGuess((((0, 0), (2, 2)),), (), 0.6), (), 0.6, (False, False)),
        ("label_roles", FOUND, RoleGuess((SINGS,), ((0.9,),), None, (0.2, 0.95), (0.85,)), (SINGS,), 0.8, (1, True)),
        ("label_roles", GIVEN, RoleGuess((SINGS,), ((0.9,),), (), (0.2, 0.3), (0.85,)), (SINGS,), 0.85, (1, True)),
        ("label_roles", FOUND, RoleGuess((), (), None, (0.2, 0.3)), (), 0.7, (0, False)),
    ],
)
def test_what_a_guess_says(kind, item, guess, label, probability, stratum):
    made, sure = find_kind(kind).labelled(item, guess)
    assert made != item
    assert (getattr(made, HELD.get(kind, "label")), sure) == (label, pytest.approx(probability))
    assert find_kind(kind).stratum(made) == stratum


def clause(item):
    """The first predicate of a sentence, and the words up to the end of its last role."""
    return FramedSentence(item.words[: item.frames[0].roles[-1].end], item.frames[:1])


def surest(model, kind, known, asked):
    """Of each stratum as many as half of the items times its share, by their probabilities, greatest first."""
    made = [kind.labelled(item, guess) for item, guess in zip(asked, model.guess(asked), strict=True)]
    strata, kept = [kind.stratum(item) for item in known], []
    for stratum in set(strata):
        own = [i for i, (item, sure) in enumerate(made) if kind.stratum(item) == stratum and sure > 0]
        count = round(0.5 * strata.count(stratum) / len(known) * len(asked))
        kept += sorted(own, key=lambda i: -made[i][1])[:count]
    found = guessed_items(model, kind, known, asked, PseudoLabelOptions(), 0)
    assert found == [made[i][0] for i in sorted(kept)]
    return found


def unlabelled(kind, items):
    """The same items without what is to be guessed."""
    return [replace(item, **{HELD.get(kind, "label"): None}) for item in items]


COSTLY = {"corefer", "multilabel", "parse", "tag", "translate"}  # seconds each; the others walk the same way


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        *(pytest.param(kind, "finetune", marks=pytest.mark.slow if kind in COSTLY else ()) for kind in FURTHER),
        *((kind, "frozen") for kind in ("answer", "entail", "multilabel")),
    ],
)
def test_every_such_kind_learns_from_them(tiny_model, tiny_labelled, kind, method):
    items, notes = TRAIN[kind](tiny_labelled)[:28], Notes()
    if kind == "label_roles":
        items = [clause(item) for item in items]
    head, passes = SMALL.get(kind, (HeadOptions(), 1))
    shared = FinetuneOptions(method, epochs=1, least_steps=1, batch_size=4, seeds=1)
    options = TransferOptions(shared, head, 2e-2 if passes > 1 else 1e-2, head_epochs=passes)
    more = unlabelled(kind, items[12:])
    made = transfer(tiny_model, kind, items[:12], options, unlabelled=more, progress=notes)
    n = made.facts["finetune"].get("pseudo_labelled", 0)
    assert made.facts["finetune"]["examples"] == 12
    assert any(f"{n} of 16 unlabelled" in line for line in notes.lines)
    alone = transfer(tiny_model, kind, items[:12], options)
    assert (n, 0 < n <= 8) == (len(surest(alone, find_kind(kind), items[:12], more)), True)
    assert any(
        not torch.equal(a, b) for a, b in zip(made.network.parameters(), alone.network.parameters(), strict=True)
    )


def judged(words_of, n, seed=0):
    """Texts of three verdicts each, n good ones and n bad ones, in some of the words for that."""
    generator, found = np.random.default_rng(seed), []
    for label, words in (("good", GOOD), ("bad", BAD)):
        for _ in range(n):
            parts = [f"The {generator.choice(THINGS)} was {generator.choice(words[words_of])}." for _ in range(3)]
            found.append(TextItem(" ".join(parts), (label,)))
    return found


def test_they_help(tiny_model, tiny_labelled):
    """Words that no labelled text has stand beside words that some have, in the unlabelled ones."""
    few, test = judged(slice(4), 8), judged(slice(4, None), 50, 1)
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


def test_examples_of_guesses_are_not_judged(tiny_model, tiny_labelled):
    """Where an item is no one example: a document is several."""
    items = TRAIN["corefer"](tiny_labelled)[:4]
    options = TransferOptions(QUICK, HeadOptions(hidden=0, settings={"segment": 20, "width": 8}))
    with_guesses = TransferJob(tiny_model, find_kind("corefer"), items[:2], options, None, 0, items[2:])
    without = TransferJob(tiny_model, find_kind("corefer"), items[:2], options, None, 0)
    assert len(with_guesses.examples) > len(without.examples) > 2
    batches = ExampleBatches(without.examples, QUICK.batch_size, 0, without.model.collate)
    loss = mean_loss(without.model.network, batches)
    assert [job.judge().loss for job in (with_guesses, without)] == [pytest.approx(loss, rel=1e-4)] * 2


def test_what_cannot_be_guessed_is_told_before_anything_is_learned(tiny_model, tiny_labelled, monkeypatch):
    items = TRAIN["label_roles"](tiny_labelled)[:4]
    monkeypatch.setattr(TransferJob, "run", lambda *_: pytest.fail("learned"))
    options = TransferOptions(QUICK, HeadOptions(settings={"finder": "off"}))
    with pytest.raises(LangnetError, match="nothing says which words are predicates, and this model was trained"):
        transfer(tiny_model, "label_roles", items, options, unlabelled=unlabelled("label_roles", items))


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


def test_kinds_without_probabilities_are_refused(tiny_model, tiny_labelled):
    for kind in set(KINDS) - set(FURTHER):
        items = TRAIN[kind](tiny_labelled)[:4]
        with pytest.raises(LangnetError, match=f"'{kind}' does not say how sure .* leave --unlabelled out"):
            transfer(tiny_model, kind, items, TransferOptions(QUICK), unlabelled=items)
        with pytest.raises(LangnetError, match="does not say how sure"):
            KINDS[kind].labelled(items[0], None)


def test_questions_and_roles_on_the_command_line(tmp_path, monkeypatch, call, tiny_model, tiny_labelled):
    """Files of the tasks' own formats, without the answers and without the columns of roles."""
    tiny_model.save(tmp_path / "lm")
    monkeypatch.chdir(tmp_path)
    items = questions(tiny_labelled)[:24]
    write_questions(items[:8], "few.json")
    write_questions(unlabelled("answer", items[8:]), "more.json")
    assert '"answers"' not in Path("more.json").read_text()
    frames = [clause(item) for item in TRAIN["label_roles"](tiny_labelled)[:24]]
    text = write_roles(frames[:8], [item.frames for item in frames[:8]])
    Path("few.conllup").write_text(text)
    rows = ("".join(f"{n}\t{word}\n" for n, word in enumerate(item.words, 1)) for item in frames[8:])
    Path("more.conllu").write_text("\n".join(rows))
    how = ("--epochs", "1", "--method", "frozen", "-o", "made", "--overwrite")
    code, said = call("finetune", "lm", "few.json", "--task", "answer", "--unlabelled", "more.json", *how)
    assert (code, "of 16 unlabelled questions got guesses as labels" in flat(said)) == (0, True), said
    roles = ("finetune", "lm", "few.conllup", "--task", "label_roles", *how, "--head", "hidden=0")
    code, said = call(*roles, "--unlabelled", "more.conllu")
    assert (code, "of 16 unlabelled sentences got guesses as labels" in flat(said)) == (0, True), said
    code, said = call(*roles, "--head", "finder=off", "--unlabelled", "more.conllu")
    assert (code, "more.conllu:1: nothing says which words are predicates" in flat(said)) == (2, True), said
    Path("more.json").write_text(Path("more.json").read_text()[:200])
    code, said = call("finetune", "lm", "few.json", "--task", "answer", "--unlabelled", "more.json", *how)
    assert (code, "more.json" in flat(said), "Traceback" in flat(said)) == (2, True, False), said


def flat(said):
    """What was printed, in one line."""
    return " ".join((said.out + said.err).split())


def test_on_the_command_line(tmp_path, monkeypatch, call, tiny_model, tiny_labelled):
    tiny_model.save(tmp_path / "lm")
    numbers = {"neg": 1, "pos": 5}  # labels of texts as well as numbers of texts
    pairs = list(zip(tiny_labelled.texts[:40], tiny_labelled.labels, strict=False))
    rows = [{"text": text, "label": numbers[label]} for text, label in pairs]
    (tmp_path / "few.jsonl").write_text("\n".join(map(json.dumps, rows[:12])))
    (tmp_path / "many.jsonl").write_text("\n".join(json.dumps({"text": row["text"]}) for row in rows[12:]))
    monkeypatch.chdir(tmp_path)
    begun = ("finetune", "lm", "few.jsonl", "--unlabelled", "many.jsonl", "--epochs", "1")
    code, said = call(*begun, "--task", "multilabel", "-o", "made")
    assert (code, "of 28 unlabelled texts got guesses as labels" in flat(said)) == (0, True), said
    assert "further texts got their labels from the model itself" in (tmp_path / "made" / "card.md").read_text()
    code, said = call(*begun, "--task", "regress", "-o", "other")
    assert (code, "leave --unlabelled out" in flat(said)) == (2, True), said
