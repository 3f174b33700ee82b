"""Multiple choice from tables that are named as the published sets are."""

import json

import pytest

from langnet.errors import LangnetError
from langnet.text.multiple_choice import ChoiceColumns, MultipleChoice, read_multiple_choice


def table(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf8")
    return path


def test_copa(tmp_path):
    row = {"premise": "It rained.", "choice1": "It is dry.", "choice2": "It is wet.", "question": "effect", "label": 1}
    (item,) = read_multiple_choice([table(tmp_path / "copa.jsonl", row)])
    assert item.context == "It rained."
    assert item.question == "so"
    assert item.alternatives == ("It is dry.", "It is wet.")
    assert item.answer == 1
    assert item.cells == row
    assert item.texts(1) == ("It rained.", "so", "It is wet.")


LETTERED = [{"text": "rain", "label": "A"}, {"text": "snow", "label": "B"}]
PUBLISHED = {
    "ARC": ({"question": {"stem": "Why?", "choices": LETTERED}, "answerKey": "B"}, ("", "Why?", ("rain", "snow"), 1)),
    "ARC with digits": (
        {"question": "Why?", "choices": {"text": ["rain", "snow"], "label": ["1", "2"]}, "answerKey": "1"},
        ("", "Why?", ("rain", "snow"), 0),
    ),
    "PIQA": ({"goal": "Boil", "sol1": "Pour", "sol2": "Put", "label": 1}, ("Boil", "", ("Pour", "Put"), 1)),
    "Social IQA": (
        {"context": "Ann left.", "question": "Why?", "answerA": "x", "answerB": "y", "answerC": "z", "label": "3"},
        ("Ann left.", "Why?", ("x", "y", "z"), 2),
    ),
    "SciQ": (
        {"question": "q", "distractor1": "z", "distractor2": "a", "correct_answer": "m", "support": "s"},
        ("s", "q", ("a", "m", "z"), 1),
    ),
    "Belebele": (
        {"flores_passage": "t", "question": "q", "mc_answer1": "a", "mc_answer2": "b", "correct_answer_num": "2"},
        ("t", "q", ("a", "b"), 1),
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_rows(tmp_path, name):
    row, expected = PUBLISHED[name]
    (item,) = read_multiple_choice([table(tmp_path / "a.jsonl", row)])
    assert (item.context, item.question, item.alternatives, item.answer) == expected
    assert item.cells == row


def test_several_questions_of_an_article(tmp_path):
    row = {"article": "t", "questions": ["p _ ?", "q?"], "options": [["a", "b"], ["c", "d"]], "answers": ["B", "A"]}
    items = read_multiple_choice([table(tmp_path / "a.jsonl", row)])
    assert [(item.question, item.alternatives, item.answer) for item in items] == [
        ("p _ ?", ("a", "b"), 1), ("q?", ("c", "d"), 0),
    ]  # fmt: skip
    assert items[1].cells == {"article": "t", "question": "q?", "options": ["c", "d"], "answer": "A"}
    with pytest.raises(LangnetError, match="line 1: the lists questions, options, answers are not of one length"):
        read_multiple_choice([table(tmp_path / "b.jsonl", {**row, "answers": ["B"]})])


STORY = """InputStoryid,InputSentence1,InputSentence2,InputSentence3,InputSentence4,RandomFifthSentenceQuiz1,\
RandomFifthSentenceQuiz2,AnswerRightEnding
x,One.,Two.,Three.,Four.,Wrong.,Right.,2
"""
SWAG = ",video-id,startphrase,sent1,sent2,ending0,ending1,ending2,ending3,label\n0,v,A man.,A man.,He,a,b,c,d,3\n"
RACE = "article,question,A,B,C,D,answer\nA text.,Why?,x,y,z,w,C\nA text.,Why?,x,y,,,B\n"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("story.csv", STORY, [("One. Two. Three. Four.", "", ("Wrong.", "Right."), 1)]),
        ("swag.csv", SWAG, [("A man.", "", ("a", "b", "c", "d"), 3)]),
        ("race.csv", RACE, [("A text.", "Why?", ("x", "y", "z", "w"), 2), ("A text.", "Why?", ("x", "y"), 1)]),
        (
            "winogrande.jsonl",
            json.dumps({"sentence": "Ann saw Bo since _ looked.", "option1": "Ann", "option2": "Bo", "answer": "1"}),
            [("Ann saw Bo since _ looked.", "", ("Ann", "Bo"), 0)],
        ),
        (
            "hellaswag.jsonl",
            json.dumps({"ctx": "He", "endings": ["runs", "falls"], "label": "0"}),
            [("He", "", ("runs", "falls"), 0)],
        ),
        (
            "plain.jsonl",
            json.dumps({"question": "2 + 2?", "choices": ["3", "4"], "answer": "4"}),
            [("", "2 + 2?", ("3", "4"), 1)],
        ),
    ],
)
def test_published_columns(tmp_path, name, text, expected):
    (tmp_path / name).write_text(text, encoding="utf8")
    items = read_multiple_choice([tmp_path / name])
    assert [(item.context, item.question, item.alternatives, item.answer) for item in items] == expected


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"context": "a", "choices": ["x"], "answer": 0}, "one alternative is no choice"),
        ({"context": "a", "choices": [], "answer": 0}, "has to hold a list of texts"),
        ({"context": "a", "choices": "x|y", "answer": 0}, "has to hold a list of texts"),
        ({"context": "a", "choices": ["x", "y"], "answer": 2}, "'2'; it has to be one of the alternatives"),
        ({"context": "a", "choices": ["x", "y"], "answer": "z"}, "'z'; it has to be one"),
        ({"context": "a", "choices": ["x", "y"], "answer": None}, "''; it has to be one"),
        ({"context": "a", "choices": ["x", "x"], "answer": "x"}, "is two of the alternatives"),
        ({"context": "a", "choices": ["x", "y"]}, "there is no column 'answer'"),
        ({"context": "a", "answer": 0}, "no alternatives found"),
        ({"choices": ["x", "y"], "answer": 0}, "there is no column 'context'"),
    ],
)
def test_what_cannot_be_understood_is_told(tmp_path, row, message):
    with pytest.raises(LangnetError, match=message):
        read_multiple_choice([table(tmp_path / "t.jsonl", row)])


def test_without_answers_one_alternative_will_do(tmp_path):
    path = table(tmp_path / "t.jsonl", {"context": "a", "choices": ["x"]})
    assert read_multiple_choice([path], labelled=False)[0].answer is None


def test_named_columns_and_rows(tmp_path):
    path = table(
        tmp_path / "t.jsonl",
        {"tale": "a", "what": "b?", "choices": ["x", "y"], "key": "B", "level": "high"},
        {"tale": "a", "what": "b?", "choices": ["x", "y"], "key": "B", "level": "middle"},
    )
    (item,) = read_multiple_choice([path], ChoiceColumns("tale", "what", "key", {"level": "high"}))
    assert (item.context, item.question, item.answer) == ("a", "b?", 1)
    with pytest.raises(LangnetError, match="no rows with level=low found"):
        read_multiple_choice([path], ChoiceColumns("tale", where={"level": "low"}))


@pytest.mark.parametrize("blank", ["_", "____", "[MASK]", "<blank>", "@placeholder"])
def test_a_blank_is_filled_wherever_it_stands(blank):
    item = MultipleChoice(f"The {blank} barks.", ("dog", r"\1"), f"Is {blank} right?")
    assert item.is_cloze
    assert item.texts(0) == ("The dog barks.", "Is dog right?", "")
    assert item.texts(1) == (r"The \1 barks.", r"Is \1 right?", "")


def test_an_underscore_within_a_word_is_no_blank():
    assert not MultipleChoice("snake_case and _this_", ("a", "b")).is_cloze
