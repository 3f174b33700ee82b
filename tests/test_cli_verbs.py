"""What each verb writes, and that its options do something."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys

import pytest

import langnet
from langnet.cli import main
from langnet.recipes.finetune import FinetuneOptions, finetune
from tests.conftest import sentences


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_model):
    folder = tmp_path_factory.mktemp("verbs")
    tiny_model.save(folder / "lm")
    train, test = sentences(60, seed=3), sentences(200, seed=4)
    finetune(tiny_model, train.texts, train.labels, FinetuneOptions("frozen")).save(folder / "classifier")
    for name, data in (("train", train), ("test", test)):
        rows = [{"text": t, "label": y} for t, y in zip(data.texts, data.labels, strict=True)]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "raw.txt").write_text("\n".join(test.texts))
    (folder / "pairs.txt").write_text("The film was moving.\n\nmoving was film The.\n")
    return folder


@pytest.fixture
def run(folder, monkeypatch, capsys):
    def run(*arguments, stdin=""):
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["langnet", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        assert stopped.value.code == 0, said.err
        return said.out

    return run


def test_generate(run, tiny_model):
    first = run("generate", "lm", "-p", "The film", "--tokens", 20)
    assert first == run("generate", "lm", "-p", "The film", "--tokens", 20)
    assert first == "The film" + tiny_model.generate("The film", 20) + "\n"
    out = run("generate", "lm", "-p", "-", "--tokens", 20, "--samples", 2, "--json", "--seed", 5, stdin="The film")
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["seed"] for record in records] == [5, 6]
    assert records[1]["text"] == tiny_model.generate("The film", 20, seed=6)
    assert "--- 2 of 2" in run("generate", "lm", "--samples", 2, "--tokens", 3)


def test_score(run, folder, tiny_model):
    out = run("score", "lm", "raw.txt", "test.jsonl", "--documents", "line", "--json", "scores.json")
    assert "raw.txt" in out
    assert "all" in out
    found = json.loads((folder / "scores.json").read_text())
    assert found["total"]["n_documents"] == 400
    assert found["sources"]["raw.txt"]["bits_per_byte"] == pytest.approx(found["total"]["bits_per_byte"])
    low, high = found["total"]["interval"]
    assert low < found["total"]["bits_per_byte"] < high
    assert "single document" in run("score", "lm", "raw.txt")


@pytest.mark.parametrize("source", ["pairs.txt", "-"])
def test_score_lines(run, folder, tiny_model, source):
    out = run("score", "lm", source, "--lines", stdin=(folder / "pairs.txt").read_text())
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["text"] for record in records] == ["The film was moving.", "", "moving was film The."]
    assert records[0]["log_probability"] > records[2]["log_probability"]
    expected = tiny_model.score_texts(["The film was moving."])[0]
    assert records[0]["log_probability"] == pytest.approx(expected.log_probability, rel=1e-4)


def test_predict(run, folder):
    lines = run("predict", "classifier", "test.jsonl").splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["source"] for record in records[:2]] == ["test.jsonl:1", "test.jsonl:2"]
    run("predict", "classifier", "test.jsonl", "-o", "p.csv", "--probabilities")
    with (folder / "p.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["predicted_label"] for row in rows] == [record["predicted_label"] for record in records]
    assert float(rows[0]["p(neg)"]) + float(rows[0]["p(pos)"]) == pytest.approx(1, abs=1e-5)
    from_stdin = run("predict", "classifier", "-", stdin="The film was moving.\n\nThe film was awful.\n")
    assert [json.loads(line)["source"] for line in from_stdin.splitlines()] == [
        "standard input:1", "standard input:2", "standard input:3",
    ]  # fmt: skip


def test_evaluate_a_classifier(run, folder):
    out = run(
        "evaluate", "classifier", "test.jsonl", "--train", "train.jsonl", "--json", "e.json", "--predictions", "e.csv"
    )
    for word in ("accuracy", "majority", "TF-IDF", "model minus TF-IDF", "precision", "calibration"):
        assert word in out
    found = json.loads((folder / "e.json").read_text())
    assert [row["name"] for row in found["rows"]] == ["this model", "majority", "TF-IDF"]
    assert found["n"] == 200
    with (folder / "e.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    hits = sum(row["true_label"] == row["predicted_label"] for row in rows) / len(rows)
    assert hits == pytest.approx(found["rows"][0]["scores"]["accuracy"]["value"])


def test_evaluate_a_language_model(run, folder):
    out = run("evaluate", "lm", "raw.txt", "--documents", "line", "--json", "l.json")
    found = json.loads((folder / "l.json").read_text())
    assert found["model"]["n_documents"] == 200
    assert set(found["neighbours"]) == {"unigram of the model's tokens", "xz -9"}
    assert "bits/byte" in out


def test_finetune_remembers_its_training_texts(run, folder):
    run("finetune", "lm", "train.jsonl", "-o", "mine", "--method", "frozen", "--unlabelled", "raw.txt",
        "--documents", "line")  # fmt: skip
    facts = langnet.load(folder / "mine").facts["finetune"]
    assert facts["training_texts"]["files"] == ["train.jsonl"]
    assert facts["pseudo_labelled"] > 0
    out = run("evaluate", "mine", "test.jsonl")
    assert "learned from 60 training texts" in out
    (folder / "train.jsonl").rename(folder / "moved.jsonl")
    try:
        assert "cross-validated inside the test texts" in " ".join(run("evaluate", "mine", "test.jsonl").split())
    finally:
        (folder / "moved.jsonl").rename(folder / "train.jsonl")
    flattered = run("evaluate", "mine", "train.jsonl")
    assert "60 of 60 test texts are among the training texts" in " ".join(flattered.split())


def test_finetune_takes_its_options(run, folder):
    run("finetune", "lm", "train.jsonl", "-o", "tuned", "--epochs", 0.5, "--batch-size", 8, "--schedule", "linear",
        "--pooling", "concat", "--max-tokens", 20, "--no-document-vectors", "--precision", "no", "--device", "cpu",
        "--validation-fraction", 0.2, "--dropout", 0.2, "--gradual-unfreezing", "--auxiliary-lm", 0.3)  # fmt: skip
    model = langnet.load(folder / "tuned")
    options = model.facts["finetune"]["options"]
    assert (options["batch_size"], options["max_tokens"], model.max_tokens) == (8, 20, 20)
    assert options["schedule"]["name"] == "linear"
    assert (options["auxiliary_lm"], options["gradual_unfreezing"], options["dropout"]) == (0.3, True, 0.2)
    assert model.document_vectors is None
    assert (folder / "tuned.run" / "history.jsonl").exists()
    assert not (folder / "tuned.run" / "checkpoint").exists()


def test_adapt_and_the_list_of_models(run, folder):
    run("adapt", "lm", "raw.txt", "-o", "adapted", "--documents", "line", "--steps", 2, "--batch-tokens", 256,
        "--learning-rate", 1e-4, "--optimizer", "adamw", "--no-document-vectors", "--keep-duplicates")  # fmt: skip
    model = langnet.load(folder / "adapted")
    assert model.size == "tiny"
    assert model.facts["corpus"]["duplicates"] == 0
    assert "**Adaptation to other text.**" in model.card
    out = run("models", ".")
    lines = {line.split()[0]: line.split() for line in out.splitlines() if line.split()}
    assert lines["adapted"][1:4] == ["gpt", "tiny", "language_model"]
    assert lines["adapted"][4] == f"{model.encoder.n_parameters / 1000:.0f}k"
    assert float(lines["adapted"][5]) == pytest.approx(model.facts["validation"]["bits_per_byte"], abs=1e-3)
    assert "adapted is whole" in run("models", "adapted", "--verify")
    assert run("models", "adapted", "--card").strip() == model.card.strip()


def test_a_model_is_verified_from_within(folder, monkeypatch, answered):
    monkeypatch.chdir(folder / "lm")
    assert "is whole" in answered("models", ".", "--verify")
    assert "lm" in answered("models", ".")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_list_of_models_fits_its_window(width, folder, runner):
    (folder / "many").mkdir(exist_ok=True)
    for name in ("lm", "damaged", "reviews-gpt-small-of-november"):
        if not (folder / "many" / name).exists():
            shutil.copytree(folder / "lm", folder / "many" / name)
    (folder / "many" / "damaged" / "config.json").write_text("{}")
    shown = runner.run(["langnet", "models", "many"], folder, {"COLUMNS": str(width)}).stdout
    lines = [line.rstrip() for line in shown.splitlines() if not line.startswith("!")]
    assert max(map(len, lines)) <= width
    assert lines[0].split()[:2] == ["model", "family"]
    assert "bits/byte" in lines[0]
    assert "parameters" in lines[0]
    assert ("created" in lines[0]) == (width > 80)
    rows = {line.split()[0]: line.split() for line in lines[1:]}
    assert rows["lm"][1] == "gpt"
    assert rows["damaged"][1] == "broken"
    names = [line.split()[0] for line in lines[1:]]
    assert "".join(names[names.index("lm") + 1 :]) == "reviews-gpt-small-of-november"  # broken where it must be


def test_inspect(run, folder):
    out = run("inspect", "train.jsonl", "--label-column", "label", "--test", "train.jsonl", "--json", "i.json")
    assert "60 test texts, 60 of them in the first set too" in out
    assert json.loads((folder / "i.json").read_text())["test_overlap"] == 60
    assert "200 texts" in run("inspect", "raw.txt", "--documents", "line")


def test_zero_labels(run, folder):
    words = ("--word", "pos=wonderful,superb", "--word", "neg=awful,boring")
    out = run("zero", "labels", "lm", "test.jsonl", *words, "--template", "{text} The film was {label}.",
              "--json", "z.json", "--predictions", "z.csv", "--unigram", "raw.txt")  # fmt: skip
    for word in ("labels by likelihood, 200 texts", "majority", "unigram", "no correction", "divided out"):
        assert word in out
    found = json.loads((folder / "z.json").read_text())
    with (folder / "z.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    hits = sum(row["true_label"] == row["predicted_label"] for row in rows) / len(rows)
    assert hits == pytest.approx(found["rows"][0]["scores"]["accuracy"]["value"])
    lines = run("zero", "labels", "lm", "raw.txt", *words, "--unlabelled", "--prior", "batch").splitlines()
    assert len(lines) == 200
    assert json.loads(lines[0])["source"] == "raw.txt:1"


def test_zero_questions(run, folder):
    pairs = [{"sentence_good": "The film was moving.", "sentence_bad": "film The was moving.", "field": "order"}] * 3
    (folder / "p.jsonl").write_text("\n".join(map(json.dumps, pairs)))
    out = run("zero", "pairs", "lm", "p.jsonl", "--json", "p.json", "--predictions", "p.csv")
    assert "minimal pairs, 3 pairs" in out
    assert "order" in out
    assert json.loads((folder / "p.json").read_text())["breakdowns"][0]["title"] == "field"
    rows = [{"text": "The film was _.", "choices": ["moving", "the"], "label": 0}]
    (folder / "q.jsonl").write_text(json.dumps(rows[0]))
    assert "alternatives, 1 questions" in run("zero", "choices", "lm", "q.jsonl", "--scoring", "full")
    answer = json.loads(run("zero", "choices", "lm", "q.jsonl", "--unlabelled"))
    assert answer["alternative"] == "moving"
    judged = [("The film was moving.", 1), ("film the was The.", 0), ("The hero was superb.", 1), ("was hero .The", 0)]
    (folder / "j.csv").write_text("sentence,label\n" + "".join(f"{text},{label}\n" for text, label in judged))
    out = run("zero", "acceptability", "lm", "j.csv", "--dev", "j.csv", "--score", "tokens")
    assert "4 of the sentences are among those that chose the threshold" in " ".join(out.split())


def test_calibrate_and_abstain(run, folder):
    out = run("calibrate", "classifier", "test.jsonl", "--output", "careful", "--target-accuracy", 0.6)
    for word in ("careful: temperature", "before: calibration error", "after:", "abstaining below"):
        assert word in out
    assert langnet.load(folder / "careful").facts["calibration"]["n"] == 200
    assert "fitted on these very texts" in " ".join(
        run("evaluate", "careful", "test.jsonl", "--abstain", "--train", "train.jsonl").split()
    )
    surest = [json.loads(line)["probability"] for line in run("predict", "careful", "raw.txt").splitlines()]
    below = sorted(surest)[len(surest) // 2] + 1e-3  # above half of them
    records = [
        json.loads(line) for line in run("predict", "careful", "raw.txt", "--abstain-below", min(below, 1)).splitlines()
    ]
    assert any(record["abstained"] for record in records) or min(surest) == 1
    assert all((record["predicted_label"] == "") == record["abstained"] for record in records)
    assert all(record["probability"] > 0.4 for record in records)
    run("calibrate", "careful", "test.jsonl")  # in its own folder, and without a threshold
    assert "abstain" not in langnet.load(folder / "careful").facts["calibration"]


def test_explain(run, folder):
    out = run("explain", "classifier", "The film was awful.", "The hero was a joy.")
    assert "awful(" in out  # no colours here, so numbers
    assert "contributions sum to" in out
    run("explain", "classifier", "--file", "test.jsonl", "--limit", 3, "--html", "x.html", "--json", "x.json",
        "--method", "gradient", "--unit", "token", "--label", "pos")  # fmt: skip
    found = json.loads((folder / "x.json").read_text())
    assert [one["source"] for one in found] == ["test.jsonl:1", "test.jsonl:2", "test.jsonl:3"]
    assert {one["guess"] for one in found} == {"pos"}
    page = (folder / "x.html").read_text()
    assert page.count("<article") == 3
    assert "test.jsonl:2" in page


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_one_line(folder):
    command = [sys.executable, "-m", "langnet", "models", "."]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("langnet: the output: No space left on device; free some: a run keeps its corpus")
    assert done.stderr.count("\n") == 1


def test_a_reader_that_has_seen_enough(folder, runner):
    (folder / "langnet.sh").write_text(runner.script("langnet"))
    command = "sh langnet.sh predict classifier test.jsonl | head -n 1"
    done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["source"] == "test.jsonl:1"
    assert done.stderr == ""


def test_a_terminal_without_the_script(run, folder, monkeypatch):
    (folder / "zh.txt").write_text("学而时习之", encoding="utf8")
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii"))
    run("score", "lm", "zh.txt", "--lines")
    assert json.loads(shown.getvalue().decode("ascii"))["text"] == "学而时习之"


def test_brackets_in_labels_and_names_are_text(run, folder):
    rows = "".join(f"{text},{label}\n" for text, label in [("a fine film", "[/x]"), ("a dull film", "[b] :dog:")] * 6)
    (folder / "raw[old].csv").write_text("text,label\n" + rows)
    run("finetune", "lm", "raw[old].csv", "-o", "[i]", "--method", "frozen", "--overwrite")
    said = run("evaluate", "[i]", "raw[old].csv")
    assert all(label in said for label in ("[/x]", "[b] :dog:"))
    assert "[/x]" in run("inspect", "raw[old].csv", "--label-column", "label")
    assert "raw[old].csv" in run("score", "lm", "raw[old].csv", "raw.txt")


def test_an_explanation_reads_the_columns_of_the_training(run, folder):
    rows = [
        {"text": "not this", "body": f"a {word} film", "label": n % 3} for n, word in enumerate(["fine", "dull"] * 6)
    ]
    (folder / "bodies.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run("finetune", "lm", "bodies.jsonl", "-o", "rater", "--task", "regress", "--text-column", "body", "--epochs", 1,
        "--method", "frozen")  # fmt: skip
    assert "fine" in run("explain", "rater", "--file", "bodies.jsonl", "--limit", 1)
