"""The parts of a report about single classes and single texts."""

from __future__ import annotations

import numpy as np

from langnet.study.examples import Shown, contrast
from langnet.study.figures import confusion_map
from langnet.study.html import Content, Markup, table, tag
from langnet.study.methods import KINDS
from langnet.study.result import SampleEfficiency

MOST_CLASSES = 30  # that a map of confusions is drawn for
EXAMPLES, REVERSE = 6, 3


def rivals(study: SampleEfficiency) -> tuple[str, str, int] | None:
    """The best pretrained method, the best neighbour, and the largest number of labels where both were measured.

    The neighbour is one without raw text where there is one, since the question is what pretraining bought.
    """
    others = study.of_family("labels only") or study.of_family("raw text") or study.of_family("floor")
    ours = study.of_family("langnet")
    main = {p.n_labels for p in study.points if p.method in ours} & {
        p.n_labels for p in study.points if p.method in others
    }
    if not main:
        return None
    wanted = study.options.get("sizes") or main
    largest = max(main & set(wanted) or main)

    def best(methods: list[str]) -> str:
        found = [p for p in (study.point(method, largest) for method in methods) if p is not None]
        return max(found, key=lambda p: p.accuracy).method

    return best(ours), best(others), largest


def classes(study: SampleEfficiency) -> Markup | None:
    """Which classes are hard: recall by class of two methods, and the confusions of the pretrained one."""
    found = rivals(study)
    if found is None:
        return None
    ours, theirs, n_labels = found
    recalls = {method: _recall(study, method, n_labels) for method in (ours, theirs)}
    counts = np.bincount(study.gold, minlength=len(study.class_names))
    rows = [
        [name, f"{counts[i]:,}", *(f"{recalls[m][i]:.2f}" for m in (ours, theirs)),
         f"{recalls[ours][i] - recalls[theirs][i]:+.2f}"]
        for i, name in enumerate(study.class_names) if counts[i]
    ]  # fmt: skip
    head = ("class", "test texts", KINDS[ours].name, KINDS[theirs].name, "difference")
    values = table(head, rows, caption=f"Recall by class at {n_labels:,} labels, mean over draws")
    parts: list[Content] = [tag("h2", "Class by class")]
    if len(study.class_names) <= MOST_CLASSES:
        predicted = [np.array(cell.predicted) for cell in study.cells_of(ours, n_labels)]
        title = f"Confusions of {KINDS[ours].name} at {n_labels:,} labels"
        text = "Rows are true classes and add up to one; the diagonal is what was right, in blue."
        drawn = confusion_map(study.gold, predicted, study.class_names, title)
        parts.append(tag("figure", tag("div", drawn, class_="scroll"), tag("figcaption", f"{title}. {text}")))
        values = tag("details", tag("summary", "Recall by class, beside the best method without pretraining"), values)
    return tag("section", parts, values)


def _recall(study: SampleEfficiency, method: str, n_labels: int) -> np.ndarray:
    """The share of each class's texts that was found, mean over draws; 0 for classes without test texts."""
    size = len(study.class_names)
    counts = np.bincount(study.gold, minlength=size)
    hits = [
        np.bincount(study.gold[np.array(cell.predicted) == study.gold], minlength=size)
        for cell in study.cells_of(method, n_labels)
    ]
    result: np.ndarray = np.mean(hits, axis=0) / np.maximum(counts, 1)
    return result


def examples(study: SampleEfficiency) -> Markup | None:
    """Texts that only the pretrained method got right, and, for honesty, texts that only the other did."""
    found = rivals(study)
    compared = contrast(study, found[0], found[1], found[2], EXAMPLES, REVERSE) if found else None
    if compared is None:
        return None
    ours, theirs = KINDS[compared.first].name, KINDS[compared.second].name
    both, first, second, neither = compared.counts
    text = (
        f"At {compared.n_labels:,} labels, draw {compared.draw + 1}, of {len(study.test):,} test texts: both right "
        f"{both:,}; only {ours} right {first:,}; only {theirs} right {second:,}; both wrong {neither:,}. The examples "
        "are taken at even distances from each list, not by hand."
    )
    parts: list[Content] = [tag("h2", "Text by text"), tag("p", text)]
    parts.append(tag("h3", f"{theirs} wrong, {ours} right: {len(compared.first_only)} of {first:,}"))
    parts += [_example(shown, ours, theirs) for shown in compared.first_only]
    parts.append(tag("h3", f"The reverse, {ours} wrong, {theirs} right: {len(compared.second_only)} of {second:,}"))
    parts += [_example(shown, ours, theirs) for shown in compared.second_only]
    return tag("section", parts)


def _example(shown: Shown, ours: str, theirs: str) -> Markup:
    def verdict(label: str) -> Markup:
        right = label == shown.gold
        return tag("span", f"{label} {'✓' if right else '✗'}", class_="yes" if right else "no")

    head = tag("p", tag("b", shown.gold), f" · {ours}: ", verdict(shown.first), f" · {theirs}: ", verdict(shown.second))
    return tag("article", head, tag("pre", shown.text), class_="example")
