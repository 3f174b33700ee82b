"""The command line, as a person would type it: the whole way, and what goes wrong on it."""

import json
import subprocess
import sys

import pytest

from langnet.cli.checks import ENCODERS, check_encoder
from langnet.cli.pretrain import SIZES
from langnet.encoders.registry import FAMILIES, find_family, size_help
from langnet.errors import LangnetError


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny_labelled):
    folder = tmp_path_factory.mktemp("naïve dir")
    rows = [{"text": t, "label": y} for t, y in zip(tiny_labelled.texts, tiny_labelled.labels, strict=True)]
    (folder / "data.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return folder


def test_from_raw_text_to_predictions(folder, runner):
    def langnet(*arguments):
        return runner.run(["langnet", *arguments], folder)

    done = langnet("pretrain", "data.jsonl", "-o", "lm", "--size", "tiny", "--steps", 5)
    assert done.returncode == 0, done.stderr
    done = langnet("finetune", "lm", "data.jsonl", "-o", "classifier", "--method", "frozen")
    assert done.returncode == 0, done.stderr
    done = langnet("predict", "classifier", "data.jsonl")
    assert len([json.loads(line) for line in done.stdout.splitlines()]) == 400
    done = langnet("evaluate", "classifier", "data.jsonl", "--train", "data.jsonl")
    assert "majority" in done.stdout
    assert "TF-IDF" in done.stdout


EARLY = [
    (["pretrain", "nowhere.txt", "-o", "x"], "there is no file or folder 'nowhere.txt'"),
    (["pretrain", "data.jsonl", "-o", "x", "--encoder", "bert"], "there is no encoder 'bert'; choose one of gpt,"),
    (["pretrain", "data.jsonl", "-o", "x", "--steps", "3", "--minutes", "1"], "exactly one budget"),
    (["adapt", "made", "data.jsonl", "-o", "x", "--steps", "0"], "a budget must be above zero"),
    (["adapt", "nothing", "data.jsonl", "-o", "x"], "there is no model 'nothing'"),
    (["finetune", "made", "nowhere.csv", "-o", "x"], "there is no file or folder 'nowhere.csv'"),
    (["finetune", "made", "data.jsonl", "-o", "x", "--unlabelled", "more.txt"], "no file or folder 'more.txt'"),
    (["ulmfit", "data.jsonl", "--general", "nowhere.txt", "-o", "x"], "there is no file or folder 'nowhere.txt'"),
    (["calibrate", "nothing", "data.jsonl"], "there is no model 'nothing'"),
    (["evaluate", "made", "data.jsonl", "--train", "nowhere.csv"], "there is no file or folder 'nowhere.csv'"),
    (["predict", "made", "data.jsonl", "--with", "nothing"], "there is no model 'nothing'"),
    (["predict", "made", "nowhere.csv"], "there is no file or folder 'nowhere.csv'"),
    (["explain", "mad", "a film"], "there is no model 'mad'"),
    (["generate", "nothing"], "there is no model 'nothing'"),
    (["score", "made", "nowhere.txt"], "there is no file or folder 'nowhere.txt'"),
    (["zero", "pairs", "nothing", "data.jsonl"], "there is no model 'nothing'"),
    (["models", "nowhere"], "there is no model 'nowhere'"),
    (["vectors", "train", "nowhere.txt", "-o", "x"], "there is no file or folder 'nowhere.txt'"),
    (["study", "made", "--text", "nowhere", "--labels", "data.jsonl"], "there is no file or folder 'nowhere'"),
    (["demo", "--labels", "nowhere.csv"], "there is no file or folder 'nowhere.csv'"),
]
SAY_ALL = """
import json, sys
from langnet.cli import main
for arguments in json.loads(sys.argv[1]):
    sys.argv[1:] = arguments
    try:
        main()
    except SystemExit as stopped:
        print(stopped.code, "torch" in sys.modules, "sklearn" in sys.modules)
"""


def test_mistakes_are_told_before_torch_is_loaded(folder):
    (folder / "made").mkdir()
    (folder / "made" / "config.json").write_text("{}")
    command = [sys.executable, "-c", SAY_ALL, json.dumps([arguments for arguments, _ in EARLY])]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    told = done.stderr.splitlines()
    assert len(told) == len(EARLY), "a line each"
    for line, (arguments, message), state in zip(told, EARLY, done.stdout.splitlines(), strict=True):
        assert message in line, arguments
        assert state == "2 False False", arguments
    assert not (folder / "x").exists()


def test_a_mistake_is_one_line_and_exit_code_2(folder):
    command = [sys.executable, "-m", "langnet", "pretrain", "data.jsonl", "-o", "x", "--text-column", "body"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no column 'body'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (folder / "x").exists()


def test_help_names_the_encoders_and_sizes_that_there_are():
    assert tuple(FAMILIES) == ENCODERS
    assert size_help() == SIZES
    with pytest.raises(LangnetError) as early:
        check_encoder("bert")
    with pytest.raises(LangnetError) as late:
        find_family("bert")
    assert str(early.value) == str(late.value)
