"""The scikit-learn grammar: `TextClassifier` learns from texts and labels, `TextFeatures` turns texts into numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from langnet.errors import LangnetError
from langnet.estimators.checks import class_labels, list_of_texts, text_tags
from langnet.recipes.finetune import finetune
from langnet.recipes.finetune_options import FinetuneOptions, Method
from langnet.recipes.model import Model, load
from langnet.recipes.raw_text import RawText
from langnet.recipes.training_texts import describe_training_texts
from langnet.tasks.pooling import Pooling
from langnet.text.labelled import LabelledData
from langnet.training.machine import default_device
from langnet.training.progress import ConsoleProgress
from langnet.transfer.frozen import read_features
from langnet.transfer.pseudo_labels import PseudoLabelOptions
from langnet.transfer.schedule import ScheduleConfig

_DEFAULT = FinetuneOptions()
Layers = Literal["none", "all", "top"] | Sequence[int]


class TextClassifier(ClassifierMixin, BaseEstimator):
    """Classify texts by transfer from a language model.

    Works wherever scikit-learn's classifiers do: Pipeline, cross_val_score, GridSearchCV, CalibratedClassifierCV. Texts
    come as a list, an array, a pandas Series or a data frame of one column; labels are of any type that sorts. The
    settings and their defaults are those of `langnet.recipes.finetune.FinetuneOptions`.

    Args:
        model: a language model, its folder or its name.
        method: `finetune`, `frozen` or `scratch`.
        layers: how many layers come from the model, from the lowest, beside the embeddings; None takes all.
        adapters: rank of the products that learn beside the encoder's matrices; 0 lets the weights themselves learn.
        epochs: passes over the texts; None chooses.
        least_steps: fewest steps where `epochs` is None.
        batch_size: documents a step.
        learning_rate: peak rate of the top layer; None takes 0.0003, from scratch 0.001.
        layer_decay: how much slower each layer learns than the one above.
        schedule: of the rates; None takes the slanted triangle.
        gradual_unfreezing: thaw layer by layer.
        auxiliary_lm: weight of the language-model loss.
        head_first: start fine-tuning from the head that frozen features gave.
        document_features: read the model's document vectors beside its states, where it has them.
        pooling: from positions to a document: `mean`, `last` or `concat`; used where no frozen head comes first.
        dropout: before the head.
        dropout_scale: factor on the encoder's own dropouts, where it has such a dial; None leaves them.
        max_tokens: the most tokens of a document that are read.
        learned_tokens: a recurrent encoder learns from so many tokens at the end of longer documents.
        validation_fraction: part of the texts held out to choose the best step.
        unlabelled: further texts of the same kind without labels, to learn from too: co-training.
        pseudo_labels: how those are guessed; None takes the defaults.
        random_state: seed, as scikit-learn has it; the same int gives the same classifier.
        seeds: how many runs are made, of which one is kept; None makes three from few items, see `FinetuneOptions`.
        precision: `auto`, `no` or `bf16`.
        device: None chooses.
        scalar_mix: read a mix of all layers, or else the top one; used where no frozen head comes first.
        hidden: width of a hidden layer in the head, where no frozen head comes first.
        betas: Adam's.
        forgetting: text by which is measured what the encoder unlearns; see `langnet.recipes.raw_text.RawText`.
        verbose: show the progress of training.

    Attributes:
        classes_: the labels, sorted.
        model_: the fine-tuned `langnet.recipes.model.Model`; `model_.save("folder")` keeps it.

    Example:
        >>> classifier = TextClassifier(model="my-lm", method="frozen")  # doctest: +SKIP
        >>> classifier.fit(texts, labels).predict(["a fine film"])  # doctest: +SKIP
    """

    def __init__(  # noqa: PLR0913 - scikit-learn wants every setting as an argument of its own
        self,
        model: Model | str | Path | None = None,
        method: Method = _DEFAULT.method,
        *,
        layers: int | None = _DEFAULT.layers,
        adapters: int = _DEFAULT.adapters,
        epochs: float | None = _DEFAULT.epochs,
        least_steps: int = _DEFAULT.least_steps,
        batch_size: int = _DEFAULT.batch_size,
        learning_rate: float | None = _DEFAULT.learning_rate,
        layer_decay: float = _DEFAULT.layer_decay,
        schedule: ScheduleConfig | None = None,
        gradual_unfreezing: bool = _DEFAULT.gradual_unfreezing,
        auxiliary_lm: float = _DEFAULT.auxiliary_lm,
        head_first: bool = _DEFAULT.head_first,
        document_features: bool = _DEFAULT.document_features,
        pooling: Pooling = _DEFAULT.pooling,
        dropout: float = _DEFAULT.dropout,
        dropout_scale: float | None = _DEFAULT.dropout_scale,
        max_tokens: int = _DEFAULT.max_tokens,
        learned_tokens: int = _DEFAULT.learned_tokens,
        validation_fraction: float = _DEFAULT.validation_fraction,
        unlabelled: Sequence[str] | None = None,
        pseudo_labels: PseudoLabelOptions | None = None,
        random_state: int | np.random.RandomState | None = _DEFAULT.seed,
        seeds: int | None = _DEFAULT.seeds,
        precision: Literal["auto", "no", "bf16"] = _DEFAULT.precision,
        device: str | None = _DEFAULT.device,
        scalar_mix: bool = _DEFAULT.scalar_mix,
        hidden: int = _DEFAULT.hidden,
        betas: tuple[float, float] = _DEFAULT.betas,
        forgetting: RawText | None = _DEFAULT.forgetting,
        verbose: bool = False,
    ):
        self.model = model
        self.method = method
        self.layers = layers
        self.adapters = adapters
        self.epochs = epochs
        self.least_steps = least_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.layer_decay = layer_decay
        self.schedule = schedule
        self.gradual_unfreezing = gradual_unfreezing
        self.auxiliary_lm = auxiliary_lm
        self.head_first = head_first
        self.document_features = document_features
        self.pooling = pooling
        self.dropout = dropout
        self.dropout_scale = dropout_scale
        self.max_tokens = max_tokens
        self.learned_tokens = learned_tokens
        self.validation_fraction = validation_fraction
        self.unlabelled = unlabelled
        self.pseudo_labels = pseudo_labels
        self.random_state = random_state
        self.seeds = seeds
        self.precision = precision
        self.device = device
        self.scalar_mix = scalar_mix
        self.hidden = hidden
        self.betas = betas
        self.forgetting = forgetting
        self.verbose = verbose

    def fit(self, X: Sequence[str], y: Sequence[Any]) -> Self:
        """Learn from texts and their labels; the language model itself is left as it is.

        Raises:
            LangnetError: no such model, or a setting that does not exist.
            ValueError: no model, X holds no texts, X and y differ in length, or y has fewer than two classes.
        """
        texts = list_of_texts(X)
        gold = class_labels(y, len(texts), "text")
        self.classes_, positions = np.unique(gold, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"TextClassifier needs two classes or more; y has 1 class, {self.classes_[0]!r}")
        # Positions with leading zeros sort as numbers do, whatever the labels' own type.
        names = [f"{position:06d}" for position in positions]
        unlabelled = None if self.unlabelled is None else list_of_texts(self.unlabelled)
        progress = ConsoleProgress("fine-tune") if self.verbose else None
        base = _base_model(self.model, type(self).__name__)
        self.model_ = finetune(base, texts, names, self._options(), unlabelled=unlabelled, progress=progress)
        self.model_.labels = [str(label) for label in self.classes_]
        learned = LabelledData(texts, [str(label) for label in gold])
        self.model_.facts["finetune"]["training_texts"] = describe_training_texts(learned)
        return self

    def predict_proba(self, X: Sequence[str]) -> np.ndarray:
        """Probabilities, (N, C), columns in the order of `classes_`."""
        check_is_fitted(self, "model_")
        return self.model_.predict_proba(list_of_texts(X))

    def predict(self, X: Sequence[str]) -> np.ndarray:
        """The most probable label of each text, of the type that `fit` saw."""
        best = self.predict_proba(X).argmax(axis=1)  # (N,); first, so that it says when there was no fit
        chosen: np.ndarray = self.classes_[best]
        return chosen

    def _options(self) -> FinetuneOptions:
        return FinetuneOptions(
            method=self.method,
            layers=self.layers,
            adapters=self.adapters,
            epochs=self.epochs,
            least_steps=self.least_steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            layer_decay=self.layer_decay,
            schedule=self.schedule or _DEFAULT.schedule,
            gradual_unfreezing=self.gradual_unfreezing,
            auxiliary_lm=self.auxiliary_lm,
            head_first=self.head_first,
            document_features=self.document_features,
            pooling=self.pooling,
            dropout=self.dropout,
            dropout_scale=self.dropout_scale,
            max_tokens=self.max_tokens,
            learned_tokens=self.learned_tokens,
            validation_fraction=self.validation_fraction,
            pseudo_labels=self.pseudo_labels or _DEFAULT.pseudo_labels,
            seed=_seed(self.random_state),
            seeds=self.seeds,
            forgetting=self.forgetting,
            precision=self.precision,
            device=self.device,
            scalar_mix=self.scalar_mix,
            hidden=self.hidden,
            betas=self.betas,
        )

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that the input is a list of strings."""
        return text_tags(super().__sklearn_tags__())


class TextFeatures(TransformerMixin, BaseEstimator):
    """Turn texts into the frozen features of a language model, for any estimator of scikit-learn to read.

    Nothing is learned in `fit`. Features are the model's document vectors (unit length), then the mean state of each
    chosen layer, normalised at every position as `TextClassifier(method="frozen")` reads them. They have different
    scales: a StandardScaler or a strong regularisation suits them.

    Args:
        model: a language model, its folder or its name.
        layers: whose states are read: `none`, `all`, `top`, or the numbers of layers, 0 being the embeddings. With
            `none` the encoder does not run, which is a hundred times quicker.
        document_vectors: whether the document vectors come first, where the model has them.
        max_tokens: the most tokens of a document that are read.
        device: None chooses.

    Attributes:
        model_: the loaded model.

    Example:
        >>> features = TextFeatures(model="my-lm", layers=[1, 2])  # doctest: +SKIP
        >>> make_pipeline(features, StandardScaler(), LogisticRegression()).fit(texts, labels)  # doctest: +SKIP
    """

    def __init__(
        self,
        model: Model | str | Path | None = None,
        *,
        layers: Layers = "all",
        document_vectors: bool = True,
        max_tokens: int = _DEFAULT.max_tokens,
        device: str | None = None,
    ):
        self.model = model
        self.layers = layers
        self.document_vectors = document_vectors
        self.max_tokens = max_tokens
        self.device = device

    def fit(self, X: Sequence[str], y: Any = None) -> Self:
        """Load the model; the texts are only checked.

        Raises:
            LangnetError: no such model or layer, or nothing to read of this model.
            ValueError: no model, or X holds no texts.
        """
        list_of_texts(X)
        base = _base_model(self.model, type(self).__name__)
        space = base.document_vectors if self.document_vectors else None
        self.model_ = replace(base, document_vectors=space, max_tokens=self.max_tokens)
        if space is None and not self._chosen():
            raise LangnetError("layers='none' leaves no features: this model's document vectors are off or not there")
        return self

    def transform(self, X: Sequence[str]) -> np.ndarray:
        """Features of each text, (N, K + layers x D) float32."""
        check_is_fitted(self, "model_")
        model, chosen, texts = self.model_, self._chosen(), list_of_texts(X)
        examples = model.examples(texts)
        parts = [np.stack([e.features for e in examples if e.features is not None])] if model.document_vectors else []
        if chosen:
            model.encoder.to(torch.device(self.device) if self.device else default_device())
            table = read_features(model.encoder, examples, model.tokenizer.pad_id)
            widths = model.encoder.layer_dims
            parts += [table.layers[:, layer, : widths[layer]].numpy() for layer in chosen]  # (N, D) each
        return np.concatenate(parts, axis=1)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """A name a column: `document3`, `layer2_17`."""
        check_is_fitted(self, "model_")
        space = self.model_.document_vectors
        names = [f"document{i}" for i in range(space.dim if space else 0)]
        names += [f"layer{layer}_{i}" for layer in self._chosen() for i in range(self.model_.encoder.layer_dims[layer])]
        return np.asarray(names, dtype=object)

    def _chosen(self) -> list[int]:
        """The numbers of the layers that are read."""
        count = self.model_.encoder.n_layers + 1
        named = {"none": [], "all": list(range(count)), "top": [count - 1]}
        if isinstance(self.layers, str):
            if self.layers not in named:
                raise LangnetError(f"layers is '{self.layers}'; choose {', '.join(named)}, or a list of numbers")
            return named[self.layers]
        wrong = [layer for layer in self.layers if not 0 <= layer < count]
        if wrong:
            raise LangnetError(f"there is no layer {wrong[0]}: this model has 0 (embeddings) to {count - 1} (top)")
        return list(self.layers)

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that the input is a list of strings, and that fitting learns nothing from it."""
        tags = text_tags(super().__sklearn_tags__())
        tags.requires_fit = True  # the model is loaded then
        tags.transformer_tags.preserves_dtype = []  # strings in, float32 out
        return tags


def _base_model(model: Model | str | Path | None, who: str) -> Model:
    if model is None:
        raise ValueError(f"{who} needs a language model: {who}(model='folder of a model')")
    return model if isinstance(model, Model) else load(model)


def _seed(random_state: int | np.random.RandomState | None) -> int:
    """An int as it is; anything else is drawn from, as scikit-learn does."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))
