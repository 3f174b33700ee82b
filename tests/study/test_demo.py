"""The demo on made-up files: all of it, in seconds; and what goes wrong on it."""

import io
import json
import time

import pytest
from rich.console import Console

from langnet.errors import LangnetError
from langnet.study import demo
from langnet.study.demo import DemoData, DemoOptions, demo_stages, run_demo, split_own
from langnet.study.stages import Stages, TrainingStage
from langnet.text.labelled import LabelledData

TINY = DemoOptions(
    minutes=0.8, sizes=(10, 20), further_sizes=(40,), slow_sizes=(20,), draws=2, n_test=50, max_tokens=32
)


@pytest.mark.slow
def test_the_whole_demo(tmp_path, parts, monkeypatch):
    monkeypatch.setattr(demo, "PRETRAIN_SHARE", 0.05)
    train, test = parts
    stages = demo_stages(quiet=True)
    with stages:
        result = run_demo(
            DemoData("reviews", train.texts, train, test), tmp_path / "out", TINY, stages, ["langnet demo"]
        )
    assert stages.elapsed < 60 * TINY.minutes + 15
    assert {"prepare", "pretrain", "neighbours", "transfer", "report"} <= set(stages.seconds)
    page = result.report.read_text(encoding="utf8")
    assert result.study.headline in page
    assert {"majority", "tfidf", "frozen"} <= {p.method for p in result.study.points}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"report.html", "model", "cells.jsonl"}


def test_few_labelled_texts_give_parts_of_what_there_is(parts):
    train, test = parts
    few = DemoData("few", train.texts, train.rows(range(24)), test)
    assert demo._study_options(few, DemoOptions()).sizes == (6, 12, 24)
    assert demo._study_options(DemoData("", [], train, test), DemoOptions()).slow_sizes == (100, 200)


def test_own_files_are_split_or_checked():
    data = LabelledData([f"text {i}" for i in range(20)], ["a", "b"] * 10)
    train, test = split_own(data, None, 0)
    assert (len(train), len(test)) == (14, 6)
    assert split_own(data, test, 0) == (data, test)
    with pytest.raises(LangnetError, match="labels that no labelled text has: c"):
        split_own(data, LabelledData(["x"], ["c"]), 0)
    with pytest.raises(LangnetError, match="all labelled texts have the label 'a'"):
        split_own(LabelledData(["x", "y"], ["a", "a"]), None, 0)
    with pytest.raises(LangnetError, match="too few"):
        split_own(data.rows(range(4)), None, 0)


def test_no_time_is_said():
    with pytest.raises(LangnetError, match="more than 0 minutes"):
        run_demo(None, None, DemoOptions(minutes=0), demo_stages(quiet=True), [])


class TestStages:
    def test_lines_where_there_is_no_terminal(self):
        out = io.StringIO()
        with Stages("job", {"one": 5.0, "two": 10.0}, Console(file=out, width=100)) as stages:
            stages.begin("one")
            stages.begin("one")
            stages.begin("two")
            stages.note("a note")
            stages.begin("one")  # back and forth is no news
        lines = out.getvalue().splitlines()
        assert [line.split("  ")[1].split(",")[0] for line in lines[:2]] == ["1/2 one", "2/2 two"]
        assert "about 0:15 left" in lines[0] or "about 0:14 left" in lines[0]
        assert "a note" in lines[2]
        assert len(lines) == 3
        assert set(stages.seconds) == {"one", "two"}

    def test_a_bar_in_a_terminal(self):
        out = io.StringIO()
        console = Console(file=out, force_terminal=True, width=100)
        with Stages("job", {"one": 5.0}, console) as stages:
            progress = TrainingStage(stages, "one")
            progress.start("1 minute")
            progress.update(0.5, 1000, 1.0, 3.0)
            time.sleep(0.4)  # the bar is drawn ten times a second
            progress.note("validated")
            progress.stop()
        assert "1/1 one" in out.getvalue()
        assert "1,000 tokens/s" in out.getvalue()
        assert "done" in out.getvalue()

    def test_time_left(self):
        stages = Stages("job", {"one": 5.0, "two": 10.0, "three": 20.0}, quiet=True)
        stages.begin("two")
        assert 29 < stages.seconds_left() <= 30
        stages.advance(0.5, seconds_left=100.0)
        assert 119 < stages.seconds_left() <= 120

    def test_an_error_leaves_the_terminal_in_order(self):
        out = io.StringIO()
        stages = Stages("job", {"one": 1.0}, Console(file=out, force_terminal=True))

        def job():
            with stages:
                raise LangnetError("no")

        with pytest.raises(LangnetError, match="no"):
            job()
        assert "done" not in out.getvalue()


def test_the_command_on_own_files(tmp_path, tiny_labelled, runner):
    rows = [json.dumps({"body": t, "y": y}) for t, y in zip(tiny_labelled.texts, tiny_labelled.labels, strict=True)]
    (tmp_path / "labelled.jsonl").write_text("\n".join(rows[:200]))
    (tmp_path / "test.jsonl").write_text("\n".join(rows[200:260]))
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("\n\n".join(tiny_labelled.texts[260:]))
    command = ["langnet", "demo", "--text", "a.txt", "b.txt", "--labels", "labelled.jsonl", "--test", "test.jsonl"]
    options = ["--minutes", 0.05, "--text-column", "body", "--label-column", "y", "-o", "out"]
    done = runner.run([*command, *options], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "out/report.html" in done.stdout
    assert "TF-IDF" in done.stdout
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf8")
    assert "langnet demo --text a.txt b.txt" in page
    assert "Raw text: a.txt, b.txt" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--text", "a.txt"], "need labelled texts beside them: add --labels FILE"),
        (["--labels", "nowhere.csv"], "there is no file or folder 'nowhere.csv'"),
        ([], "20 Newsgroups cannot be fetched"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(tmp_path, runner, arguments, message):
    offline = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": "/dev/null"}
    done = runner.run(["langnet", "demo", *arguments], tmp_path, {"LANGNET_HOME": str(tmp_path / "home"), **offline})
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "langnet-demo").exists()
    if not arguments:
        assert "--text FILES --labels FILE" in done.stderr
