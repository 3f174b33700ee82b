"""The state between batches: given on as it was, kept in the checkpoint, and the same after a resumed run."""

import pytest
import torch

from langnet.encoders.registry import build_encoder
from langnet.tasks.language_model import LanguageModel
from langnet.text.batches import Batch
from langnet.training.budget import Budget
from langnet.training.carried import detached, flat, nested
from langnet.training.loop import LoopConfig, Trainer
from langnet.training.optimizer import OptimizerConfig
from langnet.transfer.groups import encoder_groups
from langnet.transfer.model import TaskModel
from tests.training.test_loop import KilledAt, weights


class Streams:
    """One long sequence a row, each token the one before plus one, in pieces of 8; a new one every five steps."""

    def batch(self, step):
        start = 8 * (step % 5)
        ids = (torch.arange(4)[:, None] * 7 + torch.arange(start, start + 9)) % 40 + 5
        mask = torch.ones(4, 8, dtype=torch.bool)
        return Batch(ids[:, :-1], mask, ids[:, 1:], n_examples=4, continues=step % 5 > 0, rate=1.0 + step % 2)


def trainer(folder=None, steps=13, progress=None, optimizer="adamw", precision="no"):
    encoder = build_encoder("awd-lstm", "tiny", 45, seed=3)
    model = TaskModel(encoder, [(LanguageModel(2.0, 1.0), 1.0)])
    config = LoopConfig(Budget(steps=steps), OptimizerConfig(optimizer, 3e-3), seed=5, precision=precision)
    return Trainer(model, encoder_groups(model.encoder), Streams(), config, folder=folder, progress=progress)


@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_killed_and_resumed_gives_the_same_weights(tmp_path, precision):
    whole = trainer(precision=precision)
    whole.run()
    killed = trainer(tmp_path, progress=KilledAt(8), precision=precision)
    with pytest.raises(KeyboardInterrupt):
        killed.run()
    resumed = trainer(tmp_path, precision=precision)
    resumed.run(resume=True)
    assert torch.equal(weights(whole), weights(resumed))
    forgetful = trainer(tmp_path / "other", progress=KilledAt(8), precision=precision)
    with pytest.raises(KeyboardInterrupt):
        forgetful.run()
    forgetful.carried = None
    forgetful.progress = KilledAt(100)
    forgetful.run()
    assert not torch.equal(weights(whole), weights(forgetful)), "the state made no difference"


def test_the_model_reads_what_the_batch_before_left():
    run = trainer(steps=7)
    given = []
    handle = run.model.encoder.register_forward_pre_hook(lambda module, arguments: given.append(arguments[2]))
    run.run()
    handle.remove()
    assert [state is None for state in given] == [True, False, False, False, False, True, False]
    assert not any(tensor.requires_grad for state in given for tensor in flat(state, "s").values())


def test_the_rate_follows_the_length():
    run = trainer(steps=2)
    seen = []
    step = run._update
    run._update = lambda loss: (seen.append(run.optimizers[0].param_groups[0]["lr"]), step(loss))
    run.run()
    assert seen[0] == pytest.approx(3e-3 * run.config.schedule.factor(0.25))
    assert seen[1] == pytest.approx(2 * 3e-3 * run.config.schedule.factor(0.75))


def test_a_state_of_lists_is_flat_and_back():
    state = [(torch.ones(2), torch.zeros(1)), (torch.ones(3), torch.zeros(4))]
    tensors = flat(state, "carried")
    assert sorted(tensors) == ["carried/0/0", "carried/0/1", "carried/1/0", "carried/1/1"]
    torch.testing.assert_close(nested({**tensors, "model/x": torch.ones(1)}, "carried"), detached(state))
    assert nested({}, "carried") is None


def test_loss_falls():
    run = trainer(steps=120)
    run.run()
    with torch.no_grad():
        run.model.eval()
        assert run.model(Streams().batch(10_000))["loss"] < 1.0  # log(45) = 3.8 before training
