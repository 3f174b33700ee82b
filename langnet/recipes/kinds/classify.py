"""Text classification as one of several tasks that are learned together; alone it has `recipes.finetune`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from langnet.encoders.encoder import Encoder
from langnet.errors import LangnetError
from langnet.evaluate.baselines import MajorityBaseline, TfidfBaseline
from langnet.evaluate.class_statistics import class_scores, class_statistics
from langnet.evaluate.scoring import Neighbour
from langnet.recipes.kinds.kind import Columns, HeadOptions, Kind
from langnet.recipes.kinds.settings import read_settings
from langnet.recipes.kinds.text_heads import POOLING
from langnet.recipes.model import Model
from langnet.tasks.classify import ClassifyConfig, ClassifyItems
from langnet.tasks.task import ClassGuess, SupervisedTask
from langnet.text.corpus import Source
from langnet.text.labelled import LabelledText, read_labelled
from langnet.text.written_tables import PREDICTED
from langnet.transfer.features import ScalarMix
from langnet.transfer.frozen import fit_frozen, install, read_features
from langnet.transfer.standardise import standardise_head


class Classification(Kind[LabelledText, ClassGuess]):
    """One label a text."""

    name = "classify"
    summary = "texts with one label each"
    unit = "texts"

    def read(self, sources: Sequence[Source], columns: Columns, labelled: bool = True) -> list[LabelledText]:
        return read_labelled(sources, columns.text or "text", columns.label or "label").items

    def head(self, items: Sequence[LabelledText], encoder: Encoder, options: HeadOptions) -> ClassifyItems:
        pooling: Any = read_settings(self.name, options.settings, POOLING).get("pooling", "mean")
        names = sorted({str(item.label) for item in items})
        if len(names) < 2:
            raise LangnetError(
                f"classification needs at least two different labels, found {', '.join(names) or 'none'}"
            )
        config = ClassifyConfig(len(names), pooling, options.document_dim, options.hidden or 0, options.dropout)
        return ClassifyItems(config, names, encoder.mixed_dim)

    def begin(self, model: Model, examples: Sequence[Any], fit: bool, seed: int) -> Mapping[str, Any] | None:
        network, task = model.network, model.network.task
        if not (fit and task.shape.plain and isinstance(network.mix, ScalarMix)):
            standardise_head(network, examples, model.collate, seed)
            return None
        table = read_features(network.encoder, examples, model.tokenizer.pad_id)
        classes = np.array([example.label for example in examples])
        head, choice = fit_frozen(table, classes, task.settings.n_classes, seed)
        install(head, task, network.mix)
        return asdict(choice)

    def labels(self, task: SupervisedTask[LabelledText, ClassGuess]) -> list[str] | None:
        assert isinstance(task, ClassifyItems)
        return task.names

    def statistics(self, items: Sequence[LabelledText], methods: Sequence[Sequence[ClassGuess]]) -> np.ndarray:
        return class_statistics(self.gold(items), [[guess.label for guess in guesses] for guesses in methods])

    def scores(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        return class_scores(sums)

    def gold(self, items: Sequence[LabelledText]) -> list[str]:
        return [str(item.label) for item in items]

    def neighbours(self, train: Sequence[LabelledText], test: Sequence[LabelledText]) -> list[Neighbour]:
        texts, labels, asked = [item.text for item in train], self.gold(train), [item.text for item in test]
        found = []
        for one in (MajorityBaseline(), TfidfBaseline()):
            said = one.fit_predict(texts, labels, asked).labels
            found.append(Neighbour(one.name, [ClassGuess(label, {label: 1.0}) for label in said]))
        return found

    def written(self, items: Sequence[LabelledText], guesses: Sequence[ClassGuess]) -> str:
        """A line of JSON a text; `langnet predict` writes a classifier's guesses in more ways."""
        return "".join(
            json.dumps({"text": item.text, f"{PREDICTED}label": guess.label}, ensure_ascii=False) + "\n"
            for item, guess in zip(items, guesses, strict=True)
        )
