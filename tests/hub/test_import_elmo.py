"""ELMo from the original program's files: what it computes, in float64; the published fixtures; and hostile files."""

import json
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from langnet.encoders.elmo import ELMo
from langnet.errors import LangnetError
from langnet.hub.importers.elmo import read_files, recognises
from langnet.text.characters import spell, spell_sentences

FIXTURES = Path(__file__).parent.parent.parent / "data" / "elmo_fixtures_allennlp" / "elmo"
SENTENCES = [["The", "naïve", "café", "closed", "."], ["No", "!"], ["x" * 60, "日本", "again"]]


def options(**changes):
    found = {
        "lstm": {"cell_clip": 0.1, "proj_clip": 0.05, "dim": 7, "projection_dim": 5, "n_layers": 2},
        "char_cnn": {
            "activation": "relu",
            "embedding": {"dim": 3},
            "filters": [[1, 2], [2, 3], [7, 4]],
            "max_characters_per_token": 50,
            "n_characters": 262,
            "n_highway": 2,
        },
    }
    found["lstm"]["use_skip_connections"] = True
    for key, value in changes.items():
        found["char_cnn" if key in found["char_cnn"] else "lstm"][key] = value
    return found


def arrays(settings, seed=0):
    """Random weights under the names and in the shapes of the original program."""
    generator = np.random.default_rng(seed)
    lstm, cnn = settings["lstm"], settings.get("char_cnn")
    units, projection = lstm["dim"], lstm["projection_dim"]
    shapes = {}
    if cnn:
        total = sum(number for _, number in cnn["filters"])
        shapes["char_embed"] = (261, cnn["embedding"]["dim"])
        for i, (width, number) in enumerate(cnn["filters"]):
            shapes |= {f"CNN/W_cnn_{i}": (1, width, cnn["embedding"]["dim"], number), f"CNN/b_cnn_{i}": (number,)}
        for i in range(cnn.get("n_highway") or 0):
            for kind in ("carry", "transform"):
                shapes |= {f"CNN_high_{i}/W_{kind}": (total, total), f"CNN_high_{i}/b_{kind}": (total,)}
        if total != projection:
            shapes |= {"CNN_proj/W_proj": (total, projection), "CNN_proj/b_proj": (projection,)}
    for direction in range(2):
        for layer in range(lstm["n_layers"]):
            cell = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
            shapes |= {f"{cell}/W_0": (2 * projection, 4 * units), f"{cell}/B": (4 * units,)}
            if projection < units:
                shapes[f"{cell}/W_P_0"] = (units, projection)
    return {name: generator.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}


def write(folder, settings, tensors):
    (folder / "options.json").write_text(json.dumps(settings), encoding="utf8")
    with h5py.File(folder / "lm_weights.hdf5", "w") as file:
        for name, array in tensors.items():
            file[name] = array
    return folder


# The equations, word by word and step by step, in float64.


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def word_vector(word, w, cnn):
    longest = cnn["max_characters_per_token"]
    numbers = [258, *(word if isinstance(word, list) else word.encode()[: longest - 2]), 259]
    numbers += [260] * (longest - len(numbers))
    x = w["char_embed"][numbers]  # (C, E)
    features = []
    for i, (width, _) in enumerate(cnn["filters"]):
        kernel, bias = w[f"CNN/W_cnn_{i}"][0], w[f"CNN/b_cnn_{i}"]  # (width, E, F)
        places = [np.einsum("we,wef->f", x[p : p + width], kernel) for p in range(longest - width + 1)]
        value = np.max(places, axis=0) + bias
        features.append(np.maximum(value, 0) if cnn["activation"] == "relu" else np.tanh(value))
    x = np.concatenate(features)
    for i in range(cnn.get("n_highway") or 0):
        gate = sigmoid(x @ w[f"CNN_high_{i}/W_carry"] + w[f"CNN_high_{i}/b_carry"])
        new = np.maximum(x @ w[f"CNN_high_{i}/W_transform"] + w[f"CNN_high_{i}/b_transform"], 0)
        x = gate * new + (1 - gate) * x
    return x @ w["CNN_proj/W_proj"] + w["CNN_proj/b_proj"] if "CNN_proj/W_proj" in w else x


def clip(x, bound):
    return x if bound is None else np.clip(x, -bound, bound)


def run_lstm(inputs, w, cell, lstm):
    hidden, memory, out = np.zeros(lstm["projection_dim"]), np.zeros(lstm["dim"]), []
    for x in inputs:
        i, j, f, o = np.split(np.concatenate([x, hidden]) @ w[f"{cell}/W_0"] + w[f"{cell}/B"], 4)
        memory = clip(sigmoid(f + 1) * memory + sigmoid(i) * np.tanh(j), lstm.get("cell_clip"))
        hidden = sigmoid(o) * np.tanh(memory)
        if f"{cell}/W_P_0" in w:
            hidden = clip(hidden @ w[f"{cell}/W_P_0"], lstm.get("proj_clip"))
        out.append(hidden)
    return np.stack(out)


def expected_layers(sentence, settings, tensors):
    w = {name: array.astype(np.float64) for name, array in tensors.items()}
    lstm = settings["lstm"]
    words = np.stack([word_vector(word, w, settings["char_cnn"]) for word in [[256], *sentence, [257]]])
    layers = [[words, words]]
    for layer in range(lstm["n_layers"]):
        both = []
        for direction, before in enumerate(layers[-1]):
            turn = slice(None, None, -1) if direction else slice(None)
            out = run_lstm(before[turn], w, f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell", lstm)[turn]
            both.append(out + before if layer and lstm["use_skip_connections"] else out)
        layers.append(both)
    return [np.concatenate(both, axis=1) for both in layers]


def batch(sentences):
    return [torch.from_numpy(array) for array in spell_sentences(sentences)]


def build(found):
    encoder = ELMo(found.config)
    encoder.load_state_dict(found.tensors)
    return encoder.eval()


CASES = {
    "as published": {},
    "tanh": {"activation": "tanh"},
    "no clips": {"cell_clip": None, "proj_clip": None},
    "no residual": {"use_skip_connections": False},
    "no highway": {"n_highway": 0},
    "three layers": {"n_layers": 3},
    "options for training": {"n_characters": 261},
    "filters as wide as the words": {"filters": [[1, 2], [3, 3]]},
    "no projection of states": {"dim": 5},
    "short words": {"max_characters_per_token": 9},
}


@pytest.mark.parametrize("case", CASES)
def test_equations(tmp_path, case):
    settings = options(**CASES[case])
    tensors = arrays(settings)
    found = read_files(write(tmp_path, settings, tensors))
    assert str(found.report) == f"ELMo of bilm-tf: {len(tensors)} of {len(tensors)} tensors"
    sentences = [[word[:7] for word in s] for s in SENTENCES] if case == "short words" else SENTENCES
    encoder = build(found).double()
    with torch.no_grad():
        layers = encoder(*batch(sentences)).layers
    for row, sentence in enumerate(sentences):
        for got, wanted in zip(layers, expected_layers(sentence, settings, tensors), strict=True):
            np.testing.assert_allclose(
                got[row, : len(wanted)].numpy(), wanted, atol=3e-7
            )  # the bias + 1 is rounded to float32


def test_clips_are_reached(tmp_path):
    """Otherwise the tests above would not see them."""
    with_clips, without = options(), options(cell_clip=None, proj_clip=None)
    tensors = arrays(with_clips)
    first, second = (expected_layers(SENTENCES[0], settings, tensors)[-1] for settings in (with_clips, without))
    assert np.abs(first - second).max() > 0.1


def test_table_of_words(tmp_path):
    settings = options()
    del settings["char_cnn"]
    tensors = arrays(settings)
    words = ["<S>", "</S>", "<UNK>", "the", "café"]
    tensors["embedding"] = np.arange(25, dtype=np.float32).reshape(5, 5)
    write(tmp_path, settings, tensors)
    with pytest.raises(LangnetError, match="must hold its vocabulary"):
        read_files(tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf8")
    found = read_files(tmp_path)
    assert found.words == words
    encoder = build(found)
    layers = encoder(torch.tensor([[2, 5, 6, 1, 4]])).layers
    wanted = tensors["embedding"][[0, 3, 4, 2, 1]]
    assert torch.equal(layers[0][0], torch.from_numpy(np.concatenate([wanted, wanted], axis=1)))


@pytest.mark.skipif(not FIXTURES.exists(), reason="the published fixtures are not here")
def test_published_fixtures():
    """Three rows of ten sentences, whose state goes on from sentence to sentence as in the original program."""
    encoder, state = build(read_files(FIXTURES)), None
    sentences = json.loads((FIXTURES / "sentences.json").read_text(encoding="utf8"))
    files = [h5py.File(FIXTURES / f"lm_embeddings_{row}.hdf5") for row in range(3)]
    differences = []
    for number in range(10):
        rows = [sentences[row][number].split() for row in range(3)]
        with torch.no_grad():
            encoding = encoder(*batch(rows), state)
            stateless = encoder(*batch(rows))
        state = encoding.state
        for row, words in enumerate(rows):
            wanted = np.concatenate(list(files[row][str(number)][...]), axis=1)  # forward, then backward
            got = encoding.top[row, 1 : len(words) + 1].numpy()
            np.testing.assert_allclose(got, wanted, atol=1e-5)
            differences.append(np.abs(stateless.top[row, 1 : len(words) + 1].numpy() - wanted).max())
    assert max(differences[:3]) < 1e-5
    assert min(differences[3:]) > 1e-2  # the state makes a difference
    table = h5py.File(FIXTURES / "elmo_token_embeddings.hdf5")["embedding"][...]
    words = (FIXTURES / "vocab_test.txt").read_text(encoding="utf8").split("\n")[: len(table)]
    with torch.no_grad():
        vectors = encoder.words(torch.from_numpy(spell(words).astype(np.int64))).numpy()
    plain = [i for i, word in enumerate(words) if word not in ("<S>", "</S>")]
    np.testing.assert_allclose(vectors[plain], table[plain], atol=1e-5)


def truncate(folder):
    path = folder / "lm_weights.hdf5"
    path.write_bytes(path.read_bytes()[:-5000])


def change(name, value):
    def apply(folder):
        with h5py.File(folder / "lm_weights.hdf5", "a") as file:
            if name in file:
                del file[name]
            if value is not None:
                file[name] = value

    return apply


def claim(shape):
    def apply(folder):
        change("char_embed", None)(folder)
        with h5py.File(folder / "lm_weights.hdf5", "a") as file:
            file.create_dataset("char_embed", shape, dtype="f4", chunks=True)

    return apply


def options_with(**changes):
    return lambda folder: (folder / "options.json").write_text(json.dumps(options(**changes)), encoding="utf8")


HOSTILE = {
    "truncated": (truncate, "no whole HDF5 file"),
    "pickle": (lambda f: (f / "lm_weights.hdf5").write_bytes(pickle.dumps({"a": 1})), "is a pickle"),
    "text": (lambda f: (f / "lm_weights.hdf5").write_text("not weights"), "no whole HDF5 file"),
    "missing tensor": (change("CNN/W_cnn_1", None), "lacks 1 of the 29 tensors"),
    "wrong shape": (change("CNN_proj/b_proj", np.zeros(6, "f4")), r"has the shape \(6,\) where the options ask"),
    "integers": (change("CNN_proj/b_proj", np.zeros(5, "i4")), "holds int32, not numbers"),
    "not a number": (change("CNN_proj/b_proj", np.full(5, np.nan, "f4")), "values that are not numbers"),
    "one layer more": (
        change("RNN_0/RNN/MultiRNNCell/Cell2/LSTMCell/B", np.zeros(28, "f4")),
        "which its options do not ask for",
    ),
    "huge": (claim((2**31, 2**20)), "where the options ask for"),
    "never written": (claim((261, 3)), "claims 3,132 bytes, but the file holds 0 of them"),
    "external link": (change("char_embed", h5py.ExternalLink("other.hdf5", "/x")), "is a link to elsewhere"),
    "options of another": (options_with(dim=8), "where the options ask for"),
    "no such activation": (options_with(activation="gelu"), "activation is 'gelu'; ELMo's is"),
    "other characters": (options_with(n_characters=60), "ELMo reads bytes"),
    "huge options": (options_with(dim=10**12), "it should be 1 to 65,536"),
    "many layers": (options_with(n_layers=10**9), "it should be 1 to 8"),
    "bad filters": (options_with(filters=[[1, "many"]]), "should be pairs"),
    "zero clip": (options_with(cell_clip=0), "should be above 0"),
    "narrow filters": (options_with(filters=[[1, 2]]), "2 filters cannot be projected"),
    "no JSON": (lambda f: (f / "options.json").write_text("{"), "should hold one JSON file of options"),
    "no ELMo": (lambda f: (f / "options.json").write_text('{"lstm": 1}'), "describes no ELMo"),
    "no weights": (lambda f: (f / "lm_weights.hdf5").unlink(), "but there are: none"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_does_not_fit_is_refused(tmp_path, case):
    spoil, message = HOSTILE[case]
    settings = options()
    write(tmp_path, settings, arrays(settings))
    read_files(tmp_path)
    spoil(tmp_path)
    with pytest.raises(LangnetError, match=message) as caught:
        read_files(tmp_path)
    assert "\n" not in str(caught.value)


def test_recognises(tmp_path):
    settings = options()
    write(tmp_path, settings, arrays(settings))
    for path in (tmp_path, tmp_path / "lm_weights.hdf5", tmp_path / "options.json"):
        assert recognises(path)
    assert not recognises(tmp_path / "nothing")
    (tmp_path / "options.json").write_text('{"model": 1}')
    assert not recognises(tmp_path)


def test_softmax_is_left_out(tmp_path):
    settings = options()
    tensors = arrays(settings)
    write(tmp_path, settings, {**tensors, "softmax/W": np.zeros((9, 5), "f4")})
    assert str(read_files(tmp_path).report) == "ELMo of bilm-tf: 29 of 30 tensors; unused: softmax/W"
