"""QuestionAnswerer in scikit-learn's grammar, and the task on the command line."""

import io
import json
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, cross_val_score

from langnet import QuestionAnswerer
from langnet.cli import main
from langnet.errors import LangnetError
from langnet.text.questions import write_questions
from tests.recipes.kind_items import questions

PASSAGE = "The film was superb. The music was dull. The film was superb."
QUICK = {"method": "frozen", "epochs": 1}


@pytest.fixture(scope="module")
def items(tiny_labelled):
    return questions(tiny_labelled)[:40]


def split(items):
    pairs = [(item.question, item.passage) for item in items]
    return pairs, [item.answers[0].text if item.answers else None for item in items]


def test_fits_predicts_and_scores(tiny_model, items):
    pairs, answers = split(items)
    answerer = QuestionAnswerer(tiny_model, **QUICK, settings={"count": 2}).fit(pairs, answers)
    said, guesses = answerer.predict(pairs), answerer.guess(pairs)
    assert said.tolist() == [guess.text or None for guess in guesses]
    assert all(len(guess.best) == 2 for guess in guesses)
    assert all(text is None or text in passage for text, (_, passage) in zip(said, pairs, strict=True))
    assert 0 <= answerer.score(pairs, answers) <= 1
    assert answerer.score(pairs, said.tolist()) == 1
    assert answerer.score(pd.DataFrame(pairs), np.array(said, dtype=object)) == 1
    assert clone(answerer).get_params()["settings"] == {"count": 2}


def test_texts_offsets_and_lists_say_the_same(tiny_model):
    pairs = [("How was the music?", PASSAGE), ("How was the film?", PASSAGE)] * 3
    start = PASSAGE.index("dull")
    superb = [
        (PASSAGE.index("superb"), PASSAGE.index("superb") + 6),
        (PASSAGE.rindex("superb"), PASSAGE.rindex("superb") + 6),
    ]
    ways = [["dull", "superb"] * 3, [(start, start + 4), superb] * 3, [["dull"], {"superb"}] * 3]
    found = [QuestionAnswerer(tiny_model, **QUICK).fit(pairs, y).guess(pairs) for y in ways]
    assert found[0] == found[1] == found[2]


def test_cross_validates_by_passage(tiny_model, items):
    pairs, answers = split(items)
    groups = [passage for _, passage in pairs]
    scores = cross_val_score(QuestionAnswerer(tiny_model, **QUICK), pairs, answers, groups=groups, cv=GroupKFold(2))
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ("text", ["a"], "got one string"),
        ([], [], "one or more pairs"),
        ([("a", "b", "c")], ["a"], "item 0 is"),
        ([("a", 3)], ["a"], "item 0 is"),
        ([("How?", PASSAGE)], None, "y is None"),
        ([("How?", PASSAGE)], ["dull", "dull"], "got 2 for 1 questions"),
        ([("How?", PASSAGE)], ["dreadful"], "'dreadful', does not stand in its passage"),
        ([("How?", PASSAGE)], [""], "does not stand in its passage"),
        ([("How?", PASSAGE)], [(3, 999)], "no span of its passage of 61 characters"),
        ([("How?", PASSAGE)], [(3, 3)], "no span"),
        ([("How?", PASSAGE)], [7], "expected a text"),
        ([("How?", PASSAGE)], [None], "no question has an answer"),
    ],
)
def test_mistakes_are_said(tiny_model, X, y, message):
    with pytest.raises((ValueError, LangnetError), match=message):
        QuestionAnswerer(tiny_model, **QUICK).fit(X, y)


def test_settings_are_checked(tiny_model, items):
    pairs, answers = split(items[:8])
    for settings, message in [
        ({"wings": 2}, "no setting 'wings'; its settings: longest, threshold"),
        ({"matches": "perhaps"}, "matches is 'perhaps'; the task 'answer' knows on, off"),
        ({"count": 0}, "count must be 1 or more"),
    ]:
        with pytest.raises(LangnetError, match=message):
            QuestionAnswerer(tiny_model, **QUICK, settings=settings).fit(pairs, answers)
    fitted = QuestionAnswerer(tiny_model, **QUICK, settings={"matches": "off", "count": "3"}).fit(pairs, answers)
    assert fitted.model_.network.task.settings.matches is False
    with pytest.raises(ValueError, match="needs a language model"):
        QuestionAnswerer().fit(pairs, answers)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_model, items):
    folder = tmp_path_factory.mktemp("answers")
    tiny_model.save(folder / "lm")
    write_questions(items[:32], folder / "train.json")
    write_questions(items[32:], folder / "test.json")
    text = (folder / "train.json").read_text(encoding="utf8")
    first = json.loads(text)["data"][0]["paragraphs"][0]["qas"][0]["answers"][0]["answer_start"]
    (folder / "off.json").write_text(
        text.replace(f'"answer_start": {first}', f'"answer_start": {first - 1}', 1), "utf8"
    )
    return folder


@pytest.fixture
def run(folder, monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["langnet", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
        with pytest.raises(SystemExit) as stopped:
            main()
        return stopped.value.code, capsys.readouterr()

    return run


def test_the_command_line_from_training_to_predictions(run, folder, items):
    quick = ["--method", "frozen", "--epochs", 1, "--validation-fraction", 0.25]
    code, said = run("finetune", "lm", "off.json", "--task", "answer", "--output", "reader", *quick)
    assert code == 0, said.err
    assert "1 of the answers did not stand where the file says" in said.err
    config = json.loads((folder / "reader" / "config.json").read_text())
    assert config["task"]["threshold"] != 0.5  # chosen on the held-out articles
    code, said = run(
        "evaluate", "reader", "test.json", "--train", "train.json", "--predictions", "p.json", "--json", "s.json"
    )
    assert code == 0, said.err
    for name in ("sliding window", "no answer", "has answer f1", "best threshold"):
        assert name in " ".join(said.out.split())
    answers = json.loads((folder / "p.json").read_text(encoding="utf8"))
    assert answers.keys() == {item.name for item in items[32:]}
    assert run("predict", "reader", "test.json", "--output", "p.jsonl")[0] == 0
    rows = [json.loads(line) for line in (folder / "p.jsonl").read_text(encoding="utf8").splitlines()]
    assert {row["id"]: row["text"] for row in rows} == answers
    assert all(item.passage[r["start"] : r["end"]] == r["text"] for item, r in zip(items[32:], rows, strict=True))
    assert all(row["best"] and 0 <= row["no_answer"] <= 1 for row in rows)
    code, said = run("predict", "reader", "test.json")
    assert json.loads(said.out) == answers
    for arguments, message in [
        (("test.json", "test.json"), "test.json and in"),
        (("test.json", "--output", "p.csv"), "not into .csv"),
        (("lm/config.json",), "there is no column 'question'"),
    ]:
        code, said = run("predict", "reader", *arguments)
        assert code == 2
        assert message in said.err
        assert said.err.count("\n") == 1
