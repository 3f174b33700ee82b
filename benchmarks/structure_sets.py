"""The sets with structured output of `benchmarks.transfer_table`: roles, trees, chains, pronouns, translations.

GAP's three files come from github.com/google-research-datasets/gap-coreference and lie in the data's folder `gap`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.transfer_sets import ENGLISH, Split, TaskSet, files
from langnet.errors import LangnetError
from langnet.recipes.kinds.kind import Columns
from langnet.recipes.kinds.registry import find_kind

BLANKED = "reddit"  # documents whose words the distribution leaves out


def gum_documents(folder: Path) -> dict[str, list[str]]:
    """The names of GUM's documents by the split that `splits.md` gives them.

    Raises:
        LangnetError: the file names no documents.
    """
    found: dict[str, list[str]] = {}
    split = ""
    for line in (folder / "splits.md").read_text(encoding="utf8").splitlines():
        if line.startswith("## "):
            split = line[3:].strip()
        elif (name := re.match(r"\s*\*\s+(\S+)", line)) and BLANKED not in name[1]:
            found.setdefault(split, []).append(name[1])
    if not found:
        raise LangnetError(f"{folder / 'splits.md'} names no documents")
    return found


def _gum(kind: str, under: str, suffix: str) -> Callable[[Path], Split]:
    """GUM's documents; those that its splits do not name are learned from."""

    def read(data: Path) -> Split:
        folder, splits = data / "gum" / under, gum_documents(data / "gum")
        held = {name for split, names in splits.items() for name in names if split in ("dev", "test", "test2")}
        paths = [path for path in sorted(folder.glob(f"GUM_*{suffix}")) if BLANKED not in path.name]
        train = [path for path in paths if path.stem not in held]
        test = [path for path in paths if path.stem in splits["test"]]
        return _read(kind, train), _read(kind, test)

    return read


def _litbank(data: Path) -> Split:
    """Every tenth novel is judged; those before it stay aside for development."""
    paths = sorted((data / "litbank" / "coref" / "conll").glob("*.conll"))
    parts = [[path for i, path in enumerate(paths) if i % 10 in wanted] for wanted in (range(8), (9,))]
    return _read("corefer", parts[0]), _read("corefer", parts[1])


def _multi30k(language: str) -> Callable[[Path], Split]:
    def read(data: Path) -> Split:
        folder = data / "multi30k"
        names = [f"{folder}/{part}.en.gz+{folder}/{part}.{language}.gz" for part in ("train", "test_2016_flickr")]
        return _read("translate", names[:1]), _read("translate", names[1:])

    return read


def _lafand(data: Path) -> Split:
    folder = data / "lafand_mt" / "en-yor"
    return _read("translate", [folder / "train.json"]), _read("translate", [folder / "test.json"])


def _read(kind: str, sources: Sequence[Any]) -> list[Any]:
    return find_kind(kind).read(sources, Columns())


_ENGLISH, _PORTUGUESE = "up1/UP_English-EWT/en_ewt-up", "up1/UP_Portuguese-Bosque/pt_bosque-up"
_DOCUMENTS = {"batch_size": 4}  # long ones
_PAIRS = {"batch_size": 32}  # short ones
STRUCTURES: Sequence[TaskSet] = (
    TaskSet(
        "UP English", "label_roles", ENGLISH, 1000, 1000,
        files("label_roles", f"{_ENGLISH}-dev.conllu", f"{_ENGLISH}-test.conllu"),
    ),
    TaskSet(  # read by encoders of English: there is no Portuguese raw text among the data
        "UP Portuguese, encoder English", "label_roles", ENGLISH, 900, 900,
        files("label_roles", f"{_PORTUGUESE}-train.conllu", f"{_PORTUGUESE}-test.conllu"),
    ),
    TaskSet("GUM trees", "parse", ENGLISH, 1000, 500, _gum("parse", "const", ".ptb")),
    TaskSet(
        "GUM trees, linear decoder", "parse", ENGLISH, 1000, 500, _gum("parse", "const", ".ptb"),
        head={"decoder": "linear"},
    ),
    TaskSet(
        "GUM chains", "corefer", ENGLISH, 60, 30, _gum("corefer", "coref/gum/conll", ".conll"), changes=_DOCUMENTS
    ),
    TaskSet("LitBank", "corefer", ENGLISH, 30, 10, _litbank, changes=_DOCUMENTS),
    TaskSet(
        "GAP", "corefer", ENGLISH, 1000, 1000, files("corefer", "gap/gap-development.tsv", "gap/gap-test.tsv"),
        simplest="both names",
    ),
    TaskSet("Multi30k en-de", "translate", ENGLISH, 2000, 1000, _multi30k("de"), changes=_PAIRS),
    TaskSet(  # whose head has no weights of its own: a frozen encoder learns nothing, and all passes are fine-tuning
        "Multi30k en-de, one sequence", "translate", ENGLISH, 2000, 1000, _multi30k("de"),
        head={"form": "sequence"}, changes=_PAIRS | {"epochs": 10.0, "learning_rate": 2e-3},
    ),
    TaskSet("Multi30k en-fr", "translate", ENGLISH, 2000, 1000, _multi30k("fr"), changes=_PAIRS),
    TaskSet("LAFAND en-yor", "translate", ENGLISH, 2000, 1000, _lafand, changes=_PAIRS),
)  # fmt: skip
