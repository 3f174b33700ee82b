"""The loop: same seed, same weights; killed and resumed, same weights; a loss that falls; a clear end."""

import signal
from dataclasses import replace

import pytest
import torch

from langnet.encoders.registry import build_encoder
from langnet.errors import LangnetError
from langnet.tasks.language_model import LanguageModel
from langnet.text.batches import Batch
from langnet.training.budget import Budget
from langnet.training.checkpoint import read_checkpoint
from langnet.training.loop import LoopConfig, Trainer
from langnet.training.optimizer import OptimizerConfig, orthogonalise
from langnet.training.progress import SilentProgress
from langnet.transfer.groups import ParameterGroup, encoder_groups
from langnet.transfer.model import TaskModel
from langnet.transfer.schedule import ScheduleConfig


class Counting:
    """Batches of a sequence that can be learned: each token is the one before plus one."""

    def batch(self, step):
        generator = torch.Generator().manual_seed(step)
        ids = (torch.randint(40, (4, 1), generator=generator) + torch.arange(16)) % 40 + 5
        return Batch(ids, torch.ones_like(ids, dtype=torch.bool), n_examples=4)


class KilledAt(SilentProgress):
    def __init__(self, step):
        self.left = step

    def update(self, fraction, tokens, seconds, loss):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def trainer(folder=None, steps=12, progress=None, optimizer="muon", family="gpt-2018"):
    model = TaskModel(build_encoder(family, "tiny", 45, seed=3), [(LanguageModel(), 1.0)])
    config = LoopConfig(Budget(steps=steps), OptimizerConfig(optimizer, 3e-3), seed=5)
    return Trainer(model, encoder_groups(model.encoder), Counting(), config, folder=folder, progress=progress)


def weights(run):
    return torch.cat([p.detach().flatten() for p in run.model.parameters()])


def test_same_seed_gives_the_same_weights():
    first, second = trainer(), trainer()
    first.run(), second.run()
    assert torch.equal(weights(first), weights(second))


@pytest.mark.parametrize("budget", [Budget(steps=10), Budget(tokens=640)])
def test_the_first_step_of_a_warm_up_learns(budget):
    """A warm-up of two steps is a quarter done in the middle of the first of ten, of 64 tokens each."""
    run = trainer()
    run.config = replace(run.config, budget=budget, schedule=ScheduleConfig("linear", warmup=0.2))
    run._step(0.0)
    rates = [group["lr"] / group["peak"] for optimizer in run.optimizers for group in optimizer.param_groups]
    assert rates == pytest.approx([0.25] * len(rates))


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_killed_and_resumed_gives_the_same_weights(tmp_path, optimizer):
    whole = trainer(optimizer=optimizer)
    whole.run()
    killed = trainer(tmp_path, progress=KilledAt(5), optimizer=optimizer)
    with pytest.raises(KeyboardInterrupt):
        killed.run()
    resumed = trainer(tmp_path, optimizer=optimizer)
    result = resumed.run(resume=True)
    assert result.state.step == 12
    assert torch.equal(weights(whole), weights(resumed))
    assert not torch.equal(weights(whole), weights(killed))


class InterruptedIn(Counting):
    """Ctrl-C in the middle of a step."""

    def __init__(self, step, times=1):
        self.step, self.times = step, times

    def batch(self, step):
        if step == self.step:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)
        return super().batch(step)


def test_an_interrupted_step_is_finished_before_the_checkpoint(tmp_path):
    whole = trainer()
    whole.run()
    handler = signal.getsignal(signal.SIGINT)
    interrupted = trainer(tmp_path)
    interrupted.batches = InterruptedIn(5)
    with pytest.raises(KeyboardInterrupt):
        interrupted.run()
    assert interrupted.state.step == 6
    assert signal.getsignal(signal.SIGINT) is handler
    resumed = trainer(tmp_path)
    resumed.run(resume=True)
    assert torch.equal(weights(whole), weights(resumed))


def test_a_second_interrupt_stops_at_once_and_leaves_no_half_step(tmp_path):
    interrupted = trainer(tmp_path)
    interrupted.batches = InterruptedIn(5, times=2)
    with pytest.raises(KeyboardInterrupt):
        interrupted.run()
    assert interrupted.state.step == 5
    assert not (tmp_path / "checkpoint").exists()


def test_loss_falls():
    run = trainer(steps=80, family="gpt")
    run.run()
    with torch.no_grad():
        assert run.model(Counting().batch(10_000))["loss"] < 1.0  # log(45) = 3.8 before training


class BrokenSlope(torch.nn.Module):
    """A loss that is a number, whose gradient is none."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(2))

    def forward(self, batch):
        return {"loss": 1 + (0 * self.weight).sqrt().sum()}


@pytest.mark.parametrize("clip", [0.0, 1.0])
def test_a_gradient_that_is_no_number_is_not_taken(clip):
    model = BrokenSlope()
    config = LoopConfig(Budget(steps=3), OptimizerConfig("adamw"), clip=clip, device="cpu")
    state = Trainer(model, [ParameterGroup("all", [model.weight])], Counting(), config).run().state
    assert state.bad_steps == 3
    assert model.weight.tolist() == [0, 0]


def test_callers_random_state_is_left_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    trainer(steps=2).run()
    assert torch.equal(torch.rand(3), expected)


def test_checkpoint_of_another_model_is_refused(tmp_path):
    killed = trainer(tmp_path, progress=KilledAt(2))
    with pytest.raises(KeyboardInterrupt):
        killed.run()
    with pytest.raises(LangnetError, match="belongs to another model or optimizer"):
        trainer(tmp_path, family="gpt").run(resume=True)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_orthogonalise_pushes_singular_values_to_one(precision):
    matrices = torch.randn(3, 20, 8, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalise(matrices, precision=precision))
    assert values.min() > 0.5
    assert values.max() < 1.3


def test_budget_wants_exactly_one():
    with pytest.raises(LangnetError, match="exactly one"):
        Budget(steps=1, minutes=1)


def test_the_random_state_of_a_device_is_kept(tmp_path, monkeypatch):
    """Of Apple's, whose dropout draws from a state of its own."""
    held, run = [torch.tensor([1, 2], dtype=torch.uint8)], trainer(tmp_path, progress=KilledAt(2))
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    monkeypatch.setattr("torch.mps.get_rng_state", lambda: held[0])
    monkeypatch.setattr("torch.mps.set_rng_state", held.append)
    with pytest.raises(KeyboardInterrupt):
        run.run()
    assert read_checkpoint(tmp_path, run.model, run.optimizers)
    assert torch.equal(held[1], held[0])
