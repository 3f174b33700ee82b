"""A path that somebody has typed: it is there, or the message says where it was looked for."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from langnet.errors import LangnetError


def side_by_side(source: str, folder: Path | None = None) -> list[Path]:
    """The files that a source names, from a folder: itself, or where there is no such file those that `+` joins."""
    here = folder or Path()
    return [here / part for part in ([source] if (here / source).exists() else source.split("+"))]


def matches_of(pattern: str) -> list[str]:
    """The files and folders that a pattern names, sorted; of `**`, which goes into folders itself, the files."""
    found = sorted(glob.glob(os.path.expanduser(pattern), recursive=True))
    return [match for match in found if os.path.isfile(match)] if "**" in pattern else found


def require_path(source: str | Path) -> Path:
    """The path of a file or folder, `~` spelled out.

    Raises:
        LangnetError: there is none.
    """
    path = Path(source).expanduser()
    if not path.exists():
        raise LangnetError(f"there is no file or folder '{source}'; check the path (here: {Path.cwd()})")
    return path
