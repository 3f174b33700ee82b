"""CoreferenceResolver in scikit-learn's grammar, and the task on the command line."""

import json

import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from langnet import CoreferenceResolver
from langnet.errors import LangnetError
from langnet.text.coreference_files import read_documents

DOCUMENT = [["Ann", "sings", "."], [], ["She", "smiles", "."]]
CHAINS = [[(0, 0), (3, 3)], [(1, 1)]]
QUICK = {"method": "frozen", "epochs": 1, "settings": {"hidden": 8, "width": 8}}


def test_fits_predicts_and_scores(tiny_model):
    X, y = [DOCUMENT] * 4, [CHAINS] * 4
    resolver = CoreferenceResolver(tiny_model, **QUICK).fit(X, y)
    found = resolver.predict(X)
    assert len(found) == 4
    assert all(0 <= a <= b < 6 for chains in found for chain in chains for a, b in chain)
    assert 0 <= resolver.score(X, y) <= 1
    assert clone(resolver).fit(X, y).predict(X) == found
    assert len(cross_val_score(CoreferenceResolver(tiny_model, **QUICK), X, y, cv=2)) == 2


@pytest.mark.parametrize(
    ("X", "y", "told"),
    [
        ("Ann sings", [], "expected one or more documents"),
        ([], [], "expected one or more documents"),
        ([["Ann sings"]], [[]], "item 0 is not"),
        ([DOCUMENT], [], r"got 0 for 1 documents"),
        ([DOCUMENT], [[[(0, 6)]]], r"document 0 has 6 words and no mention \(0, 6\)"),
    ],
)
def test_what_is_not_understood_is_told(tiny_model, X, y, told):
    with pytest.raises(ValueError, match=told):
        CoreferenceResolver(tiny_model, **QUICK).fit(X, y)


def test_a_mention_in_two_chains(tiny_model):
    with pytest.raises(LangnetError, match="the same mention in two chains"):
        CoreferenceResolver(tiny_model, **QUICK).fit([DOCUMENT], [[[(0, 0), (3, 3)], [(0, 0)]]])


@pytest.fixture
def run(tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    return call


def test_the_command_line(run, tiny_model, tmp_path):
    tiny_model.save("lm")
    row = {"sentences": DOCUMENT, "clusters": [[[0, 0], [3, 3]]]}
    (tmp_path / "train.jsonl").write_text("\n".join([json.dumps(row)] * 4) + "\n")
    (tmp_path / "new.txt").write_text("Ann sings. She smiles.")
    head = ["--head", "hidden=8", "--head", "width=8", "--method", "frozen", "--epochs", "1"]
    code, said = run("finetune", "lm", "train.jsonl", "--task", "corefer", "-o", "m", *head)
    assert code == 0, said.err
    code, said = run("predict", "m", "new.txt", "--output", "new.conll", "--html", "new.html", "--svg", "drawn")
    assert code == 0, said.err
    assert "1 documents" in (tmp_path / "new.html").read_text()
    assert (tmp_path / "drawn" / "0001.svg").read_text().count('class="word"') == 6
    assert read_documents(["new.conll"])[0].words == ("Ann", "sings", ".", "She", "smiles", ".")
    code, said = run("evaluate", "m", "train.jsonl")
    assert code == 0, said.err
    assert all(word in said.out for word in ("CoNLL F1", "nearest mention", "CEAFe", "recall"))
    code, said = run("finetune", "lm", "train.jsonl", "--task", "corefer", "-o", "n", "--text-column", "x")
    assert (code, said.err.count("\n")) == (2, 1)
    assert "takes no columns' names" in said.err
