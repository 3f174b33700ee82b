"""OpenAI GPT as its authors published it: ten arrays that are one, the shapes to cut it by, and a vocabulary.

github.com/openai/finetune-transformer-lm: params_0.npy to params_9.npy hold all weights one after the other;
params_shapes.json has their shapes in the order positions, tokens, then each block's attention (queries, keys and
values in one, then output), norm, feed-forward and norm, each matrix before its bias and each gain before its bias. The
paper fixes the rest: 12 heads.
"""

from __future__ import annotations

from itertools import pairwise
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from langnet.encoders.gpt import GPTConfig
from langnet.errors import LangnetError
from langnet.hub.gpt_layout import find_layout, rows_of
from langnet.hub.importers.gpt_weights import gpt_contents
from langnet.hub.importers.guard import check_claim, read_json
from langnet.hub.importers.imported import Imported, ImportOptions, TensorTable
from langnet.hub.importers.tensor_files import read_array

LOOKS_FOR = "params_shapes.json beside params_0.npy"
FORMAT = "OpenAI GPT in its authors' arrays"
_SHAPES = "params_shapes.json"
_HEAD_WIDTH = 64
_A_BLOCK = 12
_MOST = 12 * 1000 + 2


def recognises(path: Path) -> bool:
    """Whether the path is the published folder or one of its arrays, with or without its weights."""
    folder = path if path.is_dir() else path.parent
    if path.is_file() and path.name != _SHAPES and not path.name.startswith("params_"):
        return False
    try:
        return bool(_read_shapes(folder / _SHAPES))
    except LangnetError:
        return False


def read(path: Path, options: ImportOptions) -> Imported:
    """Read the published model; `options.vocabulary` names the vocabulary's folder where it lies elsewhere.

    Raises:
        LangnetError: arrays are missing or damaged, or do not fit the shapes.
    """
    folder = path if path.is_dir() else path.parent
    shapes = _read_shapes(folder / _SHAPES)
    arrays = _arrays(folder)
    config = _config(folder / _SHAPES, shapes)
    layout = find_layout("gpt-2018")
    if layout is None:
        raise LangnetError("this version of langnet has no gpt-2018")
    names = [layout.positions, layout.tokens, *(row.theirs for row in rows_of(layout, config)[2:])]
    table = TensorTable(folder, dict(zip(names, _cut(folder, shapes, arrays), strict=True)))
    where = options.vocabulary or folder
    where = where if where.is_dir() else where.parent
    return gpt_contents(table, layout, config, where, [folder / _SHAPES, *arrays], FORMAT)


def _read_shapes(path: Path) -> list[tuple[int, ...]]:
    """The shapes, which have to be those of a GPT: two embeddings, and twelve arrays a block."""
    held = read_json(path)
    numbers = isinstance(held, list) and len(held) <= _MOST and all(
        isinstance(shape, list) and 1 <= len(shape) <= 3 and all(type(n) is int and 0 < n < 1 << 24 for n in shape)
        for shape in held
    )  # fmt: skip
    if not numbers or len(held) < 2 + _A_BLOCK or (len(held) - 2) % _A_BLOCK or len(held[0]) != 2 or len(held[1]) != 2:
        raise LangnetError(f"{path} does not list the shapes of a GPT's weights; it is damaged or another file")
    return [tuple(shape) for shape in held]


def _config(path: Path, shapes: list[tuple[int, ...]]) -> GPTConfig:
    layout = find_layout("gpt-2018")
    (context, dim), (rows, width) = shapes[0], shapes[1]
    if layout is None or width != dim or dim % _HEAD_WIDTH:
        raise LangnetError(f"{path}: embeddings of the widths {dim} and {width} are not those of a GPT")
    config = GPTConfig(
        vocabulary_size=rows,
        context=context,
        dim=dim,
        n_layers=(len(shapes) - 2) // _A_BLOCK,
        n_heads=dim // _HEAD_WIDTH,
        feedforward=shapes[8][-1],
        **layout.fixed,
    )
    for shape, row in zip(shapes[2:], rows_of(layout, config)[2:], strict=True):
        if shape not in (row.shape, (1, *row.shape)):
            raise LangnetError(f"{path}: {list(shape)} where '{row.theirs}' has the shape {list(row.shape)}")
    return config


def _arrays(folder: Path) -> list[Path]:
    """params_0.npy, params_1.npy and so on, without a gap."""
    found: list[Path] = []
    while (folder / f"params_{len(found)}.npy").is_file():
        found.append(folder / f"params_{len(found)}.npy")
    if not found:
        raise LangnetError(f"{folder} has a {_SHAPES} but no weights; download params_0.npy to params_9.npy as well")
    return found


def _cut(folder: Path, shapes: list[tuple[int, ...]], paths: list[Path]) -> list[Tensor]:
    """The arrays put together and cut by the shapes."""
    parts = [read_array(path) for path in paths]
    if any(part.ndim != 1 or part.dtype != np.float32 for part in parts):
        raise LangnetError(f"{folder}: {paths[0].name} is no row of float32 numbers, as the published arrays are")
    ends = np.cumsum([0, *(prod(shape) for shape in shapes)])
    check_claim(folder, "weights", 4 * int(ends[-1]), 4 * sum(len(part) for part in parts))
    if sum(len(part) for part in parts) != ends[-1]:
        raise LangnetError(f"{folder}: its arrays hold more numbers than {_SHAPES} says; they are not of one model")
    whole = torch.from_numpy(np.concatenate(parts))
    return [
        whole[start:end].reshape(shape[1:] if len(shape) == 3 else shape)
        for (start, end), shape in zip(pairwise(ends.tolist()), shapes, strict=True)
    ]
