"""The frozen method on many draws of labels: every text is encoded once, and a draw costs only its head."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch

from langnet.evaluate.predictions import Predictions
from langnet.recipes.model import Model
from langnet.training.machine import default_device, keep_freed_memory
from langnet.transfer.co_training import Documents, co_train
from langnet.transfer.frozen import FeatureTable, FrozenChoice, FrozenHead, fit_frozen, read_features
from langnet.transfer.pseudo_labels import PseudoLabelOptions, pseudo_label

TEXTS_AT_ONCE = 512


class FrozenDraws:
    """What `finetune(method="frozen")` does, with the features of all texts kept in memory between draws.

    Args:
        model: a language model; it is left as it is.
        max_tokens: the most tokens of a document that are read.
        device: None chooses.
    """

    def __init__(self, model: Model, max_tokens: int = 2048, device: str | None = None):
        keep_freed_memory()
        self.model = replace(model, max_tokens=max_tokens)
        self.encoder = copy.deepcopy(model.encoder).to(torch.device(device) if device else default_device())
        self._row: dict[str, int] = {}
        self._parts: list[FeatureTable] = []
        self._fitted: dict[tuple[int, tuple[str, ...]], tuple[FrozenHead, FrozenChoice]] = {}  # the last one only
        self._co_training_pool: Documents | None = None

    def read(self, texts: Sequence[str], progress: Callable[[float], None] | None = None) -> None:
        """Encode those of the texts that have not been encoded yet.

        Args:
            texts: any number.
            progress: called with the part that is done, now and then.
        """
        missing = list(dict.fromkeys(text for text in texts if text not in self._row))
        for start in range(0, len(missing), TEXTS_AT_ONCE):
            part = missing[start : start + TEXTS_AT_ONCE]
            examples = self.model.examples(part)
            base, share = start / len(missing), len(part) / len(missing)

            def told(fraction: float, base: float = base, share: float = share) -> None:
                if progress:
                    progress(base + fraction * share)

            self._parts.append(read_features(self.encoder, examples, self.model.tokenizer.pad_id, told))
            self._row |= {text: len(self._row) + i for i, text in enumerate(part)}

    def table(self, texts: Sequence[str]) -> FeatureTable:
        """The features of the texts, in their order; encodes what is new."""
        self.read(texts)
        if len(self._parts) > 1:
            layers = torch.cat([part.layers for part in self._parts])
            self._parts = [FeatureTable(layers, torch.cat([part.document for part in self._parts]))]
        return self._parts[0].rows([self._row[text] for text in texts])

    def _fit(
        self, table: FeatureTable, classes: np.ndarray, n_classes: int, seed: int, name: tuple[str, ...]
    ) -> tuple[FrozenHead, FrozenChoice]:
        """`fit_frozen`, done once for a draw, since with and without unlabelled texts it is the same."""
        if (seed, name) not in self._fitted:
            self._fitted = {(seed, name): fit_frozen(table, classes, n_classes, seed)}
        return self._fitted[seed, name]

    def fit_predict(
        self,
        texts: Sequence[str],
        labels: Sequence[str],
        test_texts: Sequence[str],
        seed: int,
        unlabelled: tuple[Sequence[str], PseudoLabelOptions] | None = None,
    ) -> tuple[Predictions, dict[str, Any]]:
        """Choose and fit a head on the labelled texts, and predict the test texts.

        Args:
            texts: labelled ones.
            labels: theirs.
            test_texts: to be predicted.
            seed: of the folds of cross-validation.
            unlabelled: further texts from which the head learns too, and how.

        Returns:
            Predictions, and the facts `layer_weights` and `choice`; of co-training, `teachers`.
        """
        names, classes = np.unique(np.array(labels, dtype=object).astype(str), return_inverse=True)
        if len(names) == 1:
            return Predictions([str(names[0])] * len(test_texts), None, [str(names[0])]), {}
        if unlabelled is not None and self.model.document_vectors is not None:
            return self._co_trained(texts, classes, [str(name) for name in names], test_texts, seed, unlabelled)
        train, test = self.table(texts), self.table(test_texts)
        head, choice = self._fit(train, classes, len(names), seed, (*texts, *labels))
        if unlabelled is not None:
            # The same sample for all draws, since reading it may take longer than all the rest.
            pool = self.table(unlabelled[1].sample(unlabelled[0], 0, encoded=True))
            head, _, _ = pseudo_label(choice, train, classes, len(names), pool, unlabelled[1])
        with torch.no_grad():
            probabilities = head(test).softmax(1).cpu().double().numpy()  # (N, C)
        facts = {"layer_weights": head.mix.weights().tolist(), "choice": asdict(choice)}
        return Predictions.from_probabilities(probabilities, [str(name) for name in names]), facts

    def _co_trained(
        self,
        texts: Sequence[str],
        classes: np.ndarray,
        names: list[str],
        test_texts: Sequence[str],
        seed: int,
        unlabelled: tuple[Sequence[str], PseudoLabelOptions],
    ) -> tuple[Predictions, dict[str, Any]]:
        """Labels of the test texts by co-training; the unlabelled texts are read once for all draws."""
        space = self.model.document_vectors
        assert space is not None
        if self._co_training_pool is None:
            pool = unlabelled[1].sample(unlabelled[0], 0, encoded=False)
            self._co_training_pool = Documents.read(self.model.token_ids(pool), space)
        labelled = Documents.read(self.model.token_ids(texts), space)
        options = unlabelled[1].co_training
        student = co_train(space, labelled, classes, len(names), self._co_training_pool, seed, options)
        probabilities = student.probabilities(
            student.space.transform(self.model.token_ids(test_texts)).astype(float)
        )  # (N, C)
        return Predictions.from_probabilities(probabilities, names), {"teachers": list(student.teachers)}
