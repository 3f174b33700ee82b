"""What is timed, each in a process of its own, since an allocator's settings hold for a whole process.

`python -m benchmarks.variants NAME SHAPE` waits for lines on standard input; for each it does a round of work and
answers with one line of JSON. A process that waits uses no processor, so rounds of several can take turns.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from langnet.encoders.gpt import GPT, PUBLISHED_2018, GPTConfig
from langnet.tasks.language_model import LanguageModel
from langnet.text.batches import Batch
from langnet.training.budget import Budget
from langnet.training.loop import LoopConfig, Trainer
from langnet.training.machine import default_precision, keep_freed_memory
from langnet.training.optimizer import OptimizerConfig
from langnet.training.progress import SilentProgress
from langnet.transfer.groups import encoder_groups
from langnet.transfer.model import TaskModel

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Shape:
    """The model and the batch that all variants share, and how much is timed."""

    layers: int = 4
    dim: int = 256
    heads: int = 4
    vocabulary: int = 8192
    context: int = 256
    batch: int = 16
    steps: int = 4  # timed together, as one round
    warmup: int = 2  # steps before the first round
    matrix: int = 2048  # side of the square matrices whose product gives the machine's peak
    busy: int = 0  # 1: one thread and processor time, for a machine that has other work; 0: all threads, by the clock

    @property
    def tokens(self) -> int:
        """Tokens of a batch."""
        return self.batch * self.context

    def now(self) -> float:
        """Seconds: of the clock, or of this process on the processor."""
        return time.process_time() if self.busy else time.perf_counter()

    def operations(self) -> int:
        """Floating-point operations of a training step's matrix products, forward and backward.

        6 a weight and token, softmax included, and the half of the attention matrix that a causal model needs: 2 sums
        (scores, mixture) of context / 2 x dim products a token and layer, 2 operations each, three times.
        """
        weights = self.layers * 12 * self.dim**2 + self.vocabulary * self.dim
        attention = self.layers * 6 * self.context * self.dim
        return self.tokens * (6 * weights + attention)


class Data:
    """Random tokens, one batch for all steps: nothing is read or tokenized while the clock runs."""

    def __init__(self, shape: Shape):
        generator = torch.Generator().manual_seed(0)
        ids = torch.randint(shape.vocabulary, (shape.batch, shape.context + 1), generator=generator)
        self.ids, self.targets = ids[:, :-1].contiguous(), ids[:, 1:].contiguous()  # (B, T)

    def batch(self, step: int) -> Batch:
        mask = torch.ones_like(self.ids, dtype=torch.bool)
        return Batch(self.ids, mask, self.targets, n_examples=len(self.ids))


class Turns(SilentProgress):
    """Lets the loop run for a round of steps, tells how long they took, and holds it until the next line comes."""

    def __init__(self, shape: Shape):
        self.shape, self.count, self.started = shape, 0, 0.0

    def update(self, fraction: float, tokens: int, seconds: float, loss: float | None) -> None:
        self.count += 1
        done = self.count - self.shape.warmup
        if done < 0 or done % self.shape.steps:
            return
        if done:
            answer({"seconds": (self.shape.now() - self.started) / self.shape.steps, "loss": loss or 0.0})
        wait()
        self.started = self.shape.now()


def answer(values: dict[str, float]) -> None:
    """One line of JSON."""
    print(json.dumps(values), flush=True)


def wait() -> None:
    """Return at the next line of standard input; end the process where there is none."""
    if not sys.stdin.readline():
        sys.exit(0)


def langnet_model(family: str, optimizer: str) -> Callable[[Shape], None]:
    """The library's own loop, with everything that it does in a real run but reading text and validation."""

    def run(shape: Shape) -> None:
        fixed = PUBLISHED_2018 if family == "gpt-2018" else {}
        config = GPTConfig(
            shape.vocabulary, shape.context, shape.dim, shape.layers, shape.heads, 4 * shape.dim, **fixed
        )
        torch.manual_seed(0)
        encoder = GPT(config)
        model = TaskModel(encoder, [(LanguageModel(), 1.0)])
        loop = LoopConfig(Budget(steps=10**9), OptimizerConfig(optimizer), device="cpu")  # type: ignore[arg-type]
        Trainer(model, encoder_groups(encoder), Data(shape), loop, progress=Turns(shape)).run()

    return run


def transformers_gpt2(tuned: bool) -> Callable[[Shape], None]:
    """GPT-2 of transformers with PyTorch's AdamW; `tuned` gives it our allocator setting and precision."""

    def run(shape: Shape) -> None:
        from transformers import GPT2Config, GPT2LMHeadModel

        half = tuned and keep_freed_memory() is not None and default_precision(CPU) == "bf16"
        torch.manual_seed(0)
        config = GPT2Config(
            vocab_size=shape.vocabulary, n_positions=shape.context, n_embd=shape.dim, n_layer=shape.layers,
            n_head=shape.heads, bos_token_id=0, eos_token_id=0,
        )  # fmt: skip
        model: nn.Module = GPT2LMHeadModel(config).train()
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
        data, turns, step = Data(shape), Turns(shape), 0
        while True:
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                loss: Tensor = model(input_ids=data.ids, labels=data.ids).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            step += 1
            turns.update(0.0, step * shape.tokens, 0.0, float(loss.detach()))

    return run


def peak(shape: Shape) -> None:
    """Operations a second of one large matrix product, in float32 and bfloat16: the best of several."""
    keep_freed_memory()
    while True:
        wait()
        found = {}
        for name, dtype in (("no", torch.float32), ("bf16", torch.bfloat16)):
            if name == "bf16" and default_precision(CPU) != "bf16":
                continue  # emulated, it would take minutes
            found[name] = fastest_product(shape.matrix, dtype, shape.now)
        answer(found)


def fastest_product(side: int, dtype: torch.dtype, now: Callable[[], float] = time.perf_counter) -> float:
    """Operations a second of one product of square matrices, the best of six."""
    a, times = torch.randn(side, side).to(dtype), []
    for _ in range(6):
        started = now()
        a @ a
        times.append(now() - started)
    return 2 * side**3 / min(times)


Variant = tuple[str, Callable[[Shape], None]]  # how a row is called, and what it does
VARIANTS: dict[str, Variant] = {
    "gpt2-default": ("transformers GPT-2, default settings", transformers_gpt2(tuned=False)),
    "gpt2-tuned": ("transformers GPT-2, our allocator setting and precision", transformers_gpt2(tuned=True)),
    "gpt-adamw": ("langnet gpt, AdamW", langnet_model("gpt", "adamw")),
    "gpt-muon": ("langnet gpt, Muon", langnet_model("gpt", "muon")),
    "gpt-2018": ("langnet gpt-2018, AdamW", langnet_model("gpt-2018", "adamw")),
    "peak": ("largest matrix product", peak),
}


def serve(arguments: Sequence[str], variants: dict[str, Variant], kind: type[Shape]) -> None:
    """Serve rounds of the variant that the arguments name until standard input ends."""
    shape = kind(**json.loads(arguments[1]))
    if shape.busy:
        torch.set_num_threads(1)
    variants[arguments[0]][1](shape)


def command(name: str, shape: Shape, module: str = "benchmarks.variants") -> list[str]:
    """What starts the process of a variant of a module."""
    return [sys.executable, "-m", module, name, json.dumps(asdict(shape))]


if __name__ == "__main__":
    serve(sys.argv[1:], VARIANTS, Shape)
