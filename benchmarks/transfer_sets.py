"""The data sets of `benchmarks.transfer_table`: what is learned from, what is judged, and on which raw text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sources import read_imdb, read_masakhane
from langnet.errors import LangnetError
from langnet.evaluate.scoring import Scores
from langnet.recipes.kinds.kind import Columns
from langnet.recipes.kinds.registry import find_kind
from langnet.recipes.zero_choices import hit_scores
from langnet.text.choices import read_minimal_pairs
from langnet.text.labelled import LabelledText
from langnet.text.splits import drawn_groups

CLASSIFY, MINIMAL_PAIRS = "classify", "pairs"
SPLIT_SEED = 0  # of which items are judged, the same for every draw of those that are learned from
Items = list[Any]  # of a kind of task
Split = tuple[Items, Items]  # those to learn from, and those to be judged


@dataclass(frozen=True)
class TaskSet:
    """One data set.

    Attributes:
        name: in tables.
        kind: `classify`, one of `recipes.kinds.registry`, or `pairs`, which nothing is learned for.
        raw: name of the raw text on which encoders for it are pretrained.
        train: how many items are learned from.
        test: how many are judged at most.
        read: from the folder of all data to the whole training and test parts.
        head: settings of the task's head.
        changes: to the options of every transfer, by name.
        simplest: name of the first of its neighbours, where it is not that of the kind.
    """

    name: str
    kind: str
    raw: str
    train: int
    test: int
    read: Callable[[Path], Split]
    head: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    simplest: str = ""

    def test_items(self, data: Path) -> Items:
        """Those that are judged, the same for every draw."""
        return _some(self.read(data)[1], self.test, SPLIT_SEED)

    def train_items(self, data: Path, draw: int) -> Items:
        """Those of one draw that are learned from."""
        return _some(self.read(data)[0], self.train, draw)


def _some(items: Items, count: int, seed: int) -> Items:
    order = np.random.default_rng(seed).permutation(len(items))[:count]
    return [items[i] for i in order]


def _imdb(data: Path) -> Split:
    _, train, test = read_imdb(data / "imdb")
    return train.items, test.items


def _masakhane(data: Path) -> Split:
    train, test = read_masakhane(data / "masakhane_news" / "yor")
    return train.items, test.items


def _sst2(data: Path) -> Split:
    return _rows(data / "sst2" / "train_full.tsv", 1), _rows(data / "sst2" / "test-labeled.tsv", 1)


def _trec(data: Path) -> Split:
    parts = []
    for name in ("train_5500.label", "TREC_10.label"):
        lines = (data / "trec" / name).read_text(encoding="latin-1").splitlines()
        named = (line.partition(" ") for line in lines if line)
        parts.append([LabelledText(text, label.partition(":")[0]) for label, _, text in named])
    return parts[0], parts[1]


def _rows(path: Path, first: int) -> Items:
    """Text and label of a table without quotes, from a line on."""
    lines = path.read_text(encoding="utf8").splitlines()[first:]
    return [
        LabelledText(text.strip(), label.strip())
        for text, _, label in (line.rpartition("\t") for line in lines if line)
    ]


def _two_files(folder: str, names: tuple[str, str]) -> Callable[[Path], Split]:
    """Two files of a line a text, each a class; half of the lines, drawn once, are never learned from."""

    def read(data: Path) -> Split:
        items: Items = []
        for name in names:
            lines = (data / "infersent_bundle" / folder / name).read_text(encoding="latin-1").splitlines()
            items += [LabelledText(line.strip(), name.rpartition(".")[2]) for line in lines if line.strip()]
        items = list(dict.fromkeys(items))
        mixed = _some(items, len(items), SPLIT_SEED)
        return mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]

    return read


def files(kind: str, train: str, test: str) -> Callable[[Path], Split]:
    """A file to learn from and one to be judged."""

    def read(data: Path) -> Split:
        train_items, test_items = (find_kind(kind).read([data / name], Columns()) for name in (train, test))
        return train_items, test_items

    return read


def _apart(kind: str, file: str, group: Callable[[Any], str]) -> Callable[[Path], Split]:
    """One file, split so that items of one group, such as an article, stay on one side; a third is judged."""

    def read(data: Path) -> Split:
        items = find_kind(kind).read([data / file], Columns())
        held = set(drawn_groups([group(item) for item in items], 1 / 3, SPLIT_SEED))
        return [item for item in items if group(item) not in held], [item for item in items if group(item) in held]

    return read


def _blimp(data: Path) -> Split:
    return [], list(read_minimal_pairs([data / "blimp" / "BLiMP.zip"]))


_UD, _NER = "ud/UD_English-EWT/en_ewt-ud", "masakhaner2/data/yor"
ENGLISH, YORUBA, YORUBA_NEWS = "english", "yoruba", "yoruba_news"  # the last with training articles, unlabelled
_SICK = ("sick/SICK_train.txt", "sick/SICK.txt")
SETS: Sequence[TaskSet] = (
    TaskSet("IMDB", CLASSIFY, ENGLISH, 200, 1000, _imdb),
    TaskSet("SST-2", CLASSIFY, ENGLISH, 500, 1821, _sst2),
    TaskSet("TREC", CLASSIFY, ENGLISH, 500, 500, _trec),
    TaskSet("MR", CLASSIFY, ENGLISH, 500, 2000, _two_files("MR", ("rt-polarity.pos", "rt-polarity.neg"))),
    TaskSet("SUBJ", CLASSIFY, ENGLISH, 500, 2000, _two_files("SUBJ", ("subj.objective", "subj.subjective"))),
    TaskSet("MasakhaNEWS yor", CLASSIFY, YORUBA, 300, 411, _masakhane),
    TaskSet("MasakhaNEWS yor, its articles read", CLASSIFY, YORUBA_NEWS, 300, 411, _masakhane),
    TaskSet(
        "SNLI", "entail", ENGLISH, 2000, 2000,
        files("entail", "infersent_bundle/SNLI/s1.dev", "infersent_bundle/SNLI/s1.test"),
    ),
    TaskSet("SICK entailment", "entail", ENGLISH, 1000, 2000, files("entail", *_SICK)),
    TaskSet("SICK relatedness", "similarity", ENGLISH, 1000, 2000, files("similarity", *_SICK)),
    TaskSet("XNLI en", "entail", ENGLISH, 1600, 1000, _apart("entail", "xnli/dev-en.tsv", lambda pair: pair.first)),
    TaskSet(
        "XQuAD en", "answer", ENGLISH, 800, 400,
        _apart("answer", "xquad/xquad.en.json", lambda item: str(find_kind("answer").group(item))),
    ),
    TaskSet(
        "WNUT 17", "tag", ENGLISH, 1000, 1287,
        files("tag", "wnut17/wnut17train.conll", "wnut17/emerging.test.annotated"),
    ),
    TaskSet("UD English-EWT", "tag", ENGLISH, 300, 1000, files("tag", f"{_UD}-train.conllu", f"{_UD}-test.conllu")),
    TaskSet("MasakhaNER yor", "tag", YORUBA, 500, 1000, files("tag", f"{_NER}/train.txt", f"{_NER}/test.txt")),
    TaskSet(
        "MasakhaNER yor, news read", "tag", YORUBA_NEWS, 500, 1000,
        files("tag", f"{_NER}/train.txt", f"{_NER}/test.txt"),
    ),
    TaskSet(
        "COPA", "choose", ENGLISH, 400, 100,
        files("choose", "superglue_small/copa/train.jsonl", "superglue_small/copa/val.jsonl"),
    ),
    TaskSet("BLiMP", MINIMAL_PAIRS, ENGLISH, 0, 4000, _blimp),
)  # fmt: skip


def scores_of(task: TaskSet) -> Scores:
    """From sums of statistics to the scores of a set, the one that counts first."""
    return hit_scores if task.kind == MINIMAL_PAIRS else find_kind(task.kind, together=True).scores


def find_sets(names: Sequence[str], of: Sequence[TaskSet] = SETS) -> list[TaskSet]:
    """The sets of these names; all where none is given.

    Raises:
        LangnetError: there is none of a name.
    """
    known = {found.name: found for found in of}
    for name in names:
        if name not in known:
            raise LangnetError(f"there is no set '{name}'; choose from {', '.join(known)}")
    return [known[name] for name in names] if names else list(of)
