"""Where models live: a path to a folder, or the name of a folder among this machine's models."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from langnet.errors import LangnetError

CONFIG = "config.json"


def home() -> Path:
    """Where langnet keeps models and downloads: LANGNET_HOME, else `langnet` in the user's cache folder."""
    if os.environ.get("LANGNET_HOME"):
        return Path(os.environ["LANGNET_HOME"]).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "langnet"


def models_root() -> Path:
    """The folder of this machine's models, one sub-folder a model."""
    return home() / "models"


def resolve_model(name: str | Path) -> Path:
    """The folder of a model: the path itself, or that name under `models_root()`.

    Raises:
        LangnetError: neither is a model's folder; names close ones.
    """
    path = Path(name).expanduser()
    for candidate in (path, models_root() / str(name)):
        if (candidate / CONFIG).is_file():
            return candidate
    if path.is_dir():
        raise LangnetError(
            f"{path} is a folder but no model: it has no {CONFIG}; a model is what 'langnet pretrain' writes"
        )
    if path.is_file():
        raise LangnetError(f"{path} is a file; a model is a folder, such as 'langnet pretrain' writes")
    known = sorted({p.parent.name for root in (Path(), models_root()) for p in root.glob(f"*/{CONFIG}")})
    close = difflib.get_close_matches(path.name, known, n=3)
    hint = f"did you mean {', '.join(close)}?" if close else "'langnet models' lists those that there are"
    raise LangnetError(f"there is no model '{name}', neither as a folder nor in {models_root()}; {hint}")
