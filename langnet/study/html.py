"""HTML and SVG as nested elements; every text is escaped unless it is markup already."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

# What XML and HTML cannot hold, even escaped.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_VOID = {"meta", "br", "hr", "col"}


class Markup(str):
    """Text that is HTML already; everything else is escaped when it is put into an element."""

    __slots__ = ()


Content = str | int | float | None | Iterable["Content"]


def escape(text: object) -> Markup:
    """Text as HTML shows it, usable between tags and in quoted attributes."""
    if isinstance(text, Markup):
        return text
    return Markup(html.escape(_FORBIDDEN.sub("\ufffd", str(text)), quote=True))


def markup(content: Content) -> Markup:
    """Contents joined: markup as it is, other things escaped, None as nothing."""
    if content is None:
        return Markup("")
    if isinstance(content, str | int | float):
        return escape(content)
    return Markup("".join(markup(part) for part in content))


def tag(element: str, *content: Content, **attributes: object) -> Markup:
    """One element.

    Args:
        element: its name.
        content: texts, elements, or lists of them.
        attributes: underscores stand for hyphens, one at the end is dropped (`class_`); None leaves one out.
    """
    named = [(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None]
    inside = "".join(f' {key}="{escape(_number(value))}"' for key, value in named)
    if element in _VOID:
        return Markup(f"<{element}{inside}>")
    return Markup(f"<{element}{inside}>{markup(content)}</{element}>")


def _number(value: object) -> object:
    """Coordinates with two digits keep a page small."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


def table(head: Sequence[Content], rows: Iterable[Sequence[Content]], caption: Content = None, text: int = 1) -> Markup:
    """A table that scrolls in itself where the page is too narrow for it.

    Args:
        head: titles of the columns.
        rows: cells; the first of each is the title of its row.
        caption: of the table.
        text: how many columns, from the left, hold text; the others hold numbers and stand to the right.
    """

    def side(column: int) -> str | None:
        return None if column < text else "number"

    titles = [tag("th", title, scope="col", class_=side(i)) for i, title in enumerate(head)]
    body = [
        tag(
            "tr", tag("th", row[0], scope="row"), [tag("td", cell, class_=side(i)) for i, cell in enumerate(row[1:], 1)]
        )
        for row in rows
    ]
    named = tag("caption", caption) if caption is not None else None
    whole = tag("table", named, tag("thead", tag("tr", titles)), tag("tbody", body))
    return tag("div", whole, class_="scroll", tabindex=0, role="region", aria_label="table")
