"""Guesses beside the rows that they belong to, as a table."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from langnet.errors import LangnetError
from langnet.recipes.kinds.kind import Kind
from langnet.tasks.task import Guess, Item
from langnet.text.written_tables import ROW_FORMATS, beside, table_text

_SAYS_NOTHING = ("", ".txt", ".text")  # of the format of a table: then it is that of the items


class RowKind(Kind[Item, Guess]):
    """A kind whose items are rows of tables, and whose guesses are written behind them."""

    @abstractmethod
    def added(self, items: Sequence[Item], guesses: Sequence[Guess]) -> list[dict[str, Any]]:
        """The new cells of each row; what could be taken for the truth is called `predicted_` and its name."""

    def written(self, items: Sequence[Item], guesses: Sequence[Guess]) -> str:
        return written_rows(items, self.added(items, guesses))  # type: ignore[arg-type]

    def written_as(self, suffix: str, items: Sequence[Item], guesses: Sequence[Guess]) -> str:
        return written_rows(items, self.added(items, guesses), suffix)  # type: ignore[arg-type]

    def check_output(self, items: Sequence[Item], suffix: str = "") -> None:
        if suffix not in (*_SAYS_NOTHING, *ROW_FORMATS):
            raise LangnetError(
                f"a file that ends in {suffix} is not written; name it with {', '.join(ROW_FORMATS[:-1])}, or without "
                "an ending to have the format of what is read"
            )


class HasRow(Protocol):
    """What an item has that was read from a file."""

    @property
    def source(self) -> str:
        """`file:line`."""
        ...

    @property
    def cells(self) -> Mapping[str, Any] | None:
        """The row's cells; None where there was none."""
        ...

    @property
    def format(self) -> str:
        """The file's, as `.csv`."""
        ...


def written_rows(items: Sequence[HasRow], added: Sequence[Mapping[str, Any]], suffix: str = "") -> str:
    """Every item's row with new columns behind its own: a csv or tsv file, or jsonl.

    Args:
        items: N; one without a row is written with its source.
        added: N rows of new cells.
        suffix: of the file, which says its format; else it is csv or tsv where the first item's was, and jsonl.
    """
    own = [dict(item.cells) if item.cells is not None else {"source": item.source} for item in items]
    came_as = items[0].format if items else ".jsonl"
    return table_text(beside(own, added), suffix if suffix in ROW_FORMATS else came_as)
