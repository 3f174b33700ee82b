"""ConstituencyParser in scikit-learn's grammar, and trees on the command line: files in, files and drawings out."""

import json

import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from langnet import ConstituencyParser, load
from langnet.text.tree_files import read_parsed
from langnet.text.trees import Tree
from tests.recipes.kind_items import trees

WORDS = [["Ann", "sings", "."], ["She", "sang"], ["(", "Yes", ")"]] * 4
TREES = [
    "(ROOT (S (NP-SBJ (NNP Ann)) (VP (VBZ sings)) (. .)))",
    "(ROOT (S (NP (PRP She)) (VP (VBD sang) (NP (-NONE- *)))))",
    "(ROOT (INTJ (-LRB- -LRB-) (UH Yes) (-RRB- -RRB-)))",
] * 4
QUICK = {"method": "frozen", "epochs": 1, "settings": {"hidden": 32, "span_hidden": 64}}


def test_fits_predicts_and_scores(tiny_model):
    parser = ConstituencyParser(tiny_model, **QUICK).fit(WORDS, TREES)
    assert parser.labels_ == [("INTJ",), ("NP",), ("S",), ("VP",)]
    assert "-LRB-" in parser.tags_
    said, guesses = parser.predict(WORDS), parser.guess(WORDS)
    assert said == [str(guess.tree) for guess in guesses]
    assert all(text.startswith("(ROOT ") for text in said)
    assert "(-LRB- -LRB-)" in said[2] or " -LRB-)" in said[2], "a bracket as a word is written by name"
    assert parser.score(WORDS, said) == 1
    assert parser.score(WORDS, [guess.tree for guess in guesses]) == 1
    assert 0 <= parser.score(WORDS, TREES) < 1
    assert parser.predict([[]]) == [""]
    again = clone(parser)
    assert again.fit(WORDS, TREES).predict(WORDS) == said


def test_within_cross_validation(tiny_model):
    assert len(cross_val_score(ConstituencyParser(tiny_model, **QUICK), WORDS, TREES, cv=2)) == 2


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (WORDS, None, "requires y"),
        (WORDS, TREES[:2], "one tree a sentence; got 2 for 12"),
        ([["a"]], ["(S (N b))"], "tree 0 of y has the words"),
        ([["a"]], ["(S (N a)"], "tree 0 of y, line 1: the tree that begins here is not closed"),
        ([["a"]], ["(S (N a)) (S (N a))"], "holds 2 trees; expected one"),
        ([["a"]], [3], "is int; expected bracketed text"),
        ("a b", ["(S (N a))"], "got one string"),
        (["a b"], ["(S (N a))"], "split it first"),
    ],
)
def test_what_is_not_understood_is_told(tiny_model, X, y, message):
    with pytest.raises(ValueError, match=message):
        ConstituencyParser(tiny_model, **QUICK).fit(X, y)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_model, tiny_labelled):
    folder = tmp_path_factory.mktemp("trees")
    tiny_model.save(folder / "lm")
    items = trees(tiny_labelled)[:40]
    for name, part in (("train.ptb", items[:30]), ("test.ptb", items[30:])):
        (folder / name).write_text("".join(f"{item.tree}\n" for item in part), encoding="utf8")
    (folder / "new.txt").write_text("The film (new) was a joy. It was!\n", encoding="utf8")
    (folder / "new.conllu").write_text("1\tIt\t_\tX\tNN\t_\t_\t_\t_\t_\n2\twas\t_\tX\tVBD\t_\t_\t_\t_\t_\n\n", "utf8")
    (folder / "broken.ptb").write_text("(S (NN a))\n(S (NP (NN b))\n", encoding="utf8")
    return folder


@pytest.fixture
def run(folder, monkeypatch, answered):
    monkeypatch.chdir(folder)
    return answered


FAST = ["--method", "frozen", "--epochs", "1", "--head", "hidden=32", "--head", "span_hidden=64"]


def test_from_file_to_file(run, folder):
    said = run("finetune", "lm", "train.ptb", "--task", "parse", "--output", "parser", *FAST)
    assert "a model for the task 'parse' from 30 sentences" in said
    assert "S" in load(folder / "parser").labels
    said = run("evaluate", "parser", "test.ptb", "--predictions", "guesses.ptb", "--json", "scores.json")
    assert "treebank grammar" in said
    assert "crossing brackets" in said
    rows = json.loads((folder / "scores.json").read_text("utf8"))["rows"]
    assert [row["name"] for row in rows] == ["this model", "right-branching", "left-branching", "treebank grammar"]
    assert rows[3]["scores"]["f1"]["value"] > rows[1]["scores"]["f1"]["value"]
    guesses, gold = (read_parsed([folder / name]) for name in ("guesses.ptb", "test.ptb"))
    assert [item.words for item in guesses] == [item.words for item in gold]
    said = run("predict", "parser", "new.txt", "--html", "trees.html", "--output", "new.ptb")
    first, second = read_parsed([folder / "new.ptb"])
    assert first.words == ("The", "film", "-LRB-", "new", "-RRB-", "was", "a", "joy", ".")
    assert second.words == ("It", "was", "!")
    page = (folder / "trees.html").read_text("utf8")
    assert page.count("<svg") == 2
    assert "new.txt:1" in page
    assert run("predict", "parser", "new.conllu").startswith("(ROOT ")
    said = run("explain", "parser", "--file", "new.conllu", "--method", "gradient")
    assert "(ROOT " in said


def test_tags_of_the_file(run, folder):
    run("finetune", "lm", "train.ptb", "--task", "parse", "--output", "tagged", *FAST, "--head", "tags=file")
    assert "(NN It)" in run("predict", "tagged", "new.conllu")
    assert "has none" in run("predict", "tagged", "new.txt", code=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["finetune", "lm", "broken.ptb", "--task", "parse", "--output", "x"], "broken.ptb, line 2: the tree that"),
        (["finetune", "lm", "new.txt", "--task", "parse", "--output", "x"], "holds no trees"),
        (["finetune", "lm", "train.ptb", "--task", "parse", "--output", "x", "--head", "decoder=x"], "chart, linear"),
        (["finetune", "lm", "train.ptb", "--task", "parse", "--output", "x", "--head", "size=2"], "no setting 'size'"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(run, folder, arguments, message):
    said = run(*arguments, code=2)
    assert message in said
    assert len(said.strip().splitlines()) == 1
    assert not (folder / "x").exists()


def test_a_tree_may_be_given_as_such(tiny_model):
    tree = Tree(("a", "b"), ("N", "N"), ())
    with pytest.raises(Exception, match="no tree has a bracket"):
        ConstituencyParser(tiny_model, **QUICK).fit([["a", "b"]], [tree])
