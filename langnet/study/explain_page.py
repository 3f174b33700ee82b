"""Explanations as a page of one HTML file that opens without a network, by day and by night."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from langnet import __version__
from langnet.recipes.explain import Contribution, Explanation
from langnet.study.html import Content, Markup, markup, table, tag

STYLE = Path(__file__).with_name("explain.css")
# Nothing may be loaded from anywhere, whatever the texts contain.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
MOST_ROWS = 12
FAINTEST = 0.04  # of the strongest contribution; what is weaker has no colour
METHODS = {
    "occlusion": "Each {unit} was {how}, and the answer asked for again: what is lost is its contribution.",
    "gradient": "The slope of the score at the embedding of each {unit}, times the embedding.",
}
HOW = {"remove": "taken out", "unknown": "replaced by the unknown word", "pad": "replaced by padding", None: ""}


def explanation_page(title: str, explanations: Sequence[Explanation], sources: Sequence[str] = ()) -> str:
    """The whole page as text.

    Args:
        title: such as the model's name.
        explanations: one a text.
        sources: where each text came from; empty for unknown.
    """
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="generator", content=f"langnet {__version__}"),
        tag("title", f"Explanations: {title}"),
        tag("style", Markup(STYLE.read_text(encoding="utf8"))),
    )
    key = tag(
        "p", tag("span", "speaks for the answer", class_="for", style="--a:.6"), " ",
        tag("span", "speaks against it", class_="against", style="--a:.6"), class_="key",
    )  # fmt: skip
    first = explanations[0] if explanations else None
    said = None
    if first:
        said = METHODS[first.method].format(unit=first.unit, how=HOW[first.occlude])
    note = "This is what the model reacts to; it is neither a reason nor a proof that the model is right."
    opening = tag("header", tag("h1", f"Explanations: {title}"), tag("p", said, " ", note, class_="lead"), key)
    parts = [_article(one, sources[i] if i < len(sources) else "") for i, one in enumerate(explanations)]
    body = tag("body", opening, tag("main", parts), tag("footer", f"langnet {__version__}"))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _article(one: Explanation, source: str) -> Markup:
    sure = "" if one.probability is None else f" {one.probability:.1%}"
    strongest = max((abs(c.shown) for c in one.contributions if not c.special), default=0.0)
    text = [tag("p", [_word(c, strongest) for c in part], class_="text", dir="auto") for part in one.texts() if part]
    heading = tag("h2", tag("span", one.guess, class_="guess"), tag("span", sure, class_="sure"))
    named = tag("p", source, class_="source") if source else None
    return tag("article", heading, named, text, _numbers(one), _sum(one))


def _word(one: Contribution, strongest: float) -> Content:
    share = abs(one.shown) / strongest if strongest else 0.0
    if share < FAINTEST:
        return one.text
    stripped = one.text.lstrip()
    blank = one.text[: len(one.text) - len(stripped)]
    return [
        blank,
        tag(
            "span", stripped, class_="for" if one.shown > 0 else "against", style=f"--a:{0.12 + 0.73 * share:.2f}",
            title=f"{one.shown:+.4f}",
        ),
    ]  # fmt: skip


def _numbers(one: Explanation) -> Markup:
    named = [c for c in one.contributions if not c.special]
    ranked = sorted(named, key=lambda c: -abs(c.shown))[:MOST_ROWS]
    titles = ["", *(["probability"] if any(c.probability is not None for c in ranked) else []), "score"]
    rows: list[list[Content]] = []
    for c in ranked:
        change: list[Content] = [f"{c.probability:+.4f}"] if c.probability is not None else []
        rows.append([c.text.strip() or "(blank)", *change, f"{c.score:+.4f}"])
    parts: list[Content] = [table([one.unit, *titles[1:]], rows)]
    if one.terms:
        terms = [[name, f"{value:+.4f}"] for name, value in one.terms[:MOST_ROWS]]
        parts.append(table(["term of the document vector", "score"], terms))
    return tag("details", tag("summary", f"The strongest {len(ranked)} in numbers"), parts)


def _sum(one: Explanation) -> Markup:
    """Whether the contributions add up."""
    if one.baseline is None:
        told = f"score {one.score:+.3f}; the contributions sum to {one.total:+.3f}"
    else:
        told = (
            f"score {one.score:+.3f}, with everything occluded {one.baseline:+.3f}; the contributions sum to "
            f"{one.total:+.3f} of a difference of {one.score - one.baseline:+.3f}"
        )
    return tag("p", markup(told), class_="sum")
