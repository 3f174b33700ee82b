"""What can be known to be wrong before PyTorch is loaded, which takes longer than a person wants to wait for it.

A verb checks first and imports the library's rooms then. Nothing here replaces a check of the library's own: what these
let pass is refused later, in the same words.
"""

from __future__ import annotations

import glob
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from langnet.errors import LangnetError
from langnet.text.paths import matches_of, require_path

# What `encoders.registry` holds, written out since importing it imports PyTorch; tests hold them together.
ENCODERS = ("gpt", "gpt-2018", "gpt-2", "awd-lstm", "elmo")
_MORE_THAN_A_PATH = ("!", "+", "://")  # a member of an archive, parallel files, an address


def check_models(*names: str | None) -> None:
    """Each name is a model's folder, or that of one of this machine's models; None is passed over."""
    from langnet.hub.names import resolve_model

    for name in names:
        if name is not None:
            resolve_model(name)


def check_sources(*groups: Sequence[str] | None) -> None:
    """Each plain path is there; patterns, addresses and standard input are left to whoever reads them."""
    for source in (source for group in groups for source in group or []):
        if source != "-" and not glob.has_magic(source) and not any(sign in source for sign in _MORE_THAN_A_PATH):
            require_path(source)


def matched_files(sources: Sequence[str]) -> list[str]:
    """The sources with each pattern, such as '*.csv' in quotes, replaced by the files that it names, sorted.

    Raises:
        LangnetError: it names none.
    """
    found = list[str]()
    for source in sources:
        if not glob.has_magic(source) or Path(source).exists() or any(sign in source for sign in _MORE_THAN_A_PATH):
            found.append(source)
            continue
        matches = matches_of(source)
        if not matches:
            raise LangnetError(f"no file matches '{source}'; check the path (here: {Path.cwd()})")
        found += matches
    return found


def check_one_each(sources: Sequence[str], *options: str) -> None:
    """A pattern that the shell has spread out behind an option has not made sources of all its files but the first.

    `evaluate my-model test.csv --train parts/*` would judge the model on what it learned from.

    Raises:
        LangnetError: it has.
    """
    given = sys.argv[1:]
    for place, word in enumerate(given):
        if word not in options:
            continue
        behind = list(itertools.takewhile(lambda one: not one.startswith("-"), given[place + 2 :]))
        if behind and set(behind) < set(sources):
            raise LangnetError(
                f"{word} takes one file, and {len(behind)} more stand behind it, {behind[0]} first; write {word} in "
                "front of each"
            )


def check_budget(tokens: int | None, steps: int | None, minutes: float | None) -> None:
    """Of the three limits of a run at most one is given, and it is above zero."""
    from langnet.training.budget import Budget

    if (tokens, steps, minutes) != (None, None, None):
        Budget(tokens, steps, minutes)


def check_encoder(name: str) -> None:
    """A family of encoders has this name; word vectors, which are no such family, are told of later."""
    if name not in ENCODERS and name != "vectors":
        raise LangnetError(f"there is no encoder '{name}'; choose one of {', '.join(ENCODERS)}")
