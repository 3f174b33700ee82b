"""Questions as packed sequences and windows: every token read once, answers at their characters, matches seen."""

import numpy as np
import pytest

from langnet.errors import LangnetError
from langnet.tasks.matches import Words
from langnet.tasks.passages import collate_questions, question_examples
from langnet.tasks.writing import Writer
from langnet.text.questions import Answer, Question
from langnet.text.tokenizer import Tokenizer

LONG = " ".join(f"word{i} stands here," for i in range(200))
HINDI = "\u0938\u0921\u093c\u0915 \u092a\u0930 \u0932\u095c\u0915\u093e \u0916\u0921\u093c\u093e \u0939\u0948"
ITEMS = [
    Question("Who stands at word7?", LONG, (Answer("word7 stands", LONG.index("word7 ")),)),
    Question("\u0915\u094c\u0928?", HINDI, (Answer("\u0932\u095c\u0915\u093e", HINDI.index("\u0932\u095c")),)),
    Question("\u8c01\uff1f", "\u7535\u5f71\u5f88\u597d\u770b\u3002", (Answer("\u597d\u770b", 3),)),
    Question("What does it cost?", "It costs $5.20 (net) \U0001f600.", (Answer("$5.20", 9), Answer("5.20", 10))),
    Question("Why?", "No reason.", ()),
    Question("", "", ()),
]
KINDS = ["bpe", "unigram", "words", "characters", "bytes"]


@pytest.fixture(scope="module", params=KINDS)
def writer(request):
    texts = [text for item in ITEMS for text in (item.question, item.passage)]
    return Writer(Tokenizer.train(texts * 2, request.param))


@pytest.fixture
def examples(writer):
    return question_examples(ITEMS, writer, window=512, labelled=True)


def test_an_answers_tokens_are_its_characters(examples):
    for example, item in zip(examples, ITEMS, strict=True):
        found = {
            example.passage.to_original(int(example.start[a]), int(example.end[b])) for a, b in example.gold.tolist()
        }
        assert {item.passage[a:b] for a, b in found} == {answer.text for answer in item.answers}
        assert all(example.begins[a] and example.ends[b] for a, b in example.gold.tolist())


def test_answers_within_one_token_count_once():
    text = "She was unhappy today."
    item = Question("How was she?", text, (Answer("unhappy", 8), Answer("happy", 10), Answer("today", 16)))
    (example,) = question_examples([item], Writer(Tokenizer.of_words(text[:-1].split())), window=512, labelled=True)
    assert example.gold.tolist() == [[2, 2], [3, 3]]


@pytest.mark.parametrize("context", [8, 16, 41, 4000, None])
def test_every_token_of_the_passage_is_read_once(examples, context):
    for example in examples:
        rows, question, passage = example.windows(context)
        assert all(len(row) <= min(context or 512, 512) for row in rows)
        body = 2 + example.n_question
        np.testing.assert_array_equal([rows[r][c] for r, c in passage], example.ids[body : body + example.n_passage])
        asked = example.asked(context)
        np.testing.assert_array_equal([rows[r][c] for r, c in question[:-1]], example.ids[1 + asked])
        assert rows[0][question[-1][1]] == example.ids[1 + example.n_question]
        assert all(row[0] == example.ids[0] and row[-1] == example.ids[-1] for row in rows)


def test_windows_overlap_and_a_token_is_read_with_its_neighbours(examples):
    rows, question, passage = examples[0].windows(40)
    head = len(question) + 1
    assert len(rows) > 5
    inner = passage[(passage[:, 0] > 0) & (passage[:, 0] < len(rows) - 1)]
    width = 40 - head - 1
    assert (inner[:, 1] - head).min() >= width // 8 - 1
    assert (inner[:, 1] - head).max() < width - width // 8 + 1


def test_a_question_is_shortened_only_where_it_must_be(writer):
    question, passage = "why " * 50, "because " * 10
    (example,) = question_examples([Question(question, passage)], writer, 4096, labelled=False)
    whole = example.n_question + example.n_passage + 3
    assert len(example.asked(None)) == example.n_question
    assert len(example.asked(whole)) == example.n_question
    short = example.asked(whole - 1)
    assert len(short) == example.n_question - 1
    assert short[0] == 0
    assert short[-1] == example.n_question - 1
    with pytest.raises(LangnetError, match="7 tokens have no room"):
        example.asked(7)


def test_a_batch_knows_what_may_be_an_answer(examples):
    batch = collate_questions(examples, 64, 0, longest=12)
    for row, example in enumerate(examples):
        for first, more in np.argwhere(batch.possible[row].numpy()):
            text = example.passage.text[example.start[first] : example.end[first + more]]
            assert text == text.strip()
            known = (batch.gold[row] == np.array([first, more])).all(-1).any()
            assert 0 < len(text) <= 12 or known
        real = batch.gold[row][batch.gold[row][:, 0] >= 0]
        assert len(real) == len(example.gold)
        assert all(batch.possible[row, first, more] for first, more in real)
    assert not batch.possible[5].any()
    assert batch.passage_features.shape[:2] == batch.passage.shape
    assert batch.question_features.shape[:2] == batch.question.shape


@pytest.mark.parametrize("passage", ["", " \n ", "   \t"])
def test_blanks_are_no_answer(writer, passage):
    batch = collate_questions(question_examples([Question("Why?", passage)], writer, 64, False), None, 0, 20)
    assert not batch.possible.any()


def test_signs_without_a_word_may_be_answers(writer):
    batch = collate_questions(question_examples([Question("?", "\u200d\u0301")], writer, 64, False), None, 0, 20)
    assert batch.possible.any() or writer.tokenizer.kind == "words"


def test_what_two_texts_share():
    passage, question = (
        Words("The towers of Rome fell; Rome burned in 64."),
        Words("Which tower burned the ROME of 64?"),
    )
    writer = Writer(Tokenizer.train(["The towers of Rome fell; Rome burned in 64."], "words"))
    tokens = writer.tokens(["The towers of Rome fell; Rome burned in 64."])[0]
    features = passage.features(tokens, question)
    exact, lower, stem, weight, near, _, digit, capital, sign = features.T
    assert exact.astype(int).tolist() == [0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0]
    assert lower.astype(int).tolist() == [1, 0, 1, 1, 0, 0, 1, 1, 0, 1, 0]
    assert stem.astype(int).tolist() == [1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 0]
    np.testing.assert_allclose(weight[[0, 3, 4]], [np.log(2), np.log(1.5), 0], rtol=1e-6)
    fall = np.exp(-0.5)
    expected = [sum(weight[j] * fall ** abs(i - j) for j in range(11) if j != i) for i in range(11)]
    np.testing.assert_allclose(near, expected, rtol=1e-5)
    assert digit.astype(int).tolist() == [0] * 9 + [1, 0]
    assert capital.astype(int).tolist() == [1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0]
    assert sign.astype(int).tolist() == [0] * 5 + [1] + [0] * 4 + [1]


@pytest.mark.parametrize("context", [12, 41, None])
def test_a_model_that_reads_backward_finds_every_token_in_its_place(writer, context):
    other = Writer(writer.tokenizer.turned("backward"))
    for item in ITEMS:
        (one,), (back,) = (question_examples([item], w, 512, labelled=True) for w in (writer, other))
        if not context:
            n = 1 + one.n_question
            assert back.ids[1:n].tolist() == one.ids[1:n][::-1].tolist()
            assert back.ids[n + 1 : -1].tolist() == one.ids[n + 1 : -1][::-1].tolist()
        assert back.gold.tolist() == one.gold.tolist()
        read = []
        for example in (one, back):
            rows, question, passage = example.windows(context)
            read.append([[int(rows[r][c]) for r, c in places] for places in (question, passage)])
        assert read[0] == read[1]
        hidden = back.with_ids(np.where(np.arange(len(back.ids)) == len(back.ids) - 2, 1, back.ids))
        if one.n_passage and back.ids[-2] != 1:  # the first token of the passage is read last
            assert not hidden.passage_features[0].any()
            np.testing.assert_array_equal(hidden.passage_features[1:], back.passage_features[1:])
