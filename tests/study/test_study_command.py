"""`langnet study` on made-up files: a report, kept results, and what goes wrong."""

import json

import pytest
from typer.testing import CliRunner

from langnet.cli.app import app
from langnet.errors import LangnetError


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_model, tiny_labelled):
    folder = tmp_path_factory.mktemp("study")
    rows = [json.dumps({"text": t, "label": y}) for t, y in zip(tiny_labelled.texts, tiny_labelled.labels, strict=True)]
    (folder / "labelled.jsonl").write_text("\n".join(rows))
    tiny_model.save(folder / "lm")
    return folder


def run(folder, *arguments):
    paths = ["--text", str(folder / "labelled.jsonl"), "--labels", str(folder / "labelled.jsonl")]
    options = ["--draws", "1", "--n-test", "40", "--output", str(folder / "out"), *arguments]
    return CliRunner().invoke(app, ["study", str(folder / "lm"), *paths, *options])


def test_a_study_is_reported_and_kept(folder):
    for _ in range(2):
        done = run(folder, "--sizes", "10,20", "--methods", "majority,tfidf,frozen")
        assert done.exit_code == 0, done.exception
        assert "Report:" in done.stdout
    assert len((folder / "out" / "cells.jsonl").read_text().splitlines()) == 6
    page = (folder / "out" / "report.html").read_text(encoding="utf8")
    assert "test texts are also in the raw text" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sizes", "10;20"], "'10;20' is no list of numbers"),
        (["--sizes", "5000"], "none of the sizes 5000 fits"),
        (["--methods", "bert"], "there is no method 'bert'"),
        (["--draws", "0"], "one or more draws, not 0"),
    ],
)
def test_mistakes_are_said(folder, arguments, message):
    done = run(folder, *arguments)
    assert isinstance(done.exception, LangnetError)
    assert message in str(done.exception)
