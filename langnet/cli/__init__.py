"""The command line: every verb of langnet in a file of its name, each with worked examples in its help."""

from langnet.cli import demo, evaluate, finetune, inspect, models, predict, pretrain  # noqa: F401  (each adds its verb)
from langnet.cli.app import main

__all__ = ["main"]
