"""A warm command is what a process of its own would have been."""

import os
import signal
import subprocess
import time

import pytest

from tests.warm import Commands

SHOW = "import os, sys; print(sys.argv, os.getcwd(), os.environ.get('COLOUR'), __name__, sys.stdin.read()); sys.exit(3)"


def told(done):
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("arguments", [["-c", SHOW, "a b", "ü"], ["show.py", "a b", "ü"], ["-m", "show", "-x"], ["-V"]])
def test_as_a_process_of_its_own(runner, tmp_path, arguments):
    (tmp_path / "show.py").write_text(SHOW, encoding="utf8")
    command, changed = ["python", *arguments], {"COLOUR": "red"}
    expected = Commands(warm=False).run(command, tmp_path, changed)
    assert told(runner.run(command, tmp_path, changed)) == told(expected)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import sys; sys.exit('no')", (1, "", "no\n")),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", (128 + signal.SIGTERM, "", "")),
        ("import atexit; atexit.register(print, 'bye'); print('hello')", (0, "hello\nbye\n", "")),
    ],
)
def test_how_it_ends(runner, tmp_path, code, expected):
    assert told(runner.run(["python", "-c", code], tmp_path)) == expected


def test_an_exception_is_shown(runner, tmp_path):
    code, out, errors = told(runner.run(["python", "-c", "1 / 0"], tmp_path))
    assert (code, out) == (1, "")
    assert errors.endswith("ZeroDivisionError: division by zero\n")


def test_in_a_shell(runner, tmp_path):
    for name in ("python", "langnet"):
        (tmp_path / name).write_text(runner.script(name))
        (tmp_path / name).chmod(0o755)
    script = "echo 'print(6 * 7)' | python - | cat && langnet predict nothing x.csv || echo $?"
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "42\n2\n"
    assert done.stderr.startswith("langnet: there is no model 'nothing'")


def test_nothing_is_left_of_what_took_too_long(runner, tmp_path):
    code = "import os, pathlib, time; pathlib.Path('id').write_text(str(os.getpid())); time.sleep(60)"
    with pytest.raises(subprocess.TimeoutExpired):
        runner.run(["python", "-c", code], tmp_path, seconds=1.0)
    process = int((tmp_path / "id").read_text())
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("it still runs")
