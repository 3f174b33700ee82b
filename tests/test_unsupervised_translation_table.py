"""The benchmark of translation without pairs, on a cipher of a few sentences; what was done is not done again."""

import gzip
import json

import pytest

from benchmarks import unsupervised_translation
from tests.recipes.test_unsupervised_translation import ciphered, sentences


@pytest.mark.slow
def test_the_page(tmp_path, monkeypatch, capsys):
    for part, seed, n in (("train", 0, 640), ("seen", 1, 12)):
        texts = sentences(n, seed)
        for name, lines in (("en", texts), ("xx", [ciphered(text) for text in texts])):
            with gzip.open(tmp_path / f"{part}.{name}.gz", "wt", encoding="utf8") as file:
                file.write("".join(line + "\n" for line in lines))
    monkeypatch.setattr(unsupervised_translation, "EPOCHS", {20: 1.0})
    command = [
        "--data", str(tmp_path), "--languages", "xx", "--half", "320", "--test", "seen", "--rounds", "1",
        "--sentences", "100", "--supervised", "20", "--run", str(tmp_path / "run"), "--output", str(tmp_path / "page"),
    ]  # fmt: skip
    unsupervised_translation.main(command)
    page, held = (tmp_path / "page.md").read_text(), json.loads((tmp_path / "page.json").read_text())
    names = [row["name"] for row in held["languages"]["xx"]["rows"]]
    assert names[0] == "the sentence itself"
    assert names[-1] == "the same network from 20 true pairs"
    assert len(names) == 5
    assert "| round 1 * | " in page
    assert "12 test captions" in page
    row = held["languages"]["xx"]["rows"][0]
    assert row["forward"]["BLEU"]["interval"]["low"] <= row["forward"]["BLEU"]["value"] < 50
    before = (tmp_path / "run" / "xx" / "rows.json").read_bytes()
    unsupervised_translation.main(command)
    assert (tmp_path / "run" / "xx" / "rows.json").read_bytes() == before
