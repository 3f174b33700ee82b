"""How a transfer goes: the options that every task shares, each remedy a switch of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from langnet.errors import LangnetError
from langnet.recipes.raw_text import RawText
from langnet.tasks.pooling import Pooling
from langnet.transfer.pseudo_labels import PseudoLabelOptions
from langnet.transfer.schedule import ScheduleConfig

Method = Literal["frozen", "finetune", "scratch"]

FEW_ITEMS = 500  # labelled items below which a transfer is run several times where the options leave it open
RUNS_OF_FEW = 3  # a middle one, and a second that is sound where one fails
ADAPTERS_RATE = 3e-3  # of products that begin at nothing (LOG.md, 2026-11-30)


@dataclass(frozen=True)
class FinetuneOptions:
    """How a classifier is made; every remedy is a switch of its own.

    Attributes:
        method: `frozen` reads features once and fits a linear head on a scalar mix of all layers; `finetune` goes on
            from there and trains everything; `scratch` trains the same architecture from random weights, as a control.
        layers: how many layers, from the lowest, come from the pretrained model beside its embeddings; those above are
            drawn anew (Radford et al. 2018, figure 2). None takes all.
        adapters: rank of the products that learn beside the encoder's matrices, which stay (Hu et al. 2021); 0 lets
            the weights themselves learn.
        epochs: passes over the labelled texts; None takes those of the method, see `Course`, or more, so that a run has
            at least `least_steps` steps.
        least_steps: see `epochs`.
        batch_size: documents a step.
        learning_rate: peak rate of the top layer; None takes the method's, see `Course`.
        layer_decay: each layer learns so much slower than the one above (Howard & Ruder 2018: 2.6).
        schedule: of the rates; slanted triangular as published there.
        gradual_unfreezing: thaw layer by layer during the first half of the run.
        auxiliary_lm: weight of the language-model loss beside the task's (Radford et al. 2018: 0.5); 0 is off.
        head_first: start fine-tuning from the head that frozen features gave (Kumar et al. 2022).
        document_features: read the model's document vectors beside its states, where it has them.
        pooling: from positions to a document; the frozen features are means.
        dropout: before the head.
        max_tokens: the most tokens of a document that are read; its middle is left out.
        learned_tokens: a recurrent encoder learns from so many tokens at the end of longer documents, and reads those
            before for its state alone (Howard & Ruder 2018: BPT3C), which bounds the memory of training.
        dropout_scale: factor on all of the encoder's dropouts, where it has that dial; None leaves them as they are.
        validation_fraction: part of the labelled texts held out to choose the best step; 0 trains on all to the end.
        pseudo_labels: how labels are guessed for `unlabelled` texts; unused without them.
        seed: of heads, data order, dropout and splits.
        seeds: how many runs of a seed each are made, of which one is kept, see `langnet.recipes.seeds`; the split of
            what is held out is the first one's for all. None makes `RUNS_OF_FEW` where a network learns from fewer than
            `FEW_ITEMS` labelled items, and one otherwise.
        precision: `auto`, `no` or `bf16`.
        device: None chooses.
        cached_megabytes: of the states of a frozen encoder that are kept in main memory, so that the epochs of a head
            read them once; 0 reads them anew each time. A classifier's head reads means of them, and needs none.
        forgetting: text that is not learned from; how well the encoder still predicts it is measured before and after.
        scalar_mix: read a learned mix of all layers, or else the top one alone; used where no frozen head comes first.
        hidden: width of a hidden layer in the head (Howard & Ruder 2018: 50), where no frozen head comes first; 0:
            none.
        betas: Adam's (Howard & Ruder 2018: 0.7 and 0.99).
    """

    method: Method = "finetune"
    layers: int | None = None
    adapters: int = 0
    epochs: float | None = None
    least_steps: int = 60
    batch_size: int = 16
    learning_rate: float | None = None
    layer_decay: float = 1.5
    schedule: ScheduleConfig = field(
        default_factory=lambda: ScheduleConfig("slanted-triangular", warmup=0.1, floor=1 / 32)
    )
    gradual_unfreezing: bool = False
    auxiliary_lm: float = 0.0
    head_first: bool = True
    document_features: bool = True
    pooling: Pooling = "mean"
    dropout: float = 0.1
    max_tokens: int = 2048
    learned_tokens: int = 1024
    dropout_scale: float | None = None
    validation_fraction: float = 0.0
    pseudo_labels: PseudoLabelOptions = field(default_factory=PseudoLabelOptions)
    seed: int = 0
    seeds: int | None = None
    precision: Literal["auto", "no", "bf16"] = "auto"
    device: str | None = None
    cached_megabytes: int = 1024
    forgetting: RawText | None = None
    scalar_mix: bool = True
    hidden: int = 0
    betas: tuple[float, float] = (0.9, 0.99)

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise LangnetError(f"there is no method '{self.method}'; choose {', '.join(get_args(Method))}")
        for name in (
            "epochs",
            "least_steps",
            "batch_size",
            "learning_rate",
            "layer_decay",
            "max_tokens",
            "learned_tokens",
        ):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise LangnetError(f"the {name.replace('_', ' ')} must be above zero, not {value:g}")
        for name in ("dropout", "validation_fraction"):
            if not 0 <= getattr(self, name) < 1:
                raise LangnetError(
                    f"the {name.replace('_', ' ')} must be from 0 to below 1, not {getattr(self, name):g}"
                )
        if self.layers is not None and self.layers < 0:
            raise LangnetError(f"{self.layers} layers cannot be taken; choose 0 (the embeddings alone) or more")
        if self.layers is not None and self.method == "scratch":
            raise LangnetError("from scratch no layers are taken from the model; leave the number of layers out")
        if self.seeds is not None and self.seeds < 1:
            raise LangnetError(f"{self.seeds} runs make no model; choose 1 or more seeds")
        if (self.seeds or 1) > 1 and self.method == "frozen":
            raise LangnetError("a head on a frozen encoder is learned once; leave --seeds out, or take finetune")
        if self.forgetting and self.method == "scratch":
            raise LangnetError("from scratch nothing is kept that could be forgotten; leave --forgetting out")
        if self.adapters < 0:
            raise LangnetError(f"adapters of rank {self.adapters} cannot be; choose 1 or more, or 0 for none")
        if self.adapters and self.method != "finetune":
            raise LangnetError(
                f"adapters learn beside pretrained weights, which the method '{self.method}' has no use for; take the "
                "method finetune, or leave the adapters out"
            )
        if self.hidden < 0:
            raise LangnetError(f"a hidden layer cannot be {self.hidden} wide; 0 does without one")
        if self.cached_megabytes < 0:
            raise LangnetError(f"the megabytes of kept states must be 0 or more, not {self.cached_megabytes}")
        if self.auxiliary_lm < 0:
            raise LangnetError(f"the weight of the language-model loss must be 0 or more, not {self.auxiliary_lm:g}")

    def runs(self, n_items: int) -> int:
        """How many runs are made from so many labelled items."""
        if self.seeds is not None:
            return self.seeds
        return RUNS_OF_FEW if self.method != "frozen" and n_items < FEW_ITEMS else 1


@dataclass(frozen=True)
class Course:
    """What a run takes where its options leave it open: fewer passes over many items than over few.

    Attributes:
        rate: peak rate of the top layer.
        fewest, most: passes over the labelled items.
        steps: between these as many passes as make so many steps.
    """

    rate: float
    fewest: float
    most: float
    steps: int = 0

    def passes(self, options: FinetuneOptions, batches_per_epoch: int) -> float:
        """Over items that make so many batches."""
        own = min(self.most, max(self.fewest, self.steps / batches_per_epoch))
        return options.epochs or max(own, options.least_steps / batches_per_epoch)

    def peak(self, options: FinetuneOptions) -> float:
        """The peak rate."""
        return options.learning_rate or (ADAPTERS_RATE if options.adapters else self.rate)
