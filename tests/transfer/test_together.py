"""Several tasks at once: which task each step is of, and that a step teaches its own head and the shared encoder."""

import copy

import numpy as np
import pytest
import torch

from langnet.encoders.registry import build_encoder
from langnet.errors import LangnetError
from langnet.tasks.classify import Classify, ClassifyConfig
from langnet.tasks.examples import Example, ExampleBatches, collate
from langnet.transfer.features import ScalarMix
from langnet.transfer.groups import model_groups
from langnet.transfer.model import TaskModel
from langnet.transfer.together import MixedBatches, TasksTogether, task_shares


def examples(n: int, n_classes: int = 2) -> list[Example]:
    generator = np.random.default_rng(n)
    return [Example(generator.integers(5, 50, size=6), int(generator.integers(n_classes))) for _ in range(n)]


def batches(*sizes: int, temperature: float = 2.0, seed: int = 0) -> MixedBatches:
    parts = [ExampleBatches(examples(n), 4, seed, lambda found: collate(found, 16, 0)) for n in sizes]
    return MixedBatches(parts, temperature, seed)


@pytest.fixture
def together() -> TasksTogether:
    encoder = build_encoder("gpt", "tiny", 60, 0, 16)
    tasks = [Classify(ClassifyConfig(classes), encoder.dim) for classes in (2, 3)]
    return TasksTogether([TaskModel(encoder, [(task, 1.0)], ScalarMix(encoder.n_layers + 1)) for task in tasks])


class TestShares:
    def test_temperatures(self) -> None:
        counts = [900, 90, 10]
        assert task_shares(counts, 1) == pytest.approx([0.9, 0.09, 0.01])
        roots = np.sqrt(counts)
        assert task_shares(counts, 2) == pytest.approx(roots / roots.sum())
        assert task_shares(counts, float("inf")) == pytest.approx([1 / 3] * 3)

    @pytest.mark.parametrize("temperature", [0.5, 0, -1, float("nan")])
    def test_refused(self, temperature: float) -> None:
        with pytest.raises(LangnetError, match="the temperature must be 1 or more"):
            task_shares([1, 2], temperature)


class TestBatches:
    def test_tasks_come_as_often_as_their_shares(self) -> None:
        mixed = batches(400, 100, temperature=2)
        drawn = np.bincount([mixed.batch(step).task for step in range(3000)])
        assert drawn / 3000 == pytest.approx([2 / 3, 1 / 3], abs=0.03)

    def test_a_step_is_the_same_whenever_it_is_asked_for(self) -> None:
        forward = [batches(20, 8).batch(step).ids.sum().item() for step in (0, 5, 1500, 7)]
        mixed = batches(20, 8)
        assert [mixed.batch(step).ids.sum().item() for step in (7, 1500, 5, 0)] == forward[::-1]

    def test_every_example_of_a_task_comes_once_an_epoch_of_it(self) -> None:
        mixed = batches(8, 12, temperature=1)
        seen: list[list[torch.Tensor]] = [[], []]
        for step in range(1200):
            batch = mixed.batch(step)
            seen[batch.task].append(batch.ids)
        for rows, epoch in zip(seen, (2, 3), strict=True):
            for start in range(0, len(rows) - epoch, epoch):  # over the borders of blocks of steps too
                assert len(torch.cat(rows[start : start + epoch]).unique(dim=0)) == epoch * 4


class TestModule:
    def test_a_batch_teaches_its_task_and_the_encoder(self, together: TasksTogether) -> None:
        mixed = batches(20, 20)
        step = next(s for s in range(50) if mixed.batch(s).task == 1)
        together.train()(mixed.batch(step))["loss"].backward()
        first, second = together.tasks
        assert all(p.grad is None for p in first.parameters())
        assert all(p.grad is not None for p in second.parameters())
        assert all(p.grad is not None and p.grad.any() for p in together.encoder.layer_groups()[0])
        assert all(p.grad is None for p in together.mixes[0].parameters())

    def test_each_weight_is_held_once(self, together: TasksTogether) -> None:
        held = sum(value.numel() for value in together.state_dict().values())
        parts = [part.state_dict() for part in together.parts]
        heads = sum(v.numel() for part in parts for k, v in part.items() if not k.startswith("encoder."))
        assert held == heads + sum(v.numel() for v in together.encoder.state_dict().values())
        grouped = [id(p) for group in model_groups(together) for p in group.parameters]
        assert sorted(grouped) == sorted({id(p) for p in together.parameters()})

    def test_modes_reach_the_parts(self, together: TasksTogether) -> None:
        together.frozen = True
        together.train()
        assert not together.encoder.training
        assert all(part.training and part.tasks.training for part in together.parts)
        together.eval()
        assert not any(part.training for part in together.parts)

    def test_needs_one_encoder(self, together: TasksTogether) -> None:
        other = copy.deepcopy(together.parts[0])
        with pytest.raises(LangnetError, match="need one encoder"):
            TasksTogether([together.parts[0], other])
