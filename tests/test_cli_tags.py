"""Taggers from file to file: what is read as tags, what is scored, and what is refused in one line."""

import json

import pytest

NAMES = "Ann/B-PER met/O Bob/B-PER Lee/I-PER in/O Rome/B-LOC ./O"
PARTS = "Ann/NOUN met/VERB Bob/NOUN in/ADP Rome/NOUN ./PUNCT"


def columns(sentence, times=6):
    rows = [word.replace("/", " X ") for word in sentence.split()]
    return ("\n".join(rows) + "\n\n") * times


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_model, runner):
    folder = tmp_path_factory.mktemp("tags")
    tiny_model.save(folder / "lm")
    files = {
        "names.conll": columns(NAMES),
        "parts.conll": columns(PARTS),
        "odd.conll": columns(NAMES) + "Ann X o\n",
        "outside.conll": columns("Ann/O met/O Bob/O ./O"),
        "things.conll": columns(NAMES.replace("PER", "per").replace("LOC", "loc")),
        "some.conll": columns(NAMES.replace("LOC", "loc")),
        "sick.txt": "pair_ID\tsentence_A\tsentence_B\tSemEval_set\n1\tA dog\tA cat\tTEST\n",
        "pairs.csv": "premise,hypothesis,label\n" + "a,b,YES\nc,d,NO\n" * 6,
        "lower.csv": "premise,hypothesis,label\na,b,yes\nc,d,no\n",
        "sets.csv": "text,labels\n" + "a film,film;long\na day,day\n" * 6,
        "others.csv": "text,labels\na film,Film\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf8")
    return folder


@pytest.fixture
def run(folder, monkeypatch, answered):
    monkeypatch.chdir(folder)

    def run(*arguments, code=0):
        return " ".join(answered(*arguments, code=code).split())

    return run


@pytest.fixture(scope="module")
def made(folder):
    """Models for the tasks of the files."""
    from langnet.cli.tasks import Place, columns, finetune_task
    from langnet.recipes.finetune_options import FinetuneOptions

    options = FinetuneOptions("frozen", epochs=1, least_steps=1, seeds=1)
    for output, task, file in (
        ("names", "tag", "names.conll"),
        ("parts", "tag", "parts.conll"),
        ("judge", "entail", "pairs.csv"),
        ("sorter", "multilabel", "sets.csv"),
    ):
        files = ([str(folder / file)], [])
        place = Place(folder / output, True, False)
        finetune_task(str(folder / "lm"), task, files, columns("text", None, "label"), (options, None), place)


QUICK = ("--task", "tag", "--method", "frozen", "--epochs", "1", "--overwrite")


def test_one_odd_tag_does_not_make_all_tags_plain(run, made, folder):
    said = run("finetune", "lm", "odd.conll", *QUICK, "-o", "odd", code=2)
    assert "odd.conll:49: the tag 'o' of 'Ann' does not fit the scheme of spans that all but 1 of 43 tags have" in said
    assert "odd.conll:49: the tag 'o' of 'Ann' marks no span" in run("evaluate", "names", "odd.conll", code=2)
    run("finetune", "lm", "odd.conll", *QUICK, "-o", "odd", "--head", "scheme=plain")
    assert "macro f1" in run("evaluate", "odd", "odd.conll")


def test_the_scheme_is_that_of_training_not_of_the_test_file(run, made, folder):
    run("evaluate", "names", "outside.conll", "--json", "s.json")
    assert next(iter(json.loads((folder / "s.json").read_text())["rows"][0]["scores"])) == "f1"


@pytest.mark.parametrize(
    ("model", "file", "message"),
    [
        ("names", "parts.conll", "parts.conll:1: the tag 'NOUN' of 'Ann' marks no span, but the model was trained on"),
        ("names", "things.conll", "things.conll:1: the model does not know the label 'per', nor any other of these"),
        ("names", "sick.txt", "sick.txt:1: the tag 'SemEval_set' of 'pair_ID' marks no span"),
        ("parts", "names.conll", "names.conll:1: the model does not know the label 'B-PER', nor any other of these"),
        ("judge", "lower.csv", "lower.csv:2: the model does not know the label 'yes', nor any other of these pairs; it "
         "knows NO, YES."),
        ("sorter", "others.csv", "others.csv:2: the model does not know the label 'Film'"),
    ],
)  # fmt: skip
def test_labels_of_which_the_model_knows_none(run, made, model, file, message):
    assert message in run("evaluate", model, file, code=2)


def test_labels_of_which_it_knows_some(run, made):
    said = run("evaluate", "names", "some.conll")
    assert "does not know 1 of the labels, so 6 of 24 cannot be right; the first, some.conll:6: 'loc'" in said


def test_predicted_tags_behind_the_columns_are_not_taken_for_the_true_ones(run, made, folder):
    run("predict", "names", "names.conll", "-o", "said.conll")
    lines = (folder / "said.conll").read_text().splitlines()
    assert {len(line.split()) for line in lines if line} == {4}
    # Tags that are wrong, so that it shows which are read.
    wrong = "\n".join(
        f"{line.rpartition(' ')[0]} {'B-LOC' if 'Bob' in line else 'O'}" if line else "" for line in lines
    )
    (folder / "wrong.conll").write_text(wrong + "\n", encoding="utf8")
    first = run("evaluate", "names", "names.conll", "--json", "a.json")
    told = run("evaluate", "names", "wrong.conll", "--json", "b.json")
    assert "wrong.conll: the tags are read from column 3, as in training" in told
    assert "as in training" not in first
    assert scores(folder, "a.json") == scores(folder, "b.json")
    run("evaluate", "names", "wrong.conll", "--label-column", "-1", "--json", "c.json")
    assert scores(folder, "c.json") != scores(folder, "a.json")
    run("evaluate", "names", "wrong.conll", "--label-column", "3", "--json", "d.json")
    assert scores(folder, "d.json") == scores(folder, "a.json")


def scores(folder, name):
    """The model's detailed lines and scores, which depend on the true tags."""
    report = json.loads((folder / name).read_text())
    return report["rows"][0], report["details"]


def test_a_further_column_of_another_sort_is_left_to_be_read(run, made, folder):
    text = columns(NAMES).replace(" X ", " X chunk ")
    (folder / "wider.conll").write_text(text, encoding="utf8")
    run("evaluate", "names", "names.conll", "--json", "a.json")
    assert "as in training" not in run("evaluate", "names", "wider.conll", "--json", "b.json")
    assert scores(folder, "a.json") == scores(folder, "b.json")


def test_what_was_trained_on_columns_reads_other_formats(run, made, folder):
    words, tags = zip(*(word.split("/") for word in NAMES.split()), strict=True)
    (folder / "names.jsonl").write_text(json.dumps({"tokens": words, "ner_tags": tags}) + "\n", encoding="utf8")
    rows = [
        f"{n}\t{word}\t_\t{tag}\t_\t_\t_\t_\t_\t_" for n, (word, tag) in enumerate(zip(words, tags, strict=True), 1)
    ]
    (folder / "names.conllu").write_text("# sent_id = 1\n" + "\n".join(rows) + "\n\n", encoding="utf8")
    for name in ("names.jsonl", "names.conllu"):
        run("evaluate", "names", name)
        run("predict", "names", name, "-o", f"said-{name}")
    text = (folder / "said-names.conllu").read_text()
    assert text.startswith("# sent_id = 1\n# langnet predicted UPOS\n1\tAnn\t")
    assert "said-names.conllu: the tags in UPOS were predicted, as a comment" in run(
        "evaluate", "names", "said-names.conllu"
    )
    run("predict", "names", "said-names.conllu", "-o", "again.conllu")
    assert (folder / "again.conllu").read_text() == text


def test_standard_input_is_not_taken_for_a_missing_file(made, run):
    for model, task in (("names", "tag"), ("judge", "entail")):
        told = run("predict", model, "-", code=2)
        assert f"standard input is for text classifiers; for the task '{task}' write it into a file" in told
