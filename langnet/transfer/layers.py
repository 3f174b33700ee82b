"""How much of a pretrained encoder a transfer starts from: its embeddings and its lowest layers, the rest drawn anew.

Radford et al. 2018 (figure 2, left) transfer growing numbers of layers to see what each brings; Yosinski et al. 2014
ask the same of networks for pictures. What stands beside the layers, such as a last norm or a softmax of its own, goes
with the layer whose group holds it (`Encoder.layer_groups`).
"""

from __future__ import annotations

from langnet.encoders.encoder import Encoder
from langnet.encoders.registry import build_encoder_like
from langnet.errors import LangnetError


def lowest_layers(encoder: Encoder, layers: int, seed: int) -> Encoder:
    """A new encoder with the embeddings and the lowest `layers` of a pretrained one.

    Args:
        encoder: the pretrained one, which is left as it is.
        layers: from 0, the embeddings alone, to all of them, which gives a copy.
        seed: of all other weights; they are those that `build_encoder_like` draws.

    Raises:
        LangnetError: the encoder has not so many layers.
    """
    check_layers(encoder, layers)
    made = build_encoder_like(encoder, seed)
    taken = {id(parameter) for group in encoder.layer_groups()[: layers + 1] for parameter in group}
    # By name, since a module's parameters need not stand in the order in which they were made.
    weights = {name: value.data for name, value in encoder.named_parameters() if id(value) in taken}
    made.load_state_dict({**made.state_dict(), **weights, **dict(encoder.named_buffers())})
    return made


def check_layers(encoder: Encoder, layers: int) -> None:
    """Nothing, where the encoder has so many layers above its embeddings.

    Raises:
        LangnetError: it has not.
    """
    most = encoder.n_layers
    if not 0 <= layers <= most:
        has = f"{most} layers" if most > 1 else "1 layer" if most else "no layer"
        choice = f"choose 0 (the embeddings alone) to {most}" if most else "0 is all that can be taken"
        raise LangnetError(
            f"{layers} layers are to be taken, but this encoder has {has} above its embeddings; {choice}"
        )
