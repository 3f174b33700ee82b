"""NT-ASGD: its steps and average recomputed in numpy, its trigger, and a resumed run."""

import numpy as np
import pytest
import torch
from torch import nn

from langnet.training.averaged_sgd import AveragedSGD, averages_in_place
from tests.training.test_carried import trainer
from tests.training.test_loop import KilledAt, weights


def test_steps_and_average_are_those_of_numpy():
    generator = np.random.default_rng(0)
    start, gradients = generator.normal(size=4), generator.normal(size=(5, 4))
    weight = nn.Parameter(torch.from_numpy(start.copy()))
    optimizer = AveragedSGD([{"params": [weight], "weight_decay": 0.1}], lr=0.5)
    expected, path = start.copy(), []
    for number, gradient in enumerate(gradients):
        if number == 2:
            optimizer.param_groups[0]["averaging"] = True
        weight.grad = torch.from_numpy(gradient)
        optimizer.step()
        expected = expected - 0.5 * (gradient + 0.1 * expected)
        path.append(expected)
    np.testing.assert_allclose(weight.detach().numpy(), expected)
    with averages_in_place([optimizer]):
        np.testing.assert_allclose(weight.detach().numpy(), np.mean(path[2:], axis=0))
    np.testing.assert_allclose(weight.detach().numpy(), expected)


def test_the_trigger_looks_past_the_last_validations():
    optimizer = AveragedSGD([{"params": [nn.Parameter(torch.zeros(1))]}], lr=1.0, patience=2)
    for value, expected in [(3.0, False), (2.0, False), (2.5, False), (2.6, False), (2.7, True), (1.0, True)]:
        # 2.6 is better than 3.0, the only one more than two validations back; 2.7 is worse than 2.0.
        optimizer.validated(value)
        assert optimizer.averaging is expected, value


def test_killed_and_resumed_gives_the_same_averages(tmp_path):
    def run(folder=None, progress=None):
        made = trainer(folder, steps=26, progress=progress, optimizer="nt-asgd")
        made.validate = lambda: {"loss": float(made.state.step)}  # the seventh, at step 19, begins the average
        return made

    whole = run()
    whole.run()
    assert whole.optimizers[0].averaging
    killed = run(tmp_path, KilledAt(22))
    with pytest.raises(KeyboardInterrupt):
        killed.run()
    resumed = run(tmp_path)
    resumed.run(resume=True)
    assert torch.equal(weights(whole), weights(resumed))
