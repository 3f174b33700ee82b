"""A model folder: round trip, and every kind of damage refused in one line."""

import pytest
import torch

from langnet.errors import LangnetError
from langnet.hub.folder import FolderContents, read_folder, write_folder


@pytest.fixture
def folder(tmp_path):
    contents = FolderContents(
        {"a": 1}, {"w": torch.arange(6.0).view(2, 3)}, '{"t": 1}', ["neg", "pos"], "# card", [{"step": 1}]
    )
    write_folder(tmp_path / "model", contents)
    return tmp_path / "model"


def test_round_trip(folder):
    read = read_folder(folder)
    assert read.config == {"a": 1}
    assert read.labels == ["neg", "pos"]
    assert read.history == [{"step": 1}]
    assert torch.equal(read.tensors["w"], torch.arange(6.0).view(2, 3))


@pytest.mark.parametrize(
    "name", ["config.json", "weights.safetensors", "tokenizer.json", "labels.json", "checksums.json"]
)
def test_flipped_byte_is_refused(folder, name):
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(LangnetError) as error:
        read_folder(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors", "checksums.json"])
def test_missing_and_truncated_files_are_refused(folder, name):
    (folder / name).write_bytes((folder / name).read_bytes()[:-3])
    with pytest.raises(LangnetError):
        read_folder(folder)
    (folder / name).unlink()
    with pytest.raises(LangnetError):
        read_folder(folder)


def test_nothing_is_overwritten_unasked(folder):
    contents = read_folder(folder)
    with pytest.raises(LangnetError):
        write_folder(folder, contents)
    write_folder(folder, contents, overwrite=True)
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_overwrite_spares_what_is_no_model(tmp_path, folder):
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.txt").write_text("years of work")
    with pytest.raises(LangnetError):
        write_folder(home, read_folder(folder), overwrite=True)
    assert (home / "thesis.txt").read_text() == "years of work"
