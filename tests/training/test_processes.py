"""Several processes train what one process would, on the same batches; and stop together."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from langnet.cli import main
from langnet.training.processes import average_gradients, is_main_process, shared_sums

ROOT = Path(__file__).parent.parent.parent
RUN = """
import hashlib, json, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from tests.training.test_loop import Counting
from langnet.encoders.registry import build_encoder
from langnet.tasks.language_model import LanguageModel
from langnet.training.budget import Budget
from langnet.training.loop import LoopConfig, Trainer
from langnet.training.optimizer import OptimizerConfig
from langnet.training.processes import is_main_process
from langnet.transfer.groups import encoder_groups
from langnet.transfer.model import TaskModel
from safetensors.torch import save_file

model = TaskModel(build_encoder("gpt", "tiny", 45, seed=3), [(LanguageModel(), 1.0)])
budget = Budget(minutes=0.05) if sys.argv[3] == "minutes" else Budget(steps=8)
config = LoopConfig(
    budget, OptimizerConfig("muon", 3e-3), accumulation=int(sys.argv[2]), precision="no", device="cpu",
    validations=2, keep_best=True,
)
rank = 0 if is_main_process() else 1
validate = lambda: {"rank": float(rank)}  # the main process's value counts everywhere
trainer = Trainer(model, encoder_groups(model.encoder), Counting(), config, validate=validate)
result = trainer.run()
weights = {name: value.clone() for name, value in model.state_dict().items()}
save_file(weights, f"{sys.argv[1]}-{rank}.safetensors")
facts = {"steps": result.state.step, "tokens": result.state.tokens, "best": result.state.best}
facts["losses"] = [record["loss"] for record in result.history if "loss" in record]
Path(f"{sys.argv[1]}-{rank}.json").write_text(json.dumps(facts))
"""


def start(arguments, processes=2):
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)] * (processes > 1)
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, *launcher, *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=environment, start_new_session=True,
    )  # fmt: skip


def run(arguments, processes=2):
    process = start(arguments, processes)
    said = process.communicate(timeout=250)[0]
    assert process.returncode == 0, said[-2000:]
    return said


def result(path):
    return load_file(f"{path}.safetensors"), json.loads(Path(f"{path}.json").read_text(encoding="utf8"))


def test_one_process_is_its_own_main():
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.grad = torch.tensor([1.0, 2.0])
    average_gradients([parameter])
    assert parameter.grad.tolist() == [1.0, 2.0]
    assert shared_sums([1.5, True], torch.device("cpu")) == [1.5, 1]
    assert is_main_process()


def test_verbs_for_one_process_say_so(monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(sys, "argv", ["langnet", "models"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "models runs in one process, not in 2; only pretrain and adapt can be started by torchrun" in (
        capsys.readouterr().err
    )


@pytest.mark.slow
def test_two_processes_end_where_one_does_that_accumulates(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(RUN, encoding="utf8")
    run([script, tmp_path / "two", 1, "steps"])
    run([script, tmp_path / "one", 2, "steps"], processes=1)
    run([script, tmp_path / "timed", 1, "minutes"])
    (one, facts), (main_weights, main_facts), (other, other_facts) = (
        result(tmp_path / name) for name in ("one-0", "two-0", "two-1")
    )
    assert main_facts == {**facts, "losses": main_facts["losses"]} == other_facts
    np.testing.assert_allclose(main_facts["losses"], facts["losses"], rtol=1e-6)
    for name, value in one.items():
        assert torch.equal(main_weights[name], other[name])
        np.testing.assert_allclose(main_weights[name].numpy(), value.numpy(), rtol=1e-5, atol=1e-7)
    (timed, timed_facts), (timed_other, _) = result(tmp_path / "timed-0"), result(tmp_path / "timed-1")
    assert timed_facts["steps"] > 3
    assert all(torch.equal(timed[name], timed_other[name]) for name in timed), "the clocks of two processes differ"


@pytest.mark.slow
def test_the_command_line_in_two_processes(tmp_path):
    lines = [f"The film number {n} was long, and {n * 7919 % 101} people saw it." for n in range(400)]
    (tmp_path / "raw.txt").write_text("\n".join(lines), encoding="utf8")
    command = ["-m", "langnet", "pretrain", tmp_path / "raw.txt", "--documents", "line", "--size", "tiny"]
    said = run([*command, "--output", tmp_path / "lm", "--steps", 4])
    assert said.count("held-out texts") == 1, "only the main process speaks"
    assert (tmp_path / "lm/config.json").exists()
    records = [json.loads(line) for line in (tmp_path / "lm.run/history.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records if "validation_bits_per_byte" in record][-1] == 4

    long = [*command, "--output", tmp_path / "long", "--steps", 100_000]
    process = start(long)
    history = tmp_path / "long.run/history.jsonl"
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and not (history.exists() and history.read_text()):
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    said = process.communicate(timeout=60)[0]
    assert process.returncode not in (0, None)
    assert "with --resume goes on" in said
    assert not (tmp_path / "long").exists()
    state = json.loads((tmp_path / "long.run/checkpoint/state.json").read_text())["state"]
    assert state["step"] > 0
    said = run([*long[:-1], state["step"] + 2, "--resume"])
    assert "held-out texts" in said
