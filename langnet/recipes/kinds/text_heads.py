"""What the kinds for single texts share: where a text stands, how a head reads it, and its fit on frozen features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from langnet.recipes.kinds.kind import Columns, HeadOptions
from langnet.recipes.model import Model
from langnet.tasks.document_head import HeadShape
from langnet.tasks.examples import Example
from langnet.tasks.pooling import WIDTHS
from langnet.text.text_items import TextColumns
from langnet.transfer.features import ScalarMix
from langnet.transfer.frozen import install, read_features
from langnet.transfer.frozen_targets import FittedTargets, Objective, fit_targets
from langnet.transfer.standardise import standardise_head

POOLING = {"pooling": tuple(WIDTHS)}


def text_columns(columns: Columns) -> TextColumns:
    """The columns of a task as those of single texts."""
    return TextColumns(columns.text, columns.label, columns.separator, columns.where)


def head_shape(options: HeadOptions, pooling: str) -> HeadShape:
    """The head's shape, with the model's document vectors where it has some and they are not switched off."""
    return HeadShape(pooling, options.document_dim, options.hidden or 0, options.dropout)  # type: ignore[arg-type]


def begin_head(
    model: Model, examples: Sequence[Example], objective: Objective, fit: bool, seed: int
) -> FittedTargets | None:
    """Fit the head on frozen features, or set the scale of what it reads; see `Kind.begin`.

    A head with a hidden layer, or of other states than their mean, is no linear model of the frozen features: it learns
    by steps.
    """
    network = model.network
    if not (fit and network.task.shape.plain and isinstance(network.mix, ScalarMix)):
        standardise_head(network, examples, model.collate, seed)
        return None
    table = read_features(network.encoder, examples, model.tokenizer.pad_id)
    targets = np.stack([example.label for example in examples if isinstance(example.label, np.ndarray)])  # (n, C)
    found = fit_targets(table, targets, objective, seed)
    install(found.head, network.task, network.mix)
    return found


def as_facts(found: FittedTargets) -> dict[str, object]:
    """What cross-validation chose, for a model's facts."""
    return asdict(found.choice)
