"""A GPT as an ONNX graph: token ids and a mask in, the hidden states of every layer out.

Batch and length are open. The folder also holds the tokenizer, as the `tokenizers` library reads it.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from langnet.encoders.encoder import Encoder
from langnet.encoders.gpt import GPT
from langnet.errors import LangnetError
from langnet.hub.exporters.exported import Exporter, encoder_of, new_place
from langnet.hub.folder import FolderContents
from langnet.hub.json_text import to_json
from langnet.text.tokenizer import Tokenizer

OPSET = 18
MODEL_NAME = "encoder.onnx"
_NEEDED = ("onnx", "onnxscript")
_LONGEST_TRIED = 8


class Layers(nn.Module):
    """An encoder whose layers are one tensor (L + 1, B, T, D), zero where the mask is."""

    def __init__(self, encoder: Encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        layers = torch.stack(self.encoder(ids, mask).layers)  # (L + 1, B, T, D)
        return layers * mask[None, :, :, None].to(layers.dtype)  # (L + 1, B, T, D)


def write(contents: FolderContents, output: Path) -> str:
    """Write an encoder as a folder with `encoder.onnx` and its tokenizer; the task's head is not part of it.

    Raises:
        LangnetError: the extra is missing, PyTorch cannot write this encoder, or the folder exists.
    """
    if not all(find_spec(name) for name in _NEEDED):
        raise LangnetError("writing ONNX needs onnx and onnxscript; install them with: pip install 'langnet[onnx]'")
    family, encoder = encoder_of(contents)
    if not isinstance(encoder, GPT):
        raise LangnetError(f"'{family}' is not written as ONNX yet; those that are: gpt, gpt-2018 and gpt-2")
    tokenizer = Tokenizer.from_json(contents.tokenizer_json)
    with new_place(output) as folder:
        folder.mkdir()
        _write_graph(encoder, family, folder / MODEL_NAME)
        (folder / "tokenizer.json").write_text(tokenizer.backend.to_str(), encoding="utf8")
        (folder / "special_tokens.json").write_bytes(to_json(_special(tokenizer), "special tokens", indent=2))
    turned = "; ids of a text stand last first, start and extract as ever" if tokenizer.direction == "backward" else ""
    return (
        f"{MODEL_NAME} of {family} (opset {OPSET}): ids (batch, length) int64 and mask (batch, length) bool to layers "
        f"({encoder.n_layers + 1}, batch, length, {encoder.dim}){turned}"
    )


EXPORTER = Exporter("onnx", "a GPT as a graph for onnxruntime: ids and mask to every layer", write)


def _special(tokenizer: Tokenizer) -> dict[str, int]:
    return {
        "pad": tokenizer.pad_id,
        "unknown": tokenizer.unknown_id,
        "start": tokenizer.start_id,
        "delimiter": tokenizer.delimiter_id,
        "extract": tokenizer.extract_id,
    }


def _write_graph(encoder: Encoder, family: str, path: Path) -> None:
    length = min(_LONGEST_TRIED, encoder.context or _LONGEST_TRIED)
    ids = torch.zeros(2, length, dtype=torch.int64)  # (B, T)
    mask = torch.ones(2, length, dtype=torch.bool)  # (B, T)
    longest = torch.export.Dim("length", max=encoder.context) if encoder.context else torch.export.Dim("length")
    shape: dict[int, Any] = {0: torch.export.Dim("batch"), 1: longest}
    try:
        with _quiet(), torch.no_grad():
            torch.onnx.export(
                Layers(encoder).eval(),
                (ids, mask),
                path,
                input_names=["ids", "mask"],
                output_names=["layers"],
                dynamic_shapes=(shape, dict(shape)),
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
            )
    except OSError:
        raise
    except Exception as error:  # the exporter raises what its many passes stumble over
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise LangnetError(f"PyTorch {torch.__version__} cannot write '{family}' as ONNX: {reason[:200]}") from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter reports its passes on standard output, in warnings and in a log; none of it helps a user."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
