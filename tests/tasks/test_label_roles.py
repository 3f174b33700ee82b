"""The head of semantic roles: what it reads, its loss, what it chooses, and that it learns to look at the predicate."""

import dataclasses
import random

import numpy as np
import pytest
import torch

from langnet.encoders.encoder import Encoding
from langnet.errors import LangnetError
from langnet.evaluate.role_scores import predicate_scores, role_f1
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.kinds.kind import HeadOptions
from langnet.recipes.transfer import TransferOptions, transfer
from langnet.tasks import label_roles
from langnet.tasks.label_roles import LabelRoles, RoleConfig, RoleGuess
from langnet.text.frames import Frame, FramedSentence
from langnet.text.tag_schemes import Span

LABELS = ("O", "B-A0", "B-A1", "I-A1", "B-R-A0")
DIM = 6
TWO = FramedSentence(
    ("Ann", "saw", "the", "dog", "run"),
    (Frame(1, (Span("A0", 0, 1), Span("A1", 2, 4)), "see.01"), Frame(4, (Span("A0", 0, 1),))),
)
NONE = FramedSentence(("Yes", "!"), ())
ITEMS = [TWO, NONE, FramedSentence(("He", "who", "runs"), (Frame(2, (Span("A0", 0, 1), Span("R-A0", 1, 2))),))]


def head(**settings):
    torch.manual_seed(0)
    return LabelRoles(RoleConfig(LABELS, **{"hidden": 5, "mark": 3, "dropout": 0.0} | settings), DIM).eval()


def batch_of(task, model, items, labelled=True):
    examples = task.examples(items, model.writer, labelled)
    batch = task.collate(examples, None, 0)
    return batch, Encoding([torch.randn(*batch.ids.shape, DIM, generator=torch.Generator().manual_seed(1))])


def test_every_predicate_is_marked_and_the_sentence_encoded_once(tiny_model):
    task = head()
    batch, encoding = batch_of(task, tiny_model, ITEMS)
    assert len(batch.ids) == len(ITEMS)
    rows = task._given(batch)
    assert (rows.owner.tolist(), rows.place.tolist(), rows.lengths.tolist()) == ([0, 0, 2], [1, 4, 2], [5, 5, 3])
    assert batch.labels.tolist() == [[1, 0, 2, 3, 0], [1, 0, 0, 0, 0], [1, 4, 0, -100, -100]]
    with torch.no_grad():
        scores = task.scores(encoding, batch, rows)
    assert scores.shape == (3, 5, len(LABELS))
    assert not torch.allclose(scores[0], scores[1])  # the same words, another predicate
    with torch.no_grad():  # neither of the two says which it is
        task.mark.weight[1] = task.mark.weight[0]
    same = head(predicate=False)
    same.load_state_dict({k: v for k, v in task.state_dict().items() if "network.layers" not in k}, strict=False)
    with torch.no_grad():
        same.mark.weight[1] = same.mark.weight[0]
        blind = same.scores(encoding, batch, rows)
    torch.testing.assert_close(blind[0], blind[1])


@pytest.mark.parametrize("crf", [False, True])
def test_the_loss_from_scores(tiny_model, crf):
    task = head(crf=crf)
    batch, encoding = batch_of(task, tiny_model, ITEMS)
    with torch.no_grad():
        rows = task._given(batch)
        scores = task.scores(encoding, batch, rows).double().numpy()
        speaks = task._finding(task._states(encoding, batch), torch.tensor([5, 2, 3])).double().numpy()
        loss = task.loss(None, encoding, batch).item()
    lost, words = 0.0, 0
    for own, tags in zip(scores, batch.labels.tolist(), strict=True):
        for score, tag in zip(own, tags, strict=True):
            if tag >= 0:  # the transitions of a new chain are zero, so its words are independent
                lost, words = lost + np.log(np.exp(score).sum()) - score[tag], words + 1
    truth = [[0, 1, 0, 0, 1], [0, 0], [0, 0, 1]]
    found = [np.log1p(np.exp(-s if t else s)) for own, mine in zip(speaks, truth) for s, t in zip(own, mine)]  # noqa: B905
    assert loss == pytest.approx(lost / words + np.mean(found), rel=1e-5)


def test_what_is_far_from_a_predicate_is_not_looked_at(tiny_model, monkeypatch):
    monkeypatch.setattr(label_roles, "REACH", 2)
    words = tuple(f"w{n}" for n in range(9))
    item = FramedSentence(words, (Frame(0, (Span("A0", 1, 2), Span("A1", 5, 8))), Frame(4, (Span("A1", 5, 8),))))
    task = head()
    batch, encoding = batch_of(task, tiny_model, [item])
    assert batch.labels.tolist() == [[0, 1, 0, -100, -100], [0, 0, 0, 2, 3]]
    assert task._given(batch).words.tolist() == [[0, 1, 2, 2, 2], [2, 3, 4, 5, 6]]
    with torch.no_grad():
        (guess,) = task.guesses(encoding, batch)
        for frame in guess.frames:
            assert all(abs(word - frame.predicate) <= 2 for r in frame.roles for word in range(r.start, r.end))
        task.output.weight.zero_()
        task.output.bias.copy_(torch.tensor([0.0, 0, 5, 6, 0]))
        (guess,) = task.guesses(encoding, batch)
    assert [frame.roles for frame in guess.frames] == [(Span("A1", 0, 3),), (Span("A1", 2, 7),)]


def test_how_many_are_decoded_together_changes_nothing(tiny_model, monkeypatch):
    task = head()
    batch, encoding = batch_of(task, tiny_model, ITEMS * 3)
    with torch.no_grad():
        whole = task.guesses(encoding, batch)
        monkeypatch.setattr(label_roles, "WORDS_AT_ONCE", 7)
        parts = task.guesses(encoding, batch)
    assert [guess.frames for guess in parts] == [guess.frames for guess in whole]


def test_given_predicates_are_kept_and_others_found(tiny_model):
    task = head()
    unknown = [dataclasses.replace(item, frames=None) for item in ITEMS]
    with torch.no_grad():
        task.finds.weight.zero_()
        task.finds.bias.fill_(9.0)  # every word is one
        given = task.guesses(*reversed(batch_of(task, tiny_model, ITEMS, False)))
        free = task.guesses(*reversed(batch_of(task, tiny_model, unknown, False)))
        task.finds.bias.fill_(-9.0)
        nothing = task.guesses(*reversed(batch_of(task, tiny_model, unknown, False)))
    assert [[frame.predicate for frame in guess.frames] for guess in given] == [[1, 4], [], [2]]
    assert given[0].frames[0].sense == "see.01"
    assert [len(guess.found) for guess in given] == [len(guess.frames) for guess in free] == [5, 2, 3]
    assert [guess.found for guess in free] == [None] * 3
    by_place = {frame.predicate: frame.roles for frame in free[0].frames}
    assert [by_place[frame.predicate] for frame in given[0].frames] == [frame.roles for frame in given[0].frames]
    assert [guess.frames for guess in nothing] == [()] * 3
    assert all(len(g.probabilities) == len(g.frames) for g in given)
    assert [len(sure) for sure in given[0].probabilities] == [len(frame.roles) for frame in given[0].frames]


def test_the_least_sure_of_all_tags(tiny_model):
    """Without transitions a word's tags are a softmax of its scores; words without a role count too."""
    task = head(constraints="never")
    batch, encoding = batch_of(task, tiny_model, ITEMS)
    with torch.no_grad():
        task.output.weight.mul_(4)
        task.output.bias[0] += 0.5
        guesses = task.guesses(encoding, batch)
        scores = task.scores(encoding, batch, task._given(batch)).double().numpy()
    shares = [(np.exp(own) / np.exp(own).sum(-1, keepdims=True)).max(-1) for own in scores]
    wanted = [[shares[0].min(), shares[1].min()], [], [shares[2][:3].min()]]
    assert [guess.least for guess in guesses] == [pytest.approx(own, rel=1e-5) for own in wanted]
    roles = [min(sure, default=1.0) for guess in guesses for sure in guess.probabilities]
    least = [one for guess in guesses for one in guess.least]
    assert any(one < other for one, other in zip(least, roles, strict=True))


@pytest.mark.parametrize("crf", [False, True])
def test_roles_are_spans_and_keep_the_rules(tiny_model, crf):
    words = tuple(f"w{n}" for n in range(12))
    items = [FramedSentence(words, tuple(Frame(place) for place in range(12)))] * 6
    labels = ("O", "B-A0", "I-A0", "B-C-A0", "B-R-A0", "B-AM", "I-AM")
    counts = {}
    for rules in (False, True):
        torch.manual_seed(1)
        task = LabelRoles(RoleConfig(labels, hidden=4, crf=crf, rules=rules), DIM).eval()
        batch, _ = batch_of(task, tiny_model, items, False)
        encoding = Encoding([torch.randn(*batch.ids.shape, DIM)])
        with torch.no_grad():
            task.output.weight.mul_(30)
            guesses = task.guesses(encoding, batch)
        types = [[role.type for role in frame.roles] for guess in guesses for frame in guess.frames]
        counts[rules] = sum(
            own.count("A0") > 1 or ("R-A0" in own and "A0" not in own) or "C-A0" in own[: [*own, "A0"].index("A0")]
            for own in types
        )
        for guess in guesses:
            for frame in guess.frames:
                assert all(a.end <= b.start for a, b in zip(frame.roles, frame.roles[1:], strict=False))
    assert counts[False] > 20
    assert counts[True] == 0


@pytest.mark.parametrize("crf", [False, True])
def test_the_score_of_a_guess_is_its_log_probability(tiny_model, crf):
    task = head(crf=crf, constraints="never")
    batch, encoding = batch_of(task, tiny_model, ITEMS)
    guesses = [RoleGuess(item.frames) for item in ITEMS]
    encoding.layers[0].requires_grad_()
    found = task.guess_scores(encoding, batch, guesses)
    rows = task._given(batch)
    shares = task.scores(encoding, batch, rows).log_softmax(2)
    own = shares.gather(2, batch.labels.clamp_min(0)[..., None])[..., 0].where(batch.labels >= 0, torch.zeros(()))
    torch.testing.assert_close(found, torch.stack([own[0].sum() + own[1].sum(), torch.zeros(()), own[2].sum()]))
    found.sum().backward()
    assert encoding.layers[0].grad.abs().sum() > 0
    assert task.guess_scores(encoding, batch, [RoleGuess(())] * 3).tolist() == [0, 0, 0]


def test_what_a_guess_says():
    guess = RoleGuess(TWO.frames)
    assert str(guess) == "predicate 2: A0 1, A1 3-4; predicate 5: A0 1"
    assert str(RoleGuess(())) == "no predicates"
    assert str(RoleGuess((Frame(0, ()),))) == "predicate 1: no roles"


def test_what_cannot_be_learned_or_said_is_told(tiny_model):
    task, writer = head(), tiny_model.writer
    bare = FramedSentence(("Ann", "saw"), None, "a.conllu:3")
    with pytest.raises(LangnetError, match=r"a\.conllu:3: nothing says which words are predicates, and its roles are"):
        task.examples([bare], writer)
    with pytest.raises(LangnetError, match="trained without finding them"):
        head(finder=False).examples([bare], writer, labelled=False)
    with pytest.raises(LangnetError, match="a sentence: the roles of 'saw' are missing"):
        task.examples([FramedSentence(("Ann", "saw"), (Frame(1),))], writer)
    with pytest.raises(LangnetError, match="unknown role 'A7'; the model knows A0, A1, R-A0"):
        task.examples([FramedSentence(("Ann", "saw"), (Frame(1, (Span("A7", 0, 1),)),))], writer)


NAMES = ["Ann", "Bob", "Eve", "Tom", "Kim", "Ian"]


def rule(count, seed):
    """Of two clauses on the same words, each predicate has its own object; the subject is the first one's of both."""
    generator, found = random.Random(seed), []
    for _ in range(count):
        one, two, three = generator.sample(NAMES, 3)
        words = (one, "sees", two, "and", "hears", three)
        first = (Span("A0", 0, 1), Span("A1", 2, 3))
        second = (Span("A0", 0, 1), Span("A1", 5, 6))
        frames = [Frame(1, first), Frame(4, second)]
        if generator.random() < 0.5:
            words, frames = words[:3], frames[:1]
        found.append(FramedSentence(words, tuple(frames)))
    return found


def test_learns_to_look_at_the_predicate(tiny_model):
    """The words are the same for both predicates: what differs is the mark."""
    train, test = rule(60, 0), rule(20, 1)
    finetune = FinetuneOptions(method="frozen", epochs=16, batch_size=8)
    how = TransferOptions(finetune, HeadOptions(0.0, 32, {"predicate": "off"}), head_learning_rate=1e-2)
    made = transfer(tiny_model, "label_roles", train, how)
    guesses = made.guess(test)
    gold = [item.frames for item in test]
    assert role_f1(gold, [guess.frames for guess in guesses]) > 0.95
    twofold = [guess.frames for guess, item in zip(guesses, test, strict=True) if len(item.frames) == 2]
    assert sum(first.roles != second.roles for first, second in twofold) > 0.9 * len(twofold) > 0
    assert predicate_scores(gold, [guess.found for guess in guesses])[0] > 0.95
    free = made.guess([dataclasses.replace(item, frames=None) for item in test])
    assert role_f1(gold, [guess.frames for guess in free]) > 0.9
