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
