"""The HTML of `benchmarks.transfer_table`: an overview of all sets, and each set's rows beside a plot of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.transfer_rows import CONTROLS, NAMES, SUMMARY_HEAD, Gap, SetTable, TableRow, summary
from langnet import __version__
from langnet.study.html import Markup, table, tag

STYLE = Path(__file__).parent / "transfer.css"
WIDTH, HEIGHT, EDGE = 240.0, 20.0, 6.0  # of a row of the plot, in pixels
SIGNS = {1: ("▲", "above"), 0: ("", "unclear"), -1: ("▼", "below")}
SHORT = {
    "scratch": "scratch",
    "longer": "30 passes",
    "frozen": "frozen",
    "finetune": "tuned",
    "documents": "doc. vectors",
}


def html_page(tables: Sequence[SetTable], opening: Sequence[str]) -> str:
    """The whole page; `opening` are paragraphs that stand first."""
    head = tag(
        "head", tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="generator", content=f"langnet {__version__}"), tag("title", "Tasks, encoders, methods"),
        tag("style", Markup(STYLE.read_text(encoding="utf8"))),
    )  # fmt: skip
    parts = [
        tag("header", tag("h1", "Tasks, encoders, methods of transfer"), [tag("p", text) for text in opening]),
        tag("h2", "On how many sets"), table(SUMMARY_HEAD, summary(tables)),
        tag("h2", "All sets"), _legend(), overview(tables), [_section(one) for one in tables],
    ]  # fmt: skip
    return f"<!doctype html>\n{tag('html', head, tag('body', tag('main', parts)), lang='en')}\n"


def _legend() -> Markup:
    return tag(
        "p", tag("span", "▲", class_="above"), " above, ", tag("span", "▼", class_="below"),
        " below the same network from random weights, beyond the interval; bold: above the best neighbour beyond it. "
        "In the plots: a dot is the mean, its bar the interval, hollow from scratch, the line the best neighbour.",
        class_="note",
    )  # fmt: skip


def overview(tables: Sequence[SetTable]) -> Markup:
    """A row a set, a column an encoder and method."""
    columns = sorted(
        {(row.encoder, row.method) for one in tables for row in one.rows if row.encoder and row.method in NAMES},
        key=lambda key: (key[0], list(NAMES).index(key[1])),
    )
    rows = []
    for one in tables:
        held = {(row.encoder, row.method): row for row in one.rows}
        best = max((row for row in one.rows if not row.encoder), key=lambda row: row.value, default=None)
        cells = [_score(one, held[key]) if key in held else "" for key in columns]
        if any(cells):
            neighbour = f"{best.value:.{one.digits}f} {best.method}" if best else ""
            rows.append([one.task.name, one.metric, neighbour, *cells])
    head = ["set", "score", "best neighbour", *(f"{encoder} {SHORT[method]}" for encoder, method in columns)]
    return table(head, rows, text=3)


def _score(one: SetTable, row: TableRow) -> Markup:
    sign, name = SIGNS[row.over_scratch.beyond_doubt if row.over_scratch else 0]
    better = bool(row.over_neighbour and row.over_neighbour.beyond_doubt > 0)
    text = f"{row.value:.{one.digits}f}"
    return tag("span", tag("b", text) if better else text, f" {sign}" if sign else "", class_=name)


def _section(one: SetTable) -> Markup:
    low, high = (f(bound for row in one.rows for bound in (row.interval.low, row.interval.high)) for f in (min, max))
    best = max((row.value for row in one.rows if not row.encoder), default=None)
    head = [one.head[0], f"{low:.{one.digits}f} to {high:.{one.digits}f}", *one.head[1:]]
    rows = []
    for row in one.rows:
        name, score, scratch, closed, neighbour, *rest = one.cells(row)
        gaps = [_coloured(scratch, row.over_scratch), closed, _coloured(neighbour, row.over_neighbour)]
        rows.append([name, _plot(row, (low, high), best), score, *gaps, *rest])
    return tag("section", tag("h2", one.title), table(head, rows))


def _coloured(text: str, gap: Gap | None) -> Markup:
    return tag("span", text, class_=SIGNS[gap.beyond_doubt if gap else 0][1])


def _plot(row: TableRow, span: tuple[float, float], best: float | None) -> Markup:
    """The mean and its interval between the least and the most of the set."""
    low, high = span

    def place(value: float) -> float:
        return EDGE + (WIDTH - 2 * EDGE) * (value - low) / ((high - low) or 1.0)

    middle = HEIGHT / 2
    line = None
    if best is not None:
        line = tag("line", x1=place(best), x2=place(best), y1=0.0, y2=HEIGHT, class_="best")
    bar = tag("line", x1=place(row.interval.low), x2=place(row.interval.high), y1=middle, y2=middle, class_="bar")
    kind = "dot neighbour" if not row.encoder else "dot scratch" if row.method in CONTROLS else "dot"
    dot = tag("circle", cx=place(row.value), cy=middle, r=4.0, class_=kind)
    title = tag("title", f"{row.name}: {row.value:.3f}, from {row.interval.low:.3f} to {row.interval.high:.3f}")
    return tag("svg", title, line, bar, dot, width=WIDTH, height=HEIGHT, role="img")
