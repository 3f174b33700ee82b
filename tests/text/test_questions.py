"""SQuAD's files, nested and flat: read true, mended where that is sure, refused with the place where it is not."""

import gzip
import json

import pandas as pd
import pytest

from langnet.errors import LangnetError
from langnet.text.questions import Answer, Question, occurrences, read_questions, split_by_article, write_questions

PASSAGE = "Ann saw Ben. Ben saw a caf\u00e9 in Rome."

ROME = PASSAGE.index("Rome")


def nested(*qas, title="Towns", context=PASSAGE):
    return {"version": "1.1", "data": [{"title": title, "paragraphs": [{"context": context, "qas": list(qas)}]}]}


def entry(text="Rome", start=None, name="q1", **more):
    start = PASSAGE.index(text) if start is None else start
    return {"id": name, "question": "Where?", "answers": [{"text": text, "answer_start": start}], **more}


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf8")
    return path


def test_reads_both_versions_and_ignores_plausible_answers(tmp_path):
    none = {"id": "q2", "question": " Why? ", "answers": [], "is_impossible": True}
    none["plausible_answers"] = [{"text": "Ben", "answer_start": 8}]
    first, second = read_questions([write(tmp_path / "a.json", nested(entry(is_impossible=False), none))])
    assert first == Question("Where?", PASSAGE, (Answer("Rome", ROME),), "q1", "Towns", str(tmp_path / "a.json"))
    assert second.answers == ()
    assert second.question == "Why?"


def test_equal_references_are_one_and_others_stay(tmp_path):
    several = entry()
    several["answers"] += [*entry()["answers"], {"text": "in Rome", "answer_start": ROME - 3}]
    (item,) = read_questions([write(tmp_path / "a.json", nested(several))])
    assert [answer.text for answer in item.answers] == ["Rome", "in Rome"]


FLAT = {"id": "q1", "title": "Towns", "question": "Where?", "context": PASSAGE}
ANSWERS = [
    {"answers": {"text": ["Rome"], "answer_start": [ROME]}},
    {"answers": [{"text": "Rome", "answer_start": ROME}]},
    {"answers": {"text": "Rome", "answer_start": ROME}},
    {"answer": "Rome", "answer_start": ROME},
    {"answer": "Rome"},
]


@pytest.mark.parametrize("answers", ANSWERS)
def test_flat_rows(tmp_path, answers):
    path = write(tmp_path / "a.jsonl", FLAT | answers)
    (item,) = read_questions([path])
    assert item.answers == (Answer("Rome", ROME),)
    assert (item.name, item.article, item.source, item.mended) == ("q1", "Towns", f"{path}:1", 0)


def test_flat_rows_without_an_answer(tmp_path):
    (item,) = read_questions([write(tmp_path / "a.jsonl", FLAT | {"answers": {"text": [], "answer_start": []}})])
    assert item.answers == ()
    with pytest.raises(LangnetError, match='line 1, question q1: it has no answer, and no "is_impossible"'):
        read_questions([write(tmp_path / "b.jsonl", FLAT | {"answer": ""})])


def test_csv_parquet_and_packed_files(tmp_path):
    frame = pd.DataFrame([FLAT | {"answer": "Rome", "answer_start": ROME}])
    frame.to_csv(tmp_path / "a.csv", index=False)
    pd.DataFrame([FLAT | ANSWERS[0]]).to_parquet(tmp_path / "a.parquet")
    with gzip.open(tmp_path / "a.json.gz", "wt", encoding="utf8") as stream:
        json.dump(nested(entry()), stream)
    for name in ("a.csv", "a.parquet", "a.json.gz"):
        (item,) = read_questions([tmp_path / name])
        assert item.answers == (Answer("Rome", ROME),), name


def test_mrqa(tmp_path):
    asked = {"qid": "7", "question": "Who sat?", "answers": ["cat"]}
    asked["detected_answers"] = [{"text": "cat", "char_spans": [[4, 6], [17, 19]]}]
    lines = [{"header": {"dataset": "x"}}, {"id": "", "context": "The cat sat; the cat.", "qas": [asked]}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (item,) = read_questions([tmp_path / "a.jsonl"])
    assert (item.name, item.question) == ("7", "Who sat?")
    assert [(answer.text, answer.start) for answer in item.answers or ()] == [("cat", 4), ("cat", 17)]


def test_other_columns(tmp_path):
    row = {"ask": "Where?", "text": PASSAGE, "gold": "Rome"}
    path = write(tmp_path / "a.jsonl", row)
    (item,) = read_questions([path], "ask", "text", "gold")
    assert (item.answers, item.name) == ((Answer("Rome", ROME),), f"{path}:1")
    with pytest.raises(LangnetError, match="there is no column 'question'; the columns are 'ask', 'text', 'gold'"):
        read_questions([path])


def test_to_be_predicted_needs_no_answers(tmp_path):
    bare = nested({"id": "q1", "question": "Where?"}, entry("Rome", start=3, name="q2"))
    assert [item.answers for item in read_questions([write(tmp_path / "a.json", bare)], labelled=False)] == [None, None]
    assert read_questions([write(tmp_path / "a.jsonl", FLAT)], labelled=False)[0].answers is None


@pytest.mark.parametrize("start", [ROME - 1, ROME + 1, 500, -4])
def test_an_answer_that_stands_in_one_other_place_is_mended(tmp_path, start):
    (item,) = read_questions([write(tmp_path / "a.json", nested(entry("Rome", start)))])
    assert item.answers == (Answer("Rome", ROME),)
    assert item.mended == 1


def test_an_answer_in_another_spelling_of_its_accent(tmp_path):
    (item,) = read_questions([write(tmp_path / "a.json", nested(entry("cafe\u0301", 22)))])
    assert item.answers == (Answer("caf\u00e9", PASSAGE.index("caf")),)
    assert occurrences("caf\u00e9", "a cafe\u0301 or cafe\u0301") == [(2, 7), (11, 16)]


def test_an_answer_in_several_places_or_none_is_refused_with_its_place(tmp_path):
    path = write(tmp_path / "a.json", nested(entry("Ben", 9), entry("Paris", 3, "q2"), entry("Rome", ROME + 1, "q3")))
    with pytest.raises(LangnetError) as error:
        read_questions([path])
    message = str(error.value)
    assert message.startswith(
        f"{path}, article 'Towns', paragraph 1, question q1: the answer 'Ben' is not at character 9"
    )
    assert "'en.' stands; it is in 2 other places" in message
    assert "(2 such answers in the file)" in message
    with pytest.raises(LangnetError, match=r"'Paris' is not at character 3 .* it is in no place"):
        read_questions([write(tmp_path / "b.json", nested(entry("Paris", 3)))])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (nested(entry(), entry()), "question q1: this id stood at .*, question q1 already"),
        (nested({"id": "q1", "answers": []}), "question q1: there is no text 'question'"),
        (nested(entry() | {"answers": []}), "question q1: it has no answer"),
        (nested(entry() | {"answers": "Rome"}), "question q1: there is no list 'answers'"),
        (nested(entry(start="x")), "answer_start is 'x', and no whole number"),
        (nested(entry() | {"answers": [{"text": " ", "answer_start": 3}]}), "an answer is empty"),
        (nested(context=None), "article 'Towns', paragraph 1: there is no text 'context'"),
        ({"data": [{"title": "T"}]}, "article 'T': there is no list 'paragraphs'"),
        ({"data": [3]}, "article 1: there is no list 'paragraphs'"),
        ({"data": []}, "no questions found"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(tmp_path, value, message):
    with pytest.raises(LangnetError, match=message):
        read_questions([write(tmp_path / "a.json", value)])


def test_no_such_file_and_no_table(tmp_path):
    with pytest.raises(LangnetError, match="there is no file"):
        read_questions([tmp_path / "none.json"])
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(LangnetError, match="is no table"):
        read_questions([tmp_path / "a.txt"])


def test_written_and_read_again(tmp_path):
    items = [
        Question("Where?", PASSAGE, (Answer("Rome", ROME),), "q1", "Towns"),
        Question("Why?", PASSAGE, (), "q2", "Towns"),
        Question("Who?", "Eve.", (Answer("Eve", 0),), "q3", ""),
    ]
    write_questions(items, tmp_path / "a.json")
    found = read_questions([tmp_path / "a.json"])
    assert [(i.question, i.passage, i.answers, i.name, i.article) for i in found] == [
        (i.question, i.passage, i.answers, i.name, i.article) for i in items
    ]


def test_a_split_parts_no_article():
    items = [Question("?", f"passage {i // 2}", (), str(i), f"article {i // 10}") for i in range(100)]
    first, second = split_by_article(items, 0.3, seed=4)
    assert len(second) == 30
    assert not {item.article for item in first} & {item.article for item in second}
    assert [item.name for item in sorted([*first, *second], key=lambda item: int(item.name))] == [
        str(i) for i in range(100)
    ]
    assert split_by_article(items, 0.3, seed=4) == (first, second)
    bare = [Question("?", f"passage {i // 2}", (), str(i)) for i in range(10)]
    first, second = split_by_article(bare, 0.2, seed=0)
    assert len(second) == 2
    assert len({item.passage for item in second}) == 1
    assert split_by_article(bare[:2], 0.5)[1] == []


def test_a_place_that_is_no_whole_number_is_told(tmp_path):
    (tmp_path / "q.csv").write_text("question,context,answers,answer_start\nq,some text,text,\u00b2\n", encoding="utf8")
    with pytest.raises(LangnetError, match="answer_start is '\u00b2', and no whole number"):
        read_questions([tmp_path / "q.csv"])
