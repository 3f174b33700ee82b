"""AWD-LSTM language models of fastai and of ULMFiT's first program: a state dict, and the vocabulary as a list.

The hidden-to-hidden weights stand twice, whole ("weight_hh_l0_raw") and as the last batch's dropout left them; the
whole ones are read. cuDNN's two biases are added up. The vocabulary is a list in JSON, or a text with a word a line:
fastai's own is a pickle, which can run any program when it is read. Whether the model was trained on text turned round
is not in its files: the user says so.
"""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer as Backend
from tokenizers import models, normalizers
from torch import Tensor

from langnet.encoders.awd_lstm import AWDLSTM, SIZES, AWDLSTMConfig
from langnet.errors import LangnetError
from langnet.hub.importers.guard import TOKENIZER_BYTES, head_of, read_json, read_text
from langnet.hub.importers.imported import Imported, ImportOptions, TensorTable, imported_model
from langnet.hub.importers.tensor_files import is_pickle, read_tensors
from langnet.tasks.language_model import LanguageModel
from langnet.text.tokenizer import SPECIAL_TOKENS, Tokenizer

FORMAT = "AWD-LSTM of fastai"
LOOKS_FOR = "a .pth or .h5 file of tensors named like 0.encoder.weight and 0.rnns.0.weight_hh_l0_raw"
_HEAD_BYTES = 1 << 20  # every format has its names at the beginning
_BESIDE = ("vocab.json", "itos.json", "vocab.txt", "itos.txt")
_MOST_LAYERS = 16
_UNKNOWN, _PAD, _BEGIN = "xxunk", "xxpad", "xxbos"
_FOREIGN = (_UNKNOWN, _PAD, _BEGIN, "xxeos", "xxfld", "xxrep", "xxwrep", "xxup", "xxmaj")
_ROWS_LIKE = {"<pad>": _PAD, "<unknown>": _UNKNOWN, "<start>": _BEGIN, "<extract>": _BEGIN}
_COPIES = ("encoder_dp.emb.weight", "encoder_with_dropout.embed.weight", "decoder.weight", ".weight_hh_l0")


def recognises(path: Path) -> bool:
    """Whether a file begins with the names of an AWD-LSTM's tensors."""
    head = head_of(path, _HEAD_BYTES) if path.is_file() else b""
    return b"encoder.weight" in head and b"rnns.0." in head and b"weight_hh_l0" in head


def read(path: Path, options: ImportOptions) -> Imported:
    """Read a language model or its encoder alone; `options.vocabulary` is the list of words.

    Raises:
        LangnetError: the file is damaged, the vocabulary is missing, a pickle, or of another length.
    """
    vocabulary = options.vocabulary or _find_vocabulary(path)
    words = _words(vocabulary)
    table = TensorTable(path, read_tensors(path))
    prefix = "0." if "0.encoder.weight" in table.tensors else ""
    config = _config(table, prefix, len(words))
    state = _state(table, prefix, config)
    tokenizer = _tokenizer(words, vocabulary).turned(options.direction or "forward")
    notes = _fit_rows(state, tokenizer, words)
    if "1.decoder.bias" not in table.tensors:
        notes.append(
            "no bias of the softmax in the file, so it is zero: what the model writes and scores is not fastai's"
        )
    config = AWDLSTMConfig(**{**vars(config), "vocabulary_size": tokenizer.vocabulary_size})
    with torch.device("meta"):
        encoder = AWDLSTM(config)
    encoder.load_state_dict(state, assign=True)
    report = table.report(FORMAT, notes)
    report.unused = [name for name in report.unused if not name.endswith(_COPIES)]
    size = next((n for n, held in SIZES.items() if all(getattr(config, k) == v for k, v in held.items())), None)
    return imported_model(report, "awd-lstm", encoder, LanguageModel(), tokenizer, [path, vocabulary], size)


def _find_vocabulary(path: Path) -> Path:
    for name in _BESIDE:
        if (path.parent / name).is_file():
            return path.parent / name
    raise LangnetError(f"{path} needs its vocabulary: give --vocabulary FILE, a JSON list of its words or one a line")


def _words(path: Path) -> list[str]:
    """The vocabulary in the order of the ids."""
    if is_pickle(path):
        raise LangnetError(
            f"{path} is a pickle, which can run any program when it is read, so langnet reads none; where you trust "
            "it, write its list of words as JSON (json.dump) and give that with --vocabulary"
        )
    words = read_json(path, TOKENIZER_BYTES) if path.suffix == ".json" else read_text(path).splitlines()
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise LangnetError(f"{path} is no list of words; give a JSON list, or a text with one word a line")
    return words


def _config(table: TensorTable, prefix: str, n_words: int) -> AWDLSTMConfig:
    """The sizes, off the shapes of the tensors."""
    shapes = {name: tuple(tensor.shape) for name, tensor in table.tensors.items()}
    rows = shapes.get(f"{prefix}encoder.weight", ())
    layers = 0
    while layers < _MOST_LAYERS and any(name.startswith(f"{prefix}rnns.{layers}.") for name in shapes):
        layers += 1
    first = shapes.get(_name(table, prefix, 0, "weight_ih_l0"), ())
    if len(rows) != 2 or len(first) != 2 or first[0] % 4 or not layers:
        raise LangnetError(f"{table.source} has not the tensors of an AWD-LSTM; it is another model")
    if rows[0] != n_words:
        raise LangnetError(
            f"the vocabulary has {n_words:,} words, {table.source} {rows[0]:,} embeddings; they are of different models"
        )
    hidden = first[0] // 4 if layers > 1 else SIZES["ulmfit"]["hidden"]
    return AWDLSTMConfig(n_words, dim=rows[1], hidden=hidden, n_layers=layers)


def _name(table: TensorTable, prefix: str, layer: int, weight: str) -> str:
    """A weight's name; the wrapper that drops weights stands before or after "module", by the program's version."""
    for name in (f"{prefix}rnns.{layer}.{weight}", f"{prefix}rnns.{layer}.module.{weight}"):
        if name in table.tensors:
            return name
    return f"{prefix}rnns.{layer}.{weight}"


def _state(table: TensorTable, prefix: str, config: AWDLSTMConfig) -> dict[str, Tensor]:
    state = {"token_embedding.weight": table.take(f"{prefix}encoder.weight", (config.vocabulary_size, config.dim))}
    bias, output = "1.decoder.bias", table.tensors.get("1.decoder.weight")
    if output is not None and not _equal(output, table.tensors[f"{prefix}encoder.weight"]):
        raise LangnetError(
            f"{table.source} was trained without tied weights: '1.decoder.weight' is not '{prefix}encoder.weight', "
            "which langnet's awd-lstm predicts words by; save its encoder alone (learn.save_encoder) to fine-tune that"
        )
    state["softmax_bias"] = torch.zeros(config.vocabulary_size)  # (V,)
    if bias in table.tensors:
        state["softmax_bias"] = table.take(bias, (config.vocabulary_size,))
    for index in range(config.n_layers):
        below, above = config.layer_dims[index : index + 2]
        raw = _name(table, prefix, index, "weight_hh_l0_raw")
        hidden = raw if raw in table.tensors else _name(table, prefix, index, "weight_hh_l0")
        biases = [_name(table, prefix, index, name) for name in ("bias_ih_l0", "bias_hh_l0")]
        state |= {
            f"layers.{index}.input_weight": table.take(_name(table, prefix, index, "weight_ih_l0"), (4 * above, below)),
            f"layers.{index}.hidden_weight": table.take(hidden, (4 * above, above)),
            f"layers.{index}.bias": table.take(biases[0], (4 * above,)) + table.take(biases[1], (4 * above,)),
        }
    return state


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool((one == other).all())


def _tokenizer(words: list[str], source: Path) -> Tokenizer:
    """Words as langnet cuts them, in small letters; fastai's list may repeat a filler, whose copies get names."""
    vocabulary: dict[str, int] = {}
    for index, word in enumerate(words):
        vocabulary[word if word not in vocabulary else f"{word}#{index}"] = index
    for token in SPECIAL_TOKENS:
        vocabulary.setdefault(token, len(vocabulary))
    unknown = _UNKNOWN if _UNKNOWN in vocabulary else "<unknown>"
    if len(vocabulary) < len(words) + len(SPECIAL_TOKENS):
        raise LangnetError(f"{source} has langnet's special tokens among its words; it is no vocabulary of fastai's")
    backend: Backend = Tokenizer.train([], "words").backend
    backend.model = models.WordLevel(vocab=vocabulary, unk_token=unknown)
    backend.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    return Tokenizer(backend, "imported", [word for word in _FOREIGN if word in vocabulary])


def _fit_rows(state: dict[str, Tensor], tokenizer: Tokenizer, words: list[str]) -> list[str]:
    """Add a row for each special token of langnet, like that of fastai's own; returns what to tell."""
    held = tokenizer.backend.get_vocab()
    known, bias = state["token_embedding.weight"], state["softmax_bias"]
    copied = [held.get(_ROWS_LIKE.get(token, "")) for token in SPECIAL_TOKENS]
    rows = [known.mean(0) if index is None else known[index] for index in copied]
    biases = [bias.mean() if index is None else bias[index] for index in copied]
    state["token_embedding.weight"] = torch.cat([known, torch.stack(rows)])  # (V, D)
    state["softmax_bias"] = torch.cat([bias, torch.stack(biases)])  # (V,)
    return [
        f"{len(rows)} new rows for {', '.join(SPECIAL_TOKENS)}, like xxpad, xxunk, xxbos, the mean and xxbos",
        f"text is cut as langnet cuts words, all in small letters, and not by spaCy: {len(words):,} words are known, "
        "and fastai's marks, such as xxmaj, are not put in",
    ]
