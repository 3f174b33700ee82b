"""AWD-LSTMs and a plain LSTM that are timed beside each other, each in a process of its own; see `benchmarks.variants`.

`python -m benchmarks.lstm_variants NAME SHAPE` serves rounds of work as `benchmarks.variants` does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.variants import CPU, Data, Shape, Turns, Variant, peak, serve
from langnet.encoders.awd_lstm import AWDLSTM, AWDLSTMConfig
from langnet.tasks.language_model import LanguageModel
from langnet.text.batches import Batch
from langnet.training.budget import Budget
from langnet.training.loop import LoopConfig, Trainer
from langnet.training.machine import default_precision, keep_freed_memory
from langnet.training.optimizer import OptimizerConfig
from langnet.transfer.groups import encoder_groups
from langnet.transfer.model import TaskModel

ACTIVATION_PENALTY, TEMPORAL_PENALTY = 2.0, 1.0  # Merity et al. 2017; fastai's defaults too
# fastai's `awd_lstm_lm_config`, which all AWD-LSTMs here are given.
DROPOUT = {"output": 0.1, "layer": 0.15, "input": 0.25, "word": 0.02, "weight": 0.2}


@dataclass(frozen=True)
class LSTMShape(Shape):
    """ULMFiT's language model in fastai: 400 wide, 1,152 within, three layers, 64 rows of 70 tokens."""

    layers: int = 3
    dim: int = 400
    heads: int = 0
    vocabulary: int = 16_000
    context: int = 70
    batch: int = 64
    steps: int = 1
    warmup: int = 1
    hidden: int = 1152  # width of the layers below the last

    def widths(self) -> list[int]:
        """Of the embeddings and each layer."""
        return [self.dim, *[self.hidden] * (self.layers - 1), self.dim]

    def operations(self) -> int:
        """6 a weight and token: four gates that read the layer below and the layer itself, and the softmax."""
        weights = sum(4 * above * (below + above) for below, above in pairwise(self.widths()))
        return 6 * self.tokens * (weights + self.vocabulary * self.dim)


class _Stream(Data):
    """The same tokens at every step, as rows of a stream that goes on."""

    def batch(self, step: int) -> Batch:
        batch = super().batch(step)
        batch.continues = step > 0
        return batch


def langnet_awd_lstm(shape: Shape) -> None:
    """The library's own loop, with everything that it does in a real run but reading text and validation."""
    assert isinstance(shape, LSTMShape)
    rates = {f"{name}_dropout": rate for name, rate in DROPOUT.items()}
    torch.manual_seed(0)
    encoder = AWDLSTM(AWDLSTMConfig(shape.vocabulary, shape.dim, shape.hidden, shape.layers, **rates))
    model = TaskModel(encoder, [(LanguageModel(ACTIVATION_PENALTY, TEMPORAL_PENALTY), 1.0)])
    loop = LoopConfig(Budget(steps=10**9), OptimizerConfig("adamw"), device="cpu")
    Trainer(model, encoder_groups(encoder), _Stream(shape), loop, progress=Turns(shape)).run()


class _Plain(nn.Module):
    """nn.LSTM under a tied softmax, without any dropout: the least that a language model of this shape needs."""

    def __init__(self, shape: LSTMShape):
        super().__init__()
        self.embedding = nn.Embedding(shape.vocabulary, shape.dim)
        self.layers = nn.ModuleList(
            nn.LSTM(below, above, batch_first=True) for below, above in pairwise(shape.widths())
        )
        self.bias = nn.Parameter(torch.zeros(shape.vocabulary))

    def forward(self, ids: Tensor, state: list[tuple[Tensor, Tensor]] | None) -> tuple[Tensor, list]:
        x, after = self.embedding(ids), []  # (B, T, D)
        for index, layer in enumerate(self.layers):
            x, last = layer(x, None if state is None else state[index])
            after.append(tuple(part.detach() for part in last))
        return F.linear(x, self.embedding.weight, self.bias), after  # (B, T, V)


def plain_lstm(tuned: bool) -> Callable[[Shape], None]:
    """PyTorch's LSTM and AdamW; `tuned` gives it our allocator setting and precision."""

    def run(shape: Shape) -> None:
        assert isinstance(shape, LSTMShape)
        torch.manual_seed(0)
        model, data, state = _Plain(shape).train(), _Stream(shape), None

        def losses() -> Tensor:
            nonlocal state
            scores, state = model(data.ids, state)
            return F.cross_entropy(scores.flatten(0, 1), data.targets.flatten())

        _train(model, losses, tuned, Turns(shape))

    return run


def fastai_awd_lstm(tuned: bool) -> Callable[[Shape], None]:
    """The language model of fastai and its penalties, with PyTorch's AdamW; `tuned` as for `plain_lstm`."""

    def run(shape: Shape) -> None:
        from fastai.text.models.awdlstm import AWD_LSTM, awd_lstm_lm_config
        from fastai.text.models.core import get_language_model

        assert isinstance(shape, LSTMShape)
        torch.manual_seed(0)
        sizes = {"emb_sz": shape.dim, "n_hid": shape.hidden, "n_layers": shape.layers}
        model = get_language_model(AWD_LSTM, shape.vocabulary, config={**awd_lstm_lm_config, **sizes}).train()
        model.reset()
        data = _Stream(shape)

        def losses() -> Tensor:
            scores, raw, dropped = model(data.ids)
            loss = F.cross_entropy(scores.flatten(0, 1), data.targets.flatten())
            loss = loss + ACTIVATION_PENALTY * dropped.float().pow(2).mean()  # what its RNNRegularizer adds
            return loss + TEMPORAL_PENALTY * (raw[:, 1:] - raw[:, :-1]).float().pow(2).mean()

        _train(model, losses, tuned, Turns(shape))

    return run


def _train(model: nn.Module, losses: Callable[[], Tensor], tuned: bool, turns: Turns) -> None:
    """Steps without end, with clipping as langnet's loop has it."""
    half = tuned and keep_freed_memory() is not None and default_precision(CPU) == "bf16"
    optimizer, step = torch.optim.AdamW(model.parameters(), lr=3e-4), 0
    while True:
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = losses()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        step += 1
        turns.update(0.0, step * turns.shape.tokens, 0.0, float(loss.detach()))


VARIANTS: dict[str, Variant] = {
    "fastai": ("fastai AWD-LSTM, as it comes", fastai_awd_lstm(tuned=False)),
    "fastai-tuned": ("fastai AWD-LSTM, our allocator setting and precision", fastai_awd_lstm(tuned=True)),
    "plain": ("nn.LSTM without dropout, as it comes", plain_lstm(tuned=False)),
    "plain-tuned": ("nn.LSTM without dropout, our allocator setting and precision", plain_lstm(tuned=True)),
    "langnet": ("langnet awd-lstm", langnet_awd_lstm),
    "peak": ("largest matrix product", peak),
}


if __name__ == "__main__":
    serve(sys.argv[1:], VARIANTS, LSTMShape)
