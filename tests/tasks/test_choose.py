"""Multiple choice: sequences, softmax over an item's alternatives, ties, lengths."""

import numpy as np
import pytest
import torch

from langnet.encoders.encoder import Encoding
from langnet.errors import LangnetError
from langnet.tasks.choose import ChoiceGuess, Choose, ChooseConfig
from langnet.text.multiple_choice import MultipleChoice

ITEMS = [
    MultipleChoice("The film", ("was superb.", "was awful.", ""), "why", 2),
    MultipleChoice("Was it _ ?", ("good", "bad"), "", 0),
]


@pytest.fixture
def task():
    torch.manual_seed(0)
    return Choose(ChooseConfig("last"), 6).eval()


def test_an_alternative_stands_behind_the_delimiter_or_in_the_blank(task, tiny_model):
    first, cloze = task.examples(ITEMS, tiny_model.writer)
    tokenizer = tiny_model.tokenizer
    ids = [[list(t.ids) for t in tiny_model.writer.tokens(ITEMS[0].texts(k))] for k in range(3)]
    for row, (context, question, alternative) in zip(first.rows, ids, strict=True):
        marks = tokenizer.start_id, tokenizer.delimiter_id, tokenizer.extract_id
        assert list(row) == [marks[0], *context, *question, marks[1], *alternative, marks[2]]
    (filled,) = tiny_model.writer.tokens(["Was it good ?"])
    assert list(cloze.rows[0]) == [tokenizer.start_id, *filled.ids, tokenizer.extract_id]


def test_the_softmax_goes_over_an_items_own_alternatives(task, tiny_model):
    batch = task.collate(task.examples(ITEMS, tiny_model.writer), None, 0)
    encoding = Encoding([torch.randn(*batch.ids.shape, 6)])
    last = encoding.top[torch.arange(5), batch.mask.sum(1) - 1].numpy()
    normal = (last - last.mean(1, keepdims=True)) / np.sqrt(last.var(1, keepdims=True) + 1e-5)
    scores = normal @ task.output.weight.detach().numpy()[0] + task.output.bias.item()
    with torch.no_grad():
        guesses = task.guesses(encoding, batch)
    losses = []
    for guess, own, answer in zip(guesses, (scores[:3], scores[3:]), (2, 0), strict=True):
        expected = np.exp(own) / np.exp(own).sum()
        np.testing.assert_allclose(guess.probabilities, expected, rtol=1e-4)
        assert guess.index == expected.argmax()
        losses.append(-np.log(expected[answer]))
    assert task.loss(None, encoding, batch).item() == pytest.approx(np.mean(losses), rel=1e-4)


def test_long_contexts_leave_the_alternative_in_one_window(task, tiny_model):
    item = MultipleChoice("film " * 10_000, ("a joy", "a waste of time"), "Was it worth it?", 0)
    (example,) = task.examples([item], tiny_model.writer)
    context = tiny_model.encoder.context
    assert max(map(len, example.rows)) <= context
    batch = task.collate([example], context, 0)
    assert len(batch.ids) == 2
    starts = [list(row[:8]) for row in example.rows]
    assert starts[0] == starts[1]


def test_a_tie_is_no_choice():
    assert ChoiceGuess((0.4, 0.4, 0.2)).tied
    assert ChoiceGuess((0.4, 0.4 + 1e-9, 0.2)).tied
    assert ChoiceGuess((0.4, 0.4 + 1e-9, 0.2)).index == 0
    assert ChoiceGuess((0.1, 0.9)).index == 1
    assert not ChoiceGuess((0.5, 0.3, 0.2)).tied
    assert not ChoiceGuess((1.0,)).tied


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (MultipleChoice("a", (), "", 0, "t:1"), "t:1: there are no alternatives"),
        (MultipleChoice("a", ("x", "y"), "", 2), "'a': the answer is 2; it has to be a number from 0 to 1"),
        (MultipleChoice("a", ("x", "y"), "", None), "the answer is None"),
    ],
)
def test_items_that_make_no_sense_are_told(task, tiny_model, item, message):
    with pytest.raises(LangnetError, match=message):
        task.examples([item], tiny_model.writer)
