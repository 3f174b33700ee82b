"""What a model says of words, drawn: a page of one HTML file that opens without a network, by day and by night."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from langnet import __version__
from langnet.study.drawings import MOST, on_page
from langnet.study.explain_page import POLICY
from langnet.study.explain_page import STYLE as PAGE_STYLE
from langnet.study.html import Markup, tag
from langnet.study.structures import STYLE
from langnet.text.structures import Drawing

LARGEST = 6_000_000  # signs of all drawings; browsers grow slow beyond


def structure_page(
    title: str, drawings: Sequence[Drawing], sources: Sequence[str] = (), counted: tuple[int, str] | None = None
) -> str:
    """The whole page as text; the first drawings, where there are more than `MOST`, or they are too large.

    Args:
        title: such as the model's name.
        drawings: one a sentence or document.
        sources: where each came from; empty for unknown.
        counted: how many there are, of which only some may be given, and what they are; None: so many sentences.
    """
    styles = [Markup(Path(file).read_text(encoding="utf8")) for file in (PAGE_STYLE, STYLE)]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="generator", content=f"langnet {__version__}"),
        tag("title", f"Predictions: {title}"),
        tag("style", styles),
    )
    parts, size = list[Markup](), 0
    for number, one in enumerate(drawings[:MOST]):
        parts.append(_article(one, number, sources[number] if number < len(sources) else ""))
        size += len(parts[-1])
        if size > LARGEST:
            break
    whole, unit = counted or (len(drawings), "sentences")
    cut = len(parts) < whole
    lead = f"{whole:,} {unit}" + (f", of which the first {len(parts):,} are drawn." if cut else ".")
    opening = tag("header", tag("h1", f"Predictions: {title}"), tag("p", lead, class_="lead"))
    body = tag("body", opening, tag("main", parts), tag("footer", f"langnet {__version__}"), class_="wide")
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _article(one: Drawing, number: int, source: str) -> Markup:
    named = tag("p", source, class_="source") if source else None
    return tag("article", named, on_page(one, f"d{number + 1}"))
