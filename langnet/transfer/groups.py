"""Which weights learn, and how fast: parameter groups, discriminative rates, gradual unfreezing."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from langnet.encoders.encoder import Encoder
from langnet.transfer.model import TaskModel
from langnet.transfer.together import TasksTogether


@dataclass
class ParameterGroup:
    """Parameters that learn at one rate.

    Attributes:
        name: shown in logs.
        parameters: the weights.
        rate: factor on the run's learning rate (discriminative rates).
        weight_decay: factor on the run's weight decay; 0 switches it off for the group.
        hidden: whether the group's matrices are hidden ones, which Muon may take; heads, embeddings are not.
    """

    name: str
    parameters: list[nn.Parameter]
    rate: float = 1.0
    weight_decay: float = 1.0
    hidden: bool = False


def encoder_groups(encoder: Encoder, decay: float = 1.0) -> list[ParameterGroup]:
    """What learns of the encoder, in groups, embeddings first; each learns `decay` times slower than the one above it.

    Howard & Ruder 2018, section 3.2, use 2.6. With 1.0 all layers learn at the same rate.
    """
    groups = encoder.layer_groups()
    outside = {id(parameter) for parameter in groups[0]}
    if encoder.predicts_next:
        outside.add(id(encoder.output_weight()))
    # Those of both directions in one tensor have the shape of a matrix, and are none.
    biases = {id(p) for name, p in encoder.named_parameters() if name.endswith("bias") and p.dim() > 1}
    parts: list[ParameterGroup] = []
    for index, parameters in enumerate(groups):
        rate = decay ** -(len(groups) - 1 - index)
        name = "embeddings" if index == 0 else f"layer {index}"
        learned = [p for p in parameters if p.requires_grad]  # beside adapters, the pretrained weights stay
        parts.append(ParameterGroup(name, [p for p in learned if id(p) not in outside | biases], rate, hidden=True))
        parts.append(ParameterGroup(name, [p for p in learned if id(p) in outside], rate))
        parts.append(ParameterGroup(name, [p for p in learned if id(p) in biases], rate, weight_decay=0.0))
    return [part for part in parts if part.parameters]


def model_groups(model: TaskModel | TasksTogether, decay: float = 1.0, head_rate: float = 1.0) -> list[ParameterGroup]:
    """All groups of a model: the encoder's unless it is frozen, then the mix's and the heads'.

    Args:
        model: encoder, mix and tasks.
        decay: see `encoder_groups`.
        head_rate: factor on the rate of what starts from nothing, beside the encoder's top layer.
    """
    head = [parameter for task in model.tasks for parameter in task.parameters()]
    groups = [] if model.frozen else encoder_groups(model.encoder, decay)
    mix = list(model.mix.parameters())
    if mix:
        groups.append(ParameterGroup("scalar mix", mix, head_rate, weight_decay=0.0))
    if head:
        groups.append(ParameterGroup("head", head, head_rate))
    return groups


class GradualUnfreezing:
    """Thaw one layer after another from the top (Howard & Ruder 2018, section 3.3).

    At the start only the head learns, or the top layer where a task has no head of its own; the layers below join at
    equal distances over the first `until` of the run. What does not learn at the beginning never does.

    Args:
        encoder: whose layers thaw.
        until: the part of the run after which everything learns.
        head: whether anything learns beside the encoder.
    """

    def __init__(self, encoder: Encoder, until: float = 0.5, head: bool = True):
        self.groups = [[p for p in group if p.requires_grad] for group in encoder.layer_groups()]
        self.until, self.least = until, 0 if head else 1

    def __call__(self, fraction: float) -> None:
        """Freeze and thaw for the spent `fraction` of the run."""
        thawed = len(self.groups) if fraction >= self.until else int(fraction / self.until * (len(self.groups) + 1))
        thawed = max(thawed, self.least)
        for distance, parameters in enumerate(reversed(self.groups)):
            for parameter in parameters:
                parameter.requires_grad_(distance < thawed)

    def thaw(self) -> None:
        """Let everything learn again, after the run."""
        self(1.0)
