"""RoleLabeler in scikit-learn's grammar, and the task on the command line."""

import io
import json
import sys
from xml.dom import minidom

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from langnet import RoleLabeler
from langnet.errors import LangnetError
from langnet.text.frames import FramedSentence
from langnet.text.role_files import read_roles, write_roles
from tests.recipes.kind_items import framed

QUICK = {"method": "frozen", "epochs": 2}
SENTENCE = ["The", "film", "was", "superb", "."]


@pytest.fixture(scope="module")
def data(tiny_labelled):
    items = framed(tiny_labelled)[:40]
    return [list(item.words) for item in items], [{f.predicate: list(f.roles) for f in item.frames} for item in items]


@pytest.fixture(scope="module")
def fitted(tiny_model, data):
    how = {"epochs": 16, "batch_size": 4, "head_learning_rate": 1e-2, "settings": {"hidden": 64, "layers": 1}}
    return RoleLabeler(tiny_model, "frozen", **how).fit(*data)


def test_fits_predicts_and_scores(fitted, data):
    X, y = data
    assert fitted.score(X, y) > 0.9
    assert list(fitted.classes_) == ["O", "B-A1", "I-A1", "B-A2", "I-A2"]
    given = fitted.predict([(SENTENCE, [2]), (SENTENCE, [2, 3])])
    assert [list(roles) for roles in given] == [[2], [2, 3]]
    assert given[0] == {2: [("A1", 0, 2), ("A2", 3, 4)]}
    assert fitted.predict([SENTENCE]) == [given[0]]  # the predicate is found
    (guess,) = fitted.guess([SENTENCE])
    assert max(guess.predicates) == guess.predicates[2] > 0.5
    assert fitted.score([SENTENCE], given[:1]) == 1
    assert fitted.predict([[]]) == [{}]


def test_within_cross_validation(tiny_model, data):
    X, y = data
    labeler = RoleLabeler(tiny_model, **QUICK, settings={"rules": "on", "crf": True}, hidden=16)
    assert np.isfinite(cross_val_score(labeler, X[:20], y[:20], cv=2)).all()
    made = clone(labeler).fit(X[:8], y[:8]).model_.network.task.settings
    assert (made.rules, made.crf, made.hidden, made.finder) == (True, True, 16, True)


ROLE = {2: [("A1", 0, 2)]}


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ("text", [ROLE], "got one string"),
        ([], [], "got none"),
        (["The film"], [ROLE], "item 0 is 'The film'"),
        ([[1, 2]], [ROLE], "item 0 is"),
        ([(SENTENCE, [9])], [ROLE], "sentence 0 has 5 words, counted from 0, and a predicate 9"),
        ([SENTENCE], None, "y is None"),
        ([SENTENCE], [ROLE, ROLE], "got 2 for 1 sentences"),
        ([SENTENCE], [[("A1", 0, 2)]], "expected a dict by predicate, got list"),
        ([SENTENCE], [{7: []}], "a predicate 7"),
        ([SENTENCE], [{2: [("A1", 0, 9)]}], r"the role \('A1', 0, 9\)"),
        ([SENTENCE], [{2: [("A1", 2, 2)]}], "expected a name, the first word and the one after"),
        ([SENTENCE], [{2: ["A1"]}], "the role 'A1'"),
        ([SENTENCE], [{2: []}], "no roles to be learned"),
        ([(SENTENCE, [2, 3])], [ROLE], r"the predicates \[2, 3\] in X and \[2\] in y"),
    ],
)
def test_mistakes_are_said(tiny_model, X, y, message):
    with pytest.raises((ValueError, LangnetError), match=message):
        RoleLabeler(tiny_model, **QUICK).fit(X, y)


def test_settings_are_checked(tiny_model, data):
    X, y = data
    for settings, message in [
        ({"wings": 2}, "no setting 'wings'; its settings: crf, words"),
        ({"rules": "perhaps"}, "rules is 'perhaps'"),
    ]:
        with pytest.raises(LangnetError, match=message):
            RoleLabeler(tiny_model, **QUICK, settings=settings).fit(X, y)
    with pytest.raises(ValueError, match="needs a language model"):
        RoleLabeler().fit(X, y)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_model, fitted, data):
    folder = tmp_path_factory.mktemp("roles")
    tiny_model.save(folder / "lm")
    fitted.model_.save(folder / "labeler")
    items = [FramedSentence(item.words, item.frames) for item in fitted_items(data)]
    text = write_roles(items, [item.frames for item in items])
    (folder / "train.conllup").write_text(text, encoding="utf8")
    (folder / "new.txt").write_text("The film was superb.\n\nThe <b> was & awful.\n", encoding="utf8")
    return folder


def fitted_items(data):
    from langnet.estimators.role_labeler import framed as read

    return read(*data)


@pytest.fixture
def run(folder, monkeypatch, answered):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    return answered


def test_from_training_to_scores(run, folder):
    quick = ["--method", "frozen", "--epochs", "1", "--head", "rules=on", "--head", "hidden=32"]
    assert "40 sentences" in run("finetune", "lm", "train.conllup", "--task", "label_roles", "-o", "quick", *quick)
    said = run("evaluate", "quick", "train.conllup", "--json", "s.json", "--predictions", "p.conllup")
    for told in ("no roles at all", "nearest words left and right", "CRF of word features", "predicates found instead"):
        assert told in said
    assert json.loads((folder / "s.json").read_text())["unit"] == "sentences"
    assert len(read_roles([folder / "p.conllup"])) == 40


def test_roles_of_another_spelling_are_told(run, folder):
    text = (folder / "train.conllup").read_text(encoding="utf8")
    (folder / "other.conllup").write_text(text.replace("A1:", "ARG1:").replace("A2:", "ARG2:"), encoding="utf8")
    said = " ".join(run("evaluate", "labeler", "other.conllup", code=2).split())
    assert "the model does not know the label 'ARG" in said
    assert "it knows A1, A2" in said
    first, _, rest = text.partition("A1:")
    (folder / "some.conllup").write_text(f"{first}ARG1:{rest}", encoding="utf8")
    said = " ".join(run("evaluate", "labeler", "some.conllup").split())
    assert "does not know 1 of the labels, so 1 of" in said


def test_predictions_in_the_formats_of_the_files(run, folder):
    run("predict", "labeler", "new.txt", "-o", "out.conllup")
    items = read_roles([folder / "out.conllup"])
    assert [list(item.words) for item in items] == [SENTENCE, ["The", "<", "b", ">", "was", "&", "awful", "."]]
    assert [f.predicate for f in items[0].frames] == [2]
    run("predict", "labeler", "new.txt", "-o", "out.jsonl")
    rows = [json.loads(line) for line in (folder / "out.jsonl").read_text(encoding="utf8").splitlines()]
    assert rows[0]["frames"][0]["word"] == "was"
    assert {role["role"] for role in rows[0]["frames"][0]["roles"]} == {"A1", "A2"}
    assert all(0 <= role["probability"] <= 1 for role in rows[0]["frames"][0]["roles"])
    assert run("predict", "labeler", "new.txt") == (folder / "out.conllup").read_text(encoding="utf8")


def test_a_page_of_drawings(run, folder):
    assert run("predict", "labeler", "new.txt", "--html", "out.html") == ""
    page = (folder / "out.html").read_text(encoding="utf8")
    assert page.count("<svg") == 2
    assert "&lt;" in page
    assert "<b>" not in page
    assert "<script" not in page
    minidom.parseString(page[page.index("<svg") : page.index("</svg>") + 6])
    run("predict", "labeler", "new.txt", "--html", "out.html", "-o", "again.conllup")
    assert (folder / "again.conllup").exists()


def test_explanations(run):
    said = run("explain", "labeler", "--file", "new.txt", "--limit", "1")
    assert "predicate 3: A1 1-2, A2 4" in said


def test_mistakes_on_the_command_line(run, folder):
    (folder / "bad.conllup").write_text("1\ta\t_\n2\tb\n", encoding="utf8")
    assert "no roles" in run("finetune", "lm", "new.txt", "--task", "label_roles", "-o", "x", code=2)
    assert "bad.conllup, line 2: 2 columns" in run("predict", "labeler", "bad.conllup", code=2)
    assert "language model without labels" in run("predict", "lm", "new.txt", "--html", "x.html", code=2)
    assert not (folder / "x").exists()
