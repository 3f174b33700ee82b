"""What a CUDA device has to do as a processor does; skipped where there is none."""

import numpy as np
import pytest
import torch

from langnet.encoders.registry import build_encoder
from langnet.recipes.finetune import FinetuneOptions, finetune
from langnet.recipes.pretrain import PretrainOptions, pretrain
from langnet.tasks.language_model import LanguageModel
from langnet.training.budget import Budget
from langnet.training.loop import LoopConfig, Trainer
from langnet.training.optimizer import OptimizerConfig
from langnet.training.progress import SilentProgress
from langnet.transfer.groups import encoder_groups
from langnet.transfer.model import TaskModel
from tests.training.test_loop import Counting, KilledAt

pytestmark = pytest.mark.gpu


class Losses(SilentProgress):
    def __init__(self):
        self.found = []

    def update(self, fraction, tokens, seconds, loss):
        self.found.append(loss)


def trainer(device, precision="no", **rest):
    model = TaskModel(build_encoder("gpt-2018", "tiny", 45, seed=3), [(LanguageModel(), 1.0)])
    optimizer = OptimizerConfig("muon", 3e-3)
    config = LoopConfig(Budget(steps=12), optimizer, seed=5, precision=precision, device=device, checkpoint_minutes=0.0)
    return Trainer(model, encoder_groups(model.encoder), Counting(), config, **rest)


@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_the_loss_falls_on_either_device_in_one_process(precision):
    for device in ("cpu", "cuda", "cpu", "cuda:0"):
        losses = Losses()
        run = trainer(device, precision, progress=losses)
        run.run()
        assert run.device.type == torch.device(device).type
        assert next(run.model.parameters()).device.type == run.device.type
        assert np.isfinite(losses.found).all()
        assert losses.found[-1] < losses.found[0]


def test_killed_and_resumed(tmp_path):
    whole = trainer("cuda")
    whole.run()
    with pytest.raises(KeyboardInterrupt):
        trainer("cuda", folder=tmp_path, progress=KilledAt(5)).run()
    resumed = trainer("cuda", folder=tmp_path)
    resumed.run(resume=True)
    for mine, other in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)


def test_from_raw_text_to_predictions(tiny_labelled):
    options = PretrainOptions(size="tiny", context=32, steps=5, batch_tokens=512, device="cuda")
    model = pretrain(tiny_labelled.texts, options, texts=True)
    assert next(model.network.parameters()).device.type == "cpu", "a finished model lies in memory"
    assert np.isfinite(model.score_texts(["The film was fine."])[0].log_probability)
    for method in ("frozen", "finetune"):
        classifier = finetune(
            model, tiny_labelled.texts[:60], tiny_labelled.labels[:60], FinetuneOptions(method, device="cuda", epochs=1)
        )
        before = classifier.predict_proba(tiny_labelled.texts[:20])
        classifier.network.cuda()
        np.testing.assert_allclose(classifier.predict_proba(tiny_labelled.texts[:20]), before, atol=0.02)
