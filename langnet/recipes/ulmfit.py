"""ULMFiT's three stages as one recipe: a general language model, the same on the target text, a classifier.

Howard & Ruder, "Universal Language Model Fine-tuning for Text Classification", 2018. The settings are the paper's but
for the classifier's rate: each layer learns 2.6 times slower than the one above, rates in a slanted triangle (cut 0.1,
ratio 32), Adam with betas of 0.7 and 0.99, a classifier on the last state beside maximum and mean over time with a
hidden layer of 50, thawed layer by layer, long texts read in pieces; and the average of a model that reads forward and
one that reads backward.

Every stage leaves its model in a folder of its own. A run that is started again takes the stages that are there, and
goes on with the one that was interrupted from its last checkpoint.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from langnet.errors import LangnetError
from langnet.hub.folder import is_model_folder
from langnet.recipes.ensemble import Ensemble, average
from langnet.recipes.finetune import finetune
from langnet.recipes.finetune_options import FinetuneOptions
from langnet.recipes.model import Model, load
from langnet.recipes.pretrain import PretrainOptions, Run, adapt, pretrain
from langnet.text.clean import digest
from langnet.text.corpus import fingerprint
from langnet.text.tokenizer import Direction
from langnet.training.checkpoint import has_checkpoint, remove_checkpoint
from langnet.training.progress import Progress
from langnet.transfer.schedule import named_schedule

STAGES = ("1-general", "2-target", "3-classifier")
RECORD = "ulmfit.json"
Reading = Literal["forward", "backward", "both"]


def general_options() -> PretrainOptions:
    """Stage 1: an AWD-LSTM on general text."""
    return PretrainOptions("awd-lstm", "small", document_vectors=False)


def target_options() -> PretrainOptions:
    """Stage 2: section 3.2 of the paper."""
    return PretrainOptions(
        "awd-lstm",
        "small",
        document_vectors=False,
        learning_rate=4e-3,
        layer_decay=2.6,
        schedule=named_schedule("slanted-triangular"),
        betas=(0.7, 0.99),
    )


def classifier_options() -> FinetuneOptions:
    """Stage 3: section 3.3 of the paper, but for the rate, which is 0.01 there.

    There the head has a batch norm, which follows the states while they learn; here their scale is set once, and a head
    with a hidden layer fell back to guessing at 0.01.
    """
    return FinetuneOptions(
        "finetune",
        learning_rate=3e-3,
        layer_decay=2.6,
        schedule=named_schedule("slanted-triangular"),
        gradual_unfreezing=True,
        head_first=False,
        document_features=False,
        pooling="concat",
        scalar_mix=False,
        hidden=50,
        betas=(0.7, 0.99),
        seeds=1,
    )


@dataclass(frozen=True)
class ULMFiTOptions:
    """How the three stages are run; each has a budget of its own.

    Attributes:
        direction: in which texts are read; `both` makes two models of everything, whose probabilities are averaged.
        general: of the first stage; unused where a pretrained model is given.
        target: of the second.
        classifier: of the third.
    """

    direction: Reading = "forward"
    general: PretrainOptions = field(default_factory=general_options)
    target: PretrainOptions = field(default_factory=target_options)
    classifier: FinetuneOptions = field(default_factory=classifier_options)

    def __post_init__(self) -> None:
        if self.direction not in ("forward", "backward", "both"):
            raise LangnetError(f"there is no direction '{self.direction}'; choose forward, backward or both")

    @property
    def directions(self) -> tuple[Direction, ...]:
        """One or two."""
        both: tuple[Direction, ...] = ("forward", "backward")
        return both if self.direction == "both" else tuple(d for d in both if d == self.direction)


def ulmfit(
    texts: Sequence[str],
    labels: Sequence[str],
    folder: str | Path,
    options: ULMFiTOptions | None = None,
    *,
    general: Sequence[str | Path] | None = None,
    pretrained: Sequence[Model | str | Path] | None = None,
    unlabelled: Sequence[str] = (),
    progress: Callable[[str], Progress] | None = None,
) -> Ensemble:
    """Run the three stages, or those that the folder does not hold yet.

    Args:
        texts: labelled documents; the target text of the second stage are these and `unlabelled`.
        labels: their labels.
        folder: holds `forward/1-general`, `forward/2-target`, `forward/3-classifier`, and `backward/` likewise.
        options: how.
        general: files of general text for the first stage; see `langnet.text.corpus.read_documents`.
        pretrained: language models that take the place of the first stage, one a direction.
        unlabelled: further target documents.
        progress: makes what shows the progress of a stage of this title.

    Returns:
        The classifiers under one, of one or two directions.

    Raises:
        LangnetError: neither general text nor a pretrained model, or both; the folder holds stages of other settings.
    """
    options, root = options or ULMFiTOptions(), Path(folder)
    if bool(general) == bool(pretrained):
        raise LangnetError("give general text for the first stage, or a pretrained language model in its place")
    bases = _by_direction(pretrained, options) if pretrained else {}
    makers = []
    for direction in options.directions:
        job = _Direction(root / direction, direction, options, progress)
        start = bases.get(direction)
        makers.append(job.run(list(general or []), start, [*texts, *unlabelled], (texts, labels)))
    return average(makers)


def _by_direction(pretrained: Sequence[Model | str | Path], options: ULMFiTOptions) -> dict[str, Model]:
    """The pretrained model of each direction that is wanted."""
    found: dict[str, Model] = {}
    for given in pretrained:
        model = given if isinstance(given, Model) else load(given)
        if model.is_classifier:
            raise LangnetError("the pretrained model is a classifier; give the language model that it came from")
        if model.direction in found:
            raise LangnetError(f"two pretrained models read {model.direction}; give one a direction")
        found[model.direction] = model
    for direction in options.directions:
        if direction not in found:
            raise LangnetError(
                f"no pretrained model reads {direction}: {', '.join(found)} is what there is; pretrain one with "
                f"--direction {direction}, or ask for another direction"
            )
    for other in found:
        if other not in options.directions:
            raise LangnetError(f"a pretrained model reads {other}, which is not asked for; add --direction both")
    return found


class _Direction:
    """The stages of one direction."""

    def __init__(
        self,
        folder: Path,
        direction: Direction,
        options: ULMFiTOptions,
        progress: Callable[[str], Progress] | None,
    ):
        self.folder, self.direction, self.options, self.progress = folder, direction, options, progress

    def run(
        self,
        general: list[str | Path],
        base: Model | None,
        target: list[str],
        labelled: tuple[Sequence[str], Sequence[str]],
    ) -> Model:
        """The classifier."""
        options = self.options
        first = replace(options.general, direction=self.direction)
        if base is None:
            name = _name(asdict(first), fingerprint(general, first.prepare.corpus))
            base = self._stage(0, name, lambda run: pretrain(general, first, run))
        else:
            name = _name(base.tokenizer.to_json(), base.facts, str(base.network.state_dict().keys()))
        model = base
        name = _name(name, asdict(options.target), sorted(digest(text).hex() for text in target))
        adapted = self._stage(1, name, lambda run: adapt(model, target, options.target, run, texts=True))
        texts, labels = labelled
        name = _name(name, asdict(options.classifier), list(map(list, zip(texts, labels, strict=False))))
        return self._stage(
            2,
            name,
            lambda run: finetune(
                adapted, texts, labels, options.classifier, folder=run.folder, progress=run.progress, resume=run.resume
            ),
        )

    def _stage(self, number: int, name: str, make: Callable[[Run], Model]) -> Model:
        """The stage's model: from its folder, or made now and kept there."""
        folder = self.folder / STAGES[number]
        working = folder.with_name(folder.name + ".run")
        self._claim(working, name)
        if is_model_folder(folder):
            return load(folder)
        title = f"{self.direction}, {STAGES[number].partition('-')[2]}"
        run = Run(working, has_checkpoint(working), self.progress(title) if self.progress else None)
        model = make(run)
        model.save(folder)
        remove_checkpoint(working)
        return model

    def _claim(self, working: Path, name: str) -> None:
        """Write down of what the stage is made, or see that it is made of the same."""
        record = working / RECORD
        if record.exists():
            if json.loads(record.read_text(encoding="utf8")).get("made_of") != name:
                raise LangnetError(
                    f"{working.with_suffix('')} was begun with other settings or texts; choose another folder, or "
                    "delete that stage with its .run folder, and those after it"
                )
            return
        working.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps({"made_of": name}), encoding="utf8")


def _name(*parts: Any) -> str:
    """A digest of what a stage is made of; where it is computed makes no difference."""
    held = json.dumps([_plain(part) for part in parts], sort_keys=True, default=str)
    return hashlib.blake2b(held.encode(), digest_size=16).hexdigest()


def _plain(part: Any) -> Any:
    return {key: value for key, value in part.items() if key != "device"} if isinstance(part, dict) else part
