"""Files that are damaged, mislabelled or made to harm: one line, exit code 2, nothing run, nothing left behind."""

import io
import json
import os
import pickle
import shutil
import struct
import sys
import zipfile

import numpy as np
import pytest
import torch

from langnet.cli import main
from langnet.hub.folder import read_folder, write_folder
from langnet.hub.importers.tensor_files import read_tensors
from tests.hub.gpt_files import WEIGHTS, change_config, change_tensor, foreign_gpt2

TABLE = "transformer.wte.weight"
BILLION = 10**9


class Harm:
    """Unpickled, it would make a file."""

    def __reduce__(self):
        return (os.system, ("touch harmed",))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return foreign_gpt2(tmp_path_factory.mktemp("gpt") / "gpt2")


def header(described: dict, data: bytes = b"") -> bytes:
    content = json.dumps(described).encode()
    return struct.pack("<Q", len(content)) + content + data


def npy(shape: str, data: bytes = b"", dtype: str = "'<f4'") -> bytes:
    text = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def archive(name: str, content: bytes, how: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", how) as file:
        file.writestr(name, content)
    return stream.getvalue()


def saved(value: object, zipped: bool = True) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=zipped)
    return stream.getvalue()


def old_torch(value: object) -> bytes:
    """What PyTorch wrote before 1.6, with another value in place of the weights."""
    content = saved({}, zipped=False)
    empty = pickle.dumps({}, protocol=2)
    return content.replace(empty, pickle.dumps(value, protocol=2), 1)


BINS = {
    "code": (saved(Harm()), "holds posix.system, which is code and not weights; nothing of it was run"),
    "code among weights": (saved({"a": torch.ones(2), "b": Harm()}), "posix.system, which is code"),
    "code in an old file": (old_torch({"a": Harm()}), "posix.system, which is code"),
    "a plain pickle": (pickle.dumps(Harm(), protocol=2), "is a pickle and no file of weights"),
    "a new pickle": (pickle.dumps(Harm(), protocol=5), "is a pickle and no file of weights"),
    "a module": (saved(torch.nn.Linear(2, 2)), "Linear, which is code and not weights"),
    "a list": (saved([torch.ones(2)]), "holds a list and no named tensors"),
    "no tensor": (saved({"a": 1}), "there is no tensor"),
    "a bomb": (archive("x/data.pkl", bytes(10**6), zipfile.ZIP_DEFLATED), "compressed archive"),
    "another archive": (archive("readme.txt", b"hello", zipfile.ZIP_STORED), "a zip archive and no PyTorch file"),
    "cut": (saved({"a": torch.ones(99)})[:300], "no whole PyTorch file"),
    "an old one, cut": (saved({"a": torch.ones(999)}, zipped=False)[:3500], "no whole PyTorch file"),
    "a tensor larger than its values": (saved({TABLE: torch.ones(1).expand(BILLION)}), "claims 4,000,000,000 bytes"),
    "the same values many times": (
        saved(dict.fromkeys("abcdef", torch.ones(5000))),
        "bytes of tensors but holds only",
    ),
    "an old one that claims memory": (
        saved({"a": torch.ones(777)}, zipped=False).replace(struct.pack("<H", 777), struct.pack("<H", 65535)),
        "claims 65,535 bytes of values in one tensor",
    ),
    "sparse": (saved({"a": torch.eye(3).to_sparse()}), "sparse"),
    "nothing": (b"", "no safetensors file"),
    "a page": (b"<!DOCTYPE html><html>404</html>", "no safetensors file"),
}


@pytest.mark.parametrize("name", BINS)
def test_torch_files(name, made, tmp_path, monkeypatch, capsys):
    content, message = BINS[name]
    shutil.copytree(made, tmp_path / "gpt2")
    (tmp_path / "gpt2" / WEIGHTS).unlink()
    (tmp_path / "gpt2" / "pytorch_model.bin").write_bytes(content)
    refused(["gpt2"], message, tmp_path, monkeypatch, capsys)


FLOATS = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
SAFETENSORS = {
    "ten gigabytes of header": (struct.pack("<Q", 10 << 30) + b"{}", "no safetensors file"),
    "a header longer than the file": (struct.pack("<Q", 5000) + b"{}", "claims 5,000 bytes of header"),
    "ten gigabytes of numbers": (
        header({TABLE: {"dtype": "F32", "shape": [50000, 50000], "data_offsets": [0, 10**10]}}, bytes(16)),
        "no whole safetensors file",
    ),
    "a shape that its bytes do not fill": (
        header({TABLE: {**FLOATS, "shape": [BILLION, BILLION]}}, bytes(16)),
        "no whole safetensors file",
    ),
    "overlapping tensors": (header({"a": FLOATS, "b": FLOATS}, bytes(16)), "no whole safetensors file"),
    "no tensors": (header({}), "lacks the tensor 'wte.weight'"),
    "a header of nonsense": (struct.pack("<Q", 4) + b"{{{{" + bytes(16), "no whole safetensors file"),
    "a pickle": (pickle.dumps(Harm()), "is a pickle and no file of weights"),
}


@pytest.mark.parametrize("name", SAFETENSORS)
def test_safetensors(name, made, tmp_path, monkeypatch, capsys):
    content, message = SAFETENSORS[name]
    shutil.copytree(made, tmp_path / "gpt2")
    (tmp_path / "gpt2" / WEIGHTS).write_bytes(content)
    refused(["gpt2"], message, tmp_path, monkeypatch, capsys)


def write(name, content):
    def change(folder):
        (folder / name).write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())

    return change


def without(name):
    return lambda folder: (folder / name).unlink()


def sharded(names):
    def change(folder):
        (folder / WEIGHTS).unlink()
        write(f"{WEIGHTS}.index.json", {"weight_map": names})(folder)

    return change


def cut_weights(folder):
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[:-100])


def pipe(folder):
    (folder / WEIGHTS).unlink()
    os.mkfifo(folder / WEIGHTS)


def config(**changes):
    return lambda folder: change_config(folder, **changes)


def tensor(name, value):
    return lambda folder: change_tensor(folder, name, value)


BPE = {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}
FOLDERS = {
    "no weights": (without(WEIGHTS), "no weights; looked for model.safetensors"),
    "truncated weights": (cut_weights, "no whole safetensors file"),
    "a pipe": (pipe, "no weights"),
    "shards elsewhere": (sharded({"a": "../secret.safetensors"}), "does not lie beside it"),
    "shards in a folder of this machine": (sharded({"a": "/etc/passwd"}), "does not lie beside it"),
    "shards without names": (sharded({"a": 3}), "does not lie beside it"),
    "shards that are missing": (sharded({"a": "1.safetensors", "b": "2.safetensors"}), "of which 2 are missing"),
    "no map of shards": (sharded([]), "has no weight_map"),
    "another activation": (config(activation_function="relu"), "activation_function 'relu' is not what langnet's"),
    "an activation that is a list": (config(activation_function=["gelu_new"]), "is not what langnet's"),
    "another epsilon": (config(layer_norm_epsilon=1e-3), "layer_norm_epsilon 0.001"),
    "scaled attention": (config(scale_attn_by_inverse_layer_idx=True), "scale_attn_by_inverse_layer_idx"),
    "no layers": (config(n_layer=0), "'n_layer' is 0"),
    "too many layers": (config(n_layer=BILLION), "'n_layer' is 1000000000"),
    "layers in words": (config(n_layer="two"), "'n_layer' is 'two'"),
    "more layers than weights": (config(n_layer=3), "lacks the tensor 'transformer.h.2."),
    "heads that do not divide": (config(n_head=3), "cannot be split into 3 heads"),
    "a width of other weights": (config(n_embd=64), "has the shape [296, 128] where the configuration asks for"),
    "a vocabulary of other weights": (config(vocab_size=7), "the model only 7 embeddings"),
    "a missing tensor": (tensor("transformer.ln_f.bias", None), "lacks the tensor 'transformer.ln_f.bias'"),
    "whole numbers": (tensor("transformer.ln_f.bias", torch.ones(128, dtype=torch.int8)), "holds torch.int8"),
    "not finite": (tensor("transformer.ln_f.bias", torch.full((128,), torch.nan)), "not finite"),
    "no tokenizer": (without("tokenizer.json"), "has no tokenizer that langnet reads"),
    "a tokenizer of nonsense": (write("tokenizer.json", b"{nonsense"), "not valid JSON"),
    "a tokenizer nested too deeply": (write("tokenizer.json", b"[" * 10**6), "not valid JSON"),
    "a tokenizer that is a list": (write("tokenizer.json", []), "holds a list where a JSON object"),
    "a tokenizer of words": (write("tokenizer.json", {"model": {"type": "WordLevel"}}), "no byte-pair encoding"),
    "a tokenizer with gaps": (write("tokenizer.json", {"model": {**BPE, "vocab": {"a": 0, "b": 9}}}), "have gaps"),
    "a tokenizer without ids": (write("tokenizer.json", {"model": {**BPE, "vocab": {"a": "b"}}}), "no vocabulary of"),
    "a merge of unknown tokens": (
        write("tokenizer.json", {"version": "1.0", "model": {**BPE, "merges": [["a", "z"]]}}),
        "no whole tokenizer",
    ),
    "a tokenizer in Latin-1": (write("tokenizer.json", b"\xe9"), "no UTF-8 text"),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDERS)
def test_folders(name, made, tmp_path, monkeypatch, capsys):
    change, message = FOLDERS[name]
    shutil.copytree(made, tmp_path / "gpt2")
    change(tmp_path / "gpt2")
    refused(["gpt2"], message, tmp_path, monkeypatch, capsys)


SHAPES = [[4, 64], [9, 64], [1, 64, 192], [192], [1, 64, 64], [64], [64], [64], [1, 64, 256], [256], [1, 256, 64]]
SHAPES += [[64], [64], [64]]
ARRAYS = {
    "no arrays": ({}, "has a params_shapes.json but no weights"),
    "objects": ({"params_0.npy": npy("(3,)", bytes(24), "'|O'")}, "not plain numbers"),
    "ten gigabytes": ({"params_0.npy": npy(f"({10**10},)", bytes(8))}, "claims 40,000,000,000 bytes of numbers"),
    "a negative shape": ({"params_0.npy": npy("(-5,)", bytes(8))}, "params_0.npy"),
    "code in the header": ({"params_0.npy": npy("(__import__('os').system('touch harmed'),)")}, "is no .npy array"),
    "too few": ({"params_0.npy": npy("(2,)", bytes(8))}, "bytes of weights but holds only 8"),
    "two rows": ({"params_0.npy": npy("(2, 1)", bytes(8))}, "no row of float32 numbers"),
    "no array": ({"params_0.npy": b"PK\x03\x04"}, "is no .npy array"),
    "a pickle": ({"params_0.npy": pickle.dumps(Harm())}, "is no .npy array"),
    "other shapes": ({"params_shapes.json": json.dumps([[2, 2]]).encode()}, "is of no format that langnet imports"),
    "huge shapes": (
        {"params_shapes.json": json.dumps([[2**40, 64], *SHAPES[1:]]).encode()},
        "is of no format that langnet imports",
    ),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(name, tmp_path, monkeypatch, capsys):
    files, message = ARRAYS[name]
    (tmp_path / "model").mkdir()
    for file, content in {"params_shapes.json": json.dumps(SHAPES).encode(), **files}.items():
        (tmp_path / "model" / file).write_bytes(content)
    refused(["model"], message, tmp_path, monkeypatch, capsys)


PATHS = [
    (["nowhere"], "there is no file or folder 'nowhere'"),
    (["empty"], "empty is of no format that langnet imports; looked for: GPT of transformers: config.json"),
    (["notes.txt"], "notes.txt is of no format that langnet imports"),
    (["model.pkl"], "model.pkl is a pickle of no known model"),
    (["bert"], "bert is of no format that langnet imports"),
    (["lm"], "lm is a model of langnet already"),
    (["gpt2", "--most", "5"], "--most means nothing for GPT of transformers"),
    (["gpt2", "--vocabulary", "empty"], "empty has no tokenizer"),
]


@pytest.mark.parametrize(("arguments", "message"), PATHS, ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_paths(arguments, message, made, tmp_path, monkeypatch, capsys):
    shutil.copytree(made, tmp_path / "gpt2")
    shutil.copytree(made.with_name("gpt2-lm"), tmp_path / "lm")
    for name in ("empty", "bert"):
        (tmp_path / name).mkdir()
    (tmp_path / "bert" / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Harm()))
    refused(arguments, message, tmp_path, monkeypatch, capsys)


def test_exports(made, tmp_path, monkeypatch, capsys):
    contents = read_folder(made.with_name("gpt2-lm"))
    contents.labels = ["a", "b"]
    write_folder(tmp_path / "classifier", contents)
    shutil.copytree(made.with_name("gpt2-lm"), tmp_path / "lm")
    (tmp_path / "there").mkdir()
    for arguments, message in (
        (["lm", "--format", "gguf", "-o", "x"], "there is no format 'gguf'; choose one of transformers, onnx"),
        (["lm", "--format", "transformers", "-o", "there"], "there exists already"),
        (["lm", "--format", "transformers", "-o", "no/where"], "there is no folder no"),
        (["classifier", "--format", "transformers", "-o", "x"], "is a classifier"),
        (["nowhere", "--format", "onnx", "-o", "x"], "there is no model 'nowhere'"),
    ):
        refused(arguments, message, tmp_path, monkeypatch, capsys, "export")


def refused(arguments, message, folder, monkeypatch, capsys, verb="import"):
    monkeypatch.chdir(folder)
    output = [] if verb == "export" else ["-o", "x"]
    monkeypatch.setattr(sys, "argv", ["langnet", "models", verb, *arguments, *output])
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(SystemExit) as stopped:
        main()
    said = capsys.readouterr().err.strip().splitlines()
    assert stopped.value.code == 2
    assert len(said) == 1, said
    assert said[0].startswith("langnet: ")
    assert message in said[0]
    assert len(said[0]) < 800
    assert {path.name for path in folder.iterdir()} == before, "nothing is left, and nothing has run"


@pytest.mark.parametrize("zipped", [True, False])
def test_what_is_well_is_read(zipped, tmp_path):
    """The same helpers without harm, so that the refusals above are not for another reason."""
    (tmp_path / "a.bin").write_bytes(saved({"model": {"w": torch.arange(6.0).view(2, 3)}}, zipped))
    assert torch.equal(read_tensors(tmp_path / "a.bin")["w"], torch.arange(6.0).view(2, 3))
    (tmp_path / "a.safetensors").write_bytes(header({"a": FLOATS}, np.arange(4, dtype=np.float32).tobytes()))
    assert read_tensors(tmp_path / "a.safetensors")["a"].tolist() == [[0.0, 1.0], [2.0, 3.0]]
    assert pickle.loads(pickle.dumps({})) == {}


def test_a_header_whose_length_begins_as_a_pickle_does(tmp_path):
    described = {"a": FLOATS}
    padded = {**described, "__metadata__": {"x": ""}}
    missing = (0x0280 - len(json.dumps(padded))) % 0x10000
    padded["__metadata__"]["x"] = "x" * missing
    content = header(padded, bytes(16))
    assert content[:2] == b"\x80\x02"
    (tmp_path / "a.safetensors").write_bytes(content)
    assert read_tensors(tmp_path / "a.safetensors")["a"].shape == (2, 2)
