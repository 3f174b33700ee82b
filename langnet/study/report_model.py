"""The parts of a report about the language model, and about how everything was made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from langnet.evaluate.language_model import unknown_note
from langnet.recipes.model import Model
from langnet.study.figures import layer_bars, training_curves
from langnet.study.html import Content, Markup, table, tag
from langnet.study.methods import KINDS
from langnet.study.result import SampleEfficiency
from langnet.training.progress import clock


def language_model(study: SampleEfficiency, model: Model) -> Markup:
    """Pretraining: its curves, what it reached, and which layers the classifiers read."""
    curves = training_curves(model.history)
    parts: list[Content] = [tag("h2", "The language model"), tag("p", _reached(model))]
    if curves is not None:
        text = (
            "Training loss, averaged over a few seconds, and bits a byte on held-out text, which compares models "
            "whatever their tokenizers; minutes along the top."
        )
        parts.append(tag("figure", curves, tag("figcaption", text)))
        parts.append(tag("details", tag("summary", "The values behind the plots"), _history_table(model.history)))
    weights = layer_weights(study)
    if weights:
        parts += _layers(study, weights)
    return tag("section", parts)


def layer_weights(study: SampleEfficiency) -> dict[str, list[float]]:
    """The mean layer weights of each pretrained method at its largest number of labels."""
    found = {}
    for method in study.of_family("langnet"):
        cells = [cell for cell in study.cells if cell.method == method and cell.facts.get("layer_weights")]
        if cells:
            largest = max(cell.n_labels for cell in cells)
            weights = [cell.facts["layer_weights"] for cell in cells if cell.n_labels == largest]
            found[method] = np.mean(weights, axis=0).tolist()
    return found


def _layers(study: SampleEfficiency, weights: dict[str, list[float]]) -> list[Content]:
    text = (
        "Shares of the layers in the scalar mix that the classifiers read, at the most labels each method had, mean "
        "over draws. Even shares are where learning starts from."
    )
    unread, total = _states_unread(study)
    if unread:
        text += (
            f" In {unread} of {total} frozen runs, cross-validation chose the document vectors alone: there the "
            "layers are not read at all, and even shares mean nothing."
        )
    depth = max(map(len, weights.values()))
    names = ["embeddings", *(f"layer {i}" for i in range(1, depth))]
    key = [tag("span", tag("i", class_=f"key s-{method}"), KINDS[method].name + " ") for method in weights]
    rows = [[KINDS[method].name, *(f"{w:.3f}" for w in values)] for method, values in weights.items()]
    return [
        tag("h3", "Which layers are read"),
        tag("figure", tag("p", key), layer_bars(weights), tag("figcaption", text)),
        tag("details", tag("summary", "The values behind the plot"), table(("method", *names), rows)),
    ]


def _states_unread(study: SampleEfficiency) -> tuple[int, int]:
    """How many frozen runs chose no encoder states, and how many there are."""
    choices = [cell.facts["choice"] for cell in study.cells if cell.facts.get("choice")]
    return sum(choice.get("state_weight") == 0 for choice in choices), len(choices)


def _reached(model: Model) -> str:
    trained, scores = model.facts.get("pretrain", {}), model.facts.get("validation", {})
    parts = [f"{model.family}, {model.encoder.n_parameters:,} parameters, {model.encoder.n_layers} layers"]
    if trained:
        speed = trained["tokens"] / max(60 * trained["minutes"], 1e-9)
        parts.append(f"trained for {trained['minutes']:.1f} minutes on {trained['tokens']:,} tokens")
        parts.append(f"{speed:,.0f} tokens a second")
    if scores.get("n_bytes"):
        parts.append(
            f"{scores['bits_per_byte']:.3f} bits a byte on {scores['n_bytes']:,} bytes of held-out raw text "
            f"(perplexity {scores['perplexity']:,.1f} a token)"
        )
        parts += [note] if (note := unknown_note(scores.get("n_unknown", 0), scores["n_tokens"])) else []
    return "; ".join(parts) + "."


def _history_table(history: list[dict[str, Any]]) -> Markup:
    """Every validation, and the training losses in between thinned to some twenty."""
    losses = [record for record in history if "loss" in record]
    step = max(1, len(losses) // 20)
    kept = [*losses[::step], *(record for record in history if "validation_bits_per_byte" in record)]
    kept.sort(key=lambda record: (record["tokens"], "loss" not in record))
    rows = [
        [f"{r['tokens']:,}", f"{r['minutes']:.2f}", _number(r, "loss"), _number(r, "validation_bits_per_byte")]
        for r in kept
    ]
    return table(("tokens", "minutes", "training loss", "held-out bits a byte"), rows, text=0)


def _number(record: dict[str, Any], name: str) -> str:
    return f"{record[name]:.3f}" if name in record else "–"


def making(
    study: SampleEfficiency, model: Model, commands: list[str], seconds: dict[str, float], notes: list[str]
) -> Markup:
    """The commands, the data, the machine, the times and the settings."""
    corpus = model.facts.get("corpus", {})
    trained = model.facts.get("pretrain", {})
    facts: list[tuple[str, Content]] = [("notes", note) for note in notes]
    if corpus:
        facts.append(("raw text", _corpus(corpus)))
    facts.append(
        (
            "labelled text",
            f"{study.n_train:,} to draw from, {len(study.test):,} to test on, {len(study.class_names)} classes: "
            f"{', '.join(study.class_names[:40])}{' …' if len(study.class_names) > 40 else ''}",
        )
    )
    facts.append(("test texts also among the training texts", f"{study.n_overlap:,}, word by word"))
    facts.append(("tokenizer", f"{model.tokenizer.vocabulary_size:,} entries"))
    if trained:
        facts.append(("machine", trained["machine"]))
    facts.append(("seed", str(study.options.get("seed", ""))))
    if study.left_out:
        facts.append(("left out for lack of time", _left_out(study.left_out)))
    parts: list[Content] = [tag("h2", "How this was made")]
    parts.append(tag("pre", "\n".join(commands)))
    parts.append(tag("dl", [(tag("dt", name), tag("dd", value)) for name, value in facts]))
    if seconds:
        rows = [[name, clock(passed)] for name, passed in seconds.items()]
        rows.append(["together", clock(sum(seconds.values()))])
        parts.append(tag("details", tag("summary", "Time, minutes and seconds"), table(("stage", "time"), rows)))
    settings = _flat({"study": study.options, "pretraining": trained.get("options", {})})
    parts.append(
        tag("details", tag("summary", "All settings"), table(("setting", "value"), [list(s) for s in settings], text=2))
    )
    return tag("section", parts)


def _corpus(corpus: dict[str, Any]) -> str:
    """The counts of the corpus report that are not zero."""
    numbers = {name: value for name, value in corpus.items() if isinstance(value, int | float) and value}
    return ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in numbers.items())


def _left_out(cells: list[tuple[str, int, int]]) -> str:
    counts: dict[tuple[str, int], int] = {}
    for method, n_labels, _ in cells:
        counts[method, n_labels] = counts.get((method, n_labels), 0) + 1
    return "; ".join(
        f"{KINDS[method].name} at {n:,} labels, {count} draw{'s' if count > 1 else ''}"
        for (method, n), count in counts.items()
    )


def _flat(settings: dict[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """Nested settings as lines of `a.b.c` and value."""
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)
