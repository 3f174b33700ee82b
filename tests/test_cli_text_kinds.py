"""Several labels and numbers on the command line; mistakes in one line."""

import csv
import io
import json

import pytest

from langnet.recipes.model import load


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_model, tiny_labelled):
    folder = tmp_path_factory.mktemp("texts")
    tiny_model.save(folder / "lm")
    rows = list(zip(tiny_labelled.texts[:40], tiny_labelled.labels[:40], strict=True))
    with open(folder / "sets.csv", "w", newline="", encoding="utf8") as file:
        table = csv.writer(file)
        table.writerow(["n", "text", "subjects", "film", "long", "stars"])
        for n, (text, label) in enumerate(rows):
            topics = [name for name, there in (("film", "film" in text), ("long", text.count(".") > 3)) if there]
            stars = text.count(".") * (1 if label == "pos" else -1)
            table.writerow([n, text, "|".join(topics), int("film" in topics), int("long" in topics), stars])
    lines = [json.dumps({"text": text, "labels": [label]}) for text, label in rows]
    (folder / "lists.jsonl").write_text("\n".join(lines), encoding="utf8")
    (folder / "new.txt").write_text("The film was superb.\n\nThe ending was awful.\n", encoding="utf8")
    (folder / "none.csv").write_text("text,labels\na,\nb,\n", encoding="utf8")
    (folder / "same.csv").write_text("text,score\na,1\nb,1\n", encoding="utf8")
    return folder


@pytest.fixture
def run(folder, monkeypatch, answered):
    monkeypatch.chdir(folder)
    return answered


def test_sets_from_file_to_file(run, folder):
    options = ["--task", "multilabel", "--label-column", "subjects", "--separator", "|", "--method", "frozen"]
    assert "from 40 texts" in run("finetune", "lm", "sets.csv", "-o", "labeller", *options)
    run("predict", "labeller", "sets.csv", "-o", "out.csv")  # columns and separator as in training
    rows = list(csv.DictReader(io.StringIO((folder / "out.csv").read_text(encoding="utf8"))))
    assert {row["predicted_subjects"] for row in rows} <= {"", "film", "long", "film|long"}
    assert [row["n"] for row in rows] == [str(n) for n in range(40)]
    said = run("evaluate", "labeller", "sets.csv", "--json", "scores.json")
    for name in ("micro f1", "macro f1", "subset accuracy", "hamming loss", "most frequent set", "TF-IDF"):
        assert name in said
    assert max(map(len, said.splitlines())) <= 80 or "…" not in said
    assert json.loads((folder / "scores.json").read_text())["rows"][0]["scores"]["macro_f1"]["value"] > 0.5
    lines = [json.loads(line) for line in run("predict", "labeller", "new.txt").splitlines()]
    assert [line["source"] for line in lines] == ["new.txt:1", "new.txt:2", "new.txt:3"]
    assert "film" in run("explain", "labeller", "The film was superb.", "--label", "film")
    card = (folder / "labeller" / "card.md").read_text(encoding="utf8")
    assert "model for the task `multilabel` of 2 labels" in card
    assert "any number of its labels" in card


def test_columns_of_0_and_1_and_lists(run, folder):
    quick = ["--task", "multilabel", "--method", "frozen"]
    run("finetune", "lm", "sets.csv", "-o", "columns", "--label-column", "long,film", *quick)
    assert load(folder / "columns").labels == ["film", "long"]
    run("predict", "columns", "sets.csv", "-o", "out.csv")
    rows = list(csv.DictReader(io.StringIO((folder / "out.csv").read_text(encoding="utf8"))))
    assert {row["predicted_film"] for row in rows} == {"0", "1"}
    run("finetune", "lm", "lists.jsonl", "-o", "lists", *quick)
    run("predict", "lists", "sets.csv", "-o", "out.csv")  # lists, as in training
    rows = list(csv.DictReader(io.StringIO((folder / "out.csv").read_text(encoding="utf8"))))
    assert json.loads(rows[0]["predicted_labels"]) in ([], ["neg"], ["pos"], ["neg", "pos"])


def test_a_temperature_changes_probabilities_and_no_label(run, folder):
    columns = ["--label-column", "subjects", "--separator", "|"]
    run("finetune", "lm", "sets.csv", "-o", "sure", "--task", "multilabel", "--method", "frozen", *columns)
    lines = (folder / "sets.csv").read_text(encoding="utf8").splitlines()
    swapped = [line.replace("film", "long", 1) if n % 3 == 1 else line for n, line in enumerate(lines)]
    (folder / "dev.csv").write_text("\n".join(swapped) + "\n", encoding="utf8")
    assert "from 80 decisions" in run("calibrate", "sure", "dev.csv", "-o", "calibrated")
    said = run("evaluate", "calibrated", "dev.csv")
    assert "calibration error" in said
    assert "fitted on these very texts" in " ".join(said.split())
    tables = []
    for name in ("sure", "calibrated"):
        run("predict", name, "dev.csv", "-o", "out.csv")
        tables.append(list(csv.DictReader(io.StringIO((folder / "out.csv").read_text(encoding="utf8")))))
    assert [row["predicted_subjects"] for row in tables[0]] == [row["predicted_subjects"] for row in tables[1]]
    assert [row["p(film)"] for row in tables[0]] != [row["p(film)"] for row in tables[1]]
    run("calibrate", "sure", "dev.csv", "--target-accuracy", "0.9", code=2)


def test_numbers_from_file_to_file(run, folder):
    run("finetune", "lm", "sets.csv", "-o", "rater", "--task", "regress", "--method", "frozen")
    run("predict", "rater", "sets.csv", "-o", "out.csv")
    rows = list(csv.DictReader(io.StringIO((folder / "out.csv").read_text(encoding="utf8"))))
    assert all(-5 <= float(row["predicted_stars"]) <= 5 for row in rows)
    said = run("evaluate", "rater", "sets.csv", "--predictions", "rated.csv")
    for name in ("pearson", "spearman", "rmse", "mae", "ridge regression"):
        assert name in said
    assert "predicted_score" in json.loads(run("predict", "rater", "new.txt").splitlines()[0])
    assert "film" in run("explain", "rater", "The film was superb.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sets.csv", "--task", "multilabel"], "there is no column 'labels'"),
        (["sets.csv", "--task", "multilabel", "--label-column", "film,stars"], "has to be 0 or 1"),
        (["sets.csv", "--task", "multilabel", "--label-column", "subjects", "--separator", "json"], "no JSON list"),
        (["none.csv", "--task", "multilabel"], "no text has a label; there is nothing to learn from"),
        (["same.csv", "--task", "regress"], "the numbers to learn from have to differ; found 1"),
        (["sets.csv", "--task", "regress", "--label-column", "subjects"], "which is no number"),
        (["sets.csv", "--task", "regress", "--head", "bounded=maybe"], "bounded is 'maybe'"),
        (["lists.jsonl", "--separator", ";"], "--separator is for the tasks beside classification"),
    ],
)
def test_mistakes_are_one_line(run, folder, arguments, message):
    said = run("finetune", "lm", *arguments, "--output", "new", "--method", "frozen", code=2)
    assert message in " ".join(said.split())
    assert "Traceback" not in said
    assert not (folder / "new").exists()
