"""What the kinds for pairs of texts share: how a pair is read by default, and by what settings that is changed."""

from __future__ import annotations

from langnet.errors import LangnetError
from langnet.recipes.kinds.kind import Columns, HeadOptions
from langnet.recipes.kinds.settings import SWITCH, read_settings
from langnet.tasks.pairs import PairConfig
from langnet.tasks.pooling import WIDTHS
from langnet.text.pairs import PairColumns

ALIGNED = 128  # width of the words' alignment
HIDDEN = 128  # of the layer before the last
SETTINGS = {
    "arrangement": ("packed", "both-orders", "separate"),
    "pooling": tuple(WIDTHS),
    "alignment": SWITCH,
    "documents": SWITCH,
}


def pair_columns(columns: Columns) -> PairColumns:
    """The columns of a task as those of pairs."""
    return PairColumns(columns.text, columns.second, columns.label, where=columns.where)


def pair_config(task: str, options: HeadOptions, symmetric: bool) -> PairConfig:
    """How pairs are read.

    Each text by itself, with an alignment, unless a setting says otherwise: at the sizes that are pretrained in minutes
    this is far better than both in one sequence (LOG.md has the figures). Packed pairs, as Radford et al. 2018 had
    them, ask for an encoder that has learned to look from one text to the other.

    Raises:
        LangnetError: a setting that there is not, or that another one leaves nothing to do.
    """
    chosen = read_settings(task, options.settings, SETTINGS)
    arrangement = chosen.get("arrangement", "separate")
    separate = arrangement == "separate"
    if "alignment" in chosen and not separate:
        raise LangnetError("an alignment compares texts that are read by themselves; set arrangement=separate too")
    if chosen.get("documents") == "on" and not options.document_dim:
        raise LangnetError("documents=on reads the model's document vectors, and it has none, or they are switched off")
    return PairConfig(
        arrangement,  # type: ignore[arg-type]  # read_settings has compared it with the arrangements
        chosen.get("pooling", "max" if separate else "concat"),  # type: ignore[arg-type]
        alignment=ALIGNED if separate and chosen.get("alignment", "on") == "on" else 0,
        symmetric=symmetric and separate,
        document_dim=options.document_dim if chosen.get("documents", "off") == "on" else 0,
        hidden=HIDDEN if options.hidden is None and separate else options.hidden or 0,
        dropout=options.dropout,
    )
