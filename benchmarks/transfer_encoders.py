"""The encoders of `benchmarks.transfer_table`: which there are, on what raw text, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.sources import read_masakhane, read_novels, read_raw_imdb, read_yoruba
from benchmarks.transfer_sets import ENGLISH, YORUBA, YORUBA_NEWS
from langnet.recipes.model import Model, load
from langnet.recipes.pretrain import PretrainOptions, Run, pretrain
from langnet.recipes.word_vectors import WordVectorOptions, train_word_vectors
from langnet.text.prepare import PrepareOptions
from langnet.training.checkpoint import has_checkpoint
from langnet.training.progress import ConsoleProgress

VECTORS = "word2vec-skipgram"
ENCODERS = ("gpt", "awd-lstm", "elmo", VECTORS)
CONTEXT = 256
VOCABULARY = 8192
# About half an hour of one thread each in English and ten minutes in Yoruba; in tokens, so that a machine with other
# work gives the same models.
TOKENS = {
    ENGLISH: {"gpt": 10_000_000, "awd-lstm": 6_000_000, "elmo": 2_500_000},
    YORUBA: {"gpt": 3_000_000, "awd-lstm": 2_000_000, "elmo": 800_000},
    YORUBA_NEWS: {"gpt": 5_000_000, "awd-lstm": 3_000_000, "elmo": 1_200_000},
}
PASSES = {ENGLISH: 5, YORUBA: 20, YORUBA_NEWS: 10}  # of word vectors


@dataclass(frozen=True)
class Encoders:
    """Pretrained encoders in a folder, each trained when it is first asked for.

    Attributes:
        data: folder of all data.
        work: where they are kept.
        size: of the language models.
        scale: factor on the tokens and passes above.
    """

    data: Path
    work: Path
    size: str = "mini"
    scale: float = 1.0

    def get(self, name: str, raw: str) -> Model:
        """The encoder of a name for a raw text."""
        folder = self.work / raw / f"{name}-{self.size}"
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            place = self.work / raw / f"{name}.run"
            run = Run(place, resume=has_checkpoint(place), progress=ConsoleProgress(f"{name} {raw}"))
            self._trained(name, raw, run).save(folder)
        return load(folder)

    def _trained(self, name: str, raw: str, run: Run) -> Model:
        texts = self._texts(raw)
        if name == VECTORS:
            passes = max(1, round(PASSES[raw] * self.scale))
            return train_word_vectors(texts, WordVectorOptions(VECTORS, epochs=passes), run, texts=True)
        options = PretrainOptions(
            encoder=name, size=self.size, context=CONTEXT if name == "gpt" else None,
            tokens=round(TOKENS[raw][name] * self.scale), device="cpu",
            prepare=PrepareOptions(vocabulary_size=None if name == "elmo" else VOCABULARY),
        )  # fmt: skip
        return pretrain(texts, options, run, texts=True)

    def _texts(self, raw: str) -> list[str]:
        """The raw texts, in an order of their own."""
        if raw in (YORUBA, YORUBA_NEWS):
            texts = read_yoruba(self.data / "yoruba_text")
            if raw == YORUBA_NEWS:
                texts += read_masakhane(self.data / "masakhane_news" / "yor")[0].texts
        else:
            texts = read_raw_imdb(self.data / "imdb") + read_novels(self.data / "novels_en" / "corpus")
        return [texts[i] for i in np.random.default_rng(0).permutation(len(texts))]
