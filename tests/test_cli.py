"""The command line, as a person would type it: the whole way, and what goes wrong on it."""

import json
import subprocess
import sys

import pytest


def langnet(*arguments, folder):
    command = [sys.executable, "-m", "langnet", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_labelled):
    folder = tmp_path_factory.mktemp("naïve dir")
    rows = [{"text": t, "label": y} for t, y in zip(tiny_labelled.texts, tiny_labelled.labels, strict=True)]
    (folder / "data.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return folder


def test_from_raw_text_to_predictions(folder):
    done = langnet("pretrain", "data.jsonl", "-o", "lm", "--size", "tiny", "--steps", 5, folder=folder)
    assert done.returncode == 0, done.stderr
    done = langnet("finetune", "lm", "data.jsonl", "-o", "classifier", "--method", "frozen", folder=folder)
    assert done.returncode == 0, done.stderr
    done = langnet("predict", "classifier", "data.jsonl", folder=folder)
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 400
    done = langnet("evaluate", "classifier", "data.jsonl", "--train", "data.jsonl", folder=folder)
    assert "majority" in done.stdout
    assert "TF-IDF" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pretrain", "nowhere.txt", "-o", "x"], "there is no file or folder 'nowhere.txt'"),
        (["pretrain", "data.jsonl", "-o", "x", "--text-column", "body"], "there is no column 'body'"),
        (["pretrain", "data.jsonl", "-o", "x", "--encoder", "bert"], "there is no encoder 'bert'"),
        (["pretrain", "data.jsonl", "-o", "x", "--steps", "3", "--minutes", "1"], "exactly one budget"),
        (["predict", "nothing", "data.jsonl"], "there is no model 'nothing'"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(folder, arguments, message):
    done = langnet(*arguments, folder=folder)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (folder / "x").exists()


def test_help_names_the_encoders_and_sizes_that_there_are():
    from langnet.cli.pretrain import ENCODERS, SIZES
    from langnet.encoders.registry import encoder_help, size_help

    assert (encoder_help(), size_help()) == (ENCODERS, SIZES)
