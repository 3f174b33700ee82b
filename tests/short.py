"""Less of what users get by default, so that the tests stay quick: for this process and for the server of commands."""

import os

from langnet.recipes import finetune_options, seeds, transfer
from langnet.recipes.finetune_options import Course

FULL = transfer.FINETUNE, transfer.SCRATCH
JUDGED = 12  # items that a run is judged by
HEAD_STEPS = 60  # of a head that learns first


def shorten() -> None:
    """One run where users get several, few passes, and no wait for the disk.

    What a test learns for its own sake it asks for by name.
    """
    os.fsync = lambda descriptor: None
    finetune_options.RUNS_OF_FEW = 1  # tests/recipes/test_seeds.py asks for several
    seeds.JUDGED = JUDGED
    transfer.HEAD_STEPS = HEAD_STEPS
    transfer.FINETUNE, transfer.SCRATCH = Course(1e-3, 3, 3), Course(2e-3, 3, 10, 100)
