"""Pairs and choices on the command line: rows in, the same rows with what is predicted out; mistakes in one line."""

import csv
import io
import json

import pytest

PAIRS = [("good film", "fine film", "same", 5), ("good film", "bad film", "other", 1), ("bad", "", "same", 4)] * 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_model):
    folder = tmp_path_factory.mktemp("pairs")
    tiny_model.save(folder / "lm")
    with open(folder / "pairs.csv", "w", newline="", encoding="utf8") as file:
        rows = csv.writer(file)
        rows.writerow(["n", "premise", "hypothesis", "label", "score", "language"])
        rows.writerows([i, *pair, "en" if i % 2 else "de"] for i, pair in enumerate(PAIRS))
    questions = [{"context": "The film", "choices": ["good", "bad"], "answer": i % 2} for i in range(8)]
    (folder / "questions.jsonl").write_text("\n".join(map(json.dumps, questions)), encoding="utf8")
    (folder / "single.jsonl").write_text(json.dumps({"context": "a", "choices": ["x"], "answer": 0}), encoding="utf8")
    (folder / "plain.csv").write_text("text,label\na,b\nc,d\n", encoding="utf8")
    return folder


@pytest.fixture
def run(folder, monkeypatch, answered):
    monkeypatch.chdir(folder)
    return answered


def read_csv(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf8"))))


QUICK = ["--method", "frozen", "--epochs", "1"]


def test_pairs_from_file_to_file(run, folder):
    settings = ["--head", "arrangement=separate", "--head", "documents=on", "--where", "language=de"]
    assert "6 pairs" in run("finetune", "lm", "pairs.csv", "--task", "entail", "-o", "nli", *QUICK, *settings)
    run("predict", "nli", "pairs.csv", "-o", "out.csv")
    asked = run("predict", "nli", "pairs.csv", "--format", "tsv")  # the pairs came as csv
    assert asked.splitlines()[0].split("\t")[-1].startswith("p(")
    rows = read_csv(folder / "out.csv")
    assert [row["n"] for row in rows] == [str(i) for i in range(12)]
    assert {row["predicted_label"] for row in rows} <= {"same", "other"}
    said = run("evaluate", "nli", "pairs.csv", "--where", "language=en", "--train", "pairs.csv", "--json", "s.json")
    assert "entail, 6 pairs" in said
    assert "word overlap" in said
    assert json.loads((folder / "s.json").read_text())["n"] == 6


def test_ratings_from_file_to_file(run, folder):
    run("finetune", "lm", "pairs.csv", "--task", "similarity", "-o", "rater", *QUICK)
    said = run("evaluate", "rater", "pairs.csv", "--predictions", "rated.csv")
    assert "pearson" in said
    assert "spearman" in said
    assert "rmse" in said
    rows = read_csv(folder / "rated.csv")
    assert all(1 <= float(row["predicted_score"]) <= 5 for row in rows)


def test_choices_from_file_to_file(run, folder):
    run("finetune", "lm", "questions.jsonl", "--task", "choose", "-o", "chooser", *QUICK)
    run("predict", "chooser", "questions.jsonl", "-o", "chosen.jsonl")
    rows = [json.loads(line) for line in (folder / "chosen.jsonl").read_text().splitlines()]
    assert len(rows) == 8
    assert all(row["predicted_choice"] in (0, 1) and sum(row["probabilities"]) == pytest.approx(1) for row in rows)
    assert "chance: 0.500" in run("evaluate", "chooser", "questions.jsonl")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pairs.csv", "--task", "entail", "--head", "arrangement"], "--head arrangement: expected a name and a value"),
        (["pairs.csv", "--task", "entail", "--head", "arrangement=x"], "arrangement is 'x'"),
        (["pairs.csv", "--task", "choose", "--head", "arrangement=packed"], "no alternatives found"),
        (["pairs.csv", "--task", "entail", "--where", "language=fr"], "with language=fr"),
        (["plain.csv", "--task", "entail"], "there is no column 'hypothesis'"),
        (["plain.csv", "--task", "similarity", "--second-column", "text"], "the rating is 'b', which is no number"),
        (["single.jsonl", "--task", "choose"], "line 1: one alternative is no choice"),
        (["plain.csv", "--head", "pooling=max"], "--head is for the tasks beside classification"),
        (["plain.csv", "--where", "a=b"], "--where is for the tasks beside classification"),
    ],
)
def test_mistakes_are_one_line(run, folder, arguments, message):
    said = run("finetune", "lm", *arguments, "--output", "new", code=2)
    assert message in " ".join(said.split())
    assert "Traceback" not in said
    assert not (folder / "new").exists()
