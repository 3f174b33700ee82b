"""The page of `benchmarks.equal_budget`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bounds import KINDS, Bounds
from langnet.errors import LangnetError
from langnet.evaluate.intervals import seeds_interval

NAMES = {
    "word2vec-cbow": "word2vec, CBOW", "word2vec-skipgram": "word2vec, skip-gram", "fasttext": "fastText",
    "glove": "GloVe", "gpt": "gpt", "gpt-2": "gpt-2", "gpt-2018": "gpt-2018", "awd-lstm": "awd-lstm", "elmo": "elmo",
}  # fmt: skip
NEIGHBOURS = {
    "majority": "majority class",
    "tfidf": "TF-IDF, from the labelled texts alone",
    "svd": "SVD of the raw text's TF-IDF (LSA)",
    "document vectors": "langnet's document vectors (LSA), no encoder",
}
Facts = dict[str, Any]
OWN = {"command", "date", "machine", "rows", "neighbours", "later"}  # of a run, not of what is compared


def kept(
    output: Path, rows: list[Facts], facts: Facts, order: Sequence[str]
) -> tuple[list[Facts], dict[str, list[float]], Facts]:
    """Rows among those of the page that there is, its neighbours, and its facts with a note of what is newer.

    Args:
        output: the page.
        rows: newly computed ones, which take the place of those of their key.
        facts: of the run that made them.
        order: of all keys.

    Raises:
        LangnetError: there is no page, or it compares something else.
    """
    file = output.with_suffix(".json")
    if not file.exists():
        raise LangnetError(f"{file} does not exist, so there are no other rows to keep; leave --keep-others out")
    held = json.loads(file.read_text(encoding="utf8"))
    differing = [name for name, value in facts.items() if name not in OWN and held.get(name) != value]
    if differing:
        raise LangnetError(f"the rows of {file} were made with another {', '.join(differing)}; nothing is written")
    by_key = {row["key"]: row for row in [*held["rows"], *rows]}
    newer = {row["key"]: {name: facts[name] for name in ("command", "date", "machine")} for row in rows}
    merged = {name: value for name, value in held.items() if name not in ("rows", "neighbours")}
    merged["later"] = held.get("later", {}) | newer
    return [by_key[key] for key in order if key in by_key], held["neighbours"], merged


def write(output: Path, rows: list[Facts], neighbours: dict[str, list[float]], facts: Facts) -> None:
    """Write the page, and all figures beside it."""
    lines = [*_head(facts), *_transfer(rows, neighbours), *_training(rows), *_speed(rows, facts), *_foot(rows, facts)]
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("\n".join(lines), encoding="utf8")
    held = {**facts, "rows": rows, "neighbours": neighbours}
    output.with_suffix(".json").write_text(json.dumps(held, indent=1) + "\n", encoding="utf8")
    print("\n".join(lines))


def _head(facts: Facts) -> list[str]:
    clock = ", in processor time, since the machine had other work" if facts["busy"] else ""
    fewer = f" ({facts['slow_draws']} where a network is trained)" if facts["slow_draws"] else ""
    where = "development texts out of the training part" if facts["development"] else "test texts"
    return [
        f"# Every encoder, {facts['minutes']:g} minutes of one thread on the same raw text: {facts['set']}", "",
        f"Written by `{facts['command']}` on {facts['date']}. Raw text: {facts['raw_texts']:,} documents, "
        f"{facts['raw_words']:,} words. Transfer: {facts['labels']} labelled texts, {facts['draws']} draws of "
        f"them{fewer}, {facts['tests']:,} {where}, of each the first and last words, {facts['read']:,} characters for "
        f"every method. Minutes are those of one thread{clock}.", "",
        *_later(facts),
    ]  # fmt: skip


def _later(facts: Facts) -> list[str]:
    """Which rows another run has made, and on what."""
    lines = []
    for key, run in facts.get("later", {}).items():
        same = run["machine"] == facts["machine"]
        machine = "the same kind of machine" if same else run["machine"]
        lines += [f"The row {NAMES[key]} was computed by `{run['command']}` on {run['date']}, on {machine}.", ""]
    return lines


def _transfer(rows: list[Facts], neighbours: dict[str, list[float]]) -> list[str]:
    lines = [
        "## What it is worth", "",
        "Accuracy, mean over draws and 95 % t interval. The first three columns see the encoder's states alone; the "
        "last adds document vectors of the same raw text, which need no encoder, and says in how many draws "
        "cross-validation gave the encoder's states any weight beside them. The gain is over the same network "
        "fine-tuned from random weights, paired by draw.", "",
        "| encoder | bits per byte | from scratch | frozen | fine-tuned | frozen - scratch | fine-tuned - scratch | "
        "frozen, with document vectors | states used |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for row in rows:
        accuracy = row["accuracy"]
        cells = [NAMES[row["key"]], _bits(row), *(_mean(accuracy[key]) for key in ("scratch", "frozen", "finetune"))]
        cells += [_gain(accuracy[key], accuracy["scratch"]) for key in ("frozen", "finetune")]
        used = f"{row['states_used']} of {len(accuracy['documents'])}"
        lines.append(_line([*cells, _mean(accuracy["documents"]), used]))
    lines += ["", "| neighbour | accuracy |", "| --- | --- |"]
    lines += [_line([NEIGHBOURS[key], _mean(values)]) for key, values in neighbours.items()]
    return [*lines, ""]


def _bits(row: Facts) -> str:
    """ELMo's figure is of words out of a vocabulary, the others' of whole texts."""
    found = row["facts"].get("bits_per_byte")
    if found is None:
        return ""
    interval = row["facts"]["interval"]
    text = f"{found:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")
    return f"({text})*" if row["key"] == "elmo" else text


def _training(rows: list[Facts]) -> list[str]:
    lines = [
        "## What it was trained with", "",
        "| encoder | size | parameters | vocabulary | minutes | tokens seen | updates | processor |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for row in rows:
        facts = row["facts"]
        passes = f"{facts['passes']} passes" if "passes" in facts else f"{facts['steps']:,}"
        cells = [NAMES[row["key"]], row["size"], f"{facts['parameters']:,}", f"{facts['vocabulary']:,}"]
        cells += [f"{facts['minutes']:.2f}", f"{facts['tokens']:,}", passes, f"{facts['processor_share']:.0%}"]
        lines.append(_line(cells))
    return [*lines, ""]


def _speed(rows: list[Facts], facts: Facts) -> list[str]:
    clock = "processor time" if facts["busy"] else "the clock"
    lines = [
        "## What bounds it", "",
        f"Speed of training steps by {clock}; useful operations of the model (`benchmarks/operations.py`), and their "
        f"share of the speed of one product of {facts['matrix']} x {facts['matrix']} matrices on that thread in the "
        "row's precision. Then where the time of a step goes, by PyTorch's profiler: products of matrices, and the "
        "share of the peak that they reach while they run; the gates of a recurrence, step by step; all other "
        "elementwise work and copies; the optimizer; Python, batches included. The last column is where most of the "
        "time goes that products at the peak would not take.", "",
        "| encoder | tokens/s | GFLOP/s | share of peak | products | while they run | recurrence | elementwise | "
        "optimizer | Python | bound by |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for row in rows:
        found = row["facts"]
        speed = f"{found['operations_per_second'] / 1e9:,.1f}"
        cells = [NAMES[row["key"]], f"{found['tokens_per_second']:,.0f}", speed, f"{found['share_of_peak']:.0%}"]
        if "shares" in found:
            bounds = Bounds(found["tokens_per_second"], found["shares"])
            shares = [f"{bounds.shares[kind]:.0%}" for kind in KINDS]
            cells += [shares[0], f"{bounds.speed_of_products(found['share_of_peak']):.0%}", *shares[1:]]
            cells.append(bounds.bound(found["share_of_peak"]))
        else:
            cells += [*[""] * 6, "products of single vectors, rows of memory at random"]
        lines.append(_line(cells))
    return [*lines, ""]


def _foot(rows: list[Facts], facts: Facts) -> list[str]:
    peaks = {
        name: [row["facts"]["peak"] / 1e9 for row in rows if row["facts"]["precision"] == key]
        for key, name in (("no", "float32"), ("bf16", "bfloat16"))
    }
    told = [f"{name} {min(p):,.0f} to {max(p):,.0f}" for name, p in peaks.items() if p]
    return [
        "\\* ELMo predicts words, those beyond its vocabulary as one unknown word: its figure is no measure of whole "
        "texts and cannot be compared with the others.", "",
        "Tokens are words for word vectors and elmo, pieces of words (BPE) for the others. The minutes are those of "
        "the training loop, without validation; of word vectors those of whole passes, as many as fit. The processor "
        "column says how much of the time by the clock the training had one.", "",
        f"Peak, GFLOP/s: {'; '.join(told)}. Machine: {facts['machine']}.", "",
    ]  # fmt: skip


def _mean(values: Sequence[float]) -> str:
    if len(values) < 2:
        return f"{np.mean(values):.3f}"
    return f"{np.mean(values):.3f} {seeds_interval(values)}"


def _gain(values: Sequence[float], control: Sequence[float]) -> str:
    gaps = np.subtract(*zip(*zip(values, control, strict=False), strict=True))  # the draws that both have
    if len(gaps) < 2:
        return f"{gaps.mean():+.3f}"
    interval = seeds_interval(gaps.tolist())
    return f"{gaps.mean():+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
