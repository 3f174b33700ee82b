"""`langnet calibrate`: a temperature for a model's probabilities, and a threshold to abstain below, from other texts.

A model that was fine-tuned is surer on the texts it learned from than on new ones, so both are fitted on texts that it
has not learned from, and that it is not tested on either (Guo et al. 2017, "On calibration of modern neural networks").
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from typing import Any

import numpy as np

from langnet.errors import LangnetError
from langnet.evaluate.abstention import Selective, threshold_for
from langnet.evaluate.calibration import Calibration, calibrate
from langnet.evaluate.predictions import Predictions
from langnet.recipes.model import Model
from langnet.tasks.task import at_temperature
from langnet.text.clean import digest
from langnet.transfer.cross_validation import best_temperature

FEW = 50  # texts below which a temperature says little
_LEAST = 1e-300


@dataclass(frozen=True)
class Calibrated:
    """What was fitted.

    Attributes:
        model: the same model with the temperature, and the threshold where there is one.
        temperature: what scores are divided by from now on.
        before, after: of the probabilities on the texts that it was fitted on; the second flatters a little.
        selective: what the threshold gives there; None where none was wanted.
        warnings: one line each.
    """

    model: Model
    temperature: float
    before: Calibration
    after: Calibration
    selective: Selective | None = None
    warnings: list[str] = field(default_factory=list)


def fit_temperature(
    model: Model, gold: Sequence[str], predictions: Predictions, digest_of_texts: str, target: float | None = None
) -> Calibrated:
    """Fit the temperature with the least log-loss, and a threshold for a wanted accuracy.

    Args:
        model: whose probabilities they are; it is left as it is.
        gold: true classes of texts that it has not learned from.
        predictions: the model's, with its probabilities at a temperature of 1; see `uncalibrated`.
        digest_of_texts: by which `evaluate` knows the texts again.
        target: wanted accuracy of the answers above the threshold; None for no threshold.

    Raises:
        LangnetError: no texts, a class that the model does not know, or a target out of reach.
    """
    table = predictions.probabilities
    if table is None or not len(gold):
        raise LangnetError("there are no probabilities to calibrate")
    place = {name: index for index, name in enumerate(predictions.label_names)}
    unknown = sorted(set(gold) - place.keys())
    if unknown:
        raise LangnetError(
            f"the model does not know the label '{unknown[0]}'; it knows {', '.join(predictions.label_names[:10])}"
        )
    scores = np.log(np.maximum(table, _LEAST))
    hits = np.array([g == p for g, p in zip(gold, predictions.labels, strict=True)], dtype=float)
    # Without a mistake the best temperature is zero, which would call everything certain.
    temperature = 1.0 if hits.all() else best_temperature(scores, np.array([place[name] for name in gold]))[0]
    calibrated = at_temperature(table, temperature)
    tempered = Predictions(predictions.labels, calibrated, predictions.label_names)
    before, after = calibrate(gold, predictions), calibrate(gold, tempered)
    assert before is not None
    assert after is not None
    facts: dict[str, Any] = {"temperature": temperature, "n": len(gold), "digest": digest_of_texts}
    facts |= {"log_loss": [before.log_loss.value, after.log_loss.value], "error": [before.error, after.error]}
    selective = None
    if target is not None:
        threshold, selective = threshold_for(calibrated.max(axis=1), hits, target)
        facts["abstain"] = {"below": threshold, "target": target, "coverage": selective.coverage.value}
    made = replace(model, facts={**model.facts, "calibration": facts})
    return Calibrated(made, temperature, before, after, selective, _warnings(hits))


def _warnings(hits: np.ndarray) -> list[str]:
    found = []
    if len(hits) < FEW:
        found.append(f"{len(hits)} texts say little about a temperature; give some hundreds")
    if hits.all():
        found.append("the model makes no mistake on these texts, so its temperature stays at 1; give more")
    return found


def uncalibrated(model: Model) -> Model:
    """The same model at a temperature of 1 and without a threshold."""
    return replace(model, facts={name: value for name, value in model.facts.items() if name != "calibration"})


def stored_threshold(model: Model, name: str) -> float:
    """The threshold that `calibrate` wrote into the model's folder.

    Raises:
        LangnetError: it holds none.
    """
    found = ((model.facts.get("calibration") or {}).get("abstain") or {}).get("below")
    if found is None:
        raise LangnetError(
            f"{name} holds no threshold; langnet calibrate {name} dev.csv --target-accuracy 0.9 finds one, "
            "or give --abstain-below"
        )
    return float(found)


def digest_of_items(items: Sequence[Any]) -> str:
    """A name for the items of any task, whatever their order and their files."""
    plain = [asdict(item) if is_dataclass(item) and not isinstance(item, type) else item for item in items]
    rows = sorted(
        digest(repr({k: v for k, v in one.items() if k != "source"} if isinstance(one, dict) else one)) for one in plain
    )
    return hashlib.blake2b(b"".join(rows), digest_size=16).hexdigest()


def fitted_warning(facts: Mapping[str, Any], digest_of_texts: str) -> list[str]:
    """A warning where a model of these facts is tested on what its temperature was fitted on."""
    if (facts.get("calibration") or {}).get("digest") != digest_of_texts:
        return []
    return ["the temperature was fitted on these very texts; calibration and abstention flatter the model"]
