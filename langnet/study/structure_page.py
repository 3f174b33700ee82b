"""What a model says of sentences, drawn: a page of one HTML file that opens without a network, by day and by night."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from langnet import __version__
from langnet.study.explain_page import POLICY
from langnet.study.explain_page import STYLE as PAGE_STYLE
from langnet.study.html import Markup, tag
from langnet.study.structures import STYLE, from_right, picture
from langnet.study.tree_picture import tree_picture
from langnet.text.structures import Structure
from langnet.text.trees import JudgedTree

MOST = 500  # sentences on a page


def structure_page(title: str, structures: Sequence[Structure | JudgedTree], sources: Sequence[str] = ()) -> str:
    """The whole page as text; of more than `MOST` sentences the first ones.

    Args:
        title: such as the model's name.
        structures: one a sentence.
        sources: where each sentence came from; empty for unknown.
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
    left = len(structures) - MOST
    lead = f"{len(structures):,} sentences" + (f", of which the first {MOST:,} are drawn." if left > 0 else ".")
    opening = tag("header", tag("h1", f"Predictions: {title}"), tag("p", lead, class_="lead"))
    parts = [
        _article(one, sources[index] if index < len(sources) else "") for index, one in enumerate(structures[:MOST])
    ]
    body = tag("body", opening, tag("main", parts), tag("footer", f"langnet {__version__}"), class_="wide")
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _article(one: Structure | JudgedTree, source: str) -> Markup:
    named = tag("p", source, class_="source") if source else None
    way = "rtl" if from_right(one.tree.words if isinstance(one, JudgedTree) else one.words) else "ltr"
    drawn = tree_picture(one) if isinstance(one, JudgedTree) else picture(one)
    shown = tag("div", drawn, class_="scroll", tabindex=0, role="region", aria_label="drawing", dir=way)
    return tag("article", named, shown)
