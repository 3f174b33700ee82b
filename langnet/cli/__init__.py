"""The command line: every verb of langnet in a file of its name, each with worked examples in its help."""

# Each verb adds itself to the application when its module is imported.
from langnet.cli import (
    adapt,
    align,
    backtranslate,
    calibrate,
    demo,
    encoders,
    evaluate,
    explain,
    finetune,
    generate,
    inspect,
    models,
    multitask,
    predict,
    pretrain,
    score,
    study,
    ulmfit,
    vectors,
    zero,
)
from langnet.cli.app import main

__all__ = [
    "adapt", "align", "backtranslate", "calibrate", "demo", "encoders", "evaluate", "explain", "finetune", "generate",
    "inspect", "main", "models", "multitask", "predict", "pretrain", "score", "study", "ulmfit", "vectors", "zero",
]  # fmt: skip
