"""The report of a study: one HTML file that opens without a network, by day and by night, and prints."""

from __future__ import annotations

import datetime
import os
from dataclasses import dataclass, field
from pathlib import Path

from langnet import __version__
from langnet.recipes.model import Model
from langnet.study import report_model, report_texts
from langnet.study.figures import learning_curve
from langnet.study.html import Markup, markup, table, tag
from langnet.study.methods import KINDS
from langnet.study.result import SampleEfficiency

STYLE = Path(__file__).with_name("style.css")
# Nothing may be loaded from anywhere, whatever the texts in the report contain.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class ReportFacts:
    """What a report says beside the study's results.

    Attributes:
        data: name of the data.
        commands: that made the report.
        seconds: that each stage took.
        notes: what a reader has to know about the data.
    """

    data: str
    commands: list[str]
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def write_report(path: Path, study: SampleEfficiency, model: Model, facts: ReportFacts) -> Path:
    """Write the report; a file that is there is replaced in one step.

    Args:
        path: of the HTML file.
        study: the results.
        model: the pretrained model, for its history and facts.
        facts: what else to say.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(report_html(study, model, facts), encoding="utf8")
    partial.replace(path)
    return path


def report_html(study: SampleEfficiency, model: Model, facts: ReportFacts) -> str:
    """The whole page as text."""
    title = f"What pretraining bought: {facts.data}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="generator", content=f"langnet {__version__}"),
        tag("title", title),
        tag("style", Markup(STYLE.read_text(encoding="utf8"))),
    )
    body = tag(
        "body",
        tag("header", _opening(study, facts, title)),
        tag(
            "main",
            _curve(study),
            _worth(study),
            _comparisons(study),
            report_model.language_model(study, model),
            report_texts.classes(study),
            report_texts.examples(study),
            _scores(study),
            report_model.making(study, model, facts.commands, facts.seconds, facts.notes),
        ),
        tag("footer", f"Written by langnet {__version__} on {datetime.date.today():%d %B %Y}. Nothing was loaded."),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _opening(study: SampleEfficiency, facts: ReportFacts, title: str) -> list[Markup]:
    """Title, headline, warnings and the main figures."""
    draws = max((p.n_draws for p in study.points), default=0)
    drawn = "1 draw" if draws == 1 else f"up to {draws} draws"
    computed = {p.method for p in study.points}
    lead = (
        f"{len(computed)} methods, {len(study.class_names)} classes, {drawn} of labelled texts, "
        f"accuracy on the same {len(study.test):,} test texts throughout. Intervals are 95 %."
    )
    parts = [
        tag("h1", title),
        tag("p", study.headline, class_="headline"),
        tag("p", study.headline_details),
        tag("p", lead, class_="lead"),
    ]
    parts.append(_tiles(study))
    if study.warnings:
        warnings = tag("ul", [tag("li", warning) for warning in study.warnings])
        parts.append(tag("section", tag("h2", "Before you believe it"), warnings, class_="warnings", role="note"))
    return parts


def _tiles(study: SampleEfficiency) -> Markup:
    """The scores at the headline's number of labels, best first."""
    best = study.headline_point
    if best is None:
        return Markup("")
    points = sorted((p for p in study.points if p.n_labels == best.n_labels), key=lambda p: -p.accuracy)
    tiles = [
        tag(
            "li",
            tag("b", f"{p.accuracy:.3f}", class_="value"),
            tag("span", tag("i", class_=f"key s-{p.method}"), KINDS[p.method].name),
            tag("br"),
            tag("span", f"{p.interval}, {p.n_draws} draw{'s' if p.n_draws > 1 else ''}"),
        )
        for p in points
    ]
    return tag("ul", tiles, class_="tiles", aria_label=f"Accuracy at {best.n_labels:,} labels")


def _curve(study: SampleEfficiency) -> Markup:
    text = (
        "Each mark is the mean over draws of labelled texts; smaller draws are part of larger ones, and every method "
        "gets the same. The bands are 95 % t intervals over the draws; a method with one draw has a bootstrap "
        "interval over the test texts instead, which does not know how much the draws differ."
    )
    kinds = [(tag("span", tag("i", class_=f"key s-{m}"), KINDS[m].name), KINDS[m].explained) for m in study.methods]
    return tag(
        "section",
        tag("h2", "Accuracy against the number of labels"),
        tag("figure", learning_curve(study), tag("figcaption", text)),
        tag("details", tag("summary", "The values behind the plot"), _by_size(study)),
        tag("details", tag("summary", "What the methods are"), table(("method", "what it does"), kinds, text=2)),
    )


def _by_size(study: SampleEfficiency) -> Markup:
    """Methods in rows, numbers of labels in columns."""
    sizes = sorted({p.n_labels for p in study.points})
    rows = []
    for method in study.methods:
        found = [study.point(method, n) for n in sizes]
        if any(found):
            rows.append([KINDS[method].name, *(f"{p.accuracy:.3f} {p.interval}" if p else "–" for p in found)])
    return table(("accuracy", *(f"{n:,} labels" for n in sizes)), rows)


def _worth(study: SampleEfficiency) -> Markup | None:
    """Every pretrained point as a number of labels without pretraining."""
    if not study.equivalences:
        return None
    rows = []
    for (method, n), found in study.equivalences.items():
        p = study.point(method, n)
        score = f"{p.accuracy:.3f} {p.interval}" if p else ""
        note = "bought nothing" if found.outcome in ("nothing gained", "below the curve") else ""
        rows.append([KINDS[method].name, f"{n:,}", score, found.labels, found.range, note])
    curves = " and ".join(KINDS[m].name for m in study.of_family("labels only"))
    text = (
        f"For each score with pretraining, the number of labels at which the best method without it ({curves}) reaches "
        "the same accuracy: read off its curve, straight lines over the logarithm of the number of labels, never "
        "continued beyond what was measured. The control from scratch has the same network and no raw text."
    )
    return tag(
        "section",
        tag("h2", "What the labels are worth"),
        tag("p", text),
        table(("with pretraining", "labels", "accuracy", "labels without", "at the ends of the interval", ""), rows),
    )


def _comparisons(study: SampleEfficiency) -> Markup | None:
    if not study.comparisons:
        return None
    words = {1: ("better", "yes"), 0: ("not told apart", None), -1: ("worse", "no")}
    rows = []
    for d in study.comparisons:
        word, kind = words[d.beyond_doubt]
        rows.append(
            [KINDS[d.first].name, KINDS[d.second].name, f"{d.n_labels:,}", str(d.n_draws), f"{d.value:+.3f}",
             str(d.interval), tag("span", word, class_=kind)]
        )  # fmt: skip
    won = sum(d.beyond_doubt > 0 for d in study.comparisons)
    text = (
        f"The difference in accuracy on the same draws and test texts, with its 95 % interval (paired t over draws; "
        f"paired bootstrap over test texts where there is one draw). Beyond the interval, langnet is better in {won} "
        f"of {len(rows)} comparisons. Each interval stands for itself: among so many, one in twenty misses."
    )
    head = ("langnet", "minus", "labels", "draws", "difference", "interval", "so it is")
    return tag(
        "section", tag("h2", "langnet beside its neighbours"), tag("p", text),
        tag("details", tag("summary", f"All {len(rows)} comparisons"), table(head, rows, text=2)),
    )  # fmt: skip


def _scores(study: SampleEfficiency) -> Markup:
    rows = [
        [
            tag("span", tag("i", class_=f"key s-{p.method}"), KINDS[p.method].name), f"{p.n_labels:,}", str(p.n_draws),
            f"{p.n_test:,}", f"{p.accuracy:.3f}", str(p.interval), f"{p.macro_f1:.3f}", str(p.macro_f1_interval),
            "t" if p.n_draws > 1 else "bootstrap", f"{p.seconds:.1f}",
        ]
        for p in study.points
    ]  # fmt: skip
    head = ("method", "labels", "draws", "test texts", "accuracy", "95 %", "macro F1", "95 %", "interval", "seconds")
    text = (
        "Intervals are Student's t over the draws, or bootstrap over the test texts where there is one draw. Seconds "
        "are those of one fit and its predictions; what a method learns from raw text, once, is not in them."
    )
    return tag("section", tag("h2", "All scores"), markup([tag("p", text), table(head, rows)]))
