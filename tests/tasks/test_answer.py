"""The head learns, gives the passage's own characters with probabilities that add up, and minds no window's border."""

from unicodedata import normalize

import numpy as np
import pytest
import torch
from torch import nn

from langnet.encoders.encoder import Encoding
from langnet.errors import LangnetError
from langnet.tasks.answer import Answer, AnswerConfig, AnswerGuess, Span
from langnet.tasks.writing import Writer
from langnet.text.questions import Answer as Given
from langnet.text.questions import Question
from langnet.text.tokenizer import Tokenizer

NAMES, THINGS = ["Ann", "Be\u0301n", "Carla", "Dora", "Eve"], ["barn", "boat", "house", "mill"]


def drawn(n, seed, missing=0.0):
    """Who owns what; the name that is asked for stands before the thing."""
    generator, items = np.random.default_rng(seed), []
    for index in range(n):
        names, things = generator.permutation(NAMES)[:3], generator.permutation(THINGS)
        passage = " ".join(f"{name} owns the {thing}." for name, thing in zip(names, things, strict=False))
        known = generator.random() >= missing
        thing = things[int(generator.integers(3))] if known else things[3]
        name = passage[: passage.index(f" owns the {thing}")].split(" ")[-1] if known else ""
        answers = (Given(name, passage.index(f"{name} owns")),) if known else ()
        items.append(Question(f"Who owns the {thing}?", passage, answers, str(index)))
    return items


@pytest.fixture(scope="module")
def writer():
    texts = [text for item in drawn(50, 9) for text in (item.question, item.passage)]
    return Writer(Tokenizer.train(texts, "words"))


class Learner:
    """A head on word embeddings that stay as they are drawn."""

    def __init__(self, writer, **settings):
        torch.manual_seed(0)
        self.writer = writer
        self.embedding = nn.Embedding(writer.tokenizer.vocabulary_size, 24)
        self.task = Answer(AnswerConfig(hidden=16, dropout=0.0, input_dropout=0.0, **settings), 24)

    def batch(self, items, context=None, labelled=True):
        batch = self.task.collate(self.task.examples(items, self.writer, labelled), context, 0)
        return Encoding([self.embedding(batch.ids).detach()]), batch

    def learn(self, items, steps):
        optimizer = torch.optim.Adam(self.task.parameters(), 0.01)
        encoding, batch = self.batch(items)
        for _ in range(steps):
            optimizer.zero_grad()
            loss = self.task.loss(None, encoding, batch)
            loss.backward()
            optimizer.step()
        self.task.eval()
        return float(loss.detach())

    @torch.no_grad()
    def guesses(self, items, context=None):
        return self.task.guesses(*self.batch(items, context, labelled=False))


@pytest.fixture(scope="module")
def learner(writer):
    made = Learner(writer, longest=20, unanswerable=True)
    assert made.learn(drawn(80, 0, missing=0.3), 60) < 0.3
    return made


def test_it_learns_whom_the_question_means_and_when_nobody_is_meant(learner):
    test = drawn(60, 1, missing=0.3)
    right = [
        guess.text == (item.answers[0].text if item.answers else "")
        for item, guess in zip(test, learner.guesses(test), strict=True)
    ]
    assert np.mean(right) > 0.85


def test_a_guess_is_the_passages_own_characters_and_its_probabilities_add_up(learner):
    learner.task.settings = AnswerConfig(hidden=16, longest=20, unanswerable=True, count=1000)
    for item, guess in zip(drawn(20, 2, 0.3), learner.guesses(drawn(20, 2, 0.3)), strict=True):
        assert guess.text == item.passage[guess.start : guess.end]
        assert sum(span.probability for span in guess.best) + guess.no_answer == pytest.approx(1)
        assert [span.probability for span in guess.best] == sorted((s.probability for s in guess.best), reverse=True)
        assert all(span.text == item.passage[span.start : span.end] for span in guess.best)
        assert all(len(normalize("NFC", span.text)) <= 20 for span in guess.best)
        assert guess.probability == (guess.best[0].probability if guess.text else guess.no_answer)


def test_windows_change_nothing_where_an_encoder_reads_words_by_themselves(learner):
    items = [Question(i.question, " ".join([i.passage, *(o.passage for o in drawn(6, 50))])) for i in drawn(8, 3)]
    whole, parts = learner.guesses(items), learner.guesses(items, context=17)
    for one, other in zip(whole, parts, strict=True):
        assert (one.start, one.end) == (other.start, other.end)
        assert one.probability == pytest.approx(other.probability, abs=1e-5)


def test_nothing_to_read(learner):
    empty, blank, mute = learner.guesses([Question("Who?", ""), Question("Who?", " \n "), Question("", "Ann owns it.")])
    assert empty == AnswerGuess("", 0, 0, 1.0, 1.0)
    assert blank == AnswerGuess("", 0, 0, 1.0, 1.0)
    assert mute.best


def test_the_threshold_decides():
    best = [Span("Ann", 0, 3, 0.4), Span("Ben", 5, 8, 0.2)]
    assert AnswerGuess.of(best, 0.4, 0.5).text == "Ann"
    assert AnswerGuess.of(best, 0.4, 0.3) == AnswerGuess("", 0, 0, 0.4, 0.4, tuple(best))


def test_what_cannot_be_learned_from_is_said(writer):
    task = Answer(AnswerConfig(), 24)
    with pytest.raises(LangnetError, match="question 3 has no answers to learn from"):
        task.examples([Question("Who?", "Ann.", None, "3")], writer)
    with pytest.raises(LangnetError, match="question 3 has no answer, and this head always gives one"):
        task.examples([Question("Who?", "Ann.", (), "3")], writer)
    with pytest.raises(LangnetError, match="no token of this model stands for any part of an answer"):
        task.examples([Question("Who?", " .", (Given(" ", 0),), "3")], writer)
    with pytest.raises(LangnetError, match="window must be 8 or more, not 3"):
        AnswerConfig(window=3)
    with pytest.raises(LangnetError, match="from 0 to 1, not 2"):
        AnswerConfig(threshold=2)


def test_no_gradient_is_lost_to_questions_without_tokens(learner):
    encoding, batch = learner.batch([Question("", "Ann owns it.", (Given("Ann", 0),)), Question("", "", ())])
    loss = learner.task.loss(None, encoding, batch)
    loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in learner.task.parameters())
