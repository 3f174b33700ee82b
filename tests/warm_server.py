"""Both ends of `tests.warm`: the process that has imported everything and forks, and whoever asks it for a command.

`python warm_server.py serve DESCRIPTOR` serves a listening socket; `python warm_server.py SOCKET langnet ...` is what
stands as `langnet` on a page's PATH, and imports little, since it is started for every command.
"""

import contextlib
import json
import os
import select
import signal
import socket
import sys

SIZE_BYTES = 8
PATIENCE_SECONDS = 0.01  # between two looks at whether a command has ended


def ask(path, command, place, files, seconds=None):
    """The exit code of a command that the server runs with these three files; a caller that goes away ends it."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.settimeout(seconds)
        content = json.dumps([command, *place]).encode()
        socket.send_fds(connection, [len(content).to_bytes(SIZE_BYTES, "big")], files)
        connection.sendall(content)
        answer = connection.recv(16)
    if not answer:
        raise ConnectionError("the server of warm commands is gone")
    return int(answer)


def serve(listener):
    """Import everything, then fork for each command until standard input ends."""
    import gc

    _import_everything()
    gc.collect()
    gc.freeze()  # so that collections in the forks do not copy every page
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        with contextlib.suppress(ChildProcessError):  # there is none
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if sys.stdin in ready:
            return
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _attend(connection)
        connection.close()


def _import_everything():
    import importlib
    from pathlib import Path

    import torch.utils.tensorboard

    import langnet

    root = Path(langnet.__file__).parent
    for path in root.rglob("*.py"):
        # The command line asks the environment for the terminal's width; compiled kernels are for few.
        if path.parent != root and path.parent.name != "cli" and not path.stem.endswith("kernels"):
            importlib.import_module(".".join(path.relative_to(root.parent).with_suffix("").parts))
    importlib.import_module("tests.short").shorten()
    torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))])  # the first optimizer imports the compiler


def _attend(connection):
    """Run one command in a fork of this process, answer with its exit code, and end."""
    size, files, _, _ = socket.recv_fds(connection, SIZE_BYTES, 3)
    content = b""
    while len(content) < int.from_bytes(size, "big"):
        content += connection.recv(1 << 16) or sys.exit(1)
    worker = os.fork()
    if worker == 0:
        connection.close()
        _become(json.loads(content), files)
    for file in files:
        os.close(file)
    done = 0
    while not done:
        done, status = os.waitpid(worker, os.WNOHANG)
        if not done and select.select([connection], [], [], PATIENCE_SECONDS)[0]:  # whoever asked is gone
            os.killpg(worker, signal.SIGKILL)
            os.waitpid(worker, 0)
            os._exit(1)
    code = os.waitstatus_to_exitcode(status)
    connection.sendall(str(code if code >= 0 else 128 - code).encode())
    os._exit(0)


def _become(request, files):
    """Be the process that the command asks for, and end with it."""
    import atexit
    import threading
    import traceback

    command, folder, environment = request
    os.setpgid(0, 0)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", closefd=False, errors="backslashreplace", buffering=1)  # noqa: SIM115
    code = 1
    try:
        _execute(command)
        code = 0
    except SystemExit as stopped:
        code = stopped.code if isinstance(stopped.code, int) else int(stopped.code is not None)
        if isinstance(stopped.code, str):
            print(stopped.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    threading._shutdown()  # the end of an interpreter, without taking it apart
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = 120
    os._exit(code)


def _execute(command):
    """What the interpreter does with these arguments, if it is one of the usual ways; else start one."""
    import runpy

    name, *arguments = command
    if name == "langnet":
        arguments = ["-m", "langnet", *arguments]
    first, rest = arguments[0] if arguments else "-", arguments[1:]
    sys.path.insert(0, os.getcwd() if first in ("-m", "-c", "-") else os.path.dirname(os.path.abspath(first)))
    if first == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif first in ("-c", "-"):
        code = rest.pop(0) if first == "-c" else sys.stdin.read()
        sys.argv = [first, *rest]
        main = type(sys)("__main__")
        sys.modules["__main__"] = main
        exec(compile(code, "<string>", "exec"), main.__dict__)
    elif not first.startswith("-"):
        sys.argv = arguments
        runpy.run_path(first, run_name="__main__")
    else:
        os.execve(sys.executable, [sys.executable, *arguments], os.environ)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(socket.socket(fileno=int(sys.argv[2])))
    else:
        sys.exit(ask(sys.argv[1], sys.argv[2:], (os.getcwd(), dict(os.environ)), [0, 1, 2]))
