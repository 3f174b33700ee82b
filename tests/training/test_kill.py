"""A process that is killed outright, and resumed, ends with the weights of one that never was."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
RUN = """
import hashlib, json, sys, time
from pathlib import Path
import torch
torch.set_num_threads(1)
from tests.training.test_loop import Counting, KilledAt
from langnet.encoders.registry import build_encoder
from langnet.tasks.language_model import LanguageModel
from langnet.training.budget import Budget
from langnet.training.loop import LoopConfig, Trainer
from langnet.training.optimizer import OptimizerConfig
from langnet.training.progress import SilentProgress
from langnet.transfer.groups import encoder_groups
from langnet.transfer.model import TaskModel

class Slow(SilentProgress):
    def update(self, fraction, tokens, seconds, loss):
        time.sleep(float(sys.argv[2]))

model = TaskModel(build_encoder("gpt-2018", "tiny", 45, seed=3), [(LanguageModel(), 1.0)])
config = LoopConfig(Budget(steps=30), OptimizerConfig("muon", 3e-3), seed=5, checkpoint_minutes=0.0, precision="no")
trainer = Trainer(model, encoder_groups(model.encoder), Counting(), config, folder=Path(sys.argv[1]), progress=Slow())
trainer.run(resume=sys.argv[3] == "resume")
digest = hashlib.sha256()
for value in model.state_dict().values():
    digest.update(value.numpy().tobytes())
print(json.dumps({"weights": digest.hexdigest(), "step": trainer.state.step}))
"""


def start(folder, pause="0", resume="no"):
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder), pause, resume],
        stdout=subprocess.PIPE, text=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip


@pytest.mark.slow
def test_killed_outright_while_it_writes(tmp_path):
    whole = json.loads(start(tmp_path / "whole").communicate(timeout=200)[0])
    killed = start(tmp_path / "killed", pause="0.05")
    state = tmp_path / "killed" / "checkpoint" / "state.json"
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:  # a checkpoint is written after every step; wait for a few of them
        try:
            if json.loads(state.read_text(encoding="utf8"))["state"]["step"] >= 5:
                break
        except (OSError, ValueError):
            time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert killed.returncode == -signal.SIGKILL, "the run ended before it was killed"
    resumed = json.loads(start(tmp_path / "killed", resume="resume").communicate(timeout=200)[0])
    assert whole["step"] == resumed["step"] == 30
    assert resumed["weights"] == whole["weights"]
