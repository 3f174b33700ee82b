"""On the command line, what a model learned from is known again, and what is read is never written over."""

import csv

import pytest

ROWS = [("good film", "fine film", "same"), ("good film", "bad film", "other"), ("a story", "the story", "same")] * 5
NEW = [("dull", "boring", "same"), ("dull", "bright", "other"), ("a film", "a film", "same")] * 3


def write(path, rows):
    with open(path, "w", newline="", encoding="utf8") as file:
        csv.writer(file).writerows([("premise", "hypothesis", "label"), *rows])


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_model):
    folder = tmp_path_factory.mktemp("items")
    tiny_model.save(folder / "lm")
    return folder


@pytest.fixture
def run(folder, monkeypatch, answered):
    monkeypatch.chdir(folder)
    write(folder / "train.csv", ROWS)
    write(folder / "new.csv", NEW)
    if not (folder / "nli").exists():
        answered("finetune", "lm", "train.csv", "--task", "entail", "-o", "nli", "--method", "frozen", "--epochs", "1")
    return answered


def test_neighbours_learn_from_the_files_while_they_are_the_same(run, folder):
    assert "bag of words" in (found := run("evaluate", "nli", "new.csv")).lower() or "TF-IDF" in found
    assert "no neighbours" not in found
    assert "flatter" not in found
    assert str(folder) not in (folder / "nli" / "config.json").read_text(encoding="utf8"), "a folder may be shared"
    write(folder / "train.csv", NEW)
    assert "no neighbours: the training files are not where they were, or hold something else" in " ".join(
        run("evaluate", "nli", "new.csv").split()
    )


def test_test_items_that_were_learned_from_are_counted(run, folder):
    write(folder / "mixed.csv", [*NEW, *ROWS[:3]])
    said = " ".join(run("evaluate", "nli", "mixed.csv").split())
    assert "3 of 12 test pairs are among the training pairs; the scores flatter the model" in said


def test_patterns_that_no_shell_has_spread_out(run, folder):
    (folder / "parts").mkdir(exist_ok=True)
    for name, rows in (("a.csv", ROWS), ("b.csv", NEW)):
        write(folder / "parts" / name, rows)
    assert "24 pairs" in run("finetune", "lm", "parts/*.csv", "--task", "entail", "-o", "both", "--method", "frozen")
    assert len(run("predict", "both", "parts/*.csv", "--format", "csv").splitlines()) == 25
    said = run("evaluate", "both", "parts/*.csv")
    assert "entail, 24 pairs" in said
    assert "no neighbours" not in said
    assert run("explain", "both", "--file", "parts/[ab].csv", "--limit", "2").count("parts/") == 2
    assert "no file matches 'parts/*.tsv'" in run("evaluate", "both", "parts/*.tsv", code=2)


def test_a_temperature_is_not_fitted_on_them(run, folder):
    assert "these are the pairs that the model has learned from" in run("calibrate", "nli", "train.csv", code=2)
    write(folder / "mixed.csv", [*NEW, *ROWS[:3]])
    said = " ".join(run("calibrate", "nli", "mixed.csv", "-o", "calibrated").split())
    assert "the model has learned from 3 of the 12 pairs" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "nli", "new.csv", "-o", "new.csv"],
        ["predict", "nli", "n*.csv", "-o", "./new.csv"],
        ["evaluate", "nli", "new.csv", "--json", "new.csv"],
        ["evaluate", "nli", "new.csv", "--train", "train.csv", "--predictions", "train.csv"],
        ["score", "lm", "new.csv", "--json", "new.csv"],
        ["inspect", "new.csv", "--json", "new.csv"],
        ["explain", "nli", "--file", "new.csv", "--json", "new.csv"],
        ["zero", "pairs", "lm", "new.csv", "--predictions", "new.csv"],
    ],
)
def test_what_is_read_is_not_written_over(run, folder, arguments):
    before = (folder / "new.csv").read_bytes(), (folder / "train.csv").read_bytes()
    assert "is one of the files that are read, so it is not written over" in run(*arguments, code=2)
    assert before == ((folder / "new.csv").read_bytes(), (folder / "train.csv").read_bytes())


def test_what_cannot_be_taken_is_said_before_how_it_would_be(run):
    wrong = run("finetune", "lm", "train.csv", "--task", "entail", "-o", "x", "--layers", "9", code=2)
    assert wrong.count("\n") == 1
    assert "9 layers are to be taken" in wrong


def test_a_warning_is_one_line(run, call, folder):
    write(folder / "alike.csv", [(f"a {i}", f"b {i}", "same" if i else "other") for i in range(12)])
    how = ["--task", "entail", "--method", "frozen", "--epochs", "0.01", "--seed", "3"]
    _, said = call("finetune", "lm", "alike.csv", "-o", "degenerate", *how)
    assert "\nlangnet: warning: this run is degenerate: on items learned from" in "\n" + said.err
    assert ".py" not in said.err


def test_files_that_a_shell_has_put_behind_an_option_are_no_test_files(run, folder):
    write(folder / "more.csv", ROWS)
    said = run("evaluate", "nli", "new.csv", "--train", "train.csv", "more.csv", code=2)
    assert "--train takes one file, and 1 more stand behind it, more.csv first" in said
    assert "9 pairs" in run("evaluate", "nli", "--train", "train.csv", "new.csv")
    how = ["--task", "entail", "-o", "x", "--unlabelled", "new.csv", "more.csv"]
    said = run("finetune", "lm", "train.csv", *how, code=2)
    assert "--unlabelled takes one file" in said
