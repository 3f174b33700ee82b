"""How many passes of word vectors fit into minutes, measured on a sample of the text."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from langnet.recipes.pretrain import Run
from langnet.recipes.word_vectors import Kind, WordVectorOptions, train_word_vectors

SAMPLE = 5000  # texts at most
CAREFUL = 0.9  # a larger vocabulary stays in the cache less well than the sample's


def plan_word_vectors(
    kind: Kind, texts: Sequence[str], minutes: float, seed: int = 0, now: Callable[[], float] = time.perf_counter
) -> dict[str, int]:
    """Passes over how many of the texts take the minutes: one pass over a part, where one over all takes longer.

    Two runs on a sample, of one pass and of three, part the time of a pass from what comes before the first.
    `now` is the clock.
    """
    step = max(1, len(texts) // SAMPLE) if kind != "glove" else 1  # whose pairs grow slower than the text
    sample = list(texts[::step])
    with tempfile.TemporaryDirectory(prefix="langnet-") as folder:
        run = Run(Path(folder))
        first = WordVectorOptions(kind, epochs=1, seed=seed)
        train_word_vectors(sample[:50] * 5, first, Run(), texts=True)  # what is compiled at the first call, is now
        train_word_vectors(sample, first, run, texts=True)  # the corpus is prepared
        seconds = []
        for epochs in (1, 3):
            started = now()
            train_word_vectors(sample, WordVectorOptions(kind, epochs=epochs, seed=seed), run, texts=True)
            seconds.append(now() - started)
    share = len(sample) / len(texts)
    a_pass = max((seconds[1] - seconds[0]) / 2, 1e-3) / share
    before = max(0.0, seconds[0] / share - a_pass)
    budget = CAREFUL * 60 * minutes
    passes = int((budget - before) / a_pass)
    if passes >= 1:
        return {"epochs": passes, "texts": len(texts)}
    return {"epochs": 1, "texts": max(1, int(len(texts) * budget / (before + a_pass)))}


def options_of(facts: dict[str, Any]) -> WordVectorOptions:
    """The options that a model of word vectors says it was trained with."""
    return WordVectorOptions(**{name: value for name, value in facts["options"].items() if name != "corpus"})
