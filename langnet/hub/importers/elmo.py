"""ELMo as the original program (bilm-tf) and AllenNLP keep it: options in JSON, weights in HDF5.

Peters et al. 2018. What the file formats leave unsaid: gates stand in the order input, candidate, forget, output;
inputs and state share one matrix; the forget gate adds 1 to its bias; the character table lacks the row for "no word",
which the program puts before it; highway and projection exist only where the options say so. `n_characters` is 261 in
options for training and 262 in options for use, for the same 261 rows. Nothing of a file is read before names, shapes
and the space that they really take are known to fit the options.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from langnet.encoders.elmo import ELMo, ELMoConfig, named_size
from langnet.errors import LangnetError
from langnet.hub.importers.guard import peek_object, read_object, read_text
from langnet.hub.importers.hdf5 import Datasets
from langnet.hub.importers.imported import Imported, ImportOptions, ImportReport, imported_model
from langnet.tasks.bidirectional import BidirectionalLanguageModel
from langnet.text.characters import N_CHARACTERS
from langnet.text.tokenizer import SPECIAL_TOKENS, Tokenizer

FORMAT = "ELMo of bilm-tf"
LOOKS_FOR = "options.json beside weights.hdf5 (and vocab.txt where there is no 'char_cnn')"
_ENDINGS = (".hdf5", ".h5")
_LARGEST = 65_536  # of any dimension but the vocabulary's
_MOST_LAYERS = 8  # what the original program reads
_VOCABULARY_BYTES = 1 << 30
_MARKS = ("<S>", "</S>", "<UNK>")
_TENSORS = ("CNN", "RNN_", "char_embed", "embedding")


@dataclass
class ELMoFiles:
    """An ELMo from files.

    Attributes:
        config: of the encoder.
        tensors: every tensor of the encoder, by its name there.
        words: the vocabulary, for a model with a table of words instead of characters; empty otherwise.
        read: the files.
        report: what was loaded, and what was not.
    """

    config: ELMoConfig
    tensors: dict[str, Tensor]
    words: list[str]
    read: list[Path]
    report: ImportReport


def recognises(path: Path) -> bool:
    """Whether the path is an ELMo's folder, weights or options; opens nothing but small JSON files."""
    try:
        options, _ = _find(path)
        return path.exists() and "lstm" in peek_object(options)
    except (LangnetError, OSError):
        return False


def read_files(path: Path, vocabulary: Path | None = None) -> ELMoFiles:
    """Read an ELMo from a folder that holds its options and weights, or from one of the two files beside the other.

    Args:
        path: of either.
        vocabulary: the words of a model that reads no characters; None looks for `*vocab*.txt` beside the weights.

    Raises:
        LangnetError: a file is missing, is no such file, or does not fit the options.
    """
    options_file, weights_file = _find(path)
    options = _options(options_file)
    config, files = _config(options, options_file), [options_file, weights_file]
    words: list[str] = []
    if "char_cnn" not in options:
        files.append(vocabulary or _vocabulary_beside(weights_file))
        words = _vocabulary(files[-1])
    with Datasets(weights_file, "an ELMo", "elmo") as datasets:
        if words:
            _check_word_table(datasets, len(words), config.projection)
        expected = _expected(config, len(words))
        datasets.check(expected, _TENSORS)
        arrays = {name: datasets.read(name) for name in expected}
        report = ImportReport(FORMAT, len(arrays), len(datasets.found), datasets.others(expected))
    tensors, config = _convert(arrays, config, words)
    return ELMoFiles(config, tensors, words, files, report)


def read(path: Path, options: ImportOptions) -> Imported:
    """An ELMo as a folder of langnet holds it; it came without its softmax, so it encodes and predicts no words.

    Raises:
        LangnetError: as `read_files`.
    """
    found = read_files(path, options.vocabulary)
    found.report.notes.append("no softmax, as usual: it can encode and be fine-tuned")
    encoder = ELMo(found.config)
    encoder.load_state_dict(found.tensors)
    tokenizer = Tokenizer.of_words(word for word in found.words if word not in _MARKS)
    size = named_size(found.config)
    return imported_model(found.report, "elmo", encoder, BidirectionalLanguageModel(), tokenizer, found.read, size)


# Which files


def _find(path: Path) -> tuple[Path, Path]:
    """The options and the weights that a path means."""
    folder = path if path.is_dir() else path.parent
    files = sorted(p for p in folder.iterdir() if p.is_file())
    options = _named([p for p in files if p.suffix == ".json" and "lstm" in peek_object(p)], "options")
    weights = _named([p for p in files if p.suffix in _ENDINGS], "weights")
    if path.is_file():
        options, weights = ([path], weights) if path.suffix == ".json" else (options, [path])
        options, weights = _same_stem(options, weights)
    for found, what in ((options, "JSON file of options"), (weights, "HDF5 file of weights")):
        if len(found) != 1:
            names = ", ".join(p.name for p in found) or "none"
            raise LangnetError(f"{folder} should hold one {what} of an ELMo, but there are: {names}; give its path")
    return options[0], weights[0]


def _named(files: list[Path], word: str) -> list[Path]:
    """Those whose name has a word in it; all, where there is no such file."""
    return [p for p in files if word in p.name.lower()] or files


def _same_stem(options: list[Path], weights: list[Path]) -> tuple[list[Path], list[Path]]:
    """Of several files those with the name of the one that was given: elmo_small_options and elmo_small_weights."""
    stems = {p.stem.replace("options", "") for p in options} & {p.stem.replace("weights", "") for p in weights}
    if len(stems) == 1:
        (stem,) = stems
        options = [p for p in options if p.stem.replace("options", "") == stem]
        weights = [p for p in weights if p.stem.replace("weights", "") == stem]
    return options, weights


# Options


def _options(path: Path) -> dict[str, Any]:
    options = read_object(path)
    if not isinstance(options.get("lstm"), dict):
        raise LangnetError(f"{path} describes no ELMo: it has no 'lstm'; give the options that came with the weights")
    return options


def _config(options: dict[str, Any], path: Path) -> ELMoConfig:
    """The encoder's configuration; every option that this program does not know stays without effect, as there."""
    lstm = _Fields(options["lstm"], "lstm", path)
    fields: dict[str, Any] = {
        "vocabulary_size": 0,
        "projection": lstm.number("projection_dim", 1, _LARGEST),
        "units": lstm.number("dim", 1, _LARGEST),
        "n_layers": lstm.number("n_layers", 1, _MOST_LAYERS, default=1),
        "cell_clip": lstm.bound("cell_clip"),
        "projection_clip": lstm.bound("proj_clip"),
        "residual": lstm.flag("use_skip_connections"),
        "dropout": 0.0,
    }
    if fields["projection"] > fields["units"]:
        raise LangnetError(
            f"{path}: lstm.projection_dim {fields['projection']} is wider than lstm.dim {fields['units']}"
        )
    if "char_cnn" in options:
        fields |= _character_fields(options["char_cnn"], fields["projection"], path)
    return ELMoConfig(**fields)


def _character_fields(options: Any, projection: int, path: Path) -> dict[str, Any]:
    cnn = _Fields(options, "char_cnn", path)
    longest = cnn.number("max_characters_per_token", 3, _LARGEST)
    filters = _filters(cnn.values.get("filters"), longest, path)
    if cnn.number("n_characters", 1, _LARGEST) not in (N_CHARACTERS - 1, N_CHARACTERS):
        raise LangnetError(
            f"{path}: char_cnn.n_characters is {cnn.values['n_characters']}, but ELMo reads bytes, which are 261 in "
            "options for training and 262 in options for use"
        )
    activation = cnn.values.get("activation")
    if activation not in ("relu", "tanh"):
        raise LangnetError(f"{path}: char_cnn.activation is {activation!r}; ELMo's is 'relu' or 'tanh'")
    total = sum(number for _, number in filters)
    if total < projection:
        raise LangnetError(f"{path}: {total} filters cannot be projected to lstm.projection_dim {projection}")
    return {
        "filters": filters,
        "character_dim": _Fields(cnn.values.get("embedding"), "char_cnn.embedding", path).number("dim", 1, _LARGEST),
        "n_highway": cnn.number("n_highway", 0, 64, default=0),
        "activation": activation,
        "max_characters": longest,
    }


def _filters(value: Any, longest: int, path: Path) -> tuple[tuple[int, int], ...]:
    pairs = value if isinstance(value, list) else []
    good = [p for p in pairs if isinstance(p, list) and len(p) == 2 and all(type(n) is int for n in p)]
    fitting = [p for p in good if 1 <= p[0] <= longest and 1 <= p[1] <= _LARGEST]
    if not pairs or len(pairs) > 64 or len(fitting) < len(pairs):
        raise LangnetError(
            f"{path}: char_cnn.filters should be pairs of a width up to {longest} and a number, not {str(value)[:80]}"
        )
    return tuple((width, number) for width, number in fitting)


class _Fields:
    """One object of the options, with checks that name what is wrong."""

    def __init__(self, values: Any, name: str, path: Path):
        self.name, self.path = name, path
        if not isinstance(values, dict):
            raise LangnetError(f"{path}: '{name}' is no object of options")
        self.values: dict[str, Any] = values

    def number(self, key: str, least: int, most: int, default: int | None = None) -> int:
        value = self.values.get(key)
        value = default if value is None else value
        if type(value) is not int or not least <= value <= most:
            raise LangnetError(f"{self.path}: {self.name}.{key} is {value!r}; it should be {least:,} to {most:,}")
        return value

    def bound(self, key: str) -> float | None:
        value = self.values.get(key)
        if value is None:
            return None
        if type(value) not in (int, float) or not 0 < value < float("inf"):
            raise LangnetError(
                f"{self.path}: {self.name}.{key} is {value!r}; it should be above 0, or null for no clip"
            )
        return float(value)

    def flag(self, key: str) -> bool:
        value = self.values.get(key, False)
        if value is not None and type(value) is not bool:
            raise LangnetError(f"{self.path}: {self.name}.{key} is {value!r}; it should be true or false")
        return bool(value)


# Weights


def _expected(config: ELMoConfig, n_words: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every array that belongs to a configuration."""
    total, projection, units = config.n_filters, config.projection, config.units
    shapes: dict[str, tuple[int, ...]] = {}
    if n_words:
        shapes["embedding"] = (n_words, projection)
    else:
        shapes["char_embed"] = (N_CHARACTERS - 1, config.character_dim)
        for index, (width, number) in enumerate(config.filters):
            shapes[f"CNN/W_cnn_{index}"] = (1, width, config.character_dim, number)
            shapes[f"CNN/b_cnn_{index}"] = (number,)
        for index in range(config.n_highway):
            for kind in ("carry", "transform"):
                shapes[f"CNN_high_{index}/W_{kind}"] = (total, total)
                shapes[f"CNN_high_{index}/b_{kind}"] = (total,)
        if total != projection:
            shapes |= {"CNN_proj/W_proj": (total, projection), "CNN_proj/b_proj": (projection,)}
    for direction in range(2):
        for layer in range(config.n_layers):
            cell = _cell(direction, layer)
            shapes |= {f"{cell}/W_0": (2 * projection, 4 * units), f"{cell}/B": (4 * units,)}
            if projection < units:
                shapes[f"{cell}/W_P_0"] = (units, projection)
    return shapes


def _cell(direction: int, layer: int) -> str:
    return f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"


def _convert(
    arrays: dict[str, np.ndarray], config: ELMoConfig, words: list[str]
) -> tuple[dict[str, Tensor], ELMoConfig]:
    """The arrays as the encoder names, turns and orders them."""
    out: dict[str, np.ndarray] = {}
    if words:
        out["words.weight"] = _word_table(arrays["embedding"], words)
    else:
        out["words.embedding.weight"] = np.pad(arrays["char_embed"], ((1, 0), (0, 0)))  # row 0: no word
        for index in range(len(config.filters)):
            out[f"words.filters.{index}.weight"] = arrays[f"CNN/W_cnn_{index}"][0].transpose(2, 1, 0)
            out[f"words.filters.{index}.bias"] = arrays[f"CNN/b_cnn_{index}"]
        for index in range(config.n_highway):
            for theirs, ours in (("carry", "gate"), ("transform", "transform")):
                out[f"words.highways.{index}.{ours}.weight"] = arrays[f"CNN_high_{index}/W_{theirs}"].T
                out[f"words.highways.{index}.{ours}.bias"] = arrays[f"CNN_high_{index}/b_{theirs}"]
        if config.n_filters != config.projection:
            out["words.projection.weight"] = arrays["CNN_proj/W_proj"].T
            out["words.projection.bias"] = arrays["CNN_proj/b_proj"]
    for layer in range(config.n_layers):
        out |= _lstm(arrays, config, layer)
    tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in out.items()}
    return tensors, ELMoConfig(**{**vars(config), "n_words": len(out["words.weight"]) if words else 0})


def _lstm(arrays: dict[str, np.ndarray], config: ELMoConfig, layer: int) -> dict[str, np.ndarray]:
    """One layer, both directions beside each other."""
    P, H = config.projection, config.units
    order = np.concatenate([np.arange(H) + H * gate for gate in (0, 2, 3, 1)])  # to input, forget, output, candidate
    kernels = np.stack([arrays[f"{_cell(direction, layer)}/W_0"].T[order] for direction in range(2)])  # (2, 4 H, 2 P)
    bias = np.stack([arrays[f"{_cell(direction, layer)}/B"][order] for direction in range(2)])  # (2, 4 H)
    bias[:, H : 2 * H] += 1  # the original program adds it at every step
    name = f"lstms.{layer}"
    out = {f"{name}.input": kernels[:, :, :P], f"{name}.recurrent": kernels[:, :, P:], f"{name}.bias": bias}
    if P < H:
        out[f"{name}.projection"] = np.stack([arrays[f"{_cell(d, layer)}/W_P_0"].T for d in range(2)])  # (2, P, H)
    return out


# The variant with a table of words


def _vocabulary_beside(weights: Path) -> Path:
    found = sorted(p for p in weights.parent.iterdir() if p.is_file() and p.suffix == ".txt" and "vocab" in p.name)
    if len(found) != 1:
        names = ", ".join(p.name for p in found) or "none"
        raise LangnetError(
            f"this ELMo has a table of words instead of characters, so {weights.parent} must hold its vocabulary, one "
            f"file *vocab*.txt, but there are: {names}; or name it with --vocabulary"
        )
    return found[0]


def _vocabulary(path: Path) -> list[str]:
    """The words of a model without characters, a word a line."""
    lines = read_text(path, _VOCABULARY_BYTES).split("\n")
    words = [line.strip() for line in (lines[:-1] if lines[-1] == "" else lines)]
    words = [word for word in words if word != "!!!MAXTERMID"]
    for wanted in _MARKS:
        if wanted not in words:
            raise LangnetError(f"{path} lacks the word {wanted}, which every ELMo's vocabulary has")
    if len(set(words)) < len(words):
        raise LangnetError(f"{path} has a word twice; it is not the vocabulary of this ELMo")
    return words


def _check_word_table(datasets: Datasets, n_vocabulary: int, projection: int) -> None:
    table = datasets.found.get("embedding")
    if table is None or table.shape != (n_vocabulary, projection):
        shape = "none" if table is None else table.shape
        raise LangnetError(
            f"{datasets.path}: the options have no 'char_cnn', so a table 'embedding' of {n_vocabulary:,} words by "
            f"{projection} is expected; found: {shape}"
        )


def _word_table(table: np.ndarray, words: list[str]) -> np.ndarray:
    """The table's rows for the tokenizer's ids: its special tokens first, then the words but for the marks."""
    place = {word: index for index, word in enumerate(words)}
    special = [np.zeros_like(table[0])]  # padding
    special += [table[place[word]] for word in ("<UNK>", "<S>", "</S>", "</S>")]
    assert len(special) == len(SPECIAL_TOKENS)
    return np.concatenate([np.stack(special), table[[place[word] for word in words if word not in _MARKS]]])
