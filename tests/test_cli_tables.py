"""Tables through a classifier: rows come out whole, with what is predicted behind them, and can be evaluated again."""

import csv
import io
import json

import pytest

from langnet.recipes.finetune import finetune
from langnet.recipes.finetune_options import FinetuneOptions


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_model, tiny_labelled):
    folder = tmp_path_factory.mktemp("tables")
    texts, labels = tiny_labelled.texts[:40], tiny_labelled.labels[:40]
    finetune(tiny_model, texts, labels, FinetuneOptions("frozen")).save(folder / "classifier")
    others = [{"pos": "neg", "neg": "pos"}[label] for label in labels]
    with open(folder / "rows.csv", "w", newline="", encoding="utf8") as file:
        csv.writer(file).writerows([["n", "text", "label"], *zip(range(40), texts, others, strict=True)])
    (folder / "sst.tsv").write_text(f"sentence\tlabel\n{texts[0]}\t{labels[0]}\n{texts[1]}\t{labels[1]}\n", "utf8")
    (folder / "more.jsonl").write_text(json.dumps({"text": texts[0], "source": "here"}) + "\n", encoding="utf8")
    (folder / "lines.txt").write_text("The film was moving.\n", encoding="utf8")
    (folder / "words.conll").write_text("Ann NNP\nsings VBZ\n\n", encoding="utf8")
    (folder / "latin1.csv").write_bytes("text,label\ngut,a\nschön,b\n".encode("latin1"))
    (folder / "latin1.txt").write_bytes("gut\nschön\n".encode("latin1"))
    return folder


@pytest.fixture
def run(folder, monkeypatch, answered):
    monkeypatch.chdir(folder)
    return answered


def table(text, delimiter=","):
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


def test_rows_keep_their_cells_and_are_evaluated_by_them(run, folder):
    run("predict", "classifier", "rows.csv", "-o", "said.tsv", "--probabilities")
    rows = table((folder / "said.tsv").read_text(encoding="utf8"), "\t")
    new = ["predicted_label", "probability", "p(neg)", "p(pos)"]
    assert list(rows[0]) == ["source", "n", "text", "label", *new]
    assert [row["n"] for row in rows] == [str(n) for n in range(40)]
    assert rows[2]["source"] == "rows.csv:4"
    for name, scores in (("rows.csv", "a.json"), ("said.tsv", "b.json")):  # the truth is what it was
        run("evaluate", "classifier", name, "--json", scores)
    first, second = (json.loads((folder / name).read_text())["rows"][0]["scores"] for name in ("a.json", "b.json"))
    assert first["accuracy"] == second["accuracy"]
    assert first["accuracy"]["value"] < 0.5


def test_tables_of_different_columns_and_lines(run, folder):
    run("predict", "classifier", "rows.csv", "more.jsonl", "lines.txt", "-o", "all.csv")
    rows = table((folder / "all.csv").read_text(encoding="utf8"))
    assert len(rows) == 42
    assert [row["source"] for row in rows[-2:]] == ["here", "lines.txt:1"]
    assert rows[-1]["text"] == rows[-1]["label"] == ""
    assert rows[-1]["predicted_label"] in ("neg", "pos")
    (line,) = run("predict", "classifier", "lines.txt").splitlines()
    assert list(json.loads(line)) == ["source", "predicted_label", "probability"]


def test_usual_names_of_the_text(run, folder):
    assert len(run("predict", "classifier", "sst.tsv").splitlines()) == 2
    assert "accuracy" in run("evaluate", "classifier", "sst.tsv")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", "classifier", "words.conll"], "words.conll holds words or trees in .conll, and no texts"),
        (["predict", "classifier", "latin1.csv"], "latin1.csv is not UTF-8 at line 3; convert it: iconv -f"),
        (["predict", "classifier", "latin1.txt"], "latin1.txt is not UTF-8 at line 2; convert it: iconv -f"),
        (["evaluate", "classifier", "latin1.csv"], "latin1.csv is not UTF-8 at line 3"),
        (["predict", "classifier", "rows.csv", "-o", "x.parquet"], "x.parquet ends neither in .csv nor in .tsv"),
    ],
)
def test_mistakes(run, folder, arguments, message):
    before = {path.name for path in folder.iterdir()}
    assert message in " ".join(run(*arguments, code=2).split())
    assert {path.name for path in folder.iterdir()} == before
