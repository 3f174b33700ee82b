"""What the estimators of supervised tasks share: their settings, and how a model is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from langnet.recipes.finetune_options import FinetuneOptions, Method
from langnet.recipes.kinds.kind import HeadOptions
from langnet.recipes.model import Model, load
from langnet.recipes.raw_text import RawText
from langnet.recipes.transfer import TransferOptions, transfer
from langnet.training.progress import ConsoleProgress
from langnet.transfer.pseudo_labels import PseudoLabelOptions

_DEFAULT, _TRANSFER, _HEAD = FinetuneOptions(), TransferOptions(), HeadOptions()


class TaskEstimator(BaseEstimator):
    """Base class; scikit-learn reads the settings off the constructor.

    Args:
        model: a language model, its folder or its name.
        method: `finetune`, `frozen` or `scratch`.
        layers: how many layers come from the model, from the lowest, beside the embeddings; None takes all.
        adapters: rank of the products that learn beside the encoder's matrices; 0 lets the weights themselves learn.
        epochs: passes over the items; None chooses.
        head_epochs: passes in which the head alone learns; None chooses.
        batch_size: items a step.
        learning_rate: peak rate of the top layer; None takes 0.001, from scratch the head's.
        head_learning_rate: peak rate of a new head, and of all from scratch where no other is given.
        layer_decay: how much slower each layer learns than the one above.
        auxiliary_lm: weight of the language-model loss.
        dropout: before each linear layer of the head.
        hidden: width of the head's layer before the last; None takes the task's own.
        settings: of the task's head, by name, as on the command line after `--head`.
        document_features: whether the model's document vectors may be read, where a setting asks for them.
        max_tokens: the most tokens of a sequence.
        validation_fraction: part of the items held out to choose the best step.
        unlabelled: further items in the form of X without labels, to learn from too: the surest guesses of a first
            model are labels for a second; see `langnet.recipes.further_items`.
        pseudo_labels: how many of those are read and kept; None takes the defaults.
        random_state: seed, as scikit-learn has it.
        seeds: how many runs are made, of which one is kept; None makes three from few items, see `FinetuneOptions`.
        precision: `auto`, `no` or `bf16`.
        device: None chooses.
        cached_megabytes: of the states of a frozen encoder that are kept, so that they are read once.
        forgetting: text by which is measured what the encoder unlearns; see `langnet.recipes.raw_text.RawText`.
        verbose: show the progress of training.
    """

    def __init__(  # noqa: PLR0913 - scikit-learn wants every setting as an argument of its own
        self,
        model: Model | str | Path | None = None,
        method: Method = _DEFAULT.method,
        *,
        layers: int | None = _DEFAULT.layers,
        adapters: int = _DEFAULT.adapters,
        epochs: float | None = _DEFAULT.epochs,
        head_epochs: float | None = _TRANSFER.head_epochs,
        batch_size: int = _DEFAULT.batch_size,
        learning_rate: float | None = _DEFAULT.learning_rate,
        head_learning_rate: float = _TRANSFER.head_learning_rate,
        layer_decay: float = _DEFAULT.layer_decay,
        auxiliary_lm: float = _DEFAULT.auxiliary_lm,
        dropout: float = _HEAD.dropout,
        hidden: int | None = _HEAD.hidden,
        settings: Mapping[str, Any] | None = None,
        document_features: bool = _DEFAULT.document_features,
        max_tokens: int = _DEFAULT.max_tokens,
        validation_fraction: float = _DEFAULT.validation_fraction,
        unlabelled: Any = None,
        pseudo_labels: PseudoLabelOptions | None = None,
        random_state: int | np.random.RandomState | None = _DEFAULT.seed,
        seeds: int | None = _DEFAULT.seeds,
        precision: Literal["auto", "no", "bf16"] = _DEFAULT.precision,
        device: str | None = _DEFAULT.device,
        cached_megabytes: int = _DEFAULT.cached_megabytes,
        forgetting: RawText | None = _DEFAULT.forgetting,
        verbose: bool = False,
    ):
        self.model = model
        self.method = method
        self.layers = layers
        self.adapters = adapters
        self.epochs = epochs
        self.head_epochs = head_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.head_learning_rate = head_learning_rate
        self.layer_decay = layer_decay
        self.auxiliary_lm = auxiliary_lm
        self.dropout = dropout
        self.hidden = hidden
        self.settings = settings
        self.document_features = document_features
        self.max_tokens = max_tokens
        self.validation_fraction = validation_fraction
        self.unlabelled = unlabelled
        self.pseudo_labels = pseudo_labels
        self.random_state = random_state
        self.seeds = seeds
        self.precision = precision
        self.device = device
        self.cached_megabytes = cached_megabytes
        self.forgetting = forgetting
        self.verbose = verbose

    def _learn(self, kind: str, items: Sequence[Any]) -> Model:
        """A model for the task; the language model itself is left as it is."""
        if self.model is None:
            who = type(self).__name__
            raise ValueError(f"{who} needs a language model: {who}(model='folder of a model')")
        more = None if self.unlabelled is None else self._further()
        base = self.model if isinstance(self.model, Model) else load(self.model)
        progress = ConsoleProgress(kind) if self.verbose else None
        return transfer(base, kind, items, self._options(), unlabelled=more, progress=progress)

    def _items(self, X: Any) -> list[Any]:
        """Items of what a user gave, without labels; every estimator has its own.

        Raises:
            ValueError: what was given is none.
        """
        raise NotImplementedError

    def _further(self) -> list[Any]:
        """The unlabelled items.

        Raises:
            ValueError: they are none.
        """
        try:
            return self._items(self.unlabelled)
        except (TypeError, ValueError) as error:
            raise ValueError(f"unlabelled: {error}") from error

    def _options(self) -> TransferOptions:
        drawn = self.random_state
        seed = int(drawn if isinstance(drawn, int | np.integer) else check_random_state(drawn).randint(2**31 - 1))
        finetune = FinetuneOptions(
            method=self.method,
            layers=self.layers,
            adapters=self.adapters,
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            layer_decay=self.layer_decay,
            auxiliary_lm=self.auxiliary_lm,
            document_features=self.document_features,
            max_tokens=self.max_tokens,
            validation_fraction=self.validation_fraction,
            pseudo_labels=self.pseudo_labels or PseudoLabelOptions(),
            seed=seed,
            seeds=self.seeds,
            forgetting=self.forgetting,
            precision=self.precision,
            device=self.device,
            cached_megabytes=self.cached_megabytes,
        )
        head = HeadOptions(self.dropout, self.hidden, self.settings or {})
        return TransferOptions(finetune, head, self.head_learning_rate, self.head_epochs)


def one_label_each(y: Any, count: int) -> np.ndarray:
    """Labels as an array (N,), or a clear error.

    Raises:
        ValueError: none, or another number of them than items.
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    gold = np.asarray(y)
    if gold.ndim == 2 and gold.shape[1] == 1:  # a column of a data frame
        gold = gold[:, 0]
    if gold.shape != (count,):
        raise ValueError(f"y should have one label an item; got {gold.shape} for {count} items")
    return gold
