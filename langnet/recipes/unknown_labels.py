"""Labels of test items that a model has never seen: it cannot be right there, and a score of zero would not say why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from langnet.errors import LangnetError

_SHOWN = 10  # labels


def unknown_labels(known: Sequence[str], found: Iterable[tuple[str, str]], unit: str) -> list[str]:
    """A line of warning where a model does not know some of the labels.

    Args:
        known: those of the model.
        found: every label of the test items, and where it stands, as `file:line`.
        unit: what an item is, in the plural.

    Raises:
        LangnetError: it knows none of them.
    """
    names, n_found, new = set(known), 0, list[tuple[str, str]]()
    for label, where in found:
        n_found += 1
        if label not in names:
            new.append((label, where))
    if not new:
        return []
    label, where = new[0]
    place = where or "the first"
    if len(new) == n_found:
        raise LangnetError(
            f"{place}: the model does not know the label '{label}', nor any other of these {unit}; it knows "
            f"{shortened(known)}. Are they spelled in another way, or in another column (--label-column)?"
        )
    return [
        f"the model does not know {len({name for name, _ in new}):,} of the labels, so {len(new):,} of {n_found:,} "
        f"cannot be right; the first, {place}: '{label}'"
    ]


def shortened(names: Sequence[str]) -> str:
    """The first names."""
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
