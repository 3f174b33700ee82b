"""Commands without the wait: each is a fork of one process that has imported PyTorch and the rest already.

A command of langnet needs some seconds to import what it uses, and the tests run hundreds of them. `Commands` starts a
server (`tests.warm_server`) that imports everything once and waits. For each command it forks, and the fork takes on
the caller's arguments, folder, environment and files. What an interpreter reads when it starts (PYTHON variables, the
locale, OMP_NUM_THREADS) stays the server's, and an import that is missing or circular goes unseen. So some tests start
real processes, and the slow tests of the pages all do.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.warm_server import ask

ROOT = Path(__file__).parent.parent
SERVER = str(Path(__file__).with_name("warm_server.py"))


class Commands:
    """Runs `langnet` and `python` of this environment.

    Args:
        warm: by a server. Without one, and where forking is not safe (macOS), each is a process of its own.
    """

    def __init__(self, warm: bool = True):
        self.socket = ""
        if not warm or not sys.platform.startswith("linux"):
            return
        self.socket = str(Path(tempfile.mkdtemp(prefix="warm-")) / "s")  # the name of a socket has to be short
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.socket)
            listener.listen(64)
            number = listener.fileno()
            # It ends when its standard input does, so also when this process is killed.
            self._server = subprocess.Popen(
                [sys.executable, "-P", SERVER, "serve", str(number)], stdin=subprocess.PIPE, pass_fds=[number],
                env=self._environment({"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}),
            )  # fmt: skip

    def close(self) -> None:
        """End the server."""
        if self.socket:
            self._server.communicate()
            shutil.rmtree(Path(self.socket).parent)

    def script(self, name: str) -> str:
        """A shell script that is `langnet` or `python`."""
        if self.socket:
            return f'#!/bin/sh\nexec "{sys.executable}" -IS "{SERVER}" "{self.socket}" {name} "$@"\n'
        return f'#!/bin/sh\nexec "{sys.executable}"{" -m langnet" if name == "langnet" else ""} "$@"\n'

    def run(
        self,
        command: list[object],
        folder: Path,
        environment: dict[str, str] | None = None,
        seconds: float | None = None,
        one_stream: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run `langnet ...` or `python ...` as `subprocess.run` would, without standard input.

        Args:
            command: name and arguments.
            folder: in which it runs.
            environment: what differs from this process's.
            seconds: after which it is killed.
            one_stream: errors are written into the standard output.

        Raises:
            subprocess.TimeoutExpired: it took longer.
        """
        whole, (name, *arguments) = self._environment(environment or {}), map(str, command)
        if not self.socket:
            return subprocess.run(
                [sys.executable, *(["-m", "langnet"] if name == "langnet" else []), *arguments],
                cwd=folder, env=whole, stdin=subprocess.DEVNULL, text=True, timeout=seconds, check=False,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT if one_stream else subprocess.PIPE,
            )  # fmt: skip
        with open(os.devnull) as nothing, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            files = [nothing.fileno(), out.fileno(), (out if one_stream else errors).fileno()]
            try:
                code = ask(self.socket, [name, *arguments], (str(folder), whole), files, seconds)
            except TimeoutError:
                raise subprocess.TimeoutExpired([name, *arguments], seconds or 0) from None
            for file in (out, errors):
                file.seek(0)
            return subprocess.CompletedProcess([name, *arguments], code, out.read().decode(), errors.read().decode())

    def _environment(self, changed: dict[str, str]) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), **changed}
